--
-- Who may set what, and what a secret in a file has to be like.
-- Nothing here reaches a network: all addresses are dead ends on loopback.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;
CREATE ROLE regress_pinsight_owner;
CREATE ROLE regress_pinsight_user;
CREATE SCHEMA priv;
GRANT USAGE, CREATE ON SCHEMA priv TO regress_pinsight_owner, regress_pinsight_user;
SET search_path = priv, public;

--
-- Servers
--
SET ROLE regress_pinsight_owner;
CREATE SERVER priv FOREIGN DATA WRAPPER pinsight_fdw;
RESET ROLE;
GRANT USAGE ON FOREIGN DATA WRAPPER pinsight_fdw TO regress_pinsight_owner;
SET ROLE regress_pinsight_owner;
-- whoever may make a server sets what is harmless
CREATE SERVER priv FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (
	tenant 'contoso.com', program 'mpn', api_version 'v1', connect_timeout '5 s',
	request_timeout '1 min', poll_interval '1 s', wait_timeout '1 min',
	fdw_startup_cost '1', fdw_tuple_cost '1', format 'csv');
-- but not where credentials go, nor which file is read
ALTER SERVER priv OPTIONS (ADD api_url 'https://evil.example');
\echo :LAST_ERROR_SQLSTATE
ALTER SERVER priv OPTIONS (ADD login_url 'https://evil.example');
ALTER SERVER priv OPTIONS (ADD resource 'https://evil.example');
ALTER SERVER priv OPTIONS (ADD proxy 'http://evil.example:3128');
ALTER SERVER priv OPTIONS (ADD ca_file '/tmp/evil.pem');
ALTER SERVER priv OPTIONS (ADD proxy 'http://evil.example:3128', ADD proxy_user 'postgres',
	ADD proxy_password_file '/etc/passwd');
ALTER SERVER priv OPTIONS (ADD proxy_password_file '/etc/passwd');
CREATE SERVER priv2 FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (api_url 'http://127.0.0.1:1');
-- the privilege comes first: a wrong value is not even looked at
ALTER SERVER priv OPTIONS (ADD ca_file '');
-- reading files of the host is not enough either
RESET ROLE;
GRANT pg_read_server_files TO regress_pinsight_owner;
SET ROLE regress_pinsight_owner;
ALTER SERVER priv OPTIONS (ADD ca_file '/tmp/evil.pem');
-- what a superuser has set stays under the superuser's hand ...
RESET ROLE;
ALTER SERVER priv OPTIONS (ADD api_url 'http://127.0.0.1:1');
SET ROLE regress_pinsight_owner;
ALTER SERVER priv OPTIONS (SET tenant 'fabrikam.com');
ALTER SERVER priv OPTIONS (SET api_url 'http://127.0.0.1:2');
-- ... but may go away, which is back to the default
ALTER SERVER priv OPTIONS (DROP api_url);
ALTER SERVER priv OPTIONS (SET tenant 'fabrikam.com');
SELECT unnest(srvoptions) FROM pg_foreign_server WHERE srvname = 'priv';

--
-- Foreign tables: their owner may set all there is
--
CREATE FOREIGN TABLE priv_table (month text OPTIONS (column_name 'Month'))
	SERVER priv OPTIONS (dataset 'AzureUsage', program 'mpn', timespan 'LIFETIME',
	wait_timeout '1 min', format 'tsv', on_error 'set_null');
ALTER FOREIGN TABLE priv_table OPTIONS (DROP wait_timeout, DROP format);
GRANT SELECT ON priv_table TO regress_pinsight_user;

--
-- User mappings
--
SET ROLE regress_pinsight_user;
CREATE USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (client_id 'app');
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER priv TO regress_pinsight_user;
SET ROLE regress_pinsight_user;
CREATE USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	client_id 'app', client_secret 'hush-hush');
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	ADD username 'jane@contoso.com', ADD password 'hush-hush');
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	DROP username, DROP password, ADD refresh_token 'hush-hush');
-- files of the host are the superuser's
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	DROP client_secret, ADD client_secret_file '/etc/passwd');
\echo :LAST_ERROR_SQLSTATE
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	DROP refresh_token, ADD username 'jane@contoso.com', ADD password_file '/etc/passwd');
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	DROP refresh_token, ADD refresh_token_file '/etc/passwd');
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	DROP client_secret, ADD certificate_file '/etc/passwd', ADD private_key_file '/etc/passwd');
RESET ROLE;
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	DROP refresh_token, ADD refresh_token_file '/hush-hush');
SET ROLE regress_pinsight_user;
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (SET client_id 'other');
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
	SET client_id 'other', DROP refresh_token_file);
-- nobody but its user sees what a mapping holds; not the server's owner, whose
-- is the one for everybody, and not a member of the owner's role
RESET ROLE;
CREATE USER MAPPING FOR PUBLIC SERVER priv OPTIONS (client_id 'everybody');
CREATE ROLE regress_pinsight_other;
SET ROLE regress_pinsight_other;
SELECT usename, umoptions FROM pg_user_mappings WHERE srvname = 'priv' ORDER BY 1;
SET ROLE regress_pinsight_owner;
SELECT usename, umoptions FROM pg_user_mappings WHERE srvname = 'priv' ORDER BY 1;
SELECT * FROM pg_user_mapping;
SET ROLE regress_pinsight_user;
SELECT usename, umoptions FROM pg_user_mappings WHERE srvname = 'priv' ORDER BY 1;
-- the owner can replace another role's mapping, but takes nothing out of it
SET ROLE regress_pinsight_owner;
ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (SET client_id 'another');
SELECT usename, umoptions FROM pg_user_mappings WHERE srvname = 'priv' ORDER BY 1;

--
-- Signing in and looking: for those who may use the server, and for themselves
--
SET ROLE regress_pinsight_other;
CALL pinsight_login('priv', client_id => 'app');
SELECT pinsight_login_url('priv', client_id => 'app');
SELECT pinsight_login_code('priv', 'hush-hush');
SELECT pinsight_rotate('priv');
SELECT step, status, detail, hint FROM pinsight_check('priv') WHERE status <> 'not reached';
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER priv TO regress_pinsight_other;
SET ROLE regress_pinsight_other;
-- the mapping for everybody is not theirs to change, nor to take an application from
SELECT pinsight_rotate('priv');
CALL pinsight_login('priv');
CALL pinsight_login('priv', client_id => 'a b');
CALL pinsight_login('priv', client_id => NULL);
CALL pinsight_login(NULL);
CALL pinsight_login('no such server');
SELECT pinsight_login_url('priv', 'http://evil.example', 'app');
SELECT pinsight_login_url('priv', 'https://app.example/back', 'app') ~
	'^https://login.microsoftonline.com/fabrikam.com/oauth2/v2.0/authorize\?client_id=app&response_type=code&redirect_uri=https%3A%2F%2Fapp.example%2Fback&' AS address;
-- an answer to another question, a refusal, and somebody else's
SELECT pinsight_login_code('priv', 'https://app.example/back?code=hush&state=hush');
SELECT pinsight_login_code('priv', 'https://app.example/back?error=access_denied&error_description=no+way%21');
SET ROLE regress_pinsight_user;
SELECT pinsight_login_code('priv', 'hush-hush');
CALL pinsight_login('priv', client_id => 'other');
-- nothing is asked of anybody if the answer could not be kept
BEGIN READ ONLY;
CALL pinsight_login('priv');
ROLLBACK;
BEGIN READ ONLY;
SELECT pinsight_rotate('priv');
ROLLBACK;
RESET ROLE;
CREATE FOREIGN DATA WRAPPER regress_pinsight_stranger;
CREATE SERVER stranger FOREIGN DATA WRAPPER regress_pinsight_stranger;
CALL pinsight_login('stranger');
SELECT step, status, detail FROM pinsight_check('stranger') LIMIT 2;
SELECT * FROM pinsight_check_tables('stranger');
DROP FOREIGN DATA WRAPPER regress_pinsight_stranger CASCADE;
DROP USER MAPPING FOR PUBLIC SERVER priv;
DROP OWNED BY regress_pinsight_other;
DROP ROLE regress_pinsight_other;

-- where the files are is not for everybody to know
SELECT count(*) FROM pg_settings WHERE name = 'pinsight_fdw.cache_directory';
SET ROLE regress_pinsight_user;
SELECT count(*) FROM pg_settings WHERE name = 'pinsight_fdw.cache_directory';
RESET ROLE;

--
-- Whose mapping a scan uses: the reader's, or the owner's of a view
--
ALTER SERVER priv OPTIONS (ADD api_url 'http://127.0.0.1:1', ADD login_url 'http://127.0.0.1:1');
DROP USER MAPPING FOR regress_pinsight_user SERVER priv;
SET ROLE regress_pinsight_owner;
CREATE VIEW priv_view AS SELECT * FROM priv_table;
CREATE VIEW priv_invoker WITH (security_invoker) AS SELECT * FROM priv_table;
GRANT SELECT ON priv_view, priv_invoker TO regress_pinsight_user;
SET ROLE regress_pinsight_user;
SELECT * FROM priv_table;
SELECT * FROM priv_view;
SELECT * FROM priv_invoker;
RESET ROLE;
-- a dump reads no foreign table by surprise
SET restrict_nonsystem_relation_kind = 'view, foreign-table';
SELECT * FROM priv_table;
RESET restrict_nonsystem_relation_kind;

--
-- Secrets in files.  The client secret is read before the password is: an
-- error about the latter's missing file tells that the former was accepted.
--
CREATE TABLE priv_path AS
	SELECT current_setting('data_directory') || '/pinsight_regress_secret' AS path;
GRANT SELECT ON priv_path TO regress_pinsight_user;
CREATE USER MAPPING FOR regress_pinsight_user SERVER priv;
CREATE FUNCTION priv_set_file(content text, mode text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	path text := quote_literal((SELECT priv_path.path FROM priv_path));
BEGIN
	EXECUTE format('COPY (SELECT 1) TO PROGRAM %L',
		format('cat > /dev/null; rm -rf %1$s; %2$s > %1$s; chmod %3$s %1$s',
			path, content, mode));
END $$;
CREATE FUNCTION priv_use_file() RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	path text := (SELECT priv_path.path FROM priv_path);
	message text;
	detail text;
	hint text;
BEGIN
	PERFORM * FROM priv_table;
	RETURN 'rows';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT;
	RETURN replace(concat_ws(' | ', SQLSTATE, message, nullif(detail, ''),
		nullif(hint, '')), path, 'PATH');
END $$;
DO $$
BEGIN
	EXECUTE format('ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
		ADD client_id ''app'', ADD client_secret_file %L,
		ADD username ''jane@contoso.com'', ADD password_file %L)', path, path || '.not')
	FROM priv_path;
END $$;
CREATE FUNCTION priv_try(content text, mode text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM priv_set_file(content, mode);
	SET LOCAL ROLE regress_pinsight_user;
	result := priv_use_file();
	RESET ROLE;
	RETURN result;
END $$;
-- accepted
SELECT priv_try('printf hush-hush', '0600');
SELECT priv_try('printf ''hush-hush\n''', '0640');
SELECT priv_try('printf ''hush-hush\r\n''', '0400');
SELECT priv_try('head -c 65536 /dev/zero | tr ''\0'' x', '0600');
-- refused, and never repeated
SELECT priv_try('printf hush-hush', '0604');
SELECT priv_try('printf hush-hush', '0644');
SELECT priv_try('printf ''''', '0600');
SELECT priv_try('printf ''\n''', '0600');
SELECT priv_try('printf ''\r\n''', '0600');
SELECT priv_try('head -c 65537 /dev/zero | tr ''\0'' x', '0600');
SELECT priv_try('printf ''hush\0hush''', '0600');
SELECT priv_try('printf ''hush\344hush''', '0600');
-- a directory
DO $$
BEGIN
	EXECUTE format('COPY (SELECT 1) TO PROGRAM %L',
		format('cat > /dev/null; mkdir %L', path || '.dir')) FROM priv_path;
	EXECUTE format('ALTER USER MAPPING FOR regress_pinsight_user SERVER priv OPTIONS (
		SET client_secret_file %L)', path || '.dir') FROM priv_path;
END $$;
SELECT priv_try('printf x', '0600');
-- a pipe that nobody writes to must not hold the backend
DO $$
BEGIN
	EXECUTE format('COPY (SELECT 1) TO PROGRAM %L',
		format('cat > /dev/null; rmdir %1$L; mkfifo -m 600 %1$L', path || '.dir')) FROM priv_path;
END $$;
SELECT priv_try('printf x', '0600');
DO $$
BEGIN
	EXECUTE format('COPY (SELECT 1) TO PROGRAM %L',
		format('cat > /dev/null; rm -f %1$L %2$L', path, path || '.dir')) FROM priv_path;
END $$;
SET ROLE regress_pinsight_user;
SELECT priv_use_file();
RESET ROLE;

SET client_min_messages = warning;
RESET search_path;
DROP SCHEMA priv CASCADE;
DROP SERVER priv CASCADE;
DROP OWNED BY regress_pinsight_owner, regress_pinsight_user;
DROP ROLE regress_pinsight_owner, regress_pinsight_user;
