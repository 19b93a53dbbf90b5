# Many sessions, one need: one report, whose rows all of them get, whatever
# happens to the session that ordered it.

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
use Time::HiRes qw(sleep);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 300, '--report-delay', '0.6' ]);
my $node = $emulator->node('sharing',
	conf => "pinsight_fdw.max_age = ''\nrestart_after_crash = on",
	server => "poll_interval '50 ms'");
my $cache = $node->data_dir . '/pinsight_fdw';
my $columns = 'customer_name text, month date, service_name text,
	quantity numeric OPTIONS (column_name \'UsageQuantity\')';

# A table of its own for each case, whose query is no other's: so no snapshot
# serves two of them.
my @others = qw(UsageUnits CustomerMarket SubscriptionId MeterCategory
  CustomerSegment SalesChannel PartnerName ResellerName CustomerTpid MpnId
  MeterName);
my $tables = 0;

sub new_table
{
	my ($options) = @_;
	my $name = 'usage_' . ++$tables;
	my $other = shift(@others);

	$emulator->create_table($node, $name,
		"$columns, other text OPTIONS (column_name '$other')",
		"dataset 'AzureUsage', timespan 'LIFETIME', $options");
	$emulator->clear_log;
	return $name;
}

sub files { return map { s{.*/}{}r } glob("$cache/*"); }

# The emulator makes a dataset's rows when they are first asked for.
$node->safe_psql('postgres', 'SELECT count(*) FROM ' . new_table("max_age '0'"));
my $all = $emulator->truth('SELECT count(*) FROM mpn_AzureUsage');

# --- twenty different statements of ten sessions at once

my $table = new_table("max_age '1 day'");
my @services = split(/\n/, $emulator->truth(
	'SELECT DISTINCT ServiceName FROM mpn_AzureUsage WHERE ServiceName IS NOT NULL ORDER BY 1'));
my @sql = (
	map({ my $n = $_; ["SELECT count(*) FROM $table WHERE quantity > $n",
		  "SELECT count(*) FROM mpn_AzureUsage WHERE CAST(UsageQuantity AS REAL) > $n"] } 0 .. 6),
	map({ my $d = sprintf('2026-%02d-01', $_);
		  ["SELECT count(*), count(customer_name) FROM $table WHERE month >= '$d'",
		  "SELECT count(*), count(CustomerName) FROM mpn_AzureUsage WHERE Month >= '$d'"] } 1 .. 6),
	map({ ["SELECT count(DISTINCT customer_name) FROM $table WHERE service_name <> '$_'",
		  "SELECT count(DISTINCT CustomerName) FROM mpn_AzureUsage WHERE ServiceName <> '$_'"] }
		@services[0 .. 2]),
	["SELECT count(*) FROM $table", 'SELECT count(*) FROM mpn_AzureUsage'],
	["SELECT max(month) FROM $table", 'SELECT max(Month) FROM mpn_AzureUsage'],
	["SELECT service_name FROM $table GROUP BY 1 ORDER BY service_name COLLATE \"C\" LIMIT 1",
		'SELECT ServiceName FROM mpn_AzureUsage GROUP BY 1 HAVING ServiceName IS NOT NULL ORDER BY 1 LIMIT 1'],
	["SELECT count(*) FROM $table a JOIN $table b USING (customer_name) WHERE a.month < b.month",
		'SELECT count(*) FROM mpn_AzureUsage a JOIN mpn_AzureUsage b USING (CustomerName) WHERE a.Month < b.Month']);
is(scalar @sql, 20, 'twenty statements');

my @expected = map { $emulator->truth($_->[1]) } @sql;
$emulator->clear_log;
my @sessions =
  map { PinsightBackground->start($node, "$sql[2 * $_][0]; $sql[2 * $_ + 1][0]") } 0 .. 9;
for my $i (0 .. 9)
{
	my $result = $sessions[$i]->finish;
	is($result->{err}, '', "session $i succeeds");
	is($result->{out}, "$expected[2 * $i]\n$expected[2 * $i + 1]", 'with the right answers');
}
cmp_ok($emulator->count(endpoint => 'token'), '<=', 10, 'at most a token each');
is($emulator->count(endpoint => 'create_query'), 1, 'one query');
is($emulator->count(endpoint => 'create_report'), 1, 'one report');
is($emulator->count(endpoint => 'download'), 1, 'one download');
is_deeply([ $emulator->held ], [], 'nothing is left at the service');
is(scalar(grep { !/\.(snapshot|hits|rows|took|budget)$/ } files()), 0, 'nor here but the rows');
is(scalar(grep { /\.snapshot$/ } files()), 2, 'which are one file more');
sub told
{
	return $node->safe_psql('postgres',
		"SELECT rows, hits FROM pinsight_snapshots WHERE foreign_table = '$table'::regclass");
}
is(told(), "$all|20", 'whose rows are counted, and the scans it has saved a report');
$node->safe_psql('postgres', "SELECT count(*) FROM $table");
is($emulator->count(endpoint => 'create_report'), 1, 'later ones read it, too');
is(told(), "$all|21", 'and are counted');
my $forget = "SELECT pinsight_forget('$table')";
cmp_ok(scalar(grep { /\.hits$/ } files()), '>', 0, 'beside the rows');
is($node->safe_psql('postgres', $forget), 1, 'once the rows are forgotten');
is(scalar(grep { /\.hits$/ } files()), 0, 'so are the scans');

# --- all of them may begin before the report does, with no old rows accepted

$table = new_table("max_age '0'");
@sessions = map { PinsightBackground->start($node, "SELECT count(*) FROM $table") } 1 .. 5;
is(join(' ', map { $_->finish->{out} } @sessions), join(' ', ($all) x 5),
	'max_age 0: five sessions get rows');
cmp_ok($emulator->count(endpoint => 'create_report'), '<=', 2,
	'of the report that was ordered after they asked');

# --- the leader goes

# Starts a leader, waits until its report is ordered, and starts followers.
sub line_up
{
	my ($sql, $followers) = @_;
	my $leader = PinsightBackground->start($node, $sql);

	$leader->backend;
	$emulator->await(endpoint => 'executions');
	my @followers = map { PinsightBackground->start($node, $sql) } 1 .. $followers;
	$_->backend foreach @followers;
	sleep(0.2);
	return ($leader, @followers);
}

sub check_followers
{
	my ($what, @followers) = @_;
	foreach my $follower (@followers)
	{
		my $result = $follower->finish;
		is($result->{err}, '', "$what: a follower succeeds");
		is($result->{out}, $all, "$what: with its rows");
	}
	is($emulator->count(endpoint => 'create_query'), 1, "$what: one query");
	is($emulator->count(endpoint => 'create_report'), 1, "$what: one report");
	is($emulator->count(endpoint => 'download'), 1, "$what: one download");
	is_deeply([ $emulator->held ], [], "$what: nothing is left at the service");
	is(scalar(grep { /\.(job|lock|part|new)$/ } files()), 0, "$what: nor here");
	return;
}

$emulator->switches({ report_delay => 1.5 });
foreach my $function (qw(pg_cancel_backend pg_terminate_backend))
{
	$table = new_table("max_age '1 day'");
	my ($leader, @followers) = line_up("SELECT count(*) FROM $table", 3);
	$node->safe_psql('postgres', "SELECT $function(" . $leader->backend . ')');
	like($leader->finish->{err}, qr/canceling statement|terminating connection/,
		"$function: the leader ends");
	check_followers($function, @followers);
}

# The leader stops, but does not let go: the followers must not order again.
$table = new_table("max_age '1 day', wait_timeout '2 s'");
my ($leader, $follower) = line_up("SELECT count(*) FROM $table", 1);
kill('STOP', $leader->backend);
my $result = $follower->finish;
like($result->{err}, qr/ERROR: .*another session waits for, too, was not ready within wait_timeout \(2 s\)/,
	'a follower waits no longer than wait_timeout');
cmp_ok($result->{secs}, '<', 4, 'in time');
kill('CONT', $leader->backend);
like($leader->finish->{err}, qr/ERROR: .*not ready within wait_timeout/,
	'nor does the leader');
is($node->safe_psql('postgres', "SELECT count(*) FROM $table"), $all,
	'whoever comes later picks the report up');
is($emulator->count(endpoint => 'create_report'), 1, 'and orders nothing');

# A follower that takes over has waited already.
$table = new_table("max_age '1 day', wait_timeout '2 s'");
$emulator->switches({ report_delay => 1000 });
($leader, $follower) = line_up("SELECT count(*) FROM $table", 1);
sleep(0.7);
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(' . $leader->backend . ')');
$leader->finish;
$result = $follower->finish;
like($result->{err}, qr/ERROR: .*: the report was not ready within wait_timeout \(2 s\)/,
	'a follower takes over');
cmp_ok($result->{secs}, '<', 2.8, 'and waits no longer than it would have');
$emulator->switches({ report_delay => 1.5 });
is($node->safe_psql('postgres', "SELECT count(*) FROM pinsight_cleanup('partner', '0')"), 2,
	'what they leave is cleaned up');

# A query that is gone when the report is ordered: the deletion that another scan
# has sent last was still on its way.
$table = new_table("max_age '1 day'");
$emulator->fault({ endpoint => 'create_report', status => 400, times => 1,
		body => '{"statusCode":400,"message":"Invalid QueryId"}' });
is($node->safe_psql('postgres', "SELECT count(*) FROM $table"), $all, 'a query that vanishes is made anew');
is($emulator->count(endpoint => 'create_query'), 2, 'once');
is($emulator->count(endpoint => 'create_report'), 2, 'with another order');

# A follower leaves: nobody minds.
$table = new_table("max_age '1 day'");
($leader, $follower, my $patient) = line_up("SELECT count(*) FROM $table", 2);
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $follower->backend . ')');
like($follower->finish->{err}, qr/canceling statement/, 'a follower can be canceled');
ok(!$leader->over, 'while the leader waits');
check_followers('canceled follower', $leader, $patient);

# SIGKILL of one backend ends all of them.  Those who come back share again.
$table = new_table("max_age '1 day'");
($leader, my @followers) = line_up("SELECT count(*) FROM $table", 2);
kill('KILL', $leader->backend);
$_->finish foreach $leader, @followers;
$node->poll_query_until('postgres', 'SELECT true') or die "no restart\n";
@followers = map { PinsightBackground->start($node, "SELECT count(*) FROM $table") } 1 .. 3;
check_followers('kill -9', @followers);

$node->stop;
$emulator->stop;
done_testing();
