# Planning, EXPLAIN and DDL ask nobody: they work with the service down, and
# leave its log empty while it is up.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('offline', server => "poll_interval '20 ms'");
my $url = $emulator->api_url;

my $down = 'http://127.0.0.1:1';

# Everything that must not ask, in one session, for a service at an address.
# Each statement has to succeed.
sub statements
{
	my ($address) = @_;
	return (
		# server, mapping, tables: made, changed
		qq(CREATE SERVER s FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (
			tenant 'contoso.onmicrosoft.com', api_url '$address',
			login_url '$address', wait_timeout '2 s')),
		q(ALTER SERVER s OPTIONS (SET wait_timeout '1 s', ADD request_timeout '1 s')),
		q(ALTER SERVER s RENAME TO t),
		qq(CREATE USER MAPPING FOR CURRENT_USER SERVER t OPTIONS (
			client_id '$PinsightEmulator::client_id',
			client_secret '$PinsightEmulator::client_secret')),
		q(ALTER USER MAPPING FOR CURRENT_USER SERVER t OPTIONS (
			ADD refresh_token 'x')),
		q(ALTER USER MAPPING FOR CURRENT_USER SERVER t OPTIONS (
			DROP refresh_token)),
		q(CREATE FOREIGN TABLE usage (month date, customer_name text,
			quantity numeric OPTIONS (column_name 'UsageQuantity'))
			SERVER t OPTIONS (dataset 'AzureUsage')),
		q(CREATE FOREIGN TABLE strange (x text)
			SERVER t OPTIONS (dataset 'NobodyKnowsIt')),
		q(ALTER FOREIGN TABLE usage OPTIONS (ADD timespan 'LIFETIME')),
		q(ALTER FOREIGN TABLE usage ADD COLUMN service_name text),
		q(ALTER FOREIGN TABLE usage ALTER COLUMN service_name
			OPTIONS (ADD column_name 'ServiceName')),
		q(ALTER FOREIGN TABLE usage DROP COLUMN service_name),
		q(ALTER FOREIGN TABLE usage RENAME COLUMN customer_name TO customername),
		q(CREATE VIEW v AS SELECT month, sum(quantity) FROM usage GROUP BY 1),
		q(CREATE MATERIALIZED VIEW m AS SELECT * FROM v WITH NO DATA),
		q(CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS
			'SELECT count(*) FROM usage'),
		q(CREATE TABLE local (customername text)),
		# partitions of which one is remote
		q(CREATE TABLE parted (month date, customername text, quantity numeric)
			PARTITION BY RANGE (month)),
		q(CREATE TABLE parted_old PARTITION OF parted
			FOR VALUES FROM (MINVALUE) TO ('2020-01-01')),
		q(CREATE FOREIGN TABLE parted_new PARTITION OF parted
			FOR VALUES FROM ('2020-01-01') TO (MAXVALUE)
			SERVER t OPTIONS (dataset 'AzureUsage')),
		# plans
		q(EXPLAIN SELECT * FROM usage),
		q(EXPLAIN (VERBOSE, COSTS, SETTINGS) SELECT * FROM usage WHERE month > '2026-01-01'),
		q(EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM v),
		q(EXPLAIN (VERBOSE) SELECT * FROM strange),
		q(EXPLAIN SELECT * FROM usage JOIN local USING (customername)),
		q(EXPLAIN SELECT * FROM usage a JOIN usage b USING (month) LIMIT 1),
		q(EXPLAIN SELECT f()),
		q(EXPLAIN CREATE TABLE copy AS SELECT * FROM usage),
		q(EXPLAIN INSERT INTO local SELECT customername FROM usage),
		q(EXPLAIN DELETE FROM local WHERE customername IN (SELECT customername FROM usage)),
		q(EXPLAIN DECLARE c CURSOR FOR SELECT * FROM usage),
		q(EXPLAIN SELECT * FROM parted),
		q(PREPARE p (date) AS SELECT * FROM usage WHERE month > $1),
		q(EXPLAIN EXECUTE p ('2026-01-01')),
		q(SET plan_cache_mode = force_generic_plan),
		q(EXPLAIN (VERBOSE) EXECUTE p ('2026-01-01')),
		q(DEALLOCATE p),
		# executed, but never asked for a row
		q(EXPLAIN (ANALYZE) SELECT * FROM usage LIMIT 0),
		q(SELECT * FROM usage LIMIT 0),
		q(SELECT * FROM usage WHERE false),
		q(SELECT * FROM parted WHERE month < '2020-01-01'),
		q(SELECT * FROM local LEFT JOIN usage USING (customername)),
		q(BEGIN; DECLARE c CURSOR FOR SELECT * FROM usage; CLOSE c; COMMIT),
		q(CREATE TABLE alike AS SELECT * FROM usage WITH NO DATA),
		q(SELECT * FROM pg_catalog.pg_foreign_table, information_schema.foreign_tables),
		# gone again
		q(DROP TABLE parted),
		q(DROP FUNCTION f),
		q(DROP MATERIALIZED VIEW m),
		q(DROP VIEW v),
		q(DROP FOREIGN TABLE usage, strange),
		q(DROP TABLE local, alike),
		q(DROP USER MAPPING FOR CURRENT_USER SERVER t),
		q(DROP SERVER t));
}

foreach my $where ([ 'up', $url ], [ 'down', $down ])
{
	my ($name, $address) = @$where;
	my $session = PinsightSession->new($node);

	foreach my $sql (statements($address))
	{
		my ($out, $err) = $session->both($sql);
		unlike($err, qr/ERROR|FATAL/, "$name: " . $sql =~ s/\s+/ /gr) or diag($err);
	}
	$session->quit;
}
is(scalar(my @log = $emulator->log), 0, 'nobody was asked anything');

# What EXPLAIN says of the report query is what is asked for later.
$emulator->create_table($node, 'usage', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
my $plan = $node->safe_psql('postgres', 'EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM usage');
my ($query) = $plan =~ /^\s*Report Query: (.*)$/m;
like($plan, qr/^\s*Rows From: new report$/m, 'EXPLAIN tells where rows would come from');
$node->safe_psql('postgres', 'SELECT * FROM usage');
my ($create) = $emulator->log(endpoint => 'create_query');
like($create->{body}, qr/"Query":\s*"\Q$query\E"/, 'EXPLAIN tells what is sent');
like($node->safe_psql('postgres', q(
	SET pinsight_fdw.max_age = '1 hour';
	EXPLAIN SELECT * FROM usage)), qr/^\s*Rows From: snapshot, \d+ s old$/m,
	'and finds the rows that it brought');

# A plan can be looked at without a mapping, and with one that does not work.
$node->safe_psql('postgres', q(DROP USER MAPPING FOR PUBLIC SERVER partner));
my $unknown = qr/Rows From: nothing: the user mapping is missing, incomplete or unreadable/;
like($node->safe_psql('postgres', 'EXPLAIN SELECT * FROM usage'), $unknown,
	'EXPLAIN without a mapping');
$node->safe_psql('postgres', q(CREATE USER MAPPING FOR PUBLIC SERVER partner
	OPTIONS (client_id 'x', client_secret_file '/does/not/exist')));
like($node->safe_psql('postgres', 'EXPLAIN SELECT * FROM usage'), $unknown,
	'EXPLAIN with a secret that cannot be read');

# A dump and its restoration need the service as little.
$emulator->clear_log;
$node->command_ok([ 'pg_dump', '-f', $node->basedir . '/dump.sql', 'postgres' ],
	'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(
	[ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f',
		$node->basedir . '/dump.sql' ], 'and its restoration');
# ANALYZE of a whole database passes our tables over or says so
my ($out, $err);
$node->psql('postgres', 'VACUUM ANALYZE', stdout => \$out, stderr => \$err);
unlike($err, qr/ERROR/, 'VACUUM ANALYZE of everything');
is(scalar(@log = $emulator->log), 0, 'ask nobody');

$node->stop;
$emulator->stop;
done_testing();
