-- What the service is told of a statement, and what it is not.
\getenv api_url PINSIGHT_API_URL
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;

CREATE SCHEMA pushdown;
SET search_path = pushdown, public;
CREATE SERVER pushdown_partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url :'api_url',
			 login_url :'api_url', poll_interval '50 ms',
			 max_reports_per_hour '1000', fetch 'query');
CREATE USER MAPPING FOR CURRENT_USER SERVER pushdown_partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret',
			 refresh_token 'emulator-refresh-token');

CREATE FOREIGN TABLE market (
	day date OPTIONS (column_name 'Date'),
	offer text OPTIONS (column_name 'OfferName'),
	campaign text OPTIONS (column_name 'ReferralDomain'),
	visits bigint OPTIONS (column_name 'PageVisits') NOT NULL,
	clicks int OPTIONS (column_name 'GetItNow'),
	contacts int OPTIONS (column_name 'ContactMe') NOT NULL
) SERVER pushdown_partner OPTIONS (dataset 'ISVMarketplaceInsights', program 'cmp');
CREATE FOREIGN TABLE orders (
	subscription uuid OPTIONS (column_name 'MarketplaceSubscriptionId'),
	month date OPTIONS (column_name 'MonthStartDate'),
	country varchar(60) OPTIONS (column_name 'CustomerCountry'),
	quantity numeric OPTIONS (column_name 'Quantity'),
	trial boolean OPTIONS (column_name 'IsTrial'),
	preview boolean OPTIONS (column_name 'IsPreviewSKU'),
	at timestamptz OPTIONS (column_name 'EventTimestamp'),
	version bigint OPTIONS (column_name 'OrderVersion'),
	made timestamptz OPTIONS (metadata 'generated_time')
) SERVER pushdown_partner OPTIONS (dataset 'ISVOrder', program 'cmp');
CREATE FOREIGN TABLE short_orders (
	country varchar(6) OPTIONS (column_name 'CustomerCountry')
) SERVER pushdown_partner OPTIONS (dataset 'ISVOrder', program 'cmp');
CREATE FOREIGN TABLE usage (
	month date,
	customer_market text,
	customer_name text,
	subscription_id uuid,
	total_acr numeric OPTIONS (sum_of 'UsageQuantity')
) SERVER pushdown_partner OPTIONS (dataset 'AzureUsage');
CREATE FOREIGN TABLE year_usage (
	month date,
	customer_market text,
	usage_quantity numeric
) SERVER pushdown_partner OPTIONS (dataset 'AzureUsage', timespan 'LAST_1_YEAR');
CREATE FOREIGN TABLE seats (
	month date,
	customer_market text,
	subscription_id uuid,
	renewed boolean OPTIONS (column_name 'IsAutoRenew'),
	subscription_count bigint OPTIONS (count_of 'SubscriptionId'),
	total_sold_seats bigint OPTIONS (sum_of 'BilledRevenueUSD'),
	made text OPTIONS (metadata 'generated_time')
) SERVER pushdown_partner OPTIONS (dataset 'SeatsSubscriptionsAndRevenue');
CREATE FOREIGN TABLE int_seats (
	month date,
	total_sold_seats int OPTIONS (sum_of 'BilledRevenueUSD')
) SERVER pushdown_partner OPTIONS (dataset 'SeatsSubscriptionsAndRevenue');

-- the lines of a plan that are about the service, a condition a line; what
-- PostgreSQL calls a subquery's value depends on its version
CREATE FUNCTION told(query text, options text DEFAULT 'VERBOSE') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (%s, COSTS OFF) %s', options, query) LOOP
		IF line ~ 'Report Query|Time Window|Conditions|Rows From|Groups Of' THEN
			line := trim(line);
			IF line ~ 'Conditions' THEN
				line := regexp_replace(line, '\$\d|\(InitPlan \d\)\.col1', 'subquery', 'g');
			END IF;
			RETURN NEXT line;
		END IF;
	END LOOP;
END $$;

-- texts: at most a superset, and only what is proven in literals
SELECT told($$SELECT 1 FROM orders WHERE country = 'Norway'$$);
SELECT told($$SELECT 1 FROM orders WHERE country = 'Côte d''Ivoire'$$);
SELECT told($$SELECT 1 FROM orders WHERE country = ' Norway'$$);
SELECT told($$SELECT 1 FROM orders WHERE country = ''$$);
SELECT told($$SELECT 1 FROM orders WHERE country = '%'$$);
SELECT told($$SELECT 1 FROM orders WHERE country IN ('Norway', 'New Zealand', NULL)$$);
SELECT told($$SELECT 1 FROM orders WHERE country IN ('Norway', 'Å')$$);
SELECT told($$SELECT 1 FROM orders WHERE country LIKE 'N_r\_w%'$$);
SELECT told($$SELECT 1 FROM orders WHERE country LIKE '%'$$);
SELECT told($$SELECT 1 FROM orders WHERE country ILIKE 'norway'$$);
SELECT told($$SELECT 1 FROM orders WHERE country ILIKE '%2026-01%'$$);
SELECT told($$SELECT 1 FROM orders WHERE country <> 'Norway'$$);
SELECT told($$SELECT 1 FROM orders WHERE country NOT LIKE 'N%'$$);
SELECT told($$SELECT 1 FROM orders WHERE country > 'N'$$);
SELECT told($$SELECT 1 FROM orders WHERE country IS NULL OR country = 'Norway'$$);
SELECT told($$SELECT 1 FROM orders WHERE lower(country) = 'norway'$$);
SELECT told($$SELECT 1 FROM orders WHERE country::char(60) = (SELECT 'Norway'::text)::char(60)$$);
SELECT told($$SELECT 1 FROM orders WHERE country::bpchar = (SELECT 'Norway'::text)::bpchar$$);

-- alternatives of one column are a list
SELECT told($$SELECT 1 FROM orders WHERE country = 'Norway' OR 'Chad' = country$$);
SELECT told('SELECT 1 FROM orders WHERE version = 1 OR version = 3');
SELECT told($$SELECT 1 FROM orders WHERE month = '2026-02-10' OR month = '2026-04-01'$$);
SELECT told($$SELECT 1 FROM orders WHERE country = 'Norway' OR version = 1$$);
SELECT told($$SELECT 1 FROM orders WHERE country = 'Norway' OR country > 'O'$$);
SELECT told($$SELECT 1 FROM orders WHERE country = 'Norway' OR country = 'Chad' COLLATE "POSIX"$$);
SELECT told('SELECT 1 FROM orders WHERE version = 1 OR version = 3::bigint');
SELECT told($$SELECT 1 FROM orders WHERE country = 'Norway' OR country = 'Chad' AND version > 1$$);
PREPARE alternatives(text, text) AS SELECT 1 FROM orders WHERE country = $1 OR country = $2;
SET plan_cache_mode = force_generic_plan;
SELECT told($$EXECUTE alternatives('Norway', NULL)$$);
SELECT told($$EXECUTE alternatives(NULL, NULL)$$);
RESET plan_cache_mode;
DEALLOCATE alternatives;

-- a text without the blanks that the column has no room for
SELECT told($$SELECT 1 FROM short_orders WHERE country = 'Norway'$$);
SELECT told($$SELECT 1 FROM short_orders WHERE country IN ('Norway', 'Chad')$$);
SELECT told($$SELECT 1 FROM short_orders WHERE country IN ('Chad', 'Mali')$$);
SELECT told($$SELECT 1 FROM short_orders WHERE country LIKE '%way'$$);
SELECT told($$SELECT 1 FROM short_orders WHERE country LIKE 'Nor\\way\\'$$);
SELECT told($$SELECT 1 FROM orders
	WHERE subscription = 'ABCDEF00-0000-0000-0000-000000000001'$$);

-- numbers: whole ones exactly, others with a margin
SELECT told('SELECT 1 FROM orders WHERE version >= 2 AND version < 5');
SELECT told('SELECT 1 FROM market WHERE visits <> 3 AND clicks <> 3');
SELECT told('SELECT 1 FROM market WHERE clicks = ANY (ARRAY[1, NULL, 3])');
SELECT told('SELECT 1 FROM market WHERE visits NOT IN (1, 3)');
SELECT told('SELECT 1 FROM orders WHERE version = 30000000000');
SELECT told('SELECT 1 FROM orders WHERE quantity = 1.5');
SELECT told('SELECT 1 FROM orders WHERE quantity > -0.5');
SELECT told($$SELECT 1 FROM orders WHERE quantity < 'NaN'$$);
SELECT told('SELECT 1 FROM orders WHERE version::numeric > 1.5');
SELECT told('SELECT 1 FROM orders WHERE version + 1 > 1');

-- booleans in the words of their column
SELECT told('SELECT 1 FROM orders WHERE trial AND NOT preview');
SELECT told('SELECT 1 FROM orders WHERE trial IS FALSE');
SELECT told('SELECT 1 FROM orders WHERE trial IS NOT TRUE');

-- dates and times; the time column as the report's window
SELECT told($$SELECT 1 FROM orders WHERE month = '2026-02-10'$$);
SELECT told($$SELECT 1 FROM orders WHERE month BETWEEN '2026-01-15' AND '2026-02-01'$$);
SELECT told($$SELECT 1 FROM orders WHERE month > '2026-01-31'$$);
SELECT told($$SELECT 1 FROM orders WHERE month < '2026-01-31'$$);
SELECT told($$SELECT 1 FROM orders WHERE month > '2026-02-01' AND month < '2026-01-01'$$);
SELECT told($$SELECT 1 FROM orders WHERE at >= '2026-02-10 23:30:00-02'$$);
SELECT told($$SELECT 1 FROM orders WHERE month >= timestamp '2026-02-10 12:00'$$);
SELECT told($$SELECT 1 FROM orders WHERE month >= 'infinity'$$);
SELECT told($$SELECT month, total_acr FROM usage WHERE month = '2026-12-31'$$);
-- with bounds of its own, a timespan can only become a narrower one
SELECT told($$SELECT usage_quantity FROM year_usage WHERE month >= current_date - 40$$);
SELECT told($$SELECT usage_quantity FROM year_usage WHERE month >= current_date - 1000$$);
SELECT told($$SELECT usage_quantity FROM year_usage WHERE month <= current_date$$);

-- metrics: the grouping is the table's, conditions on them are not the service's
SELECT told($$SELECT month FROM usage WHERE total_acr > 5 AND customer_market = 'Norway'$$);
SELECT told('SELECT sum(total_acr) FROM usage');
SELECT told('SELECT month, sum(total_acr), max(customer_name) FROM usage GROUP BY month');
SELECT told('SELECT month, avg(total_acr) FROM usage GROUP BY month');
SELECT told('SELECT month, sum(total_acr) FROM usage GROUP BY month, random()');
SELECT told('SELECT month, sum(total_acr) FROM usage WHERE random() < 0.5 GROUP BY month');
SELECT told('SELECT month, count(*), sum(total_acr) FROM usage GROUP BY month');
-- an int might be too small for the sums
SELECT told('SELECT sum(total_sold_seats) FROM int_seats');
SELECT told('SELECT count(DISTINCT subscription_id), sum(total_sold_seats), customer_market
	FROM seats GROUP BY customer_market HAVING sum(total_sold_seats) > 3');
SELECT told($$SELECT count(DISTINCT subscription_id) FROM seats
	WHERE customer_market = 'Norway' GROUP BY month$$);
SELECT told($$SELECT count(DISTINCT subscription_id) FROM seats
	WHERE customer_market IN ('Japan', 'Norway') GROUP BY customer_market$$);

CREATE FOREIGN TABLE clients (
	month date,
	available bigint OPTIONS (column_name 'AvailableSeats'),
	client text OPTIONS (column_name 'CustomerTpid'),
	customer_count bigint OPTIONS (count_of 'CustomerTpid')
) SERVER pushdown_partner OPTIONS (dataset 'DynamicsUsage');
SELECT told('SELECT count(DISTINCT client) FROM clients WHERE available = 1 OR available = 3 GROUP BY month');
SELECT regexp_replace(line, 'x+', 'x') FROM told(format('SELECT count(DISTINCT subscription_id) FROM seats
	WHERE customer_market IN (%L, %L) AND renewed GROUP BY customer_market', 'Norway', repeat('x', 2970))) AS line;
SELECT told('SELECT count(DISTINCT subscription_id) FROM seats GROUP BY tableoid');
SELECT told('SELECT count(DISTINCT subscription_id) FROM seats GROUP BY seats');
SELECT told('SELECT count(DISTINCT subscription_id) FROM seats GROUP BY customer_market, made');

-- the same answers as from the table's own rows
CREATE TABLE all_usage AS SELECT * FROM usage;
CREATE TABLE all_seats AS SELECT * FROM seats;
SELECT count(*) FROM (
	SELECT month, customer_market, sum(total_acr), min(customer_name) FROM usage GROUP BY 1, 2
	EXCEPT ALL
	SELECT month, customer_market, sum(total_acr), min(customer_name) FROM all_usage GROUP BY 1, 2
) AS differs;
SELECT count(*) FROM (
	SELECT customer_market, count(DISTINCT subscription_id), sum(total_sold_seats) FROM seats
		WHERE customer_market > 'C' GROUP BY 1 HAVING sum(total_sold_seats) IS NOT NULL
	EXCEPT ALL
	SELECT customer_market, count(DISTINCT subscription_id), sum(total_sold_seats) FROM all_seats
		WHERE customer_market > 'C' GROUP BY 1 HAVING sum(total_sold_seats) IS NOT NULL
) AS differs;
-- no groups without rows, though all would be in the same one
SELECT sum(total_acr) FROM usage WHERE customer_market = 'Nowhere' GROUP BY customer_market;
SELECT count(DISTINCT subscription_id) FROM seats WHERE customer_market = 'Nowhere'
	GROUP BY customer_market;

-- few rows: a preview, else a small report
SELECT told('SELECT offer FROM market LIMIT 5');
SELECT told('SELECT offer FROM market WHERE visits > 3 OFFSET 5 LIMIT 5');
SELECT told('SELECT offer FROM market LIMIT 500');
SELECT told($$SELECT offer FROM market WHERE offer = 'x' LIMIT 500$$);
SELECT told('SELECT visits FROM market ORDER BY visits DESC LIMIT 5');
SELECT told('SELECT visits FROM market ORDER BY clicks LIMIT 5');
SELECT told('SELECT visits FROM market ORDER BY visits, offer LIMIT 5');
SELECT told('SELECT contacts FROM market ORDER BY contacts::oid LIMIT 500');
SELECT told('SELECT visits FROM market WHERE visits = 3 ORDER BY visits LIMIT 5');
SELECT told('SELECT offer FROM market ORDER BY visits FETCH FIRST 5 ROWS WITH TIES');
SELECT told('SELECT made, month FROM orders LIMIT 5');
SELECT told('SELECT * FROM market LIMIT 0');
SELECT told('SELECT * FROM market WHERE false');
SELECT count(*) FROM market WHERE false;
SELECT visits FROM market WHERE false LIMIT 1;
SELECT told('SELECT * FROM market WHERE visits = NULL::int');
SELECT told($$SELECT * FROM market WHERE visits = ANY ('{}'::int[])$$);
SELECT told('SELECT offer, visits FROM market WHERE visits > 0 LIMIT 3', 'ANALYZE');

-- duplicates: where the service cannot take for equal what is not
SELECT told('SELECT DISTINCT visits FROM market');
SELECT told('SELECT DISTINCT clicks, day FROM market');
SELECT told('SELECT DISTINCT clicks FROM market');
SELECT told('SELECT DISTINCT offer FROM market');
SELECT told($$SELECT DISTINCT visits FROM market WHERE offer = 'x'$$);
SELECT told('SELECT DISTINCT visits, random() FROM market');

-- counting rows takes the lightest columns
SELECT told('SELECT count(*) FROM orders');
SELECT told('SELECT count(*) FROM market');

-- parameters: known when the plan is executed; rows are what they are
PREPARE by_country AS SELECT count(*) FROM orders
	WHERE country = $1 AND month >= $2 AND version = ANY ($3);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE by_country('Norway', '2026-01-01', '{1, 2, 3}');
EXPLAIN (VERBOSE, COSTS OFF) EXECUTE by_country(NULL, '2026-01-01', '{1}');
-- a value that cannot be computed matters only where a row is asked for
CREATE TABLE nothing (version bigint);
PREPARE late(int) AS SELECT count(*) FROM nothing JOIN orders USING (version) WHERE quantity = 1 / $1;
EXECUTE late(0);
PREPARE now(int) AS SELECT count(*) FROM orders WHERE quantity = 1 / $1;
EXECUTE now(0);
RESET plan_cache_mode;
SELECT told($$SELECT country FROM orders
	WHERE country = ANY (ARRAY(SELECT 'Norway'::text)) AND version > (SELECT 1)$$);
-- a value of an outer row is no reason for a report of its own
EXPLAIN (VERBOSE, COSTS OFF) SELECT n, (SELECT max(month) FROM orders WHERE version = n)
	FROM generate_series(1, 3) AS n;
-- nor is one of a subquery that depends on an outer row, though nothing beside it does
SET pinsight_fdw.max_age = 0;
SELECT n, (SELECT count(*) > 0 FROM orders WHERE version = (SELECT max(v) FROM generate_series(1, n) AS v))
	FROM generate_series(1, 3, 2) AS n;
SELECT n, found FROM generate_series(1, 3, 2) AS n, LATERAL
	(SELECT count(*) > 0 AS found FROM orders WHERE version = (SELECT max(v) FROM generate_series(1, n) AS v)) AS orders;
RESET pinsight_fdw.max_age;

-- with fetch 'table' all of it is done here, but for a look
ALTER FOREIGN TABLE market OPTIONS (ADD fetch 'table');
SELECT told('SELECT DISTINCT visits FROM market WHERE visits > 3');
SELECT told('SELECT visits FROM market WHERE visits > 3 LIMIT 5');

-- a value that cannot be read may be null here: then nothing is exact
SET pinsight_fdw.max_age = 0;
ALTER FOREIGN TABLE market OPTIONS (SET fetch 'query', ADD on_error 'set_null');
SELECT told('SELECT visits FROM market WHERE visits > 3 LIMIT 500');
ALTER FOREIGN TABLE usage OPTIONS (ADD on_error 'set_null');
SELECT told('SELECT sum(total_acr) FROM usage');
SELECT told('SELECT visits FROM market ORDER BY visits LIMIT 5');

-- options that say what is not so
CREATE FOREIGN TABLE no_metric (month date, customer_name text OPTIONS (sum_of 'UsageQuantity'))
	SERVER pushdown_partner OPTIONS (dataset 'AzureUsage');
SELECT * FROM no_metric;
CREATE FOREIGN TABLE no_column (month date, total_acr numeric OPTIONS (sum_of 'NoSuch'))
	SERVER pushdown_partner OPTIONS (dataset 'AzureUsage');
SELECT * FROM no_column;
ALTER FOREIGN TABLE seats ALTER subscription_count OPTIONS (ADD sum_of 'SubscriptionId');
ALTER FOREIGN TABLE seats ALTER month OPTIONS (ADD metadata 'report_id', ADD count_of 'Month');

SET client_min_messages = warning;
DROP SCHEMA pushdown CASCADE;
DROP SERVER pushdown_partner CASCADE;
