# Scans in every place of a statement: under parallel workers, in cursors,
# subtransactions and other roles, as partitions, and with cells that are bad.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(options => [ '--rows', 300 ]);
my $node = $emulator->node('executor');
my $session = PinsightSession->new($node);
my $options = q(dataset 'AzureUsage', timespan 'LIFETIME');

sub ask { return $session->rows($_[0]); }

$emulator->create_table($node, 'usage', q(
	service_name text, month date,
	quantity numeric OPTIONS (column_name 'UsageQuantity')), $options);
$node->safe_psql('postgres', q(
	CREATE FUNCTION is_plain(text) RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_sleep(0.01); RETURN value <> '' FROM (SELECT $1 AS value) v; END $$;
	CREATE DOMAIN slow AS text CHECK (is_plain(value));
	CREATE TABLE plain AS SELECT i, 'Bandwidth' AS service_name FROM generate_series(1, 1000) i;
	ANALYZE plain;));
$emulator->create_table($node, 'slow_usage', 'service_name slow',
	"$options, on_error 'set_null'");
$emulator->create_table($node, 'bad_usage', q(service_name text,
	month integer, quantity numeric(3) OPTIONS (column_name 'UsageQuantity')),
	"$options, on_error 'set_null'");

# --- cells that are bad

my $count = ask('SELECT count(*) FROM usage');
my $named = ask('SELECT count(service_name) FROM usage');
my $small = ask('SELECT count(*) FROM usage WHERE abs(round(quantity)) < 1000');
cmp_ok($small, '<', $count, 'some numbers are too large for numeric(3)');
is(ask('SELECT count(*), count(month), count(quantity) FROM bad_usage'),
	"$count|0|$small", 'bad cells are null, the others of their rows are not');
my $bad = 2 * $count - $small
	- ask('SELECT count(*) FROM usage WHERE quantity IS NULL');
$session->rows('SELECT month, quantity FROM bad_usage');
like($session->said, qr/WARNING: .*\b$bad cells of foreign table "bad_usage"/,
	'and counted');

ask(q(SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off));
like(ask(q(EXPLAIN (ANALYZE, COSTS off, TIMING off) SELECT count(b.month)
	FROM generate_series(1, 3) i LEFT JOIN bad_usage b ON b.month > i)),
	qr/Foreign Scan.*loops=3/, 'rows can be read again');
like($session->said, qr/\b$count cells of foreign table "bad_usage"/,
	'and each bad cell is counted once');
ask('RESET ALL');

is($session->error(q(SET statement_timeout = '700ms';
	SELECT count(service_name) FROM slow_usage))->{sqlstate}, '57014',
	'a cancel gets through a conversion that would be taken back');
ask('RESET statement_timeout');
is(ask('SELECT 1'), 1, 'and leaves no transaction open');
is(ask(q(BEGIN; SAVEPOINT a)), '', 'in a transaction block ...');
$session->error(q(SET LOCAL statement_timeout = '700ms';
	SELECT count(service_name) FROM slow_usage));
is(ask(q(ROLLBACK TO a; SELECT count(*) FROM usage; COMMIT)), $count,
	'... it goes back to the savepoint before');
ask(q(CREATE FUNCTION catch_cancel() RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM count(service_name) FROM slow_usage;
		RETURN 'not cancelled';
	EXCEPTION WHEN query_canceled THEN
		RETURN 'caught';
	END $$));
ask(q(SET statement_timeout = '700ms'));
is(ask('SELECT catch_cancel()'), 'caught', 'a function can catch it');
ask('RESET statement_timeout');
is(ask('SELECT 2'), 2, 'and all goes on');

# --- beside parallel workers

my $parallel = q(SELECT count(f.*), count(f.service_name), min(p.i)
	FROM %s f LEFT JOIN (SELECT i FROM plain WHERE i %% 1000 = 1) p ON true);
ask(q(SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0));
my $plan = ask('EXPLAIN (COSTS off) ' . sprintf($parallel, 'bad_usage'));
like($plan, qr/Foreign Scan.*Gather.*Parallel/s, 'other parts of a plan can be parallel');
is(ask(sprintf($parallel, 'bad_usage')), "$count|$named|1",
	'bad cells are set to null beside parallel workers, too');
SKIP:
{
	skip 'subtransactions may begin at any time', 1 if $node->pg_version >= 17;
	my $error = $session->error(sprintf($parallel, 'slow_usage'));
	like($error->{message}, qr/foreign table "slow_usage" .* parallel/,
		'where a domain prevents that, the error says so');
}
ask('RESET ALL');

# --- whose credentials

$node->safe_psql('postgres', q(
	CREATE ROLE owner; CREATE ROLE reader;
	DROP USER MAPPING FOR PUBLIC SERVER partner;
	GRANT SELECT ON usage TO owner, reader;)
	. "CREATE USER MAPPING FOR owner SERVER partner OPTIONS ("
	. "client_id '$PinsightEmulator::client_id', "
	. "client_secret '$PinsightEmulator::client_secret', "
	. "refresh_token '$PinsightEmulator::refresh_token');" . q(
	CREATE FUNCTION open_usage() RETURNS refcursor SECURITY DEFINER LANGUAGE plpgsql AS $$
		DECLARE c refcursor := 'c'; BEGIN OPEN c FOR SELECT service_name FROM usage; RETURN c; END $$;
	ALTER FUNCTION open_usage() OWNER TO owner;));
ask(q(BEGIN; SET LOCAL ROLE reader; SELECT open_usage()));
unlike(ask('FETCH 1 FROM c'), qr/^$/, 'a cursor reads for the role that opened it');
ask('ROLLBACK');
ask(q(BEGIN; SET LOCAL ROLE reader; DECLARE c CURSOR FOR SELECT service_name FROM usage;
	SET LOCAL ROLE owner));
is($session->error('FETCH 1 FROM c')->{sqlstate}, '42704',
	'and not with the mapping of the one that reads it');
ask('ROLLBACK');
ask('CREATE USER MAPPING FOR PUBLIC SERVER partner OPTIONS ('
	. "client_id '$PinsightEmulator::client_id', "
	. "client_secret '$PinsightEmulator::client_secret', "
	. "refresh_token '$PinsightEmulator::refresh_token')");

# --- cursors and subtransactions

ask(q(BEGIN; SAVEPOINT a; DECLARE c CURSOR FOR SELECT row_number() OVER (), * FROM usage));
like(ask('FETCH 1 FROM c'), qr/^1\|/, 'a cursor of a subtransaction');
ask('RELEASE a');
like(ask('FETCH 1 FROM c'), qr/^2\|/, 'outlives it');
ask('SAVEPOINT b');
like(ask('FETCH 1 FROM c'), qr/^3\|/, 'is read in another one');
ask('ROLLBACK TO b');
like(ask('FETCH 1 FROM c'), qr/^4\|/, 'and outlives that one, too');
ask('COMMIT');
ask(q(BEGIN; DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT quantity FROM bad_usage));
ask('FETCH 2 FROM c');
ask('COMMIT');
is(ask('MOVE ABSOLUTE 0 IN c; MOVE ALL IN c'), '', 'a cursor WITH HOLD is kept');
ask('CLOSE c');

# what is looked at before each FETCH leaves the row alone that a cursor is at
my $pairs = q(SELECT s.twice, i FROM (SELECT repeat(service_name, 2) AS twice FROM usage
		WHERE current_user = 'postgres' AND service_name <> '' OFFSET 0) s,
	LATERAL generate_series(1, 3 + length(s.twice) * 0) i);
like(ask("EXPLAIN (COSTS off) $pairs"), qr/Nested Loop.*Result.*One-Time Filter/s,
	'a condition that is checked once, below a loop');
my @pairs = split(/\n/, ask("$pairs LIMIT 7"));
ask("BEGIN; DECLARE c CURSOR FOR $pairs");
is_deeply([ map { ask('FETCH 1 FROM c') } 1 .. 7 ], \@pairs, 'row by row it has the same rows');
ask('COMMIT');
$emulator->clear_log;
ask(q(BEGIN; DECLARE c CURSOR FOR SELECT 1 FROM usage WHERE current_user = 'nobody'));
is(ask('FETCH 1 FROM c; FETCH 1 FROM c'), '', 'where it is false there are none');
ask('COMMIT');
is($emulator->count, 0, 'and nobody is asked for any');

# a value that is looked at once has nothing compiled
ask('SET jit = on; SET jit_above_cost = 0');
my $compiled = ask("EXPLAIN ANALYZE SELECT 1 FROM usage WHERE service_name = CASE WHEN now() > '2000-01-01' THEN NULL END");
like($compiled, qr/no row can be wanted/, 'a condition that is never true');
unlike($compiled, qr/Emission (?!0\.000)/, 'has nothing compiled');
ask('RESET jit; RESET jit_above_cost');

# --- plans that are kept

ask(q(SET plan_cache_mode = force_generic_plan;
	PREPARE p(date) AS SELECT count(*) FROM usage WHERE month >= $1));
is(ask(q(EXECUTE p('-infinity'))),
	ask('SELECT count(*) FROM usage WHERE month IS NOT NULL'), 'a generic plan');
ask(q(ALTER SERVER partner OPTIONS (ADD format 'tsv')));
is(ask(q(EXECUTE p('-infinity'))),
	ask('SELECT count(*) FROM usage WHERE month IS NOT NULL'),
	'goes on when the server changes its format');
ask(q(ALTER SERVER partner OPTIONS (DROP format);
	ALTER FOREIGN TABLE usage OPTIONS (SET timespan 'LAST_MONTH')));
cmp_ok(ask(q(EXECUTE p('-infinity'))), '<', $count, 'follows the options of the table');
ask(q(ALTER FOREIGN TABLE usage OPTIONS (SET timespan 'LIFETIME'); RESET ALL));

# --- partitions

$emulator->create_table($node, 'part', q(
	dropped integer, unit text OPTIONS (column_name 'UsageUnits'), also_dropped text,
	month date, service_name text,
	quantity numeric OPTIONS (column_name 'UsageQuantity')), $options);
ask(q(ALTER FOREIGN TABLE part DROP COLUMN dropped, DROP COLUMN also_dropped;
	CREATE TABLE whole (quantity numeric, service_name text, month date, unit text)
		PARTITION BY LIST (unit);
	ALTER TABLE whole ATTACH PARTITION part DEFAULT));
my $sums = 'count(*), count(month), sum(quantity), count(DISTINCT service_name), count(unit)';
my $truth = ask("SELECT $sums FROM part");
is(ask("SELECT $sums FROM whole"), $truth,
	'a partition with other column numbers has the same values');
is(ask(q(SELECT count(*), count((w).month), sum((w).quantity),
	count(DISTINCT (w).service_name), count((w).unit) FROM whole w)), $truth,
	'in whole rows as well');
is(ask('SELECT tableoid::regclass, count(*) FROM whole GROUP BY 1'), "part|$count",
	'and knows its name');

# --- locks, updates, scans within scans

is(ask('SELECT count(*) FROM (SELECT quantity FROM usage FOR UPDATE) u'), $count,
	'FOR UPDATE');
ask(q(CREATE TABLE sums AS SELECT service_name, 0::numeric AS total FROM usage GROUP BY 1;
	UPDATE sums SET total = u.total
		FROM (SELECT service_name, sum(quantity) AS total FROM usage GROUP BY 1) u
		WHERE u.service_name = sums.service_name));
is(ask('SELECT sum(total) FROM sums WHERE service_name IS NOT NULL'),
	ask('SELECT sum(quantity) FROM usage WHERE service_name IS NOT NULL'),
	'UPDATE from a foreign table');
ask(q(CREATE FUNCTION is_known(text) RETURNS boolean LANGUAGE sql
		AS 'SELECT EXISTS (SELECT 1 FROM usage WHERE service_name = $1)';
	CREATE DOMAIN known AS text CHECK (is_known(value))));
$emulator->create_table($node, 'known_usage', 'service_name known', $options);
is(ask('SELECT count(service_name) FROM (SELECT * FROM known_usage LIMIT 3) k'), 3,
	'a domain whose constraint scans');

# --- downloads that nothing would wake, or that are answered out of turn

$emulator->fault({ endpoint => 'download', times => 0, status => 416 });
like($session->error('SELECT count(*) FROM usage')->{message}, qr/HTTP status 416/,
	'the refusal of a range that nobody asked for');
$emulator->control('DELETE', '/faults');
is(ask('SELECT count(*) FROM usage'), $count, 'and the report can still be had');

$emulator->fault({ endpoint => 'download', times => 0, status => 203,
		body => "x,y\n" x 200_000 });
ask(q(SET statement_timeout = '60s'));
like($session->error('SELECT count(*) FROM usage')->{message}, qr/HTTP status 203/,
	'a large reply of another success is refused');
$session->quit;

done_testing();
