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

CREATE FOREIGN DATA WRAPPER pinsight_fdw
	HANDLER pinsight_fdw_handler
	VALIDATOR pinsight_fdw_validator;
