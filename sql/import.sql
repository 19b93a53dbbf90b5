-- IMPORT FOREIGN SCHEMA through the emulator.
\getenv api_url PINSIGHT_API_URL
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;

CREATE SERVER import_partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url :'api_url',
			 login_url :'api_url', poll_interval '50 ms',
			 max_reports_per_hour '1000');

-- each statement orders a report of its own
SET pinsight_fdw.max_age = 0;

CREATE USER MAPPING FOR CURRENT_USER SERVER import_partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret',
			 refresh_token 'emulator-refresh-token');

-- what there is in a schema
CREATE VIEW imported AS
	SELECT n.nspname AS schema, c.relname AS table_name,
		   count(a.attname) AS columns,
		   array_to_string(ft.ftoptions, ', ') AS options
	FROM pg_foreign_table ft JOIN pg_class c ON c.oid = ft.ftrelid
		JOIN pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	GROUP BY n.nspname, c.relname, ft.ftoptions
	ORDER BY n.nspname, c.relname COLLATE "C";

-- everything
CREATE SCHEMA mpn;
CREATE SCHEMA cmp;
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO mpn;
IMPORT FOREIGN SCHEMA "CMP" FROM SERVER import_partner INTO cmp;
SELECT * FROM imported;
\d mpn.azure_usage
\d mpn.profile
\d cmp.isv_usage

-- a clash of names fails whole
CREATE SCHEMA clash;
CREATE TABLE clash.ms_learn (x int);
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO clash;
SELECT * FROM imported WHERE schema = 'clash';

-- by remote or local name, without case
CREATE SCHEMA one;
IMPORT FOREIGN SCHEMA mpn LIMIT TO (azure_usage, AzureUsage, "TEAMSUSAGE3PAPPS")
	FROM SERVER import_partner INTO one;
IMPORT FOREIGN SCHEMA cmp EXCEPT ("ISVOrder", isvrevenue, isv_order_v2, ISV_Usage)
	FROM SERVER import_partner INTO one OPTIONS (case 'preserve');
SELECT table_name, columns FROM imported WHERE schema = 'one';
\d one."ISVOfferRetention"
IMPORT FOREIGN SCHEMA mpn LIMIT TO (azure_usages) FROM SERVER import_partner INTO one;

-- options
CREATE SCHEMA two;
IMPORT FOREIGN SCHEMA mpn LIMIT TO (azureusage, profile, seats_subscriptions_and_revenue)
	FROM SERVER import_partner INTO two
	OPTIONS (prefix 'pc_', metrics 'true', timespan 'last_3_months', not_null 'on',
			 format 'tsv', wait_timeout '1 minute', on_error 'set_null',
			 estimated_rows '5000');
IMPORT FOREIGN SCHEMA mpn LIMIT TO (profile) FROM SERVER import_partner INTO two
	OPTIONS (timespan 'LAST_MONTH');
IMPORT FOREIGN SCHEMA cmp LIMIT TO (isv_order, isv_customer) FROM SERVER import_partner INTO two
	OPTIONS (timespan 'LAST_1_YEAR', not_null 'true');
IMPORT FOREIGN SCHEMA mpn LIMIT TO (pc_ms_learn) FROM SERVER import_partner INTO two
	OPTIONS (prefix 'pc_');
SELECT table_name, columns, options FROM imported WHERE schema = 'two';
SELECT attrelid::regclass, attname, attnotnull, attfdwoptions FROM pg_attribute
	WHERE attrelid::regclass::text LIKE 'two.%' AND attnum > 0
		AND (attnotnull OR 'metric=true' = ANY (attfdwoptions))
	ORDER BY attrelid::regclass::text COLLATE "C", attnum;
EXPLAIN (VERBOSE) SELECT month FROM two.pc_seats_subscriptions_and_revenue;

-- mistakes
IMPORT FOREIGN SCHEMA mnp FROM SERVER import_partner INTO one;
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO one OPTIONS (prefx 'a');
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO one OPTIONS (metric 'true');
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO one OPTIONS (metrics 'maybe');
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO one OPTIONS (case 'lower');
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO one OPTIONS (prefix 'a b');
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO one OPTIONS (dataset 'AzureUsage');
IMPORT FOREIGN SCHEMA mpn FROM SERVER import_partner INTO one OPTIONS (tenant 'x');
IMPORT FOREIGN SCHEMA mpn LIMIT TO (azure_usage) FROM SERVER import_partner INTO two
	OPTIONS (timespan 'LAST_CENTURY');

-- metadata columns are about the execution
ALTER FOREIGN TABLE one.azure_usage
	ADD COLUMN report uuid OPTIONS (metadata 'report_id'),
	ADD COLUMN execution text OPTIONS (metadata 'execution_id'),
	ADD COLUMN generated timestamptz OPTIONS (metadata 'generated_time');
SELECT count(*) > 0 AS rows, count(DISTINCT report) AS reports,
	   count(DISTINCT execution) AS executions,
	   min(generated) IS NOT NULL AS generated
	FROM one.azure_usage;
SET pinsight_fdw.max_age = '0';
EXPLAIN (VERBOSE, COSTS OFF) SELECT generated FROM one.azure_usage;
RESET pinsight_fdw.max_age;
ALTER FOREIGN TABLE one.azure_usage
	ALTER COLUMN month OPTIONS (ADD metadata 'report_id');
ALTER FOREIGN TABLE one.azure_usage
	ADD COLUMN other text OPTIONS (metadata 'report');

-- drift: columns that are not there, columns that are not in the table
ALTER FOREIGN TABLE one.teams_usage_3p_apps
	DROP COLUMN app_name, DROP COLUMN date_key,
	ADD COLUMN gone_by text, ADD COLUMN "LongGone" int;
SELECT count(*) FROM one.teams_usage_3p_apps;
\echo :LAST_ERROR_SQLSTATE
ALTER FOREIGN TABLE one.teams_usage_3p_apps OPTIONS (SET dataset 'TeamsUsage4PApps');
SELECT count(*) FROM one.teams_usage_3p_apps;
\echo :LAST_ERROR_SQLSTATE
ALTER FOREIGN TABLE one.teams_usage_3p_apps OPTIONS (SET dataset 'TeamsUsage3PApps');
CREATE FOREIGN TABLE one.nothing_like_it (x int) SERVER import_partner;
CREATE FOREIGN TABLE one.empty () SERVER import_partner OPTIONS (dataset 'Profile');
SELECT * FROM pinsight_check_tables('import_partner')
	WHERE foreign_table::text LIKE 'one.%' AND (gone <> '{}' OR new <> '{}')
	ORDER BY 1;
SELECT count(*), count(*) FILTER (WHERE gone = '{}' AND new = '{}') AS same
	FROM pinsight_check_tables('import_partner')
	WHERE foreign_table::text NOT LIKE 'one.%';
SELECT * FROM pinsight_check_tables('no_such_server');
CREATE ROLE regress_pinsight_nobody;
SET ROLE regress_pinsight_nobody;
SELECT * FROM pinsight_check_tables('import_partner');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER import_partner TO regress_pinsight_nobody;
SET ROLE regress_pinsight_nobody;
SELECT * FROM pinsight_check_tables('import_partner');
RESET ROLE;
DROP OWNED BY regress_pinsight_nobody;
DROP ROLE regress_pinsight_nobody;

-- NOT NULL is checked, for the planner relies on it
SELECT count(*) > 0 AS rows, count(*) = count(month) AS all_set FROM two.pc_azure_usage;
ALTER FOREIGN TABLE two.pc_profile OPTIONS (SET on_error 'stop', DROP format);
ALTER FOREIGN TABLE two.pc_profile ALTER COLUMN city SET NOT NULL;
\set VERBOSITY terse
SELECT count(city) FROM two.pc_profile;
\set VERBOSITY default
SELECT count(*) FROM two.pc_profile;
ALTER FOREIGN TABLE two.pc_profile ALTER COLUMN city DROP NOT NULL;

-- ANALYZE
ANALYZE two.pc_profile;
SELECT reltuples FROM pg_class WHERE oid = 'two.pc_profile'::regclass;
SELECT attname, n_distinct <> 0 AS distinct FROM pg_stats
	WHERE schemaname = 'two' AND tablename = 'pc_profile' ORDER BY attname;
ANALYZE one."ISVCustomer" ("DateAcquired");
SELECT reltuples FROM pg_class WHERE oid = 'one."ISVCustomer"'::regclass;

-- estimates: a guess, then what the report had, unless the table says otherwise
SET pinsight_fdw.max_age = '0';
EXPLAIN SELECT * FROM one."ISVOfferRetention";
SELECT count(*) FROM one."ISVOfferRetention";
EXPLAIN SELECT * FROM one."ISVOfferRetention";
ALTER FOREIGN TABLE one."ISVOfferRetention" OPTIONS (SET timespan 'LAST_6_MONTHS');
EXPLAIN SELECT * FROM one."ISVOfferRetention";
ALTER FOREIGN TABLE one."ISVOfferRetention" OPTIONS (ADD estimated_rows '77');
EXPLAIN SELECT * FROM one."ISVOfferRetention";
RESET pinsight_fdw.max_age;

SET client_min_messages = warning;
DROP SCHEMA mpn, cmp, clash, one, two CASCADE;
DROP VIEW imported;
DROP SERVER import_partner CASCADE;
