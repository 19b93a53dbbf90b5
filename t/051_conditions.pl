# What a scan's condition needs is read first, and the rest only of rows that
# fulfill it: which values are looked at, how often, and what is told of them.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(options => [ '--rows', 1, '--report-delay', '0' ]);
my $node = $emulator->node('conditions', server => "poll_interval '20 ms'", conf => "pinsight_fdw.max_age = '1 day'");
my $session = PinsightSession->new($node);

sub ask { return $session->rows($_[0]); }

my $columns = q(id integer OPTIONS (column_name 'PGAMpnId'),
	kind text OPTIONS (column_name 'CustomerMarket'), day date OPTIONS (column_name 'Month'),
	amount numeric OPTIONS (column_name 'UsageQuantity'), note text OPTIONS (column_name 'CustomerName'));

# A table of these rows, kept as a snapshot: the only one.
sub table_of
{
	my ($name, $options, @rows) = @_;
	my $body = "PGAMpnId,CustomerMarket,Month,UsageQuantity,CustomerName\n"
	  . join('', map { "$_\n" } @rows);

	$emulator->control('DELETE', '/faults');
	$emulator->fault({ endpoint => 'download', times => 0, body => $body });
	$emulator->create_table($node, $name, $columns, "dataset 'AzureUsage'" . ($options // ''));
	$emulator->forget($node);
	$session->rows("SELECT count(*) FROM $name");
	return;
}

# --- every condition, against a copy

my @kinds = qw(apple pear plum);
my @rows = map { "$_,$kinds[ $_ % 3 ],2026-0" . (1 + $_ % 9) . '-01,' . ($_ * 1.25) . ','
	  . ($_ % 7 ? "\"note \"\"$_\"\"\"" : '') } 1 .. 2000;
table_of('fruit', '', @rows);
ask('CREATE TABLE fruit_copy AS TABLE fruit; ANALYZE fruit_copy; CREATE TABLE ids AS SELECT 1 + i * 100 AS id FROM generate_series(0, 20) i');
is(ask('SELECT count(*), count(note), sum(amount) FROM fruit_copy'), '2000|1715|2501250.00', 'the copy is whole');
foreach my $sql (
	q(SELECT * FROM fruit WHERE kind = 'pear' ORDER BY id),
	q(SELECT note FROM fruit WHERE kind = 'pear' AND day > '2026-05-01' ORDER BY id),
	q(SELECT id, day FROM fruit WHERE note IS NULL ORDER BY id),
	q(SELECT count(*) FROM fruit WHERE amount > 1000),
	q(SELECT kind FROM fruit WHERE kind = 'plum' LIMIT 3),
	q(SELECT count(*) FROM fruit WHERE 'plum' = kind AND note IS NULL),
	q(SELECT count(*) FROM fruit WHERE note IS NOT NULL AND kind = 'pear'),
	q(SELECT id, kind FROM fruit WHERE note = 'note "8"'),
	q(SELECT count(*) FROM fruit WHERE kind = '' OR kind = 'pear'),
	q(SELECT count(*) FROM fruit WHERE kind::varchar(4) = 'pear' AND kind || '' = 'pear'),
	q(SELECT count(*) FROM fruit WHERE kind = 'pear '::char(5)),
	q(SELECT id FROM fruit WHERE note = 'note "' || id || '"' AND id < 20 ORDER BY 1),
	q(SELECT f FROM fruit f WHERE f = (SELECT f FROM fruit f WHERE id = 17)),
	q(SELECT id FROM fruit f WHERE f::text LIKE '%"44"%' ORDER BY id),
	q(SELECT kind, max(note) FROM fruit WHERE id IN (SELECT id FROM ids) GROUP BY 1 ORDER BY 1),
	q(SELECT id, note FROM fruit f WHERE (SELECT count(*) FROM ids WHERE ids.id = f.id) = 1 ORDER BY 1),
	q(SELECT id, note FROM fruit WHERE id = (SELECT max(id) FROM ids) - 1),
	q(SELECT i, l.id, l.note FROM ids i (i), LATERAL (SELECT id, note FROM fruit
		WHERE id > i AND day = '2026-03-01' ORDER BY id LIMIT 2) l ORDER BY 1, 2),
	q(SELECT i, (SELECT string_agg(note, ',' ORDER BY id) FROM fruit WHERE id BETWEEN i AND i + 3) FROM ids i (i) ORDER BY 1),
	q(SELECT count(*), min(note) FROM fruit WHERE current_date > '2000-01-01'),
	q(SELECT id, upper(note) FROM fruit WHERE upper(kind) = 'PLUM' AND id < 20 ORDER BY id),
	q(SELECT count(*) FROM fruit WHERE false),
	q(SELECT a.id, b.note FROM fruit a JOIN fruit b ON b.id = a.id + 1 WHERE a.kind = 'apple' AND b.day = '2026-02-01' ORDER BY 1))
{
	(my $copy = $sql) =~ s/\bfruit\b/fruit_copy/g;
	my $truth = ask($copy);
	isnt($truth, '', $sql);
	is(ask($sql), $truth, '... as of a table');
}
is(ask(q(SELECT DISTINCT tableoid::regclass FROM fruit WHERE tableoid = 'fruit'::regclass)), 'fruit',
	'the table is known to the condition');
is(ask(q(PREPARE p (text, integer) AS SELECT count(note), max(id) FROM fruit WHERE kind = $1 AND id < $2;
	SET plan_cache_mode = force_generic_plan; EXECUTE p('pear', 500); EXECUTE p('plum', 100); EXECUTE p(NULL, 9))),
	"143|499\n28|98\n0|", 'parameters');

# One field of the file is several columns, some of them in the condition.
ask(q(ALTER FOREIGN TABLE fruit ADD again text OPTIONS (column_name 'CustomerName'),
	ADD digits varchar OPTIONS (column_name 'UsageQuantity')));
is(ask(q(SELECT count(*) FROM fruit WHERE note = again AND amount = digits::numeric)), 1715, 'columns of one field');
is(ask(q(SELECT again, digits, note, amount FROM fruit WHERE note = 'note "8"' AND digits = '10')),
	'note "8"|10|note "8"|10', '... on both sides of the condition');
ask('ALTER FOREIGN TABLE fruit DROP again, DROP digits');

# --- what is told of it

my $explain = 'EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT * FROM fruit';
like(ask("$explain WHERE kind = 'pear'"), qr/rows=667(\.00)? loops=1.*Rows Removed by Filter: 1333$/ms, 'rows removed');
like(ask("$explain WHERE kind IS NOT NULL"), qr/rows=2000(\.00)? loops=1.*(?!Removed)/s, 'none removed');
like(ask("$explain WHERE id > 10 LIMIT 200"), qr/rows=200(\.00)? loops=1.*Rows Removed by Filter: 10$/ms, 'up to the limit');

# --- how often

ask('CREATE SEQUENCE calls');
is(ask(q(SELECT count(*) FROM fruit WHERE nextval('calls') > 0 AND kind = 'pear')), 667, 'a volatile condition');
is(ask('SELECT last_value FROM calls'), 667, '... is looked at once a row, if the one before it holds');

ask(q(CREATE FUNCTION called() RETURNS boolean LANGUAGE plpgsql COST 0.0000001
	AS $$BEGIN RETURN nextval('calls') > 0; END$$));
is(ask(q(SELECT count(*) FROM fruit WHERE called() AND kind = 'pear')), 667, 'one that is looked at first');
is(ask('SELECT last_value FROM calls'), 2667, '... is, in every row');

# Texts are equal that the collation calls equal.
SKIP:
{
	skip 'this PostgreSQL is built without ICU', 1
	  if !ask(q(SELECT count(*) FROM pg_collation WHERE collprovider = 'i'));
	ask(q(CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)));
	is(ask(q(SELECT count(*) FROM fruit WHERE kind = 'PEAR' COLLATE any_case)), 667, 'a collation that knows no case');
}

# Who may see some rows only is shown no others.
ask(q(CREATE VIEW pears WITH (security_barrier) AS SELECT * FROM fruit WHERE kind = 'pear';
	CREATE FUNCTION curious(n integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
		$$BEGIN RAISE NOTICE 'id %', n; RETURN true; END$$;));
ask('SELECT count(*) FROM pears WHERE curious(id) AND id < 20');
is(join(',', $session->said =~ /id (\d+)/g), '1,4,7,10,13,16,19',
	'a view keeps its other rows from functions');

# --- memory

sub memory
{
	my $pid = ask('SELECT pg_backend_pid()');
	open(my $in, '<', "/proc/$pid/status") or return 0;
	return (map { /^VmHWM:\s*(\d+)/ ? $1 : () } <$in>)[0];
}

ask(q(SELECT count(*) FROM fruit WHERE length(repeat(kind, 10000)) < 0));
my $before = memory();
ask(q(SELECT count(*) FROM fruit WHERE length(repeat(kind, 10000)) < 0));
cmp_ok(memory() - $before, '<', 10_000, 'what a condition takes is given back for each row');

# --- rows that are looked at again after a lock

ask(q(CREATE TABLE orders (id integer PRIMARY KEY, state text); INSERT INTO orders SELECT i, 'new' FROM generate_series(1, 3) i));
my $other = PinsightSession->new($node);
$other->rows(q(BEGIN; UPDATE orders SET state = 'seen', id = id WHERE id = 2));
my ($result, $said);
my $waiting = IPC::Run::start([ $node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-c',
		q(SELECT o.state, f.note, (SELECT count(*) FROM fruit g WHERE g.kind = f.kind AND g.id < 10 * length(o.state))
			FROM orders o JOIN fruit f USING (id) WHERE f.kind = 'plum' AND f.note LIKE 'note%'
			FOR UPDATE OF o) ], '<', \undef, '>', \$result, '2>', \$said, IPC::Run::timeout(30));
$node->poll_query_until('postgres', q(SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'));
$other->rows('COMMIT');
$waiting->finish;
is($said . $result, "seen|note \"2\"|13\n", 'conditions hold, of the row and of a subquery');
$other->quit;

# --- values that cannot be read

my @odd = ('1,good,2026-01-01,1.5,a', '2,bad,soon,2.5,b', '3,good,2026-01-03,much,c', 'four,worse,2026-01-04,4.5,d',
	'5,good,2026-01-05,5.5,e');
table_of('odd', '', @odd);
is(ask(q(SELECT day, note FROM odd WHERE kind = 'good')), "2026-01-01|a\n2026-01-03|c\n2026-01-05|e",
	'a value of a row that is left out is not read');
is(ask(q(SELECT kind FROM odd WHERE kind <> 'good')), "bad\nworse", 'nor one of a column that is not asked for');
my $error = $session->error(q(SELECT day, note FROM odd WHERE kind <> 'good'));
is($error->{sqlstate}, '22007', 'one of a row that is not left out is an error');
like($error->{text}, qr/line 3, field "Month", column "day"/, '... which says where');
$error = $session->error(q(SELECT note FROM odd WHERE day = '2026-01-01' AND kind = 'good'));
is($error->{sqlstate}, '22007', 'as is one of a column that the condition needs');
$error = $session->error('SELECT kind FROM odd WHERE id > 0');
like($error->{text}, qr/22P02.*line 5, field "PGAMpnId"/s, '... in whatever row');
$error = $session->error('ANALYZE odd');
like($error->{sqlstate}, qr/^22/, 'ANALYZE reads them all');

table_of('lenient', ", on_error 'set_null'", @odd);
is(ask(q(SELECT day, amount, note FROM lenient WHERE kind = 'good')), "2026-01-01|1.5|a\n2026-01-03||c\n2026-01-05|5.5|e",
	'set_null: rows');
like($session->said, qr/^WARNING: .* 1 cell of foreign table "lenient" could not be read/m, '... counts what was read');
is(ask(q(SELECT note FROM lenient WHERE id IS NULL)), 'd', 'set_null: in the condition');
like($session->said, qr/ 1 cell .*line 5, field "PGAMpnId"/s, '... counts every row');
ask(q(SELECT * FROM lenient));
like($session->said, qr/ 3 cells /, 'set_null: all of them');

# Read again, under other conditions: each is counted once, whichever pass meets it.
ask(q(SELECT s.kind, (SELECT string_agg(concat(l.id, l.day, l.amount), ',') FROM lenient l WHERE l.kind = s.kind)
	FROM unnest(ARRAY['worse', 'good', 'bad', 'good', 'none']) s (kind)));
like($session->said, qr/ 3 cells .*line 5, field "PGAMpnId"/s, 'set_null: in several passes');
ask(q(SELECT n, (SELECT count(l.amount) FROM lenient l WHERE l.id > n) FROM generate_series(0, 3) n));
like($session->said, qr/ 2 cells /, 'set_null: those of the condition, too');

# --- NOT NULL

table_of('strict', '', '1,a,2026-01-01,1,x', '2,b,2026-01-01,1,', ',c,2026-01-01,1,y');
$node->safe_psql('postgres',
	q(ALTER FOREIGN TABLE strict ALTER note SET NOT NULL; ALTER FOREIGN TABLE strict ALTER id SET NOT NULL));
is(ask(q(SELECT note FROM strict WHERE kind = 'a')), 'x', 'a row that is left out may break NOT NULL');
$error = $session->error(q(SELECT note FROM strict WHERE kind = 'b'));
is($error->{sqlstate}, '23502', 'another may not');
like($error->{hint}, qr/DROP NOT NULL/, 'with a way out');
is($session->error(q(SELECT kind FROM strict WHERE id = 1))->{sqlstate}, '23502', 'nor may the condition rely on it');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
