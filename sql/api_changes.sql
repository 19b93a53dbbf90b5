--
-- Queries and reports changed from SQL.  What is sent is tested in t/056.
--
-- contexts tell ids, which differ from run to run
\set SHOW_CONTEXT never
\getenv api_url PINSIGHT_API_URL
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;
CREATE SERVER ch FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (
	tenant 'contoso.onmicrosoft.com', api_url :'api_url', login_url :'api_url');
CREATE USER MAPPING FOR PUBLIC SERVER ch OPTIONS (
	client_id '22222222-2222-2222-2222-222222222222',
	client_secret 'emulator-secret', refresh_token 'emulator-refresh-token');
CREATE SCHEMA ch;
IMPORT FOREIGN SCHEMA api FROM SERVER ch INTO ch;
SET search_path = ch, public;
SET timezone = 'UTC';

-- made
INSERT INTO queries (name, description, query) VALUES
	('Changes 1', 'first', 'SELECT CustomerName FROM AzureUsage TIMESPAN LAST_MONTH'),
	('Changes 2', NULL, 'SELECT CustomerName FROM AzureUsage TIMESPAN LAST_3_MONTHS')
	RETURNING name, description, query, type, query_id = raw ->> 'queryId' AS raw;
INSERT INTO reports (report_name, query_id, start_time, recurrence_interval)
	SELECT 'Report of ' || name, query_id, '2099-01-01 06:00', 48 FROM queries WHERE name = 'Changes 1'
	RETURNING report_name, query, start_time, recurrence_interval, recurrence_count, report_status, format;

-- through a view, with a prepared statement, in a function
CREATE VIEW my_reports AS
	SELECT report_id, report_name, query_id, start_time, recurrence_interval, report_status
	FROM reports WHERE report_name LIKE '%Changes%' WITH CHECK OPTION;
PREPARE make (text, int) AS
	INSERT INTO my_reports (report_name, query_id, start_time, recurrence_interval)
	SELECT $1, query_id, '2099-01-01 06:00', $2 FROM queries WHERE name = 'Changes 2'
	RETURNING report_name, recurrence_interval;
EXECUTE make('More Changes', 24);
EXECUTE make('Even more Changes', 2160);
EXECUTE make('Too many Changes', 2161);
CREATE FUNCTION pause_all() RETURNS bigint LANGUAGE sql AS $$
	WITH p AS (UPDATE my_reports SET report_status = 'Paused' WHERE report_status = 'Active' RETURNING 1)
	SELECT count(*) FROM p $$;
SELECT pause_all();
SELECT report_name, report_status FROM my_reports ORDER BY 1;

-- changed, joined with a local table
CREATE TABLE wishes (name text, hours int, status text);
INSERT INTO wishes VALUES ('More Changes', 72, 'Active'), ('Even more Changes', 96, 'Paused');
WITH u AS (UPDATE reports r SET recurrence_interval = w.hours, report_status = w.status
	FROM wishes w WHERE w.name = r.report_name
	RETURNING r.report_name, r.recurrence_interval, r.report_status, w.hours)
	SELECT * FROM u ORDER BY 1;

-- columns that are text say what they are told
CREATE FOREIGN TABLE texts (report_id text, report_name text, description text, query_id text,
	start_time text, recurrence_interval text, recurrence_count text, format text,
	callback_url text, callback_method text, execute_now text) SERVER ch OPTIONS (api_object 'reports');
INSERT INTO texts (report_name, query_id, start_time, recurrence_interval, recurrence_count, execute_now)
	SELECT 'Text Changes', query_id, '2099-02-03T04:05:06Z', '100', '3', 'no' FROM queries
	WHERE name = 'Changes 2'
	RETURNING report_name, start_time, recurrence_interval, recurrence_count, execute_now;
UPDATE texts SET recurrence_interval = 'often' WHERE report_name = 'Text Changes';
UPDATE texts SET start_time = 'tomorrow allballs' WHERE report_name = 'Text Changes' AND false;
UPDATE texts SET recurrence_interval = '200' WHERE report_name = 'Text Changes'
	RETURNING recurrence_interval, recurrence_count;

-- a partition of a local table
CREATE TABLE plans (query_id text, name text, query text, type text) PARTITION BY LIST (type);
CREATE FOREIGN TABLE remote_plans PARTITION OF plans FOR VALUES IN (NULL, 'userDefined') SERVER ch
	OPTIONS (api_object 'queries');
CREATE TABLE local_plans PARTITION OF plans FOR VALUES IN ('local');
INSERT INTO plans (name, query) VALUES ('Changes 3', 'SELECT CustomerName FROM AzureUsage')
	RETURNING name, type, tableoid::regclass;
DELETE FROM plans WHERE name = 'Changes 3' RETURNING name, type, tableoid::regclass;
UPDATE plans SET name = 'x' WHERE name = 'Changes 2';
INSERT INTO plans VALUES (NULL, 'here', NULL, 'local') RETURNING name, tableoid::regclass;

CREATE TABLE everything (report_id text, report_name text, report_status text) PARTITION BY LIST (report_id);
CREATE FOREIGN TABLE remote_everything PARTITION OF everything DEFAULT SERVER ch
	OPTIONS (api_object 'reports');
CREATE TABLE local_everything PARTITION OF everything FOR VALUES IN ('local');
INSERT INTO everything VALUES ('local', 'A local Change', 'Active');
UPDATE everything SET report_status = 'Paused' WHERE report_name ~ 'Change'
	RETURNING report_name, report_status, tableoid::regclass;
UPDATE everything SET report_id = 'local' WHERE report_name = 'Text Changes';

-- nothing is changed
UPDATE queries SET name = 'x';
DELETE FROM executions;
INSERT INTO reports (report_name, report_id) VALUES ('x', 'y');
UPDATE reports SET query_id = 'x' WHERE report_name = 'More Changes';
INSERT INTO queries (name, query) VALUES ('x', 'SELECT x') ON CONFLICT DO NOTHING;
TRUNCATE queries;
EXPLAIN (COSTS OFF) UPDATE reports SET report_status = 'Paused', format = 'tsv' WHERE report_id = 'x';
EXPLAIN (COSTS OFF) DELETE FROM reports WHERE report_name = 'x';

-- a role without the right, and with it
CREATE ROLE ch_role;
GRANT USAGE ON SCHEMA ch TO ch_role;
GRANT SELECT ON queries TO ch_role;
SET ROLE ch_role;
DELETE FROM queries WHERE name = 'Changes 1';
RESET ROLE;
GRANT DELETE ON reports TO ch_role;
GRANT SELECT ON reports TO ch_role;
SET ROLE ch_role;
DELETE FROM reports WHERE report_name ~ 'Changes' RETURNING report_name, report_status;
RESET ROLE;
DELETE FROM queries WHERE name ~ '^Changes' RETURNING name;
SELECT count(*) FROM my_reports;

SET client_min_messages = warning;
DROP TABLE plans, everything, wishes;
DROP FUNCTION pause_all();
DROP VIEW my_reports;
DROP FOREIGN TABLE texts;
DROP SCHEMA ch CASCADE;
DROP SERVER ch CASCADE;
DROP ROLE ch_role;
