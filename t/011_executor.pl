# What the executor may ask of a foreign scan: rescans, joins, cursors that go
# back, whole rows, tables that change between two executions, row locks.  The
# rows are right, and each scan of a statement costs one report.

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
	options => [ '--rows', 400, '--report-delay', '0' ]);
my $node = $emulator->node('executor', server => "poll_interval '20 ms'",
	conf => "max_files_per_process = 64\nmax_prepared_transactions = 2\n");
my $session = PinsightSession->new($node);
my $options = q(dataset 'AzureUsage', timespan 'LIFETIME');

sub ask { return $session->rows($_[0]); }

$emulator->create_table($node, 'usage', q(
	subscription_id uuid, month date, service_name text, customer_name text,
	quantity numeric OPTIONS (column_name 'UsageQuantity')), $options);
$emulator->create_table($node, 'customers', q(
	customer_name text, customer_market text, month date),
	q(dataset 'CustomersAndTenants', timespan 'LIFETIME'));

# A copy, against which every query is checked.
ask(q(CREATE TABLE usage_copy AS SELECT * FROM usage;
	CREATE TABLE customers_copy AS SELECT * FROM customers;
	ANALYZE usage_copy; ANALYZE customers_copy));
is(ask('SELECT count(*) FROM usage_copy'),
	$emulator->truth('SELECT count(*) FROM mpn_AzureUsage'), 'the copy is whole');

# The query has the rows of the same query over the copies, for so many reports.
sub same
{
	my ($name, $sql, $reports) = @_;
	(my $copy = $sql) =~ s/\b(usage|customers)\b(?!\.)(?! \w\.)/$1_copy $1/g;
	$copy =~ s/\b(\w+_copy) (?:usage|customers) (u\d?|c\d?|v)\b/$1 $2/g;
	my $truth = ask($copy);

	$emulator->clear_log;
	is(ask($sql), $truth, $name);
	isnt($truth, '', '... which has rows');
	is(scalar(my @created = $emulator->log(endpoint => 'create_report')),
		$reports, "... for $reports reports");
	return;
}

# --- rescans

my $loops = q(SET enable_hashjoin = off; SET enable_mergejoin = off;
	SET enable_material = off; SET enable_memoize = off);
ask($loops);
like(ask(q(EXPLAIN (COSTS off) SELECT count(*) FROM generate_series(1, 3) i
	LEFT JOIN usage u ON u.quantity > i)), qr/Nested Loop Left Join.*-> +Foreign Scan/s,
	'a foreign scan is the inner side');
same('a nested loop',
	'SELECT i, count(u), sum(u.quantity) FROM generate_series(1, 5) i'
	. ' LEFT JOIN usage u ON u.quantity > i GROUP BY i ORDER BY i', 1);
same('LATERAL', q(SELECT i, l.* FROM generate_series(1, 5) i, LATERAL
	(SELECT u.service_name, u.quantity FROM usage u WHERE u.quantity > i * 10
		ORDER BY u.quantity, u.service_name LIMIT 2) l ORDER BY 1, 3, 2), 1);
same('a correlated subquery', q(SELECT i, (SELECT max(month) FROM usage u
	WHERE u.quantity > i) FROM generate_series(1, 5) i), 1);
same('EXISTS', q(SELECT count(*) FROM generate_series(1, 400, 20) i
	WHERE EXISTS (SELECT FROM usage u WHERE u.quantity > i)), 1);
same('NOT IN', q(SELECT count(*) FROM customers c WHERE c.customer_name NOT IN
	(SELECT u.customer_name FROM usage u WHERE u.customer_name IS NOT NULL)), 2);
same('both sides', q(SELECT count(*), sum(u.quantity) FROM usage u
	JOIN (SELECT DISTINCT customer_name FROM customers) c USING (customer_name)), 2);
same('a self join', q(SELECT count(*), sum(u1.quantity) FROM usage u1
	JOIN usage u2 USING (subscription_id, month, service_name)), 1);
ask('RESET ALL');
same('a self join by hash', q(SELECT count(*), sum(u1.quantity) FROM usage u1
	JOIN usage u2 USING (subscription_id, month, service_name)), 1);
same('UNION ALL', q(SELECT * FROM (SELECT customer_name, month FROM usage UNION ALL
	SELECT customer_name, month FROM customers) u ORDER BY 1, 2 LIMIT 50), 2);
same('INTERSECT', q(SELECT count(*) FROM (SELECT customer_name FROM usage
	INTERSECT SELECT customer_name FROM customers) u), 2);
same('a CTE read twice', q(WITH v AS MATERIALIZED (SELECT * FROM usage)
	SELECT (SELECT count(*) FROM v), (SELECT max(month) FROM v)), 1);
same('a recursive CTE', q(WITH RECURSIVE r(m) AS (SELECT min(month) FROM usage
	UNION ALL SELECT (SELECT min(month) FROM usage u WHERE u.month > r.m)
		FROM r WHERE r.m IS NOT NULL)
	SELECT count(m), max(m) FROM r), 1);
same('a window', q(SELECT service_name, rank() OVER (ORDER BY quantity, service_name)
	FROM usage WHERE quantity IS NOT NULL ORDER BY 2, 1 LIMIT 20), 1);
same('GROUPING SETS', q(SELECT month, service_name, count(*) FROM usage
	GROUP BY GROUPING SETS ((month), (service_name), ()) ORDER BY 1, 2, 3), 1);

# A rescan that begins before the end, and one before the first row.
same('a rescan in the middle', q(SELECT i, (SELECT count(*) FROM
	(SELECT FROM usage LIMIT i) v) FROM generate_series(0, 9) i), 1);

# --- LIMIT, and scans that are never asked

$emulator->clear_log;
is(ask('SELECT count(*) FROM usage WHERE false'), 0, 'no row can be');
is(ask('SELECT month FROM usage LIMIT 0'), '', 'no row is wanted');
is(ask('SELECT i FROM generate_series(1, 0) i JOIN LATERAL'
		. ' (SELECT FROM usage WHERE quantity > i) u ON true'), '', 'none is asked for');
is(scalar(my @none = $emulator->log), 0, 'so nobody is asked');
like(ask('EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT * FROM usage LIMIT 7'),
	qr/Foreign Scan on usage \(actual rows=7(\.00)? loops=1\)/, 'LIMIT stops early');

ask('SET default_statistics_target = 1; ANALYZE VERBOSE usage; RESET default_statistics_target');
like($session->said, qr/"usage": report contains 400 rows; 300 rows in sample/, 'ANALYZE takes a sample');

# --- cursors that go back

ask('BEGIN; DECLARE c SCROLL CURSOR FOR SELECT month, service_name, quantity FROM usage');
my @forward = split(/\n/, ask('FETCH ALL FROM c'));
my @backward = split(/\n/, ask('FETCH BACKWARD ALL FROM c'));
is(scalar @forward, 400, 'a SCROLL cursor has all rows');
is_deeply([ reverse @backward ], \@forward, 'also backwards');
is(ask('FETCH ABSOLUTE 17 FROM c'), $forward[16], 'and in any place');
is(ask('FETCH LAST FROM c'), $forward[-1], 'to the end');
is(ask('FETCH FIRST FROM c'), $forward[0], 'and the start');
ask('COMMIT');
ask('BEGIN; DECLARE c NO SCROLL CURSOR FOR SELECT month FROM usage; FETCH 2 FROM c');
is($session->error('FETCH BACKWARD 1 FROM c')->{sqlstate}, '55000',
	'another one goes forward only');
ask('ROLLBACK');

# --- which columns are needed

same('no column at all', 'SELECT count(*) FROM usage', 1);
same('constants', 'SELECT count(1), sum(1) FROM usage', 1);
same('only a condition', q(SELECT 1 FROM usage WHERE quantity > 100 LIMIT 3), 1);
same('a whole row', 'SELECT u FROM usage u ORDER BY u LIMIT 20', 1);
same('a field of a whole row', 'SELECT (u).month FROM usage u ORDER BY 1 LIMIT 5', 1);
same('whole rows that are compared',
	'SELECT count(DISTINCT u), count(*) FILTER (WHERE u IS NOT NULL) FROM usage u', 1);
same('rows as JSON', 'SELECT to_jsonb(u) FROM usage u ORDER BY 1 LIMIT 5', 1);
is(ask('SELECT DISTINCT tableoid::regclass FROM usage'), 'usage', 'tableoid');
is(ask('SELECT count(DISTINCT ctid) FROM usage'), 1, 'ctid means nothing');
same('a join of whole rows', q(SELECT count(*) FROM (SELECT u FROM usage u
	FULL JOIN generate_series(1, 3) i ON u.quantity = i) v), 1);

# --- tables that change between two executions

ask(q(SET plan_cache_mode = force_generic_plan;
	CREATE VIEW summary AS SELECT count(*), count(month) AS n, min(service_name) FROM usage;
	PREPARE p AS SELECT * FROM summary;
	PREPARE q(numeric) AS SELECT count(*) FROM usage WHERE quantity > $1));
my $before = ask('EXECUTE p');
is(ask('EXECUTE q(100)'), ask('SELECT count(*) FROM usage_copy WHERE quantity > 100'),
	'a prepared statement');
is(ask('EXECUTE q(1)'), ask('SELECT count(*) FROM usage_copy WHERE quantity > 1'),
	'with another parameter');
is(ask('EXECUTE q(NULL)'), 0, 'or none');
ask('ALTER FOREIGN TABLE usage ADD COLUMN customer_market text');
is(ask('EXECUTE p'), $before, 'a column more');
$emulator->clear_log;
ask('ALTER FOREIGN TABLE usage DROP COLUMN customer_name');
is(ask('EXECUTE p'), $before, 'a column less');
unlike(($emulator->log(endpoint => 'create_query'))[0]{body}, qr/CustomerName/,
	'which is not asked for any more');
like(($emulator->log(endpoint => 'create_query'))[0]{body}, qr/CustomerMarket/,
	'but the new one is');
is(ask('SELECT count(*), count(DISTINCT customer_market) FROM usage'),
	$emulator->truth('SELECT count(*), count(DISTINCT CustomerMarket) FROM mpn_AzureUsage'),
	'columns behind a dropped one are right');
ask(q(ALTER FOREIGN TABLE usage RENAME COLUMN month TO usage_month;
	ALTER FOREIGN TABLE usage ALTER COLUMN usage_month OPTIONS (ADD column_name 'Month')));
is(ask('EXECUTE p'), $before, 'a renamed column');
ask('ALTER FOREIGN TABLE usage RENAME TO usage2');
is(ask('EXECUTE p'), $before, 'a renamed table');
ask('ALTER FOREIGN TABLE usage2 RENAME TO usage');
ask('ALTER FOREIGN TABLE usage RENAME COLUMN service_name TO nothing');
like($session->error('EXECUTE p')->{text}, qr/nothing/, 'a name the dataset does not have');
ask(q(ALTER FOREIGN TABLE usage RENAME COLUMN nothing TO service_name;
	ALTER FOREIGN TABLE usage OPTIONS (SET dataset 'NoSuchDataset')));
like($session->error('EXECUTE p')->{message}, qr/NoSuchDataset/, 'another dataset');
ask(qq(ALTER FOREIGN TABLE usage OPTIONS (SET dataset 'AzureUsage')));
is(ask('EXECUTE p'), $before, 'and back');
ask(q(BEGIN; ALTER FOREIGN TABLE usage OPTIONS (SET timespan 'LAST_MONTH')));
my $month = ask('SELECT count(*) FROM usage');
cmp_ok($month, '<', 400, 'options in a transaction');
ask('ROLLBACK');
is(ask('EXECUTE p'), $before, 'which is rolled back');
ask('ALTER FOREIGN TABLE usage RENAME COLUMN usage_month TO month');
is(ask('EXECUTE p'), $before, 'and is renamed back');
ask('DEALLOCATE ALL; RESET ALL');

# --- columns of other kinds

ask(q(CREATE DOMAIN short AS text CHECK (length(value) < 200);
	CREATE DOMAIN shorter AS short CHECK (value <> 'Bandwidth') NOT NULL;
	CREATE TYPE mood AS ENUM ('0', '1')));
$emulator->create_table($node, 'domains', 'service_name short', $options);
same('a domain', 'SELECT count(u) FROM usage u', 1);
is(ask('SELECT count(service_name) FROM domains'),
	ask('SELECT count(service_name) FROM usage_copy'), 'a domain');
$emulator->create_table($node, 'strict_domains', 'service_name shorter', $options);
is($session->error('SELECT count(service_name) FROM strict_domains')->{sqlstate} =~ /^23/, 1,
	'a domain that refuses values');
$emulator->create_table($node, 'moods',
	q(m mood OPTIONS (column_name 'IsACRDuplicateAtPGALevel')), $options);
is(ask(q(SELECT count(*) FROM moods WHERE m = '1')),
	$emulator->truth('SELECT count(*) FROM mpn_AzureUsage WHERE IsACRDuplicateAtPGALevel'),
	'an enum');
ask(qq(CREATE FOREIGN TABLE made (month date, service_name text,
	year int GENERATED ALWAYS AS (extract(year FROM month)) STORED)
	SERVER partner OPTIONS ($options)));
my ($out, $error) = $session->both('SELECT count(*) FROM made');
like($error, qr/year/, 'a generated column is no column of the report');
ask(qq(CREATE FOREIGN TABLE defaulted (month date DEFAULT now(),
	service_name text COLLATE "C" NOT NULL DEFAULT 'x', CHECK (service_name <> ''))
	SERVER partner OPTIONS ($options)));
($out, $error) = $session->both('SELECT count(*) FROM defaulted');
ok($out eq '400' || $error =~ /null value|not-null/,
	'defaults and constraints do not stop a scan, or are told');

# --- inheritance and partitions

ask(qq(CREATE TABLE parent (month date, service_name text);
	INSERT INTO parent VALUES ('1999-01-01', 'local');
	CREATE FOREIGN TABLE child (quantity numeric OPTIONS (column_name 'UsageQuantity'))
		INHERITS (parent) SERVER partner OPTIONS ($options)));
is(ask('SELECT tableoid::regclass, count(*), count(month) FROM parent GROUP BY 1 ORDER BY 1'),
	"parent|1|1\nchild|400|" . ask('SELECT count(month) FROM usage_copy'), 'inheritance');
ask(qq(CREATE TABLE years (month date, service_name text) PARTITION BY RANGE (month);
	CREATE TABLE old PARTITION OF years FOR VALUES FROM (MINVALUE) TO ('2000-01-01');
	INSERT INTO years VALUES ('1999-01-01', 'local');
	CREATE FOREIGN TABLE recent PARTITION OF years DEFAULT SERVER partner OPTIONS ($options)));
is(ask('SELECT count(*) FROM years'), 401, 'partitions');
$emulator->clear_log;
is(ask(q(SELECT * FROM years WHERE month < '1999-06-01')), '1999-01-01|local',
	'a partition that is pruned');
is(scalar(@none = $emulator->log), 0, 'costs no report');
is($session->error(q(INSERT INTO years VALUES ('2020-01-01', 'x')))->{sqlstate}, '55000',
	'a row cannot be routed to a foreign partition');

# --- locks, and rows that changed meanwhile

ask(q(CREATE TABLE notes (service_name text PRIMARY KEY, note text);
	INSERT INTO notes SELECT DISTINCT service_name, 'old' FROM usage
		WHERE service_name IS NOT NULL));
is(ask(q(SELECT count(*) FROM (SELECT * FROM usage JOIN notes USING (service_name)
		FOR UPDATE) n)), ask('SELECT count(service_name) FROM usage_copy'),
	'FOR UPDATE of a join');
my $other = PinsightSession->new($node);
my $target = ask('SELECT min(service_name) FROM notes');
$other->rows("BEGIN; UPDATE notes SET note = 'changed' WHERE service_name = '$target'");
my ($result, $said);
my $waiting = IPC::Run::start([ $node->installed_command('psql'), '-XAtq', '-d',
		$node->connstr('postgres'), '-c',
		qq(SELECT n.note, count(*) FROM (SELECT notes.*, u.quantity FROM notes
			JOIN usage u USING (service_name) WHERE service_name = '$target'
			FOR UPDATE OF notes, u) n GROUP BY 1) ],
	'<', \undef, '>', \$result, '2>', \$said, IPC::Run::timeout(30));
$node->poll_query_until('postgres',
	q(SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'));
$other->rows('COMMIT');
$waiting->finish;
is($said, '', 'rows are looked at again after a lock');
is($result, 'changed|'
	. ask("SELECT count(*) FROM usage_copy WHERE service_name = '$target'") . "\n",
	'and are right');
$other->quit;
ask(q(UPDATE notes SET note = u.n FROM (SELECT service_name, count(*) AS n
	FROM usage GROUP BY 1) u WHERE u.service_name = notes.service_name));
is(ask('SELECT sum(note::int) FROM notes'), ask('SELECT count(service_name) FROM usage_copy'),
	'UPDATE FROM');
ask(q(DELETE FROM notes USING usage u WHERE u.service_name = notes.service_name));
is(ask('SELECT count(*) FROM notes'), 0, 'DELETE USING');

# --- what cannot be done

foreach my $statement (
	q(INSERT INTO usage (service_name) VALUES ('x')),
	q(UPDATE usage SET service_name = 'x'),
	q(DELETE FROM usage),
	q(TRUNCATE usage))
{
	my $error = $session->error($statement);
	is($error->{sqlstate}, '0A000', $statement);
	like($error->{message}, qr/cannot (insert into|update|delete from|truncate) foreign table "usage"/,
		'is refused in words');
}
like($session->error(q(COPY usage FROM '/dev/null'))->{message}, qr/"usage" does not allow inserts/,
	'COPY FROM');
is($session->error('CREATE INDEX ON usage (month)')->{sqlstate}, '42809', 'an index');
is(ask('COPY (SELECT count(*) FROM usage) TO STDOUT'), 400, 'COPY TO');
ask('BEGIN; SELECT count(*) FROM usage');
is(ask(q(PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x')), '', 'two-phase commit');

# --- parallel plans of the local part

ask(q(CREATE TABLE large AS SELECT i % 400 AS i, repeat('x', 100) AS text
		FROM generate_series(1, 20000) i;
	ANALYZE large; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2));
my $parallel = q(SELECT count(*), sum(n) FROM (SELECT quantity::int % 400 AS i FROM usage) u
	JOIN (SELECT i, count(*) AS n FROM large GROUP BY i) l USING (i));
like(ask("EXPLAIN (COSTS off) $parallel"), qr/Gather/, 'a parallel plan');
is(ask($parallel), ask($parallel =~ s/usage/usage_copy/r), 'has the same rows');
ask('RESET ALL');

# --- limits of the server

# Files of reports that did not come to their end.
sub unfinished { return scalar(my @parts = glob($node->data_dir . '/pinsight_fdw/*.part')); }

$emulator->create_table($node, 'wide', join(', ',
	map { "$_ text" } qw(pga_mpn_id subscription_id month service_name meter_category
	  usage_units usage_quantity customer_name customer_tenant_id partner_name)), $options);
is(ask('SELECT count(*) FROM wide'), 400, 'a wide table');

# Many scans at once, with few descriptors.
my $many = join(' UNION ALL ', map { "SELECT count(*) FROM usage u$_" } 1 .. 40);
my @counts = split(/\n/, ask($many));
is(join(',', @counts), join(',', (400) x 40), 'more scans than descriptors, one by one');
ask('BEGIN ISOLATION LEVEL REPEATABLE READ; ' . join('; ', map { "DECLARE c$_ CURSOR FOR SELECT month FROM usage" } 1 .. 60));
my @firsts = map { ask("FETCH 1 FROM c$_") } 1 .. 60;
is(scalar(grep { $_ eq $firsts[0] } @firsts), 60, 'and open at once');
ask('ROLLBACK');
is(ask('SELECT count(*) FROM usage'), 400, 'and then goes on');
is(unfinished(), 0, 'no file is left');

# Columns that are computed from others, and a NOT NULL that is not relied on.
SKIP:
{
	skip 'PostgreSQL 18 brings these', 6 if $node->pg_version < 18;
	$emulator->create_table($node, 'computed', q(month date,
		name text OPTIONS (column_name 'MeterCategory'),
		year int GENERATED ALWAYS AS (extract(year FROM month)) VIRTUAL), $options);
	$emulator->clear_log;
	my $years = 'SELECT %s, count(*) FROM %s GROUP BY 1 ORDER BY 1';
	is(ask(sprintf($years, 'year', 'computed')), ask(sprintf($years, 'extract(year FROM month)', 'usage_copy')),
		'a virtual column');
	my ($query) = $emulator->log(endpoint => 'create_query');
	like($query->{body}, qr/SELECT Month, MeterCategory FROM/, 'the service is not asked for it');
	is(ask('SELECT c FROM computed c LIMIT 1'), ask('SELECT (month, name, year) FROM computed LIMIT 1'),
		'a whole row has it');
	ask('ANALYZE computed');
	my $null = ask('SELECT count(*) FROM computed WHERE name IS NULL');
	isnt($null, 0, 'a column has nulls');
	ask('ALTER FOREIGN TABLE computed ADD CONSTRAINT named NOT NULL name NOT VALID');
	is(ask('SELECT count(*) FROM computed WHERE name IS NULL'), $null, 'which NOT NULL NOT VALID allows');
	ask('ALTER FOREIGN TABLE computed VALIDATE CONSTRAINT named');
	is($session->error('SELECT name FROM computed')->{sqlstate}, '23502', 'until it is relied on');
}

# A disk that takes no more: to this session, no file can be longer.
SKIP:
{
	my $limited = PinsightSession->new($node);
	my $pid = $limited->rows('SELECT pg_backend_pid()');

	$limited->rows('SELECT count(*) FROM wide');
	skip 'prlimit is needed', 3
	  if system('prlimit', '--pid', $pid, '--fsize=16384:16384') != 0;
	my $error = $limited->error('SELECT count(*) FROM wide');
	like($error->{message}, qr/could not write snapshot .*: File too large/,
		'a file that cannot be written');
	is(unfinished(), 0, 'is removed');
	is(ask('SELECT count(*) FROM wide'), 400, 'and does not concern others');
	$limited->quit;
}

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
