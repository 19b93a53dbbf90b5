# A report outlives the scan that ordered it: after a timeout, a crash in any
# phase, a restart or the loss of the cache directory the same query goes on
# with the same report.

use strict;
use warnings;

use File::Path qw(rmtree);
use FindBin;
use lib $FindBin::RealBin;

use JSON::PP;
use PinsightBackground;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 200, '--report-delay', '0.3' ]);
my %setup = (
	conf => "pinsight_fdw.max_age = ''\nrestart_after_crash = on",
	server => "poll_interval '50 ms'");
my $node = $emulator->node('resume', %setup);
my $cache = $node->data_dir . '/pinsight_fdw';

# A table of its own for each case, whose query is no other's.
my @others = qw(UsageUnits CustomerMarket SubscriptionId MeterCategory ServiceName
  CustomerSegment SalesChannel PartnerName ResellerName CustomerTpid
  UsageQuantity SubscriptionState EnrollmentNumber ResellerID MpnId PGAMpnId
  PartnerAttributionType PartnerLocation);
my $tables = 0;
my $select;

sub define
{
	my ($on, $name, $other) = @_;
	$emulator->create_table($on, $name,
		"customer_name text, month date, other text OPTIONS (column_name '$other')",
		"dataset 'AzureUsage', timespan 'LIFETIME', max_age '1 day'");
	return;
}

sub begin_case
{
	my $other = shift(@others);
	define($node, 'usage_' . ++$tables, $other);
	$select = "SELECT count(*), count(customer_name), min(month) FROM usage_$tables";
	$emulator->reset;
	$emulator->clear_log;
	return $other;
}

# The emulator makes a dataset's rows when they are first asked for.
begin_case();
my $answer = $node->safe_psql('postgres', $select);
is($answer, $emulator->truth(
		'SELECT count(*), count(CustomerName), min(Month) FROM mpn_AzureUsage'),
	'the rows are right');

sub files { return sort map { s{.*/}{}r } glob("$cache/*"); }

# After a case: the service did everything once, and nothing is left.
sub check_once
{
	my ($what) = @_;
	is($emulator->count(endpoint => 'create_query', status => 200), 1, "$what: one query");
	is($emulator->count(endpoint => 'create_report', status => 200), 1, "$what: one report");
	is_deeply([ $emulator->held ], [], "$what: nothing is left at the service");
	is_deeply([ grep { !/\.(snapshot|hits|rows|took|budget)$/ } files() ], [], "$what: nor here");
	return;
}

# --- a tool that gives up after a second, and asks again

begin_case();
$emulator->switches({ report_delay => 4 });
my $tries = 0;
my $began = time();
my ($out, $err) = ('', '');
my $session = PinsightSession->new($node);
$session->rows("SET statement_timeout = '1s'");
while ($tries++ < 20)
{
	($out, $err) = $session->both($select);
	last if $out ne '';
	like($err, qr/canceling statement due to statement timeout/, "try $tries: no answer in time");
	sleep(0.2);
}
is($out, $answer, 'statement_timeout: the answer comes');
cmp_ok($tries, '>=', 4, 'after several tries');
cmp_ok(time() - $began, '<', 8, 'as soon as the report is there');
is($emulator->count(endpoint => 'download'), 1, 'statement_timeout: one download');
check_once('statement_timeout');
$session->quit;

# --- kill -9 in each phase

sub crash
{
	my ($scan) = @_;
	kill('KILL', $scan->backend);
	$scan->finish;
	$node->poll_query_until('postgres', 'SELECT true') or die "no restart\n";
	return;
}

my %faults = (
	'token' => { delay_ms => 1000 },
	'create_query' => { delay_ms => 1000 },
	'create_report' => { delay_ms => 1000 },
	'executions' => { delay_ms => 1500 },
	'download' => { stall_after => 500, hang_ms => 2000 });

foreach my $phase (qw(token create_query create_report executions download))
{
	begin_case();
	$emulator->fault({ endpoint => $phase, %{ $faults{$phase} } });
	my $scan = PinsightBackground->start($node, $select);
	$scan->backend;
	$emulator->await(endpoint => $phase);
	sleep(0.3);
	ok(scalar(grep { /\.part$/ } files()), 'download: the file is growing')
	  if $phase eq 'download';
	crash($scan);
	ok(scalar(grep { /\.job$/ } files()), "$phase: the job is kept");
	is($node->safe_psql('postgres', $select), $answer, "$phase: the next run succeeds");
	check_once($phase);
}

# The service has made the report, but its answer was lost, and so is the scan.
foreach my $phase (qw(create_query create_report))
{
	begin_case();
	$emulator->fault([
		{ endpoint => $phase, drop_after => JSON::PP::true },
		{ endpoint => $phase =~ s/create_(query|report)/{query => 'list_queries', report => 'list_reports'}->{$1}/re,
			nth => 2, hang_ms => 1500 } ]);
	my $scan = PinsightBackground->start($node, $select);
	$scan->backend;
	$emulator->await(endpoint => $phase);
	sleep(0.3);
	crash($scan);
	$emulator->control('DELETE', '/faults');
	is($node->safe_psql('postgres', $select), $answer, "$phase in doubt: the next run succeeds");
	is($emulator->count(endpoint => $phase), 1, "$phase in doubt: sent once");
	is_deeply([ $emulator->held ], [], "$phase in doubt: nothing is left");
}

# While tidying up: the rows are safe, and the job says what is left.
foreach my $phase (qw(delete_report delete_query))
{
	begin_case();
	$emulator->fault({ endpoint => $phase, hang_ms => 3000 });
	my $scan = PinsightBackground->start($node, $select);
	$scan->backend;
	$emulator->await(endpoint => $phase);
	sleep(0.2);
	crash($scan);
	is($node->safe_psql('postgres', $select), $answer, "$phase: the next run reads the rows");
	is($emulator->count(endpoint => 'create_report'), 1, "$phase: one report");
	cmp_ok(scalar($emulator->held), '>', 0, "$phase: something is left at the service");
	ok(scalar(grep { /\.job$/ } files()), "$phase: a job names it");
	$emulator->control('DELETE', '/faults');
	is($node->safe_psql('postgres', "SET pinsight_fdw.max_age = '0'; $select"), $answer,
		"$phase: a new report");
	is_deeply([ $emulator->held ], [], "$phase: leaves nothing behind");
	is_deeply([ grep { /\.job$/ } files() ], [], "$phase: nor a job");
}

# --- a restart of PostgreSQL

foreach my $mode (qw(fast immediate))
{
	begin_case();
	$emulator->switches({ report_delay => 1 });
	my $scan = PinsightBackground->start($node, $select);
	$scan->backend;
	$emulator->await(endpoint => 'executions');
	$node->stop($mode);
	$scan->finish;
	$node->start;
	is($node->safe_psql('postgres', $select), $answer, "stop -m $mode: the next run succeeds");
	check_once("stop -m $mode");
}

# --- the cache directory goes

begin_case();
$emulator->switches({ report_delay => 1 });
my $scan = PinsightBackground->start($node, $select);
$scan->backend;
$emulator->await(endpoint => 'executions');
rmtree($cache);
my $result = $scan->finish;
is($result->{out}, $answer, 'cache directory removed while waiting: the scan goes on');
is(scalar(grep { /\.snapshot$/ } files()), 1, 'and keeps its rows in a new one');
check_once('cache directory');
rmtree($cache);
is($node->safe_psql('postgres', $select), $answer, 'removed between scans');
is($emulator->count(endpoint => 'create_report'), 2, 'the rows are fetched again');

# ... with another session waiting for the same: one of them has it.
begin_case();
$emulator->switches({ report_delay => 2 });
$scan = PinsightBackground->start($node, $select);
$scan->backend;
$emulator->await(endpoint => 'executions');
my $follower = PinsightBackground->start($node, $select);
$follower->backend;
sleep(0.3);
rmtree($cache);
my @results = map { $_->finish } $scan, $follower;
my $right = grep { $_->{out} eq $answer } @results;
my $told = grep { $_->{err} =~ /another session has taken over/ } @results;
cmp_ok($right, '>=', 1, 'removed while two sessions wait: one has the answer');
is($right + $told, 2, 'the other, too, or it is told why not');
check_once('two sessions');

# ... while rows are being read.
$session = PinsightSession->new($node);
$session->rows("BEGIN; DECLARE c CURSOR FOR SELECT customer_name FROM usage_$tables");
$session->rows('FETCH 3 FROM c');
rmtree($cache);
my @rest = split(/\n/, $session->rows('FETCH ALL FROM c'), -1);
is(@rest + 3, (split(/\|/, $answer))[0], 'removed while rows are read: all rows come');
$session->quit;

# --- another cluster finds the report by its name

my $other = begin_case();
my $twin = $emulator->node('twin', %setup);
define($twin, "usage_$tables", $other);
$emulator->clear_log;
$emulator->switches({ report_delay => 1 });
$scan = PinsightBackground->start($node, $select);
$scan->backend;
$emulator->await(endpoint => 'executions');
$node->stop('immediate');
$scan->finish;
is($twin->safe_psql('postgres', $select), $answer, 'another cluster: answers');
is($emulator->count(endpoint => 'create_query'), 1, 'another cluster: with the same query');
is($emulator->count(endpoint => 'create_report'), 1, 'and report');
$node->start;
is($node->safe_psql('postgres', $select), $answer, 'the first one finds it gone and orders anew');
is($emulator->count(endpoint => 'create_report'), 2, 'once');
is_deeply([ $emulator->held ], [], 'nothing is left');

$twin->stop;
$node->stop;
$emulator->stop;
done_testing();
