-- Reports and queries that exist at the service already.
\getenv api_url PINSIGHT_API_URL
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;

CREATE ROLE regress_pinsight_stranger;
CREATE SERVER existing_partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url :'api_url',
			 login_url :'api_url', poll_interval '50 ms',
			 max_reports_per_hour '1000');
CREATE USER MAPPING FOR PUBLIC SERVER existing_partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret',
			 refresh_token 'emulator-refresh-token');

SELECT proname, pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result
	FROM pg_proc WHERE proname ~ '^pinsight_(preview|report_)' ORDER BY proname \gx

--
-- The first rows of a query
--
SELECT pinsight_preview('existing_partner',
	'SELECT DISTINCT Month FROM AzureUsage ORDER BY Month DESC LIMIT 2 TIMESPAN LAST_6_MONTHS');
SELECT count(*), jsonb_typeof(min(row::text)::jsonb -> 'UsageQuantity') AS type
	FROM pinsight_preview('existing_partner', 'SELECT UsageQuantity FROM AzureUsage') AS row;
SELECT count(*), count(row ->> 'PartnerName') > 0 AS named
	FROM pinsight_preview('existing_partner', query_id => 'e65f3a4f-fb99-4319-97ff-59e57566a871') AS row;
SELECT pinsight_preview('existing_partner', 'SELECT Colour FROM AzureUsage');
SELECT pinsight_preview('existing_partner');
SELECT pinsight_preview(NULL, 'SELECT Month FROM AzureUsage');
SELECT pinsight_preview('nowhere', 'SELECT Month FROM AzureUsage');

--
-- Without a column list, or where there is none
--
SELECT * FROM pinsight_report_rows('existing_partner', 'some-report');
SELECT pinsight_report_rows('existing_partner', 'some-report');
SELECT * FROM pinsight_report_rows('existing_partner', 'a b') AS t(a int);
SELECT * FROM pinsight_report_rows(NULL, 'some-report') AS t(a int);
SELECT * FROM pinsight_report_columns('existing_partner', NULL);

--
-- A query as a table
--
CREATE FOREIGN TABLE existing_usage (
	month date,
	customer_name text,
	quantity numeric OPTIONS (column_name 'UsageQuantity'),
	execution text OPTIONS (metadata 'execution_id')
) SERVER existing_partner OPTIONS (query_id 'd1a4d75e-5ca8-4847-845f-ee0a9be6f07b');
EXPLAIN (VERBOSE, COSTS OFF) SELECT month FROM existing_usage WHERE month = '2026-05-01' LIMIT 1;
SELECT count(*) = count(customer_name) AS named, sum(quantity) > 0 AS used, count(DISTINCT execution)
	FROM existing_usage;
SELECT DISTINCT month FROM existing_usage WHERE month >= '2026-05-01' ORDER BY 1;
SELECT query, foreign_table FROM pinsight_snapshots WHERE server = 'existing_partner';
ANALYZE existing_usage;
SELECT pinsight_schedule('existing_usage');
SELECT pinsight_forget('existing_usage');

-- a report needs no dataset either, but a table of its own does
CREATE FOREIGN TABLE existing_report (month date) SERVER existing_partner
	OPTIONS (report_id 'some-report');
EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM existing_report;
SELECT * FROM existing_report;
SELECT pinsight_schedule('existing_report');
ALTER FOREIGN TABLE existing_report OPTIONS (DROP report_id);
SELECT * FROM existing_report;

SET ROLE regress_pinsight_stranger;
SELECT pinsight_preview('existing_partner', 'SELECT Month FROM AzureUsage');
SELECT * FROM pinsight_report_columns('existing_partner', 'some-report');
SELECT * FROM pinsight_report_rows('existing_partner', 'some-report') AS t(a int);
RESET ROLE;

SET client_min_messages = warning;
DROP SERVER existing_partner CASCADE;
DROP ROLE regress_pinsight_stranger;
