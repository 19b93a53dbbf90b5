# Scans that several processes share: the rows are those of one process alone,
# whatever the file looks like, and only the leader ever speaks to the service.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Digest::MD5 qw(md5_base64 md5_hex);
use Encode qw(encode_utf8);
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(options => [ '--rows', 300, '--report-delay', '0' ]);
my $node = $emulator->node('parallel', server => "poll_interval '20 ms', fdw_startup_cost '0'",
	conf => "pinsight_fdw.max_age = ''\nmax_parallel_workers = 4\nlog_min_messages = warning");
my $session = PinsightSession->new($node);
my $cache = $node->data_dir . '/pinsight_fdw';

sub ask { return $session->rows($_[0]); }
sub requests { return $emulator->count; }
sub reports { return $emulator->count(endpoint => 'create_report'); }

# What a scan does is decided by the settings of the session.
my %mode = (
	serial => 'SET max_parallel_workers_per_gather = 0',
	both => 'SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = on',
	workers => 'SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off');
ask('SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0; SET jit = off');

sub mode { return ask($mode{ $_[0] }); }

my $options = q(dataset 'AzureUsage', timespan 'LIFETIME');
my $columns = q(t text OPTIONS (column_name 'ServiceName'),
	n integer OPTIONS (column_name 'UsageQuantity'), report text OPTIONS (metadata 'report_id'));
$emulator->create_table($node, 'rows', $columns, $options);

# Lets the next report be this text.
sub serve
{
	my ($text) = @_;
	$emulator->forget($node);
	$emulator->control('DELETE', '/faults');
	$emulator->fault({ endpoint => 'download', status => 200, body => $text, times => 0,
		headers => { 'Content-MD5' => md5_base64(encode_utf8($text)) . '==' } });
	$emulator->clear_log;
	return;
}

# --- files of every form

my @texts = ('plain', "in two\nlines", 'with "quotes"', "\n", "a\r\nb", ',', '"', '', undef,
	"\n\n\n", 'x' x 300, "7\",8\n9");
my @rows = map { [ $_ % 2 ? $texts[ int($_ / 2) % @texts ] : 'row ' . 'y' x 250, $_ ] } 1 .. 5000;

sub field
{
	my ($text) = @_;
	return !defined $text ? '' : $text =~ /["\n\r,]/ || $text eq '' ? '"' . $text =~ s/"/""/gr . '"' : $text;
}

sub file
{
	my ($end, @of) = @_;
	return join('', map { "$_$end" } 'ServiceName,UsageQuantity', map { field($_->[0]) . ",$_->[1]" } @of);
}

sub truth
{
	my (@of) = @_;
	my $all = join('|', map { "$_->[1]:" . ($_->[0] // '~') } @of);
	my $sum = 0;
	$sum += $_->[1] foreach @of;
	return join('|', scalar(@of), @of ? ($sum, md5_hex($all), 1) : ('', '', 0));
}

my $select = q(SELECT count(*), sum(n), md5(string_agg(n || ':' || coalesce(t, '~'), '|' ORDER BY n)),
	count(DISTINCT report) FROM rows);
my @forms = (
	[ 'lines', file("\n", @rows), @rows ],
	[ 'CRLF, and a last line without an end', file("\r\n", @rows) =~ s/\r\n\z//r, @rows ],
	[ 'a byte order mark, and empty lines at the end', "\x{FEFF}" . file("\n", @rows) . "\n\r\n", @rows ],
	[ 'one row', file("\n", $rows[0]), $rows[0] ],
	[ 'no row', file("\n") ]);
foreach my $form (@forms)
{
	my ($name, $text, @of) = @$form;
	my $truth = truth(@of);

	serve($text);
	mode('serial');
	is(ask($select), $truth, "$name: one process");
	my $requests = requests();
	mode('both');
	like(ask("EXPLAIN $select"), qr/Parallel Foreign Scan/, "$name: a parallel plan") if @of > 0;
	is(ask($select), $truth, "$name: with the leader");
	mode('workers');
	is(ask($select), $truth, "$name: workers alone");
	is(ask('SELECT count(*) FROM rows'), scalar(@of), "$name: counted");
	is(ask('SELECT count(*), count(DISTINCT report) FROM rows'), @of . '|' . (@of > 0 ? 1 : 0),
		"$name: counted, with a column that is not in the file");
	is(requests(), $requests, "$name: for no further request");
}

# --- files that a scan refuses

foreach my $bad ([ 'a field too few', '4,', '4', qr/1 field where its header has 2/ ],
	[ 'an empty line among rows', 'b4,4', "\nb4,4", qr/an empty line among its rows/ ],
	[ 'text behind a quote', 'b4,4', 'b4,"4"4', qr/text after closing quote/ ])
{
	my ($name, $from, $to, $message) = @$bad;
	my $text = join("\n", 'ServiceName,UsageQuantity', map { "b$_,$_" } 1 .. 30) . "\n";

	$text =~ s/$from/$to/;
	$text = $text =~ s/^b4,4$/b4/mr if $from eq '4,';
	serve($text);
	mode('serial');
	my $error = $session->error('SELECT count(*) FROM rows');
	like($error->{message}, $message, "$name: not counted");
	like($error->{hint}, qr/pinsight_forget\('public\.rows'\)/, "$name: with a way to another file");
	is(ask('SELECT n FROM rows LIMIT 2'), "1\n2", "$name: the rows before it are there");
	mode('both');
	is($session->error('SELECT sum(n) FROM rows')->{message}, $error->{message}, "$name: nor summed");
}

# A cell that is no number is told of in the same words.
my $bad = file("\n", map { [ $_->[0], $_->[1] == 4000 ? 'four' : $_->[1] ] } @rows);
serve($bad);
mode('serial');
my $error = $session->error('SELECT sum(n) FROM rows');
like($error->{context}, qr/report file line \d{4,}, field "UsageQuantity"/, 'a bad cell: one process');
like($error->{hint}, qr/"on_error" to "set_null"/, 'with a way out');
mode('workers');
my $shared = $session->error('SELECT sum(n) FROM rows');
is($shared->{message}, $error->{message}, 'workers say the same');
is($shared->{context} =~ s/\n.*//sr, $error->{context} =~ s/\n.*//sr, 'of the same line');
$node->safe_psql('postgres', q(ALTER FOREIGN TABLE rows OPTIONS (ADD on_error 'set_null')));
unlike(ask('EXPLAIN SELECT sum(n) FROM rows'), qr/Parallel/,
	'where cells may become null, one process counts them');
is(ask('SELECT count(n), count(*) FROM rows'), '4999|5000', 'and no more than the bad one does');
$node->safe_psql('postgres', q(ALTER FOREIGN TABLE rows OPTIONS (DROP on_error)));

# --- executor

serve(file("\n", @rows));
my $truth = truth(@rows);
mode('workers');
unlike(ask("EXPLAIN $select"), qr/Parallel/, 'no snapshot at hand: one process');
is(ask($select), $truth, 'which has the rows');
unlike(ask('EXPLAIN SELECT count(*) FROM rows'), qr/Parallel/, 'nothing to read: one process');

my $explained = ask('EXPLAIN (ANALYZE, VERBOSE, COSTS off, TIMING off) SELECT sum(n) FROM rows');
like($explained, qr/Parallel Foreign Scan on public.rows \(actual rows=2500\S* loops=2\)/,
	'EXPLAIN ANALYZE: what the workers had');
like($explained, qr/Rows From: snapshot/, 'and where from');
like($explained, qr/Worker 0:/, 'each by itself');

ask('SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off');
my $again = 'SELECT count(*), sum(s) FROM generate_series(1, 3) g
	LEFT JOIN (SELECT sum(n) AS s FROM rows) r ON g <> s';
foreach my $mode (qw(serial both workers))
{
	mode($mode);
	is(ask($again), '3|37507500', "rescans: $mode");
	is(ask('SELECT count(*), count(DISTINCT n) <= 12 FROM generate_series(1, 3) g
		LEFT JOIN (SELECT n FROM rows WHERE n > 10 LIMIT 4) r ON g <> n'), '12|t',
		"rescans of a part: $mode");
	is(ask('SELECT count(*) FROM (SELECT n FROM rows WHERE n > 10 LIMIT 7) r'), 7, "a limit: $mode");
}
like(ask("EXPLAIN (ANALYZE, COSTS off, TIMING off) $again"), qr/Gather.*loops=3/, 'they are rescans');
ask('RESET enable_material; RESET enable_hashjoin; RESET enable_mergejoin');

foreach my $cursor ('CURSOR', 'SCROLL CURSOR', 'CURSOR WITH HOLD')
{
	ask("BEGIN; DECLARE c $cursor FOR SELECT n FROM rows");
	my $some = ask('FETCH 3 FROM c');
	ask('COMMIT') if $cursor =~ /HOLD/;
	my @all = split(/\n/, "$some\n" . ask('FETCH ALL FROM c'));
	is(join(' ', sort { $a <=> $b } @all), join(' ', 1 .. 5000), "a $cursor");
	ask($cursor =~ /HOLD/ ? 'CLOSE c' : 'COMMIT');
}

ask('SET max_parallel_workers = 0');
is(ask($select), $truth, 'no worker can start: the leader reads');
ask('RESET max_parallel_workers');

# Below an Append, beside a local table.
$emulator->create_table($node, 'others', $columns, $options);
ask("CREATE TABLE local_rows AS SELECT t, n FROM rows; ANALYZE local_rows");
mode('both');
my $append = 'SELECT count(*), sum(n) FROM (SELECT n FROM rows UNION ALL SELECT n FROM others
	UNION ALL SELECT n FROM local_rows) a';
like(ask("EXPLAIN $append"), qr/Parallel Append/, 'a parallel Append');
is(ask($append), '15000|37507500', 'has all rows');
$emulator->create_table($node, 'lenient', 't varchar(4000) OPTIONS (column_name \'ServiceName\'),
	n bytea OPTIONS (column_name \'UsageQuantity\')', "$options, on_error 'set_null'");
is(ask(q(SELECT count(*), count(l.t), sum(r.n) FROM rows r JOIN lenient l
	ON l.n = convert_to(r.n::text, 'UTF8'))), '5000|4792|12502500',
	'a join with a table whose cells may become null');
foreach my $beside (
	'SELECT count(n) FROM lenient WHERE 0 < (SELECT sum(n) FROM rows)',
	'SELECT count(n) FROM rows WHERE 0 < (SELECT count(n) FROM lenient)',
	'SELECT count(n) FROM rows, (SELECT count(n) AS c FROM lenient OFFSET 0) l WHERE c > 0',
	'SELECT count(l.n) FROM lenient l, (SELECT sum(n) AS s FROM rows OFFSET 0) r WHERE s > 0',
	'WITH r AS MATERIALIZED (SELECT sum(n) AS s FROM rows) SELECT count(n) FROM lenient, r WHERE s > 0',
	'SELECT sum(c) FROM (SELECT count(n) AS c FROM rows UNION ALL SELECT count(n) - 5000 FROM lenient) u')
{
	is(ask($beside), 5000, "beside it: $beside");
}
is(ask('SELECT count(*), sum(r.n) FROM rows r JOIN local_rows l ON l.n = r.n'), '5000|12502500',
	'a join');

my $setting = $node->safe_psql('postgres', q(SELECT name FROM pg_settings
	WHERE name IN ('force_parallel_mode', 'debug_parallel_query')));
ask("SET $setting = regress");
foreach my $mode (qw(serial both workers))
{
	mode($mode);
	is(ask($select), $truth, "$setting: $mode");
}
$emulator->forget($node);
$emulator->clear_log;
is(ask($select), $truth, "$setting: no snapshot at hand");
is(reports(), 1, 'one report');
ask("RESET $setting");

# --- a plan that outlives the snapshot, a snapshot that outlives its file

ask('SET plan_cache_mode = force_generic_plan;
	PREPARE above(integer) AS SELECT count(*), min(n) FROM rows WHERE n > $1');
like(ask('EXPLAIN EXECUTE above(10)'), qr/Parallel Foreign Scan/, 'a generic plan is parallel');
is(ask('EXECUTE above(10)'), '4990|11', 'and has the rows');
$emulator->forget($node);
$emulator->clear_log;
is(ask('EXECUTE above(20)'), '4980|21', 'also when its snapshot is gone');
is(reports(), 1, 'which the leader has fetched again');
is(ask('EXECUTE above(30)'), '4970|31', 'and again');
is(reports(), 1, 'from then on it is there');

ask('BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($select), $truth, 'a transaction that sees the same rows all the time');
$emulator->forget($node);
$emulator->clear_log;
like(ask("EXPLAIN $select"), qr/Parallel Foreign Scan/, 'whose snapshot was removed');
is(ask($select), $truth, 'still has them in workers');
is(requests(), 0, 'for no request');
ask('COMMIT');

# --- the index of a snapshot

sub rewrite
{
	my ($change) = @_;
	my ($path) = glob("$cache/*.snapshot");
	my $bytes = slurp_file($path);
	$change->($bytes);
	open(my $out, '>:raw', $path) or die "$path: $!\n";
	print $out $bytes;
	close($out);
	return;
}

ask($select);
rewrite(sub { substr($_[0], -30, 1) ^= "\1" });
is(ask($select), $truth, 'a damaged index: the rows are read as a whole');
$emulator->clear_log;
rewrite(sub { substr($_[0], 7, 1) = '2' });
is(ask($select), $truth, 'a snapshot of an earlier version: the rows are right');
is(reports(), 1, 'of a new report');
like(slurp_file($node->logfile), qr/removing snapshot ".*" of another version/, 'which the log tells');

# --- a statement that ends early is none for several; one that reads on is

mode('both');
ask('SET parallel_setup_cost = 10');
unlike(ask('EXPLAIN (COSTS off) SELECT n FROM rows LIMIT 5'), qr/Gather/, 'a few rows: one process');
like(ask("EXPLAIN (COSTS off) SELECT n FROM rows $_"), qr/Gather/, "$_: several")
  foreach 'LIMIT 4000', 'ORDER BY n LIMIT 5';
ask(q(SET parallel_setup_cost = 1000; CREATE FUNCTION dear(integer) RETURNS integer
	LANGUAGE plpgsql PARALLEL SAFE COST 10000 AS $$BEGIN RETURN $1; END$$));
unlike(ask('EXPLAIN (COSTS off) SELECT n FROM rows LIMIT 1000'), qr/Gather/, 'more of them, cheap: one');
like(ask('EXPLAIN (COSTS off) SELECT dear(n) FROM rows LIMIT 1000'), qr/Gather/, 'dear: several');
ask('ALTER FUNCTION dear COST 200000');
like(ask('EXPLAIN (COSTS off) SELECT dear(n) FROM rows LIMIT 90'), qr/Gather/, 'very dear: also where a preview would do');
ask('SET parallel_setup_cost = 0');

# --- rows for the planner

unlink(glob("$cache/*.rows"));
like(ask('EXPLAIN SELECT * FROM rows'), qr/rows=5000 /, 'a snapshot at hand tells how many rows it has');
$emulator->forget($node);
unlink(glob("$cache/*.rows"));
ask('SELECT n FROM rows LIMIT 1');
$emulator->forget($node);
like(ask('EXPLAIN SELECT * FROM rows'), qr/rows=5000 /, 'and so does one whose end nobody has reached');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
