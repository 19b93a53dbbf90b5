-- Reports are shared and kept: snapshots, freshness, budget, jobs.
\getenv api_url PINSIGHT_API_URL
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;

CREATE ROLE regress_pinsight_owner;
CREATE ROLE regress_pinsight_reader;
CREATE ROLE regress_pinsight_other;
CREATE ROLE regress_pinsight_monitor IN ROLE pg_read_all_stats;
CREATE SCHEMA sharing;
GRANT USAGE ON SCHEMA sharing TO PUBLIC;
SET search_path = sharing, public;

CREATE SERVER sharing_partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url :'api_url',
			 login_url :'api_url', poll_interval '50 ms',
			 max_reports_per_hour '1000');
CREATE USER MAPPING FOR PUBLIC SERVER sharing_partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret',
			 refresh_token 'emulator-refresh-token');
GRANT USAGE ON FOREIGN SERVER sharing_partner TO regress_pinsight_owner;

CREATE FOREIGN TABLE usage (
	month date,
	service_name text,
	quantity numeric OPTIONS (column_name 'UsageQuantity')
) SERVER sharing_partner OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME');
GRANT SELECT ON usage TO regress_pinsight_reader;

-- what EXPLAIN says of a query's rows, with the age left out
CREATE FUNCTION rows_from(query text, analyze_it boolean DEFAULT true)
RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE %s, COSTS OFF) %s', analyze_it::text, query)
	LOOP
		IF line ~ 'Rows From' THEN
			RETURN NEXT btrim(regexp_replace(line, '\d+ (s|min|h)', 'N s'));
		END IF;
	END LOOP;
END $$;
CREATE FUNCTION kept() RETURNS TABLE (foreign_table text, role text, reports bigint)
LANGUAGE sql AS $$
	SELECT foreign_table::text,
		   replace(role::text, session_user::text, 'superuser'), count(*)
	FROM pinsight_snapshots WHERE server = 'sharing_partner'
	GROUP BY 1, 2 ORDER BY 1, 2
$$;

--
-- The first SELECT orders a report, the second reads what is kept
--
SELECT rows_from('SELECT * FROM usage', false);
SELECT rows_from('SELECT * FROM usage');
SELECT rows_from('SELECT * FROM usage', false);
SELECT rows_from('SELECT count(*) FROM usage WHERE quantity > 1');
SELECT rows_from('SELECT a.month FROM usage a JOIN usage b USING (month) LIMIT 1');

-- what the view tells
SELECT server, foreign_table, role = session_user AS mine, query LIKE 'SELECT %' AS query,
	   as_of <= now() AS as_of, age < '1 hour' AS age, size > 0 AS size,
	   fresh_until - as_of AS fresh_for, report_id IS NOT NULL AS report,
	   execution_id IS NOT NULL AS execution, generated_time <= now() AS generated
FROM pinsight_snapshots WHERE server = 'sharing_partner';
SELECT count(*) FROM pinsight_jobs WHERE server = 'sharing_partner';
SELECT hits AS before FROM pinsight_snapshots WHERE server = 'sharing_partner' \gset
SELECT count(*) AS counted FROM usage \gset
SELECT rows = :counted AS rows, hits - :before AS hits
FROM pinsight_snapshots WHERE server = 'sharing_partner';

-- one that the service's own words agree with
ALTER FOREIGN TABLE usage ADD COLUMN report text OPTIONS (metadata 'report_id');
SELECT DISTINCT u.report = s.report_id AS same
FROM usage u, pinsight_snapshots s WHERE s.foreign_table = 'usage'::regclass;
ALTER FOREIGN TABLE usage DROP COLUMN report;

--
-- Freshness
--
ALTER FOREIGN TABLE usage OPTIONS (ADD max_age '2 days');
SELECT fresh_until - as_of AS fresh_for FROM pinsight_snapshots
WHERE foreign_table = 'usage'::regclass;
SELECT rows_from('SELECT * FROM usage');
SET pinsight_fdw.max_age = '0';
SELECT rows_from('SELECT * FROM usage', false);
SELECT rows_from('SELECT * FROM usage');
-- the older one was replaced
SELECT * FROM kept();
RESET pinsight_fdw.max_age;
ALTER FOREIGN TABLE usage OPTIONS (SET max_age '0');
SELECT rows_from('SELECT * FROM usage');
SET pinsight_fdw.max_age = '1 hour';
SELECT rows_from('SELECT * FROM usage');
RESET pinsight_fdw.max_age;
SET pinsight_fdw.max_age = 'soon';
SET pinsight_fdw.max_age = '-1 h';
ALTER FOREIGN TABLE usage OPTIONS (DROP max_age);

-- a cursor's report query is not sent to another program
BEGIN;
DECLARE before CURSOR FOR SELECT month FROM usage;
ALTER SERVER sharing_partner OPTIONS (ADD program 'cmp');
FETCH before;
ROLLBACK;

--
-- What a snapshot lacks is remembered for the question and the table as it was
--
CREATE FOREIGN TABLE all_seats (
	month date,
	customer_market text,
	total_sold_seats bigint OPTIONS (sum_of 'BilledRevenueUSD')
) SERVER sharing_partner OPTIONS (dataset 'SeatsSubscriptionsAndRevenue');
CREATE FOREIGN TABLE seats (
	month date,
	total_sold_seats bigint OPTIONS (sum_of 'BilledRevenueUSD')
) SERVER sharing_partner OPTIONS (dataset 'SeatsSubscriptionsAndRevenue', fetch 'query');
SELECT rows_from('SELECT * FROM all_seats');
SELECT rows_from('SELECT sum(total_sold_seats) FROM seats', false)
FROM generate_series(1, 2);
-- the same question, but now the whole table's rows would do, too
ALTER FOREIGN TABLE seats ADD COLUMN customer_market text;
SELECT rows_from('SELECT sum(total_sold_seats) FROM seats', false);
SELECT (SELECT sum(total_sold_seats) FROM seats) =
	   (SELECT sum(total_sold_seats) FROM all_seats) AS same;
ALTER FOREIGN TABLE seats DROP COLUMN customer_market;
SELECT rows_from('SELECT sum(total_sold_seats) FROM seats', false);
-- one that comes later is seen, one that has gone is not
ALTER FOREIGN TABLE all_seats DROP COLUMN customer_market;
SELECT rows_from('SELECT * FROM all_seats');
SELECT rows_from('SELECT sum(total_sold_seats) FROM seats', false);
SELECT pinsight_forget('all_seats');
SELECT rows_from('SELECT sum(total_sold_seats) FROM seats', false);
DROP FOREIGN TABLE all_seats, seats;

--
-- Budget, and what is served when it is spent
--
CREATE SERVER sharing_poor FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url :'api_url',
			 login_url :'api_url', poll_interval '50 ms',
			 max_reports_per_hour '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER sharing_poor
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret',
			 refresh_token 'emulator-refresh-token');
CREATE FOREIGN TABLE poor (month date, customer_market text)
	SERVER sharing_poor OPTIONS (dataset 'AzureUsage');
SELECT rows_from('SELECT * FROM poor');
SET pinsight_fdw.max_age = '0';
\set VERBOSITY terse
SELECT count(*) > 0 AS rows FROM poor;
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
ALTER FOREIGN TABLE poor OPTIONS (ADD stale_ok '1 hour');
SELECT rows_from('SELECT * FROM poor');
ALTER FOREIGN TABLE poor OPTIONS (SET stale_ok '1 ms');
SELECT count(*) > 0 AS rows FROM poor;
RESET pinsight_fdw.max_age;
SELECT count(*) > 0 AS rows FROM poor;
ALTER FOREIGN TABLE poor OPTIONS (ADD max_reports_per_hour '2', SET stale_ok '0');
SET pinsight_fdw.max_age = '0';
SELECT rows_from('SELECT * FROM poor');
RESET pinsight_fdw.max_age;

--
-- Who sees what, who removes what
--
-- a credential's rows are shared by all who use it, its list is not
SELECT count(*) > 0 AS rows FROM usage;
SET ROLE regress_pinsight_reader;
SELECT rows_from('SELECT * FROM usage');
SELECT * FROM kept();
SET pinsight_fdw.max_age = '0';
SELECT rows_from('SELECT * FROM usage');
RESET pinsight_fdw.max_age;
SELECT count(*) AS reports, count(DISTINCT role) AS roles, min(role) AS role
FROM pinsight_snapshots WHERE server LIKE 'sharing%';
RESET ROLE;
SELECT * FROM kept();
SET ROLE regress_pinsight_other;
SELECT * FROM kept();
SELECT pinsight_forget('usage');
RESET ROLE;
SET ROLE regress_pinsight_monitor;
SELECT * FROM kept();
SELECT pinsight_forget('usage');
RESET ROLE;
SELECT pinsight_forget('poor');
SELECT * FROM kept();
SELECT pinsight_forget('usage');
SELECT pinsight_forget('usage');
SELECT * FROM kept();
-- one's own without owning the table
SET ROLE regress_pinsight_reader;
SELECT count(*) > 0 AS rows FROM usage;
SELECT pinsight_forget('usage');
RESET ROLE;
-- the owner's right is the table's
SELECT count(*) > 0 AS rows FROM usage;
ALTER FOREIGN TABLE usage OWNER TO regress_pinsight_owner;
SET ROLE regress_pinsight_owner;
SELECT pinsight_forget('usage');
RESET ROLE;
SELECT pinsight_forget('pg_class');
SELECT pinsight_forget(NULL) IS NULL AS nothing;
-- a transaction that has seen rows keeps them
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) > 0 AS rows FROM usage;
SELECT pinsight_forget('usage');
SELECT rows_from('SELECT * FROM usage');
COMMIT;
SELECT rows_from('SELECT * FROM usage', false);
-- a table that is gone
SELECT count(*) > 0 AS rows FROM usage;
BEGIN;
DROP FOREIGN TABLE usage;
SELECT foreign_table, fresh_until FROM pinsight_snapshots WHERE server = 'sharing_partner';
ROLLBACK;

--
-- A report that is not waited for goes on, and is found again
--
ALTER SERVER sharing_partner OPTIONS (SET poll_interval '1 minute', ADD wait_timeout '3 s');
CREATE FOREIGN TABLE slow (month date, customer_name text)
	SERVER sharing_partner OPTIONS (dataset 'AzureUsage');
CREATE FOREIGN TABLE left_alone (customer_name text, subscription_id uuid)
	SERVER sharing_partner OPTIONS (dataset 'AzureUsage');
\set VERBOSITY terse
SELECT count(*) FROM slow;
SELECT count(*) FROM left_alone;
\set VERBOSITY default
SELECT server, foreign_table, role = session_user AS mine, phase, service_state,
	   age < '1 hour' AS age, polls, next_poll, downloaded, report_id IS NOT NULL AS report,
	   query_id IS NOT NULL AS query, pid, begun <= now() AS begun
FROM pinsight_jobs WHERE server = 'sharing_partner' ORDER BY foreign_table::text;
SET ROLE regress_pinsight_other;
SELECT count(*) FROM pinsight_jobs WHERE server = 'sharing_partner';
SET ROLE regress_pinsight_monitor;
SELECT count(*) FROM pinsight_jobs WHERE server = 'sharing_partner';
RESET ROLE;
ALTER SERVER sharing_partner OPTIONS (SET poll_interval '50 ms', DROP wait_timeout);
SELECT rows_from('SELECT * FROM slow');

--
-- What is left at the service is taken away
--
SELECT kind FROM pinsight_cleanup('sharing_partner');
SELECT foreign_table FROM pinsight_jobs WHERE server = 'sharing_partner';
SELECT kind, name ~ '^pinsight [0-9a-f]{16}$' AS ours, id <> '' AS id
FROM pinsight_cleanup('sharing_partner', '0');
SELECT foreign_table FROM pinsight_jobs WHERE server = 'sharing_partner';
SELECT * FROM pinsight_cleanup('sharing_partner', '0');
SELECT * FROM pinsight_cleanup('sharing_partner', '-1 s');
SELECT * FROM pinsight_cleanup('sharing_nobody');
SELECT * FROM pinsight_cleanup('sharing_poor', NULL);
SET ROLE regress_pinsight_other;
SELECT * FROM pinsight_cleanup('sharing_partner');
RESET ROLE;
CREATE FOREIGN DATA WRAPPER sharing_dummy;
CREATE SERVER sharing_stranger FOREIGN DATA WRAPPER sharing_dummy;
SELECT * FROM pinsight_cleanup('sharing_stranger');

SELECT pinsight_forget('usage') > 0 AS removed;
SELECT pinsight_forget('slow') > 0 AS removed;
SELECT pinsight_forget('poor') > 0 AS removed;
SET client_min_messages = warning;
RESET search_path;
DROP SCHEMA sharing CASCADE;
DROP SERVER sharing_partner CASCADE;
DROP SERVER sharing_poor CASCADE;
DROP FOREIGN DATA WRAPPER sharing_dummy CASCADE;
DROP OWNED BY regress_pinsight_owner, regress_pinsight_reader;
DROP ROLE regress_pinsight_owner, regress_pinsight_reader, regress_pinsight_other,
	regress_pinsight_monitor;
