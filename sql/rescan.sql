--
-- Rescans: a foreign scan that is the inner side of a loop, or stands in a
-- subquery, reads its file again.
--
\getenv api_url PINSIGHT_API_URL
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
CREATE SERVER rescan_partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url :'api_url', login_url :'api_url',
			poll_interval '50 ms');
CREATE USER MAPPING FOR CURRENT_USER SERVER rescan_partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			client_secret 'emulator-secret', refresh_token 'emulator-refresh-token');
RESET client_min_messages;
CREATE FOREIGN TABLE rescan_usage (
	month         date,
	service_name  text,
	quantity      numeric OPTIONS (column_name 'UsageQuantity')
) SERVER rescan_partner OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME');

-- By itself the planner reads it once: a hash join, or a kept copy.
EXPLAIN (COSTS off) SELECT count(*) FROM generate_series(1, 3) i
	JOIN rescan_usage u ON u.quantity > i;
EXPLAIN (COSTS off) SELECT count(*) FROM generate_series(1, 3) i
	JOIN rescan_usage u ON u.quantity = i;

-- If it must, it reads it again.
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
SET enable_memoize = off;
EXPLAIN (COSTS off)
SELECT FROM generate_series(1, 3) i LEFT JOIN rescan_usage u ON u.quantity > i;
CREATE TEMP TABLE copy AS SELECT * FROM rescan_usage;
ANALYZE copy;
SELECT i,
	(SELECT count(*) FROM rescan_usage u WHERE u.quantity > i) -
	(SELECT count(*) FROM copy u WHERE u.quantity > i) AS difference
FROM generate_series(0, 400, 100) i;
SELECT count(u) = (SELECT count(u) FROM generate_series(1, 3) i LEFT JOIN copy u ON u.quantity > i) AS same
FROM generate_series(1, 3) i LEFT JOIN rescan_usage u ON u.quantity > i;
SELECT i, EXISTS (SELECT FROM rescan_usage u WHERE u.quantity < -i) FROM generate_series(1, 2) i;
SELECT i, l.month = (SELECT max(month) FROM copy WHERE quantity > i) AS same
FROM generate_series(1, 3) i,
	LATERAL (SELECT month FROM rescan_usage WHERE quantity > i
			ORDER BY month DESC NULLS LAST LIMIT 1) l;

-- A subquery that is asked for no row, then for some.
SELECT i, (SELECT count(*) FROM (SELECT FROM rescan_usage LIMIT i) u) FROM generate_series(0, 3) i;

DROP SERVER rescan_partner CASCADE;
