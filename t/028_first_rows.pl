# A LIMIT without conditions needs the first rows of a report, and of its file no
# more than these: what is asked of the store, and what is left for later scans.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightBackground;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $part = 128 * 1024;
my $emulator = PinsightEmulator->new(options => [ '--rows', 3000, '--report-delay', '0.05' ]);
my $node = $emulator->node('first', conf => "pinsight_fdw.max_age = ''",
	server => "poll_interval '20 ms'");
my $cache = $node->data_dir . '/pinsight_fdw';

my @names = qw(subscription_id subscription_state month service_name meter_category usage_units
  customer_name customer_tenant_id customer_market mpn_id partner_name sales_channel);
my $columns = join(', ', 'usage_quantity numeric', map { "$_ text" } @names);
$emulator->create_table($node, $_, $columns, "dataset 'AzureUsage', timespan 'LIFETIME', max_age '1 day'")
  foreach qw(usage other);
my $session = PinsightSession->new($node);

# Everything forgotten, here and at the service.
sub begin
{
	my ($switches, @faults) = @_;
	$emulator->reset;
	$emulator->forget($node);
	unlink(glob("$cache/*.rows"));
	$emulator->clear_log;
	$emulator->switches({ gzip => 'off', content_encoding => \0, %{ $switches || {} } });
	$emulator->fault(\@faults) if @faults;
	return;
}

# What the store was asked for since the last time, and what it sent, in its words.
sub asked
{
	my @asked = map {
		my $range = $_->{headers}{Range} // 'all';
		($range =~ s/^bytes=//r) . ($_->{status} == 416 ? ' (nothing)' : '')
	} $emulator->log(endpoint => 'download');
	return join(', ', @asked);
}

sub reports { return $emulator->count(endpoint => 'create_report'); }

sub left { return join(' ', sort map { /\.(snapshot|job|part|rows)$/ ? $1 : () } glob("$cache/*")); }

sub analyzed
{
	my ($sql) = @_;
	return $session->rows("EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) $sql");
}

# --- the rows as they are in the file, and so in a snapshot

# The emulator makes them when they are first asked for; gzip cannot make much
# less of these.
$session->rows('SELECT count(*) FROM usage');
$emulator->change('UPDATE mpn_AzureUsage SET PartnerName = hex(randomblob(60))');
begin();
my $row = 'SELECT md5(u::text) FROM usage u';
my @rows = split(/\n/, $session->rows($row));
is(scalar(@rows), 3000, 'all rows are there');
is(asked(), 'all', 'of a file that came as a whole');
my ($whole) = map { $_->{bytes_sent} } $emulator->log(endpoint => 'download');
cmp_ok($whole, '>', 4 * $part, 'and has several parts');

sub first { my ($n, $from) = @_; $from //= 0; return join("\n", @rows[ $from .. $from + $n - 1 ]); }

# --- one row

begin();
is($session->rows("$row LIMIT 1"), first(1), 'a row');
is($emulator->count(endpoint => 'test_query', status => 200), 1, 'that a preview may have rounded');
is(asked(), '0-' . ($part - 1), 'of the first part');
is(($emulator->log(endpoint => 'download'))[0]{bytes_sent}, $part, 'which is all that was sent');
is(left(), 'job', 'nothing is kept of it, but whose the report is');
is($session->rows('SELECT phase, pid, downloaded, service_state FROM pinsight_jobs'),
	"first rows read||$part|Completed", 'which others can see');
is(scalar(my @held = $emulator->held), 2, 'and the service keeps');
is($session->rows("SELECT count(*) FROM pinsight_cleanup('partner', '1 hour')"), 0, 'also if it is tidied up');
like(analyzed('SELECT * FROM usage LIMIT 2'), qr/Rows From: first rows of a report of an earlier scan.*Downloaded: $part bytes/s,
	'EXPLAIN tells how much was fetched');
unlike(analyzed('SELECT * FROM usage LIMIT 2'), qr/Report File/, 'but not how much there is');
is($session->rows("$row OFFSET 3 LIMIT 4"), first(4, 3), 'rows behind an OFFSET');
is(reports(), 1, 'all of them of one report');

# --- and then all

$emulator->clear_log;
is($session->rows($row), join("\n", @rows), 'a scan of all rows has all rows');
is(asked(), 'all', 'from a file that comes as a whole');
is($emulator->count(endpoint => 'create_query') + reports(), 0, 'of the report that is there already');
is(scalar(@held = $emulator->held), 0, 'which goes then');
is(left(), 'rows snapshot', 'the snapshot stays');
$emulator->clear_log;
is($session->rows("$row LIMIT 2"), first(2), 'it has the first rows, too');
is(scalar(my @none = $emulator->log), 0, 'and nobody is asked');

# --- many rows: more parts, of which each comes once

begin();
like(analyzed('SELECT * FROM usage LIMIT 900'), qr/Rows From: first rows of a new report/, 'rows of two parts');
is($session->rows("$row LIMIT 900"), first(900), 'the right ones');
is(asked(), join(', ', ('0-131071', '131072-524287') x 2), 'each part is asked for once');
is((grep { $_->{headers}{'If-Match'} } $emulator->log(endpoint => 'download')), 2, 'the second of the same file');
is($session->rows('SELECT count(*) FROM (SELECT * FROM usage LIMIT 5000) u'), 3000, 'what is inside a query is whole');

begin();
is($session->rows("$row LIMIT 2990"), first(2990), 'nearly all rows');
is(asked(), '0-131071, 131072-524287, 524288-2097151', 'are the whole file');
is(left(), 'rows snapshot', 'which is kept');
is(scalar(@held = $emulator->held), 0, 'and the report is not');
begin({ content_md5 => \0 });
is($session->rows("$row LIMIT 100000"), join("\n", @rows), 'more rows than there are');
is(asked(), "0-131071, 131072-524287, 524288-2097151, $whole- (nothing)", 'end where the store says so');

# --- how the file comes

# As the beginning of a file that ends where a line does.
my $head = join(',', 'UsageQuantity', map { s/_//gr } @names) . "\n1" . ',x' x @names . "\n";
foreach my $case (
	[ 'gzip', { gzip => 'stored', content_encoding => \1 }, '0-131071' ],
	[ 'no length, other line ends', { content_length => \0, csv_crlf => \1 }, '0-131071' ],
	[ 'broken off', {}, '0-131071, 1000-131071', { reset_after => 1000 } ],
	[ 'cut within the header line', {}, '0-131071, all', { truncate => 50 } ],
	[ 'no parts', {}, '0-131071 (nothing), all', { status => 416, headers => { 'Retry-After' => '0' } } ],
	[ 'a part of who knows how much', {}, '0-131071, all', {
		status => 206, body => $head, headers => { 'Content-Range' => 'bytes 0-' . (length($head) - 1) . '/*' } } ])
{
	my ($name, $switches, $asked, $fault) = @$case;

	begin($switches, $fault ? { endpoint => 'download', %$fault } : ());
	is($session->rows("$row LIMIT 3"), first(3), "$name: the same rows");
	is(asked(), $asked, "$name: from these bytes");
	is(left(), $asked =~ /all/ ? 'rows snapshot' : 'job', "$name: and that is left");
}

begin({}, { endpoint => 'download', nth => 2, status => 206, body => 'x' x (3 * $part),
		headers => { ETag => '"another"', 'Content-Range' => "bytes $part-" . (4 * $part - 1) . "/$whole" } });
is($session->rows("$row LIMIT 900"), first(900), 'a second part of another file: the same rows');
is(asked(), '0-131071, 131072-524287, all', 'which is not taken');

# --- what first rows have left at the service makes room there

$emulator->create_table($node, 'narrow', 'month date', "dataset 'AzureUsage', timespan 'LIFETIME'");
$emulator->create_table($node, "with_$_", "$_ text, partner_name text", "dataset 'AzureUsage', timespan 'LIFETIME'")
  foreach qw(mpn_id month usage_units);
$session->rows('CREATE SCHEMA api; IMPORT FOREIGN SCHEMA api FROM SERVER partner INTO api');
my @others = (
	[ 'a schedule', "BEGIN; SELECT pinsight_schedule('narrow') IS NOT NULL; ROLLBACK" ],
	[ 'what is inserted', q(
		WITH q AS (INSERT INTO api.queries (name, query) VALUES ('Mine', 'SELECT Month FROM AzureUsage') RETURNING query_id)
		INSERT INTO api.reports (report_name, query_id, execute_now) SELECT 'Mine', query_id, true FROM q RETURNING true) ]);
foreach my $full ({ quota_queries => 1 }, { quota_reports => 1, finished_report => 'active' })
{
	begin($full);
	$session->rows("$row LIMIT 3");
	my ($held) = $session->rows('SELECT report_id FROM pinsight_jobs');
	is($session->rows('SELECT count(*) FROM narrow'), 3000, 'where the service keeps no more, another report');
	is(scalar(@held = $emulator->held), 0, 'takes the place of one that first rows were read of');
	is(($emulator->log(endpoint => 'delete_report'))[0]{path} =~ /\Q$held\E/ ? 1 : 0, 1, 'which goes before');
	is($session->rows("$row LIMIT 3"), first(3), 'and is made anew when it is needed');
	like($session->error("SET pinsight_fdw.sweep_age = -1; SELECT pinsight_forget('narrow'); SELECT count(*) FROM narrow")->{message},
		qr/there are too many/, 'or stays, where nothing shall be swept');
	$session->rows('RESET pinsight_fdw.sweep_age');

	foreach my $other (@others)
	{
		begin($full);
		$session->rows("$row LIMIT 3");
		is($session->rows($other->[1]), 't', "$other->[0] takes its place as well");
	}

	begin($full);
	$session->rows("$row LIMIT 3");
	unlink(glob("$cache/*.job"));
	like($session->error('SELECT count(*) FROM narrow')->{hint}, qr/pinsight_cleanup/, 'what no job knows stays while it is young');
	is($session->rows('SET pinsight_fdw.sweep_age = 0; SELECT count(*) FROM narrow'), 3000, 'and makes room later');
	$session->rows('RESET pinsight_fdw.sweep_age');
}

begin({ quota_queries => 3 });
$session->rows("SELECT FROM $_ LIMIT 500") foreach qw(with_usage_units usage with_month);
my $oldest_first = $session->rows('SELECT report_id FROM pinsight_jobs ORDER BY begun');
is($session->rows('SELECT count(*) FROM with_mpn_id'), 3000, 'where several have been read');
like(join("\n", map { $_->{path} =~ s{.*/}{}r } $emulator->log(endpoint => 'delete_report')), qr/^$oldest_first\n/,
	'the oldest goes first');

# --- which statements are answered so, and which need all rows

begin();
$session->rows(q(
	PREPARE few(bigint) AS SELECT usage_quantity FROM usage LIMIT $1;
	CREATE FUNCTION all_rows() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM usage); END'));
my $first = qr/Rows From: (preview, or )?first rows of a new report/;
my $all = qr/Rows From: (preview, or a )?new report/;
foreach my $case (
	[ $first, 'SELECT usage_quantity FROM usage LIMIT 5' ],
	[ $first, 'SELECT usage_quantity, random(), all_rows() FROM usage OFFSET 5 LIMIT 5' ],
	[ $first, 'SELECT FROM usage LIMIT 1000' ],
	[ $first, 'SELECT usage_quantity FROM usage FETCH FIRST 5 ROWS ONLY' ],
	[ $first, 'EXECUTE few(7)' ],
	[ $all, 'EXECUTE few(NULL)' ],
	[ $all, 'SELECT usage_quantity FROM usage LIMIT 9223372036854775807 OFFSET 5' ],
	[ $all, 'SELECT usage_quantity FROM usage ORDER BY 1 FETCH FIRST 5 ROWS WITH TIES' ],
	[ $all, 'SELECT usage_quantity FROM usage ORDER BY 1 LIMIT 5' ],
	[ $all, 'SELECT usage_quantity FROM usage WHERE usage_quantity > 0 LIMIT 5' ],
	[ $all, 'SELECT usage_quantity FROM usage WHERE random() < 2 LIMIT 500' ],
	[ $all, 'SELECT DISTINCT usage_quantity FROM usage LIMIT 5' ],
	[ $all, 'SELECT usage_quantity, generate_series(1, 2) FROM usage LIMIT 5' ],
	[ $all, 'SELECT count(usage_quantity) OVER () FROM usage LIMIT 5' ],
	[ $all, 'SELECT count(usage_quantity) FROM usage LIMIT 5' ],
	[ $all, 'SELECT usage_quantity FROM usage LIMIT (SELECT 5)' ],
	[ $all, 'SELECT a.usage_quantity FROM usage a JOIN other b USING (month) LIMIT 5' ],
	[ $all, 'SELECT a.month FROM (SELECT * FROM usage LIMIT 1) a, other b' ],
	[ $all, 'SELECT g FROM generate_series(1, 3) g, LATERAL (SELECT * FROM usage LIMIT g) u' ],
	[ $all, 'SELECT usage_quantity FROM usage UNION ALL SELECT usage_quantity FROM other LIMIT 5' ])
{
	my ($from, $sql) = @$case;

	like($session->rows("EXPLAIN (COSTS off) $sql"), $from, $sql);
}
like($session->rows('BEGIN ISOLATION LEVEL REPEATABLE READ; EXPLAIN SELECT month FROM usage LIMIT 5; COMMIT'),
	qr/Rows From: new report/, 'nor does a transaction that shall see the same rows all the time');
is(asked() . $emulator->log, '0', 'EXPLAIN asks nobody');

like($session->rows('SELECT all_rows(), usage_quantity FROM usage LIMIT 3'), qr/^(3000\|\S*\s?){3}$/, 'a function that reads all rows');
is(asked(), '0-131071, all', 'has them, beside the first ones');
is(reports(), 1, 'of the same report');

# --- who comes back to rows

begin();
is($session->rows("
	BEGIN; DECLARE c SCROLL CURSOR WITH HOLD FOR $row LIMIT 5;
	FETCH 3 FROM c; MOVE ABSOLUTE 0 FROM c; FETCH 2 FROM c; COMMIT; FETCH BACKWARD FROM c; FETCH ALL FROM c; CLOSE c"),
	join("\n", @rows[ 0 .. 2, 0, 1, 0, 1 .. 4 ]), 'a cursor goes back and forth, and outlives its transaction');
is(asked(), '0-131071', 'in the first rows');

# --- who waits meanwhile: a scan of all rows takes over

begin({}, { endpoint => 'download', stall_after => 1000, hang_ms => 300 });
my $few = PinsightBackground->start($node, "$row LIMIT 3");
$emulator->await(endpoint => 'download');
is($session->rows($row), join("\n", @rows), 'a scan that has waited for another\'s first rows has all');
is($few->finish->{out}, first(3), 'and that one its few');
is(asked(), '0-131071, all', 'both of the same file');
is(reports(), 1, 'and report');

# --- a report that exists

begin();
$session->rows("$row LIMIT 3");
my $id = $session->rows('SELECT report_id FROM pinsight_jobs');
$emulator->clear_log;
$emulator->create_table($node, 'existing', $columns, "report_id '$id'");
like($session->rows('EXPLAIN SELECT * FROM existing LIMIT 900'), qr/Rows From: first rows of a scheduled report $id/,
	'an existing report has first rows, too');
is($session->rows("$row LIMIT 900" =~ s/usage/existing/r), first(900), 'the right ones');
is(asked(), '0-131071, 131072-524287', 'of as few parts');
is($session->rows($row =~ s/usage/existing/r), join("\n", @rows), 'and all of them');

# --- a line end in quotes ends no row, and a bad value is an error as always

$emulator->change("UPDATE mpn_AzureUsage SET CustomerName = replace(hex(zeroblob(70000)), '00', 'x' || char(10)), SalesChannel = 'odd', UsageQuantity = 0.25
	WHERE rowid = (SELECT min(rowid) FROM mpn_AzureUsage)");
begin();
is($session->rows(q(SELECT length(customer_name), sales_channel, usage_quantity FROM usage LIMIT 1)), '140000|odd|0.25', 'a row of many lines');
is(asked(), '0-131071, 131072-524287', 'ends where its quote does');
$session->rows('ALTER FOREIGN TABLE usage ALTER sales_channel TYPE int');
like($session->error('SELECT coalesce(usage_quantity, 0), sales_channel FROM usage LIMIT 1')->{message}, qr/odd/, 'a bad value');
like($session->error('TABLE usage')->{message}, qr/odd/, '... of the whole');
$session->rows('ALTER FOREIGN TABLE usage ALTER sales_channel TYPE text');

done_testing();
