-- SELECT from a dataset through the emulator.
\getenv api_url PINSIGHT_API_URL
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;

CREATE SERVER select_partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url :'api_url',
			 login_url :'api_url', poll_interval '50 ms',
			 max_reports_per_hour '1000');

-- each statement orders a report of its own
SET pinsight_fdw.max_age = 0;

CREATE USER MAPPING FOR CURRENT_USER SERVER select_partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret',
			 refresh_token 'emulator-refresh-token');

-- columns by name, case and underscores aside, and by column_name
CREATE FOREIGN TABLE azure_usage (
	subscription_id uuid,
	month date,
	service_name text,
	customer_name text,
	customer_market varchar(60),
	quantity numeric OPTIONS (column_name 'UsageQuantity'),
	duplicate boolean OPTIONS (column_name 'IsACRDuplicateAtPGALevel')
) SERVER select_partner OPTIONS (timespan 'LIFETIME');

-- rows, filtered, aggregated, sorted
SELECT count(*), count(DISTINCT subscription_id), min(month), max(month)
	FROM azure_usage;
SELECT month, service_name, customer_name, quantity, duplicate
	FROM azure_usage
	WHERE month >= '2026-05-01' AND quantity IS NOT NULL
	ORDER BY quantity DESC, subscription_id, month LIMIT 5;
SELECT duplicate, count(*) FROM azure_usage GROUP BY 1 ORDER BY 1;

-- no column at all, no row at all
SELECT count(*) FROM (SELECT FROM azure_usage OFFSET 0) AS nothing;
SELECT * FROM azure_usage LIMIT 0;

-- a join with a local table, and two scans of one table in a statement
CREATE TABLE market AS
	SELECT DISTINCT customer_market FROM azure_usage
	WHERE customer_market IS NOT NULL;
SELECT (SELECT count(*) FROM azure_usage JOIN market USING (customer_market)) =
	   (SELECT count(customer_market) FROM azure_usage) AS same;

-- read through a view, with the owner's mapping
CREATE ROLE regress_pinsight_reader;
CREATE VIEW usage_view AS SELECT service_name, quantity FROM azure_usage;
GRANT SELECT ON usage_view TO regress_pinsight_reader;
SET ROLE regress_pinsight_reader;
SELECT count(*) > 0 AS rows FROM usage_view;
SELECT count(*) FROM azure_usage;
RESET ROLE;

-- in a transaction that fails and goes on
BEGIN;
SAVEPOINT s;
SELECT 1 / (count(*) - count(*)) FROM azure_usage;
ROLLBACK TO s;
SELECT count(*) > 0 AS rows FROM azure_usage;
COMMIT;

-- a cursor, left open
BEGIN;
DECLARE c CURSOR FOR SELECT service_name IS NOT NULL AS named FROM azure_usage;
MOVE 10 IN c;
FETCH 2 FROM c;
COMMIT;

-- plans, as for somebody who wants a new report
SET pinsight_fdw.max_age = '0';
EXPLAIN (COSTS OFF) SELECT * FROM azure_usage WHERE month = '2026-05-01';
EXPLAIN (VERBOSE, COSTS OFF) SELECT service_name FROM azure_usage;
RESET pinsight_fdw.max_age;

DROP VIEW usage_view;
DROP TABLE market;
DROP ROLE regress_pinsight_reader;
DROP SERVER select_partner CASCADE;
