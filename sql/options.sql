--
-- What may be set on a server, a foreign table, a column and a user mapping,
-- what a wrong value is answered with, and what is missing when it is used.
-- Nothing here reaches a network: all addresses are dead ends on loopback.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pinsight_fdw;
RESET client_min_messages;

--
-- Everything that the extension makes says what it is, but for the types of
-- its views' rows
--
SELECT pg_describe_object(classid, objid, 0)
  FROM pg_depend
 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND
       classid <> 'pg_type'::regclass AND
       refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pinsight_fdw') AND
       obj_description(objid, classid::regclass::name) IS NULL;
SELECT attrelid::regclass, attname
  FROM pg_attribute
 WHERE attrelid IN ('pinsight_jobs'::regclass, 'pinsight_snapshots'::regclass) AND
       col_description(attrelid, attnum) IS NULL;

--
-- Server: everything that is right
--
CREATE SERVER opt_all FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (
	tenant 'contoso.onmicrosoft.com', program 'cmp',
	api_url 'http://127.0.0.1:1/', api_version 'v1.1',
	login_url 'http://localhost:1', resource 'api://contoso/insights',
	ca_file '/etc/ssl/certs/ca.pem', proxy 'http://127.0.0.1:1',
	connect_timeout '500 ms', request_timeout '1 minute 30 seconds',
	poll_interval '00:00:01', wait_timeout '1 day 12:00',
	max_age '0', stale_ok '3 days', fetch 'query', max_reports_per_hour '5',
	max_concurrent_reports '2', prefetch 'off', autocommit 'true',
	fdw_startup_cost '0', fdw_tuple_cost '1.5e-2', format 'tsv');
SELECT unnest(srvoptions) FROM pg_foreign_server WHERE srvname = 'opt_all';
ALTER SERVER opt_all OPTIONS (SET tenant '11111111-2222-3333-4444-555555555555',
	DROP proxy, DROP ca_file, SET wait_timeout 'PT1H');
ALTER SERVER opt_all OPTIONS (ADD proxy 'socks5h://[::1]:1080');
ALTER SERVER opt_all OPTIONS (SET api_url 'https://[::1]:8443/base/path');
ALTER SERVER opt_all OPTIONS (SET login_url 'HTTPS://login.example');
SELECT unnest(srvoptions) FROM pg_foreign_server WHERE srvname = 'opt_all';
-- core's own words about what is there already and what is not
ALTER SERVER opt_all OPTIONS (ADD tenant 'fabrikam.com');
ALTER SERVER opt_all OPTIONS (SET ca_file '/ca.pem');

-- a server without options can be made, and completed later
CREATE SERVER opt FOREIGN DATA WRAPPER pinsight_fdw;

--
-- Server: names that are wrong
--
ALTER SERVER opt OPTIONS (ADD tennant 'contoso.com');
\echo :LAST_ERROR_SQLSTATE
ALTER SERVER opt OPTIONS (ADD "Tenant" 'contoso.com');
ALTER SERVER opt OPTIONS (ADD wait_time '1 h');
ALTER SERVER opt OPTIONS (ADD x 'y');
ALTER SERVER opt OPTIONS (ADD host 'example.com');
-- known, but elsewhere
ALTER SERVER opt OPTIONS (ADD client_secret 'hush-hush');
\echo :LAST_ERROR_SQLSTATE
ALTER SERVER opt OPTIONS (ADD client_id 'hush-hush');
ALTER SERVER opt OPTIONS (ADD username 'hush-hush');
ALTER SERVER opt OPTIONS (ADD password 'hush-hush');
ALTER SERVER opt OPTIONS (ADD password_file '/hush-hush');
ALTER SERVER opt OPTIONS (ADD refresh_token 'hush-hush');
ALTER SERVER opt OPTIONS (ADD dataset 'AzureUsage');
ALTER SERVER opt OPTIONS (ADD column_name 'Month');
-- the wrapper itself has none
ALTER FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (ADD tenant 'contoso.com');
ALTER FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (ADD debug 'true');

--
-- Server: values that are wrong
--
ALTER SERVER opt OPTIONS (ADD tenant '');
\echo :LAST_ERROR_SQLSTATE
ALTER SERVER opt OPTIONS (ADD tenant 'contoso.com/v2.0');
ALTER SERVER opt OPTIONS (ADD tenant '..');
ALTER SERVER opt OPTIONS (ADD tenant 'contoso com');
ALTER SERVER opt OPTIONS (ADD program 'csp');
ALTER SERVER opt OPTIONS (ADD program 'MPN');
ALTER SERVER opt OPTIONS (ADD api_version 'v1/');
ALTER SERVER opt OPTIONS (ADD resource 'two words');
ALTER SERVER opt OPTIONS (ADD ca_file 'ca.pem');
ALTER SERVER opt OPTIONS (ADD format 'json');

-- addresses: each of them is refused, none is repeated
CREATE FUNCTION opt_refused(option text, value text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
BEGIN
	EXECUTE format('ALTER SERVER opt OPTIONS (ADD %I %L)', option, value);
	EXECUTE format('ALTER SERVER opt OPTIONS (DROP %I)', option);
	RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN message || E'\n' || hint;
END $$;
SELECT opt_refused('api_url', 'http://api.partnercenter.microsoft.com');
SELECT opt_refused('proxy', 'http://user:hush-hush@proxy.example:3128');
SELECT left(url, 50) AS url, opt_refused('api_url', url) = opt_refused('api_url', '') AS refused
FROM unnest(ARRAY[
	'ftp://example.com', 'example.com', 'https:/example.com', 'https://',
	'https:///path', 'https://:443', 'https://example.com:0',
	'https://example.com:65536', 'https://example.com:port',
	'https://user@example.com', 'https://user:hush-hush@example.com',
	'https://example.com@evil.example', 'https://example.com?x=1',
	'https://example.com/#x', 'https://example.com/a b',
	E'https://example.com/\r\nHost: evil.example', 'https://example.com\@evil',
	'https://[::1', 'https://[zz]', 'https://a]b', 'https://[1:2]', 'https://.com',
	'https://example.com/' || repeat('x', 2048),
	'https://127.1', 'https://2130706433', 'https://0x7f.0.0.1', 'https://127.0.0.1.', 'https://10.0.0.256',
	'http://127.evil.example', 'http://127.0.0.1.evil.example',
	'http://127.0.0.256', 'http://128.0.0.1', 'http://127.0.0', 'http://127.0.0.01', 'http://[::2]',
	'http://localhost.evil.example', 'http://localhostx'
]) WITH ORDINALITY AS u (url, n) ORDER BY n;
SELECT opt_refused('api_url', 'https://ex' || chr(228) || 'mple.com');
SELECT url, opt_refused('api_url', url)
FROM unnest(ARRAY[
	'https://example.com', 'https://example.com/', 'https://example.com:443/a/b-c',
	'https://10.0.0.1:8443', 'https://[2001:db8::1]', 'http://127.0.0.1',
	'http://127.1.2.3:8080/x', 'http://[::1]:8080', 'http://[0:0::0:1]', 'http://LOCALHOST:1/'
]) WITH ORDINALITY AS u (url, n) ORDER BY n;
SELECT url, opt_refused('proxy', url) = opt_refused('proxy', '') AS refused
FROM unnest(ARRAY[
	'proxy.example:3128', 'ftp://proxy.example', 'http://proxy.example/path',
	'http://proxy.example//', 'http://proxy.example?x', 'http://', 'http://u@proxy.example'
]) WITH ORDINALITY AS u (url, n) ORDER BY n;
SELECT url, opt_refused('proxy', url)
FROM unnest(ARRAY[
	'http://proxy.example:3128', 'http://proxy.example:3128/', 'https://proxy.example',
	'socks5://10.0.0.1:1080'
]) WITH ORDINALITY AS u (url, n) ORDER BY n;

-- durations
ALTER SERVER opt OPTIONS (ADD connect_timeout 'soon');
ALTER SERVER opt OPTIONS (ADD request_timeout '2 hours');
ALTER SERVER opt OPTIONS (ADD poll_interval '1 ms');
ALTER SERVER opt OPTIONS (ADD wait_timeout '1 month');
SELECT left(duration, 50) AS duration, opt_refused('wait_timeout', duration) <> 'accepted' AS refused
FROM unnest(ARRAY[
	' ', '0', '-1 second', '1 year', '1 mon', '999 microseconds', '8 days',
	'infinity', '999999999999 hours', '9999999999999999999', '1 hour ago',
	'2026-01-01', 'ten minutes', '1 hour 1', 'P1M', repeat('1', 400)
]) WITH ORDINALITY AS d (duration, n) ORDER BY n;
SELECT duration, opt_refused('wait_timeout', duration)
FROM unnest(ARRAY[
	'1 ms', '100 milliseconds', '5', '0.5 s', '24 hours', '12:30', '1 day', '7 days',
	'PT5M', 'P1DT1H', '@ 1 minute'
]) WITH ORDINALITY AS d (duration, n) ORDER BY n;
-- whatever the session's interval style is
SET intervalstyle = 'sql_standard';
SELECT opt_refused('wait_timeout', '1 2:00:00');
RESET intervalstyle;

-- ages: like durations, but longer ones, and 0 is one, too
ALTER SERVER opt OPTIONS (ADD max_age 'fresh');
ALTER SERVER opt OPTIONS (ADD stale_ok '-1 day');
SELECT name, age, opt_refused(name, age) <> 'accepted' AS refused
FROM unnest(ARRAY['max_age', 'stale_ok']) AS o (name), unnest(ARRAY[
	'', ' ', '-1 second', '1 month', '1 year', 'infinity', '1 hour ago',
	'9999999999999999999', '2026-01-01', 'always'
]) WITH ORDINALITY AS a (age, n) ORDER BY name, n;
SELECT name, age, opt_refused(name, age)
FROM unnest(ARRAY['max_age', 'stale_ok']) AS o (name), unnest(ARRAY[
	'0', '0 s', '24 hours', '1 day', '30 days', '12:30', 'PT5M', '1 ms'
]) WITH ORDINALITY AS a (age, n) ORDER BY name, n;

-- what is fetched, and how often
ALTER SERVER opt OPTIONS (ADD fetch 'all');
ALTER SERVER opt OPTIONS (ADD max_reports_per_hour '0');
SELECT name, value, opt_refused(name, value) <> 'accepted' AS refused
FROM (VALUES (1, 'fetch', ''), (2, 'fetch', 'TABLE'), (3, 'fetch', 'query '),
	(4, 'max_reports_per_hour', ''), (5, 'max_reports_per_hour', '-1'),
	(6, 'max_reports_per_hour', '1001'), (7, 'max_reports_per_hour', '5.5'),
	(8, 'max_reports_per_hour', 'five'), (9, 'max_reports_per_hour', '5 6'), (11, 'max_reports_per_hour', '0x10'),
	(10, 'max_reports_per_hour', '99999999999999999999'))
	AS o (n, name, value) ORDER BY n;
SELECT name, value, opt_refused(name, value)
FROM (VALUES (1, 'fetch', 'table'), (2, 'fetch', 'query'),
	(3, 'max_reports_per_hour', '1'), (4, 'max_reports_per_hour', '1000'))
	AS o (n, name, value) ORDER BY n;

-- how many at once
ALTER SERVER opt OPTIONS (ADD max_concurrent_reports '0');
ALTER SERVER opt OPTIONS (ADD prefetch 'perhaps');
SELECT name, value, opt_refused(name, value)
FROM (VALUES (1, 'max_concurrent_reports', '1'), (2, 'max_concurrent_reports', '1000'),
	(3, 'prefetch', 'true'), (4, 'prefetch', 'no'), (5, 'autocommit', 'maybe'),
	(6, 'autocommit', 'on'))
	AS o (n, name, value) ORDER BY n;

-- costs
ALTER SERVER opt OPTIONS (ADD fdw_startup_cost '-1');
SELECT cost, opt_refused('fdw_tuple_cost', cost) <> 'accepted' AS refused
FROM unnest(ARRAY['-1', 'NaN', 'inf', 'cheap', '1 2']) AS c (cost);

--
-- Foreign table and its columns
--
CREATE FOREIGN TABLE opt_table (
	month date OPTIONS (column_name 'Month'),
	acr numeric OPTIONS (column_name 'TotalACR(USD)'),
	plain text
) SERVER opt OPTIONS (dataset 'AzureUsage', program 'cmp', timespan 'last_6_months',
	wait_timeout '2 hours', format 'csv', on_error 'set_null');
SELECT unnest(ftoptions) FROM pg_foreign_table WHERE ftrelid = 'opt_table'::regclass;
SELECT attname, attfdwoptions FROM pg_attribute
WHERE attrelid = 'opt_table'::regclass AND attnum > 0 ORDER BY attnum;
ALTER FOREIGN TABLE opt_table OPTIONS (SET on_error 'stop', DROP timespan);
ALTER FOREIGN TABLE opt_table OPTIONS (ADD timespan 'LIFETIME');
ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (ADD column_name 'CustomerName');
ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (SET column_name 'Sku_Id');
ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (DROP column_name);
SELECT unnest(ftoptions) FROM pg_foreign_table WHERE ftrelid = 'opt_table'::regclass;
SELECT attname, attfdwoptions FROM pg_attribute
WHERE attrelid = 'opt_table'::regclass AND attnum > 0 ORDER BY attnum;

-- wrong
ALTER FOREIGN TABLE opt_table OPTIONS (ADD dateset 'x');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD schedule 'daily');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD tenant 'contoso.com');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD password 'hush-hush');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD column_name 'Month');
ALTER FOREIGN TABLE opt_table OPTIONS (SET dataset '');
ALTER FOREIGN TABLE opt_table OPTIONS (SET dataset 'AzureUsage; DROP');
ALTER FOREIGN TABLE opt_table OPTIONS (SET program 'both');
ALTER FOREIGN TABLE opt_table OPTIONS (SET timespan 'LAST 6 MONTHS');
ALTER FOREIGN TABLE opt_table OPTIONS (SET wait_timeout '-5 min');
ALTER FOREIGN TABLE opt_table OPTIONS (SET format 'CSV');
ALTER FOREIGN TABLE opt_table OPTIONS (SET on_error 'ignore');
ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (ADD colum_name 'Month');
ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (ADD dataset 'Month');
ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (ADD column_name 'a,b');
ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (ADD column_name 'Größe');
DO $$
BEGIN
	EXECUTE format('ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (ADD column_name %L)',
		repeat('x', 256));
	EXECUTE format('ALTER FOREIGN TABLE opt_table ALTER COLUMN plain OPTIONS (SET column_name %L)',
		repeat('x', 257));
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE NOTICE '256 bytes are a name, 257 are not';
END $$;

--
-- User mapping: no message may repeat a value
--
CREATE USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	client_id '11111111-2222-3333-4444-555555555555', client_secret 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	ADD username 'jane@contoso.com', ADD password 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	DROP username, DROP password, ADD refresh_token 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	DROP client_secret, ADD client_secret_file '/hush-hush',
	DROP refresh_token, ADD refresh_token_file '/hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	DROP refresh_token_file, ADD username 'jane@contoso.com', ADD password_file '/hush-hush');

-- wrong names
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD pasword 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD "user" 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD clientsecret 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD api_key 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD tenant 'contoso.com');
-- wrong values
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (SET client_id 'hush~hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (SET username '');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (SET username E'hush\nhush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (DROP password_file, ADD password '');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (SET password_file 'hush-hush');
-- wrong together
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD password 'hush-hush');
\echo :LAST_ERROR_SQLSTATE
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD client_secret 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (DROP username);
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (DROP password_file);
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD refresh_token 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	DROP username, ADD refresh_token_file '/hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	DROP username, DROP password_file,
	ADD refresh_token 'hush-hush', ADD refresh_token_file '/hush-hush');
DROP USER MAPPING FOR CURRENT_USER SERVER opt;
-- a certificate instead of a secret
CREATE USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (client_id 'app',
	certificate_file '/hush-hush', private_key_file '/hush-hush', signature_algorithm 'RS256');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (SET signature_algorithm 'ES256');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (SET certificate_file 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD client_secret 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD client_secret_file '/hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (DROP private_key_file);
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (DROP certificate_file);
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	DROP certificate_file, DROP private_key_file);
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	ADD refresh_token 'hush-hush', ADD refresh_token_issued '2026-03-01T12:00:00Z');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (SET refresh_token_issued 'hush-hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (ADD refresh_token_origin 'hush:hush');
ALTER USER MAPPING FOR CURRENT_USER SERVER opt OPTIONS (
	ADD refresh_token_origin '0000000000000000000000000000000000000000000000000000000000000000:0000000000000000000000000000000000000000000000000000000000000000');
DROP USER MAPPING FOR CURRENT_USER SERVER opt;
-- the sign-in's version, and a proxy that wants to know who we are
ALTER SERVER opt OPTIONS (ADD login_version 'v2');
ALTER SERVER opt OPTIONS (SET login_version '2');
ALTER SERVER opt OPTIONS (ADD proxy_user 'jane');
ALTER SERVER opt OPTIONS (ADD proxy 'http://proxy.example:3128', ADD proxy_password_file '/hush-hush');
ALTER SERVER opt OPTIONS (ADD proxy 'http://proxy.example:3128', ADD proxy_user 'jane',
	ADD proxy_password_file '/hush-hush');
ALTER SERVER opt OPTIONS (SET proxy_user E'a\nb');
ALTER SERVER opt OPTIONS (ADD proxy_password 'hush-hush');
ALTER SERVER opt OPTIONS (DROP proxy);
ALTER SERVER opt OPTIONS (DROP proxy, DROP proxy_user, DROP proxy_password_file, DROP login_version);

--
-- Estimates, metrics, metadata
--
ALTER FOREIGN TABLE opt_table OPTIONS (ADD estimated_rows '0', ADD time_column 'Month');
ALTER FOREIGN TABLE opt_table OPTIONS (SET estimated_rows '1e3');
ALTER FOREIGN TABLE opt_table OPTIONS (SET estimated_rows '-1');
ALTER FOREIGN TABLE opt_table OPTIONS (SET estimated_rows '1000000001');
ALTER FOREIGN TABLE opt_table OPTIONS (SET time_column 'a b');
ALTER FOREIGN TABLE opt_table OPTIONS (SET estimated_rows '1000000000', DROP time_column);
ALTER FOREIGN TABLE opt_table OPTIONS (ADD metadata 'report_id');
ALTER FOREIGN TABLE opt_table ALTER plain OPTIONS (ADD metric 'yes');
ALTER FOREIGN TABLE opt_table ALTER plain OPTIONS (SET metric 'no way');
ALTER FOREIGN TABLE opt_table ALTER plain OPTIONS (ADD metadata 'report_id');
ALTER FOREIGN TABLE opt_table ALTER plain OPTIONS (DROP metric, ADD metadata 'Report_Id');
ALTER FOREIGN TABLE opt_table ALTER plain OPTIONS (DROP metric, ADD metadata 'generated_time');
ALTER FOREIGN TABLE opt_table ALTER plain OPTIONS (ADD column_name 'Month');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD not_null 'true');

--
-- Freshness and existing reports: on the table
--
ALTER FOREIGN TABLE opt_table OPTIONS (ADD max_age '6 hours', ADD stale_ok '3 days',
	ADD fetch 'query', ADD max_reports_per_hour '2',
	ADD report_id 'd0b9bba2-7e43-4a1c-8b5e-0f5f6d3c2b1a');
SELECT unnest(ftoptions) FROM pg_foreign_table WHERE ftrelid = 'opt_table'::regclass;
ALTER FOREIGN TABLE opt_table OPTIONS (SET max_age '0', SET fetch 'table', DROP stale_ok,
	SET report_id 'Report-1_a');
ALTER FOREIGN TABLE opt_table OPTIONS (SET max_age 'never');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD stale_ok '1 mon');
ALTER FOREIGN TABLE opt_table OPTIONS (SET fetch 'column');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD prefetch 'maybe');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD prefetch 'false');
ALTER FOREIGN TABLE opt_table OPTIONS (DROP prefetch);
ALTER FOREIGN TABLE opt_table OPTIONS (ADD autocommit 'true');
ALTER FOREIGN TABLE opt_table OPTIONS (ADD max_concurrent_reports '2');
ALTER FOREIGN TABLE opt_table OPTIONS (SET max_reports_per_hour 'many');
ALTER FOREIGN TABLE opt_table OPTIONS (SET report_id '');
ALTER FOREIGN TABLE opt_table OPTIONS (SET report_id '../ScheduledQueries');
ALTER FOREIGN TABLE opt_table OPTIONS (SET report_id 'a b');
DO $$
BEGIN
	EXECUTE format('ALTER FOREIGN TABLE opt_table OPTIONS (SET report_id %L)', repeat('x', 5000));
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE NOTICE 'an id has an end';
END $$;
-- a query that exists has rows of its own
ALTER FOREIGN TABLE opt_table OPTIONS (ADD query_id 'd1a4d75e-5ca8-4847-845f-ee0a9be6f07b');
CREATE FOREIGN TABLE opt_query (month text) SERVER opt
	OPTIONS (query_id 'q9df4939-073f-5795-b0cb-v2c81d11e58d', fetch 'table', format 'tsv', max_age '1 day');
ALTER FOREIGN TABLE opt_query OPTIONS (SET query_id '../ScheduledReport');
ALTER FOREIGN TABLE opt_query OPTIONS (SET fetch 'query');
ALTER FOREIGN TABLE opt_query OPTIONS (ADD timespan 'LIFETIME');
ALTER FOREIGN TABLE opt_query OPTIONS (ADD time_column 'Month');
ALTER FOREIGN TABLE opt_query OPTIONS (DROP query_id, ADD report_id 'Report-1_a', ADD timespan 'LIFETIME');
DROP FOREIGN TABLE opt_query;
-- elsewhere they mean nothing
ALTER SERVER opt OPTIONS (ADD report_id 'x');
ALTER SERVER opt OPTIONS (ADD query_id 'x');
ALTER FOREIGN TABLE opt_table ALTER plain OPTIONS (ADD max_age '1 hour');
CREATE USER MAPPING FOR PUBLIC SERVER opt OPTIONS (stale_ok '1 day');
ALTER FOREIGN TABLE opt_table OPTIONS (DROP report_id, DROP max_age, DROP fetch,
	DROP max_reports_per_hour);

-- the same, in a session
SET pinsight_fdw.max_age = '30 minutes';
SHOW pinsight_fdw.max_age;
SET pinsight_fdw.max_age = '1 year';
RESET pinsight_fdw.max_age;
SET pinsight_fdw.cache_directory = '/tmp';
SET pinsight_fdw.cache_size = '1GB';
SET pinsight_fdw.progress = off;
RESET pinsight_fdw.progress;
SHOW pinsight_fdw.sweep_age;
SET pinsight_fdw.sweep_age = '12h';
SET pinsight_fdw.sweep_age = -1;
\set VERBOSITY sqlstate
SET pinsight_fdw.sweep_age = -2;
\set VERBOSITY default
RESET pinsight_fdw.sweep_age;
SET pinsight_fdw.max_rage = '1 h';

-- called by hand, the validator holds as well
SELECT pinsight_fdw_validator(ARRAY['tenant=contoso.com'], 'pg_foreign_server'::regclass);
SELECT pinsight_fdw_validator(ARRAY['tenant'], 'pg_foreign_server'::regclass);
SELECT pinsight_fdw_validator(ARRAY[repeat('tenant', 12) || '=x'], 'pg_attribute'::regclass);
SELECT pinsight_fdw_validator(ARRAY['sum_of=seats', 'count_of=seats'], 'pg_attribute'::regclass);
SELECT pinsight_fdw_validator('{}', 'pg_class'::regclass);

--
-- What is missing is said when it is needed, not before
--
ALTER SERVER opt OPTIONS (ADD api_url 'http://127.0.0.1:1', ADD login_url 'http://127.0.0.1:1');
CREATE ROLE regress_pinsight_reader;
CREATE FOREIGN TABLE opt_use (month text) SERVER opt OPTIONS (dataset 'AzureUsage');
GRANT SELECT ON opt_use TO regress_pinsight_reader;
-- planning needs neither tenant nor user mapping
DO $$
BEGIN
	EXECUTE 'EXPLAIN SELECT * FROM opt_use';
	RAISE NOTICE 'planned';
END $$;
SET ROLE regress_pinsight_reader;
SELECT * FROM opt_use;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
ALTER SERVER opt OPTIONS (ADD tenant 'contoso.com');
SET ROLE regress_pinsight_reader;
SELECT * FROM opt_use;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
CREATE USER MAPPING FOR PUBLIC SERVER opt;
SET ROLE regress_pinsight_reader;
SELECT * FROM opt_use;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
CREATE USER MAPPING FOR regress_pinsight_reader SERVER opt OPTIONS (client_id 'an-app');
SET ROLE regress_pinsight_reader;
SELECT * FROM opt_use;
RESET ROLE;

SET client_min_messages = warning;
DROP SERVER opt CASCADE;
DROP SERVER opt_all CASCADE;
DROP OWNED BY regress_pinsight_reader;
DROP ROLE regress_pinsight_reader;
DROP FUNCTION opt_refused(text, text);
