-- The service's own objects as tables: IMPORT FOREIGN SCHEMA api.
\getenv api_url PINSIGHT_API_URL
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;

CREATE SERVER api_partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url :'api_url',
			 login_url :'api_url');

-- needs no user mapping: the service is not asked
CREATE SCHEMA api;
IMPORT FOREIGN SCHEMA "API" FROM SERVER api_partner INTO api;
\d api.datasets
\d api.queries
\d api.reports
\d api.executions

-- some of them
CREATE SCHEMA picked;
IMPORT FOREIGN SCHEMA api LIMIT TO (reports, queries) FROM SERVER api_partner INTO picked;
\det picked.*
DROP SCHEMA picked CASCADE;
CREATE SCHEMA picked;
IMPORT FOREIGN SCHEMA api EXCEPT (reports, nothing) FROM SERVER api_partner INTO picked;
\det picked.*
IMPORT FOREIGN SCHEMA api LIMIT TO (reports, report) FROM SERVER api_partner INTO picked;
IMPORT FOREIGN SCHEMA api LIMIT TO ("Reports") FROM SERVER api_partner INTO picked;
IMPORT FOREIGN SCHEMA api FROM SERVER api_partner INTO picked OPTIONS (prefix 'a');
IMPORT FOREIGN SCHEMA apis FROM SERVER api_partner INTO picked;

-- planning and EXPLAIN need no user mapping either
EXPLAIN (COSTS OFF) SELECT * FROM api.datasets WHERE dataset_name = 'AzureUsage' AND minimum_recurrence_interval > 4;
EXPLAIN (COSTS OFF) SELECT query_id FROM api.queries;
EXPLAIN (COSTS OFF) SELECT query_id FROM api.queries WHERE name = 'a b' AND type = 'userDefined';
EXPLAIN (COSTS OFF) SELECT query_id FROM api.queries WHERE query_id IN ('a', 'b') AND type = 'system';
EXPLAIN (COSTS OFF) SELECT execution_id FROM api.executions;
EXPLAIN (COSTS OFF) SELECT execution_id, latest FROM api.executions WHERE report_id = 'r' AND execution_status <> 'Running';
EXPLAIN (COSTS OFF) SELECT execution_id FROM api.executions
	WHERE report_id = ANY ('{r,s}') AND execution_status IN ('Running', 'completed') AND execution_id = 'e';
EXPLAIN (COSTS OFF) SELECT execution_id FROM api.executions WHERE report_id = 'r' AND latest AND execution_status = 'Running';
EXPLAIN (COSTS OFF) SELECT execution_id FROM api.executions WHERE report_id = ANY ('{}');
EXPLAIN (COSTS OFF) SELECT r.report_name, e.execution_id FROM api.reports r JOIN api.executions e USING (report_id)
	WHERE r.report_name = 'x';
EXPLAIN (COSTS OFF) SELECT * FROM unnest('{a,b}'::text[]) u, LATERAL (SELECT execution_id FROM api.executions
	WHERE report_id = u AND execution_status = 'Pending' OFFSET 0) e;
SET plan_cache_mode = force_generic_plan;
PREPARE any_report (text, text[]) AS SELECT execution_id FROM api.executions WHERE report_id = $1 AND execution_status = ANY ($2);
EXPLAIN (COSTS OFF) EXECUTE any_report ('r', '{Running}');
DEALLOCATE any_report;
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) SELECT report_id FROM api.reports WHERE query_id = 'q';

-- what the service cannot be told is checked here alone
EXPLAIN (COSTS OFF) SELECT report_id FROM api.reports WHERE query_id = 'q' OR report_id = 'r';
EXPLAIN (COSTS OFF) SELECT report_id FROM api.reports WHERE query_id = report_id;

SELECT count(*) FROM api.reports;

CREATE USER MAPPING FOR CURRENT_USER SERVER api_partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret',
			 refresh_token 'emulator-refresh-token');

SELECT dataset_name, selectable_columns[1:2], minimum_recurrence_interval, raw ? 'datasetName' AS raw
	FROM api.datasets ORDER BY dataset_name COLLATE "C" LIMIT 3;
SELECT query_id, name, type FROM api.queries WHERE type = 'system' AND name = 'Profile';
SELECT count(*) FROM api.reports WHERE report_name = 'nothing';
SELECT count(*) FROM api.executions WHERE report_id = 'nothing';
SELECT d.dataset_name, q.name FROM api.datasets d JOIN api.queries q ON q.name = d.dataset_name
	WHERE d.dataset_name IN ('Profile', 'MSLearn') ORDER BY 1;

-- nothing is known of what changes by the minute
ANALYZE api.reports;
INSERT INTO api.datasets (dataset_name) VALUES ('mine');

-- a role, and a view through which it sees what its owner may
CREATE ROLE api_reader;
GRANT USAGE ON SCHEMA api TO api_reader;
GRANT SELECT ON api.reports TO api_reader;
CREATE VIEW api.seen AS SELECT dataset_name FROM api.datasets WHERE dataset_name = 'Profile';
GRANT SELECT ON api.seen TO api_reader;
SET ROLE api_reader;
SELECT * FROM api.datasets;
SELECT * FROM api.reports;
SELECT * FROM api.seen;
RESET ROLE;
DROP VIEW api.seen;
DROP OWNED BY api_reader;
DROP ROLE api_reader;

-- what is for reports is not for these
SELECT pinsight_forget('api.reports');
SELECT pinsight_schedule('api.reports', '24 hours');
SELECT pinsight_unschedule('api.reports');
SELECT * FROM pinsight_check_tables('api_partner');

-- columns: renamed, left out, as text, and wrong ones
ALTER FOREIGN TABLE api.datasets RENAME COLUMN dataset_name TO name;
ALTER FOREIGN TABLE api.datasets DROP COLUMN available_metrics;
SELECT name, minimum_recurrence_interval FROM api.datasets WHERE name = 'Profile';
CREATE FOREIGN TABLE api.texts ("datasetName" text, minimum_recurrence_interval text, selectable_columns text)
	SERVER api_partner OPTIONS (api_object 'datasets');
SELECT "datasetName", minimum_recurrence_interval, left(selectable_columns, 9)
	FROM api.texts WHERE "datasetName" = 'Profile';
CREATE FOREIGN TABLE api.nothing () SERVER api_partner OPTIONS (api_object 'datasets');
SELECT count(*) > 10 FROM api.nothing;
CREATE FOREIGN TABLE api.market (dataset_name text) SERVER api_partner OPTIONS (api_object 'datasets', program 'cmp');
SELECT * FROM api.market WHERE dataset_name LIKE '%Order';
CREATE FOREIGN TABLE api.wrong (query_id text, status text) SERVER api_partner OPTIONS (api_object 'queries');
SELECT * FROM api.wrong;
ALTER FOREIGN TABLE api.wrong ALTER status OPTIONS (ADD column_name 'State');
SELECT * FROM api.wrong;
ALTER FOREIGN TABLE api.wrong ALTER status OPTIONS (SET column_name 'user');
ALTER FOREIGN TABLE api.wrong ALTER status TYPE int;
SELECT * FROM api.wrong;
ALTER FOREIGN TABLE api.wrong ALTER status OPTIONS (SET column_name 'createdTime');
SELECT * FROM api.wrong;
ALTER FOREIGN TABLE api.wrong ALTER status TYPE timestamptz, ALTER status OPTIONS (ADD metric 'true');
SELECT * FROM api.wrong;
ALTER FOREIGN TABLE api.wrong ALTER status OPTIONS (DROP metric, SET column_name 'modifiedTime'), ALTER status SET NOT NULL;
SELECT * FROM api.wrong;
SELECT count(query_id) > 0 FROM api.wrong;

-- the option
ALTER FOREIGN TABLE api.wrong OPTIONS (SET api_object 'users');
ALTER FOREIGN TABLE api.wrong OPTIONS (ADD dataset 'AzureUsage');
ALTER FOREIGN TABLE api.wrong OPTIONS (ADD max_age '1 hour');
ALTER FOREIGN TABLE api.wrong OPTIONS (ADD on_error 'set_null', ADD estimated_rows '10', ADD program 'cmp');
ALTER SERVER api_partner OPTIONS (ADD api_object 'reports');
IMPORT FOREIGN SCHEMA mpn FROM SERVER api_partner INTO picked OPTIONS (api_object 'reports');

SET client_min_messages = warning;
DROP SCHEMA api CASCADE;
DROP SCHEMA picked CASCADE;
DROP SERVER api_partner CASCADE;
