/* pinsight_fdw--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pinsight_fdw" to load this file. \quit

CREATE FUNCTION pinsight_fdw_handler()
RETURNS fdw_handler
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

CREATE FUNCTION pinsight_fdw_validator(text[], oid)
RETURNS void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT;

COMMENT ON FUNCTION pinsight_fdw_handler() IS
	'handler of the foreign-data wrapper pinsight_fdw';
COMMENT ON FUNCTION pinsight_fdw_validator(text[], oid) IS
	'checks the options of servers, user mappings, foreign tables and columns';

CREATE FUNCTION pinsight_fdw_version()
RETURNS text
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION pinsight_fdw_version() IS
	'version of the pinsight_fdw library that is loaded';

CREATE FUNCTION pinsight_check_tables(server name,
	OUT foreign_table regclass, OUT dataset text, OUT gone text[], OUT new text[])
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION pinsight_check_tables(name) IS
	'columns of foreign tables that the service does not offer any more, and those it offers now';

CREATE PROCEDURE pinsight_login(server name, client_id text DEFAULT NULL)
AS 'MODULE_PATHNAME'
LANGUAGE C;

COMMENT ON PROCEDURE pinsight_login(name, text) IS
	'sign in with a code in a browser, and keep the refresh token in your user mapping';

CREATE FUNCTION pinsight_login_url(
	server name,
	redirect_uri text DEFAULT 'http://localhost',
	client_id text DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pinsight_login_url(name, text, text) IS
	'address of the page to sign in at, where device codes are not allowed';

CREATE FUNCTION pinsight_login_code(server name, code text)
RETURNS text
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pinsight_login_code(name, text) IS
	'finish a sign-in begun with pinsight_login_url, by the address the browser ended at';

CREATE FUNCTION pinsight_rotate(server name)
RETURNS timestamptz
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pinsight_rotate(name) IS
	'replace the refresh token in your user mapping by a new one; until when that is good';

CREATE FOREIGN DATA WRAPPER pinsight_fdw
	HANDLER pinsight_fdw_handler
	VALIDATOR pinsight_fdw_validator;

COMMENT ON FOREIGN DATA WRAPPER pinsight_fdw IS
	'reports of Microsoft Partner Center Insights as tables';

CREATE FUNCTION pinsight_jobs(
	OUT server name,
	OUT foreign_table regclass,
	OUT role name,
	OUT phase text,
	OUT service_state text,
	OUT age interval,
	OUT polls integer,
	OUT next_poll timestamptz,
	OUT downloaded bigint,
	OUT rows bigint,
	OUT report_id text,
	OUT query_id text,
	OUT pid integer,
	OUT begun timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION pinsight_jobs() IS
	'rows of the view pinsight_jobs';

CREATE VIEW pinsight_jobs AS
	SELECT * FROM pinsight_jobs();

COMMENT ON VIEW pinsight_jobs IS
	'reports under way, in any session or left by one';
COMMENT ON COLUMN pinsight_jobs.server IS 'null if dropped since';
COMMENT ON COLUMN pinsight_jobs.foreign_table IS 'for which it was begun; null if dropped since';
COMMENT ON COLUMN pinsight_jobs.role IS 'for whom it was begun; null if dropped since';
COMMENT ON COLUMN pinsight_jobs.phase IS 'step it is at';
COMMENT ON COLUMN pinsight_jobs.service_state IS 'what the service last said of it';
COMMENT ON COLUMN pinsight_jobs.age IS 'since it was begun';
COMMENT ON COLUMN pinsight_jobs.polls IS 'how often the service was asked';
COMMENT ON COLUMN pinsight_jobs.next_poll IS 'when it will be asked again';
COMMENT ON COLUMN pinsight_jobs.downloaded IS 'bytes that have arrived';
COMMENT ON COLUMN pinsight_jobs.rows IS 'rows that have arrived';
COMMENT ON COLUMN pinsight_jobs.report_id IS 'at the service';
COMMENT ON COLUMN pinsight_jobs.query_id IS 'at the service';
COMMENT ON COLUMN pinsight_jobs.pid IS 'process that works on it; null if none does';
COMMENT ON COLUMN pinsight_jobs.begun IS 'when it was begun';

CREATE FUNCTION pinsight_snapshots(
	OUT server name,
	OUT foreign_table regclass,
	OUT role name,
	OUT query text,
	OUT as_of timestamptz,
	OUT age interval,
	OUT size bigint,
	OUT rows bigint,
	OUT hits bigint,
	OUT fresh_until timestamptz,
	OUT report_id text,
	OUT execution_id text,
	OUT generated_time timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION pinsight_snapshots() IS
	'rows of the view pinsight_snapshots';

CREATE VIEW pinsight_snapshots AS
	SELECT * FROM pinsight_snapshots();

COMMENT ON VIEW pinsight_snapshots IS
	'reports that are kept for later scans';
COMMENT ON COLUMN pinsight_snapshots.server IS 'null if dropped since';
COMMENT ON COLUMN pinsight_snapshots.foreign_table IS 'for which it was fetched; null if for a function, or dropped since';
COMMENT ON COLUMN pinsight_snapshots.role IS 'for whom it was fetched; null if dropped since';
COMMENT ON COLUMN pinsight_snapshots.query IS 'report query, or the id of one or of a report that exists already';
COMMENT ON COLUMN pinsight_snapshots.as_of IS 'the rows are not older than this';
COMMENT ON COLUMN pinsight_snapshots.age IS 'since as_of';
COMMENT ON COLUMN pinsight_snapshots.size IS 'bytes on disk';
COMMENT ON COLUMN pinsight_snapshots.rows IS 'rows in it';
COMMENT ON COLUMN pinsight_snapshots.hits IS 'scans that have read it instead of ordering a report';
COMMENT ON COLUMN pinsight_snapshots.fresh_until IS 'as_of and the table''s max_age';
COMMENT ON COLUMN pinsight_snapshots.report_id IS 'at the service';
COMMENT ON COLUMN pinsight_snapshots.execution_id IS 'at the service';
COMMENT ON COLUMN pinsight_snapshots.generated_time IS 'when the service made the report, by its own word';

GRANT SELECT ON pinsight_jobs, pinsight_snapshots TO PUBLIC;

CREATE FUNCTION pinsight_forget(foreign_table regclass)
RETURNS integer
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION pinsight_forget(regclass) IS
	'remove the reports kept for a foreign table';

CREATE FUNCTION pinsight_cleanup(
	server name,
	older_than interval DEFAULT '1 day')
RETURNS TABLE (kind text, name text, id text)
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION pinsight_cleanup(name, interval) IS
	'delete our reports and queries at the service that nothing uses any more';

CREATE FUNCTION pinsight_check(
	server name,
	OUT step text,
	OUT status text,
	OUT detail text,
	OUT hint text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pinsight_check(name) IS
	'what has to be in order before a foreign table has rows, and whether it is';

CREATE FUNCTION pinsight_schedule(
	foreign_table regclass,
	every interval DEFAULT '24 hours')
RETURNS text
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pinsight_schedule(regclass, interval) IS
	'let the service make the report of a foreign table again and again';

CREATE FUNCTION pinsight_unschedule(foreign_table regclass)
RETURNS void
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION pinsight_unschedule(regclass) IS
	'end the schedule of a foreign table';

CREATE FUNCTION pinsight_preview(
	server name,
	query text DEFAULT NULL,
	query_id text DEFAULT NULL,
	start_time timestamptz DEFAULT NULL,
	end_time timestamptz DEFAULT NULL)
RETURNS SETOF jsonb
AS 'MODULE_PATHNAME'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 100;

COMMENT ON FUNCTION pinsight_preview(name, text, text, timestamptz, timestamptz) IS
	'first rows of a report query, as the service gives them, without a report';

CREATE FUNCTION pinsight_report_rows(server name, report_id text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION pinsight_report_rows(name, text) IS
	'rows of the latest completed execution of a report, whoever made it';

CREATE FUNCTION pinsight_report_columns(
	server name,
	report_id text,
	OUT "position" integer,
	OUT remote_name text,
	OUT local_name name,
	OUT type text,
	OUT definition text)
RETURNS SETOF record
AS 'MODULE_PATHNAME'
LANGUAGE C STRICT VOLATILE PARALLEL RESTRICTED;

COMMENT ON FUNCTION pinsight_report_columns(name, text) IS
	'columns of a report, as pinsight_report_rows and foreign tables can declare them';

CREATE PROCEDURE pinsight_mirror(
	source regclass,
	target text,
	months integer DEFAULT NULL,
	since date DEFAULT NULL,
	allow_empty boolean DEFAULT false)
AS 'MODULE_PATHNAME'
LANGUAGE C;

COMMENT ON PROCEDURE pinsight_mirror(regclass, text, integer, date, boolean) IS
	'make or refresh an ordinary table with the rows of a foreign table';
