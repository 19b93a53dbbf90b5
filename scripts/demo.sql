\set ON_ERROR_STOP on
\set QUIET on
\pset border 1
\pset footer off
SET client_min_messages = warning;
\getenv api_url PINSIGHT_API_URL

\echo
\echo '-- The extension, and a server: one partner tenant.  api_url and login_url are'
\echo '-- only for this demo, where an emulator stands in for Microsoft''s services.'
\echo
\set ECHO queries
CREATE EXTENSION pinsight_fdw;
CREATE SERVER partner FOREIGN DATA WRAPPER pinsight_fdw
    OPTIONS (tenant 'contoso.onmicrosoft.com',
             api_url :'api_url', login_url :'api_url',
             poll_interval '200 ms');
\set ECHO none

\echo
\echo '-- Who signs in: an application and a refresh token of a user who did so with MFA.'
\echo
\set ECHO queries
CREATE USER MAPPING FOR CURRENT_USER SERVER partner
    OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
             client_secret 'emulator-secret',
             refresh_token 'emulator-refresh-token');
SELECT step, status, detail FROM pinsight_check('partner');
\set ECHO none

\echo
\echo '-- A foreign table over the dataset AzureUsage.  Columns find their remote names'
\echo '-- without case and underscores; column_name names one that is called otherwise.'
\echo
\set ECHO queries
CREATE FOREIGN TABLE azure_usage (
    customer_name      text,
    customer_market    text,
    subscription_id    uuid,
    service_name       text,
    month              date,
    usage_quantity     numeric,
    duplicate          boolean OPTIONS (column_name 'IsACRDuplicateAtPGALevel')
) SERVER partner OPTIONS (dataset 'AzureUsage', timespan 'LAST_6_MONTHS');
\set ECHO none

\echo
\echo '-- A SELECT.  Behind it: sign-in, report query, report, polling, download.'
\echo
\set ECHO queries
SELECT customer_name, service_name, month, usage_quantity
  FROM azure_usage
 ORDER BY usage_quantity DESC NULLS LAST, subscription_id
 LIMIT 8;
\set ECHO none

\echo
\echo '-- An aggregate.  From here on nothing is fetched: the report is kept.'
\echo
\set ECHO queries
SELECT month, count(*) AS records,
       count(DISTINCT customer_name) AS customers,
       round(sum(usage_quantity), 2) AS quantity
  FROM azure_usage
 WHERE NOT duplicate
 GROUP BY month
 ORDER BY month;
\set ECHO none

\echo
\echo '-- A join with a table of our own: who looks after which service?'
\echo
\set ECHO queries
CREATE TABLE service_owner (service_name text PRIMARY KEY, owner text NOT NULL);
INSERT INTO service_owner
VALUES ('Storage', 'Ada'), ('Backup', 'Ada'), ('DNS', 'Grace'),
       ('Container Service', 'Grace'), ('Key Vault', 'Edsger');
SELECT owner, count(DISTINCT customer_name) AS customers,
       round(sum(usage_quantity), 2) AS quantity
  FROM azure_usage
  JOIN service_owner USING (service_name)
 GROUP BY owner
 ORDER BY quantity DESC;
\set ECHO none

\echo
\echo '-- EXPLAIN asks nobody: it shows the report query that would be sent.'
\echo
\set ECHO queries
EXPLAIN (VERBOSE, COSTS OFF)
SELECT customer_name, sum(usage_quantity)
  FROM azure_usage
 WHERE month >= '2026-01-01'
 GROUP BY customer_name;
\set ECHO none

\echo
\echo '-- EXPLAIN ANALYZE runs it.  With max_age 0 the rows have to be new, and it'
\echo '-- tells what the report took.'
\echo
\set ECHO queries
SET pinsight_fdw.max_age = 0;
EXPLAIN (ANALYZE, COSTS OFF)
SELECT count(*) FROM azure_usage;
RESET pinsight_fdw.max_age;
\set ECHO none

\echo
\echo '-- What is kept here, and until when it counts as fresh.'
\echo
\set ECHO queries
SELECT foreign_table, date_trunc('second', age) AS age, size,
       date_trunc('minute', fresh_until) AS fresh_until
  FROM pinsight_snapshots;
\set ECHO none

\echo
\echo '-- What the service keeps is in tables, too: its datasets, and the queries,'
\echo '-- reports and executions of whoever signs in.  They can be changed.'
\echo
\set ECHO queries
CREATE SCHEMA partner_api;
IMPORT FOREIGN SCHEMA api FROM SERVER partner INTO partner_api;
INSERT INTO partner_api.queries (name, query)
VALUES ('months by market', 'SELECT CustomerMarket, Month FROM AzureUsage TIMESPAN LAST_6_MONTHS')
RETURNING name, type, date_trunc('minute', created_time) AS created;
DELETE FROM partner_api.queries WHERE name = 'months by market' RETURNING name;
\set ECHO none
\echo
