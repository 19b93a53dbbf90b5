# While a session waits for a report it deletes what was left at the service and
# nobody wants any more: once, with a few requests, and nothing else.  Beside
# that: what those who wait and those who look on are told.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightBackground;
use PinsightEmulator;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 400, '--report-delay', '2.2', '--quota-execute-now', 100 ]);
my $node = $emulator->node('sweep',
	server => "poll_interval '1.2 s', max_reports_per_hour '1000'");
my $cache = $node->data_dir . '/pinsight_fdw';
my $columns = "month date, customer_name text";

# Tables of their own queries; those that are called after what is not waited for
# leave their reports behind.
my @others = qw(UsageUnits CustomerMarket SubscriptionId MeterCategory CustomerSegment
  SalesChannel PartnerName ResellerName);
my %waits = (abandoned => "100 ms", busy => "5 min");

# A service of its own that comes to answer no more.
my $mute = PinsightEmulator->new(options => [ '--rows', 20, '--report-delay', '1000' ]);
$mute->create_server($node, 'mute', "poll_interval '100 ms'",
	"client_id '$PinsightEmulator::client_id', client_secret '$PinsightEmulator::client_secret', refresh_token '$PinsightEmulator::refresh_token'");
$node->safe_psql('postgres', q(CREATE FOREIGN TABLE silent (month date) SERVER mute OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME')));
$mute->fault({ endpoint => 'executions', nth => 2, times => 0, status => 503, headers => { 'Retry-After' => '3' } });
foreach my $name (qw(usage slow abandoned busy regular))
{
	my $other = shift(@others);
	$emulator->create_table($node, $name,
		"$columns, other text OPTIONS (column_name '$other')",
		"dataset 'AzureUsage', timespan 'LIFETIME'"
		  . ($waits{$name} ? ", wait_timeout '$waits{$name}'" : ''));
}

sub held { return scalar(my @names = $emulator->held); }
sub clear_faults { return $emulator->control('DELETE', '/faults'); }

# Ids of what was deleted, by the log.
sub deleted
{
	return sort map { $_->{path} =~ m{([^/]+)$} } $emulator->log(method => 'DELETE');
}

# Lists of everything, which is what a sweep asks for.
sub lists
{
	my ($kind) = @_;
	return scalar(grep { $_->{query} !~ /Name=/i && $_->{query} !~ /Id=/i && $_->{path} !~ /[0-9a-f]{8}-/ }
		  $emulator->log(endpoint => "list_$kind"));
}

# Leaves a report behind whose scan did not wait for it.
sub abandon
{
	my ($ret, $out, $err, $report);

	# on a busy machine the time may be over before the report is ordered
	for (1 .. 10)
	{
		($ret, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM abandoned');
		$report = $node->safe_psql('postgres',
			q(SELECT report_id FROM pinsight_jobs WHERE foreign_table = 'abandoned'::regclass));
		last if $report;
	}
	like($err, qr/not ready within wait_timeout/, 'the scan did not wait for its report');
	return;
}

# The job of that report; whose it is tells the id of its query.
sub left_job
{
	my $query = $node->safe_psql('postgres',
		q(SELECT query_id FROM pinsight_jobs WHERE foreign_table = 'abandoned'::regclass));
	return grep { index(slurp_file($_), $query) >= 0 } glob("$cache/*.job");
}

# A scan that waits, and what it says; age is what may be swept.
sub scan
{
	my ($age, $again) = @_;
	my $sql = "SET pinsight_fdw.sweep_age = '$age'; SELECT count(*) FROM usage";
	$sql .= '; SELECT count(*) FROM usage' if $again;
	$emulator->clear_log;
	my ($ret, $out, $err) = $node->psql('postgres', $sql);
	is($err, '', "sweep_age $age: nothing is said of a sweep");
	return $out;
}

# --- a report that takes a while; meanwhile, all the rest

is($node->safe_psql('postgres', 'SELECT count(*) FROM slow'), 400, 'a first report');
like($node->safe_psql('postgres', 'EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM slow'),
	qr/Rows From: new report\n\s+Last Report Took: [1-9] s$/m, 'EXPLAIN VERBOSE tells how long it took');
unlike($node->safe_psql('postgres', 'EXPLAIN SELECT * FROM slow'), qr/Took/, 'EXPLAIN does not');
unlike($node->safe_psql('postgres', 'EXPLAIN (VERBOSE) SELECT * FROM usage'), qr/Took/,
	'nor of a table that had none');
$emulator->switches({ report_delay => 16 });
$emulator->clear_log;
my $slow = PinsightBackground->start($node,
	"SET pinsight_fdw.sweep_age = -1; SELECT count(*) FROM slow");
$slow->backend;
$emulator->await(endpoint => 'executions');
my $silent = PinsightBackground->start($node, 'SELECT count(*) FROM silent');
$silent->backend;
$emulator->switches({ report_delay => 1.1 });
like($node->safe_psql('postgres', 'EXPLAIN SELECT * FROM slow'), qr/Rows From: report of another session, or new report/,
	'EXPLAIN tells of a report that is waited for');

# --- what was left goes, what is used stays

my $schedule = $node->safe_psql('postgres', "SELECT pinsight_schedule('regular') IS NOT NULL");
is($schedule, 't', 'a recurring report');
abandon();
is(held(), 6, 'left, waited for and recurring: a query and a report each');
like($node->safe_psql('postgres', "SET pinsight_fdw.max_age = '1 h'; EXPLAIN SELECT * FROM abandoned"),
	qr/Rows From: report of an earlier scan$/m, 'EXPLAIN tells of the one that was left');
is(scan('1d'), 400, 'rows arrive');
is(lists('reports'), 1, 'all reports were listed once');
is(lists('queries'), 1, 'and all queries');
is($emulator->count(method => 'DELETE'), 2, 'but none deleted beside its own');
is(held(), 6, 'as long as they are young');

is(scan('0', 1), "400\n400", 'rows arrive twice');
is($emulator->count(method => 'DELETE'), 6, 'what was left is deleted, too');
is(lists('reports'), 1, 'once in a session');
is($emulator->count(endpoint => 'token'), 1, 'without another sign-in');
is(held(), 4, 'what is waited for and what recurs is there');
is($node->safe_psql('postgres', q(SELECT foreign_table FROM pinsight_jobs WHERE server = 'partner')), 'slow',
	'the job is forgotten, the other is not');
like(slurp_file($node->logfile), qr/LOG:  deleted report \S+ of server "partner", which nobody/,
	'the log tells of it');

abandon();
is(scan('-1'), 400, 'sweep_age -1: rows arrive');
is(lists('reports'), 0, 'without a sweep');

is(unlink(left_job()), 1, 'a job is lost');
is(held(), 6, 'left without a job');
is(scan('0'), 400, 'rows arrive');
is(held(), 4, 'what no job knows goes');

# --- only names of ours

my $old = '"createdTime":"2020-01-01T00:00:00Z"';
$emulator->fault({ endpoint => 'list_reports', status => 200, nth => 2, times => 1,
		body => '{"value":[{"reportId":"r1","reportName":"pinsight 0123456789abcdef0",' . $old
		  . '},{"reportId":"r2","reportName":"Monthly",' . $old
		  . '},{"reportId":"r3","reportName":"pinsight 0123456789abcdef","recurrenceInterval":24,'
		  . $old . ',"queryId":"q3"},{"reportId":"r4",'
		  . '"reportName":"Pinsight 0123456789ABCDEF ","executeNow":true,' . $old
		  . ',"queryId":"q4"},{"reportId":"r5","reportName":"pinsight 0123456789abcdef"},'
		  . '{"reportId":"r6","reportName":"pinsight schedule 0123456789abcdef",' . $old
		  . '}],"statusCode":200}' });
$emulator->fault({ endpoint => 'list_queries', status => 200, nth => 2, times => 1,
		body => '{"value":[{"queryId":"q3","name":"pinsight 0123456789abcdef",' . $old
		  . '},{"queryId":"q4","name":"pinsight 0123456789abcdef",' . $old
		  . '},{"queryId":"q5","name":"pinsight_0123456789abcdef",' . $old
		  . '}],"statusCode":200}' });
is(scan('1d'), 400, 'rows arrive');
is_deeply([ grep { /^\w\d$/ } deleted() ], [ 'q4', 'r4' ],
	'names of others, recurring reports, what they use and what has no age are spared');
clear_faults();

# --- a sweep that goes wrong

my @queries = map { { queryId => "q$_", name => sprintf('pinsight %016x', $_),
		createdTime => '2020-01-01T00:00:00Z' } } 100 .. 160;
$emulator->fault({ endpoint => 'list_queries', status => 200, nth => 2, times => 1,
		body => JSON::PP::encode_json({ value => \@queries, statusCode => 200 }) });
is(scan('1d'), 400, 'much to do');
is(scalar(grep { /^q\d+$/ } deleted()), 18, 'is not done at once');
clear_faults();

$emulator->fault({ endpoint => 'list_reports', status => 503, nth => 2, times => 0 });
is(scan('1d'), 400, 'a service that fails');
is(lists('reports'), 1, 'is not asked again');
clear_faults();

abandon();
my ($left_report, $left_query) = split(/\|/, $node->safe_psql('postgres',
		q(SELECT report_id, query_id FROM pinsight_jobs WHERE foreign_table = 'abandoned'::regclass)));
$emulator->fault({ endpoint => 'delete_report', status => 400, times => 1,
		body => '{"statusCode":400,"message":"This report is busy."}' });
is(scan('0'), 400, 'a report that is not deleted');
my $state = JSON::PP::encode_json($emulator->state);
ok($left_report && index($state, $left_report) >= 0 && index($state, $left_query) >= 0,
	'is kept, and so is its query');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pinsight_jobs WHERE foreign_table = 'abandoned'::regclass)),
	1, 'and the job that knows of them');
clear_faults();

$emulator->fault({ endpoint => 'list_reports', hang_ms => 20000, nth => 2, times => 1 });
my $began = time;
is(scan('0'), 400, 'a service that does not answer');
cmp_ok(time - $began, '<', 10, 'does not delay rows');
clear_faults();

# Where the error is one of ours, and befalls a scan that is not waited for yet:
# whoever is can still be cancelled.
abandon();
my ($lock) = map { s/job$/lock/r } left_job();
mkdir($lock) or die "$lock: $!\n";
$emulator->create_table($node, 'offered', 'dataset_name text', "api_object 'datasets'");
$emulator->fault({ endpoint => 'datasets', hang_ms => 4000 });
my ($status, $out, $err) = $node->psql('postgres', q(
	SET client_min_messages = debug1; SET pinsight_fdw.sweep_age = '0'; SET statement_timeout = '1s';
	SELECT (SELECT count(*) FROM offered), (SELECT count(*) FROM usage)));
like($err, qr/sweep ended early: could not open file .*\.lock/, 'a lock that cannot be had ends a sweep');
like($err, qr/canceling statement due to statement timeout/, 'and holds no interrupt');
rmdir($lock);
clear_faults();

# --- what those who wait and those who look on are told

my $result = $slow->finish;
is($result->{out}, 400, 'the slow report is there, too');
like($result->{err}, qr/NOTICE:  still waiting for the report of foreign table "slow" after 1\d s\n/,
	'with a notice meanwhile');
like($result->{err}, qr/says of report \S+: \w+ \(asked (?:once|\d+ times)\)\.\nHINT:  The last report of this table took \d s\./,
	'that says what to expect');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $silent->backend . ')');
like($silent->finish->{err}, qr/said of report \S+: Pending \(asked 2 times\)\.  The service could not be asked for the last \d+ s\.\n/,
	'and whether the service answers');

$emulator->fault({ endpoint => 'download', rate => 500, times => 1 });
my $busy = PinsightBackground->start($node, 'SELECT count(*) FROM busy');
my $rows = '';
for (1 .. 100)
{
	$rows = $node->safe_psql('postgres', q(
		SELECT rows FROM pinsight_jobs
		WHERE phase = 'downloading' AND downloaded > 0 AND foreign_table = 'busy'::regclass));
	last if $rows || $busy->over;
	sleep(0.1);
}
ok($rows && $rows < 400, "pinsight_jobs counts rows while they arrive: $rows");
$node->safe_psql('postgres',
	q(SELECT pg_cancel_backend(pid) FROM pinsight_jobs WHERE foreign_table = 'busy'::regclass));
$busy->finish;
is($node->safe_psql('postgres', 'SELECT count(*) FROM busy'), 400, 'all of them, later');
is($node->safe_psql('postgres',
		q(SELECT rows FROM pinsight_snapshots WHERE foreign_table = 'busy'::regclass)),
	400, 'as pinsight_snapshots says');

$node->stop;
$_->stop foreach $emulator, $mute;
done_testing();
