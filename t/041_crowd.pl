# A crowd: sessions that read four tables at a time, over and over, from a
# service with faults of all kinds.  Every answer is right or an error that says
# why, nothing hangs, and no session grows.  The seed is told, and taken from
# PINSIGHT_SEED; PINSIGHT_CROWD_SESSIONS=16 PINSIGHT_CROWD_SECONDS=300 make it
# large and long.

use strict;
use warnings;

use FindBin;
use List::Util qw(max);
use Time::HiRes qw(sleep time);
use lib $FindBin::RealBin;

use PinsightBackground;
use PinsightEmulator;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $sessions = $ENV{PINSIGHT_CROWD_SESSIONS} || 4;
my $seconds = $ENV{PINSIGHT_CROWD_SECONDS} || 5;
my $seed = srand($ENV{PINSIGHT_SEED} || int(time()));
note("PINSIGHT_SEED=$seed");

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 150, '--report-delay', '0.1',
		'--quota-execute-now', 1_000_000, '--quota-reports', 1_000_000 ]);
my $node = $emulator->node('crowd', conf => "max_connections = 60\n",
	server => "poll_interval '50 ms', max_concurrent_reports '12', request_timeout '2 s'");
my @timespans = qw(LIFETIME LAST_6_MONTHS LAST_3_MONTHS LAST_MONTH);
my @tables = map { "t$_" } 0 .. $#timespans;
$emulator->create_table($node, $tables[$_], 'month date, service_name text',
	"dataset 'AzureUsage', timespan '$timespans[$_]'") foreach 0 .. $#tables;
$node->safe_psql('postgres', q(CREATE TABLE whole (month date, service_name text)
	PARTITION BY LIST (service_name)));
foreach my $i (0 .. $#tables)
{
	$emulator->create_table($node, "part$i", 'month date, service_name text',
		"dataset 'AzureUsage', timespan '$timespans[$i]'");
	$node->safe_psql('postgres', "ALTER TABLE whole ATTACH PARTITION part$i FOR VALUES IN ('$i')");
}

my @statements = (
	'SELECT count(*), count(service_name), max(month) FROM whole',
	'SELECT count(*), min(service_name) FROM ('
	  . join(' UNION ALL ', map { "SELECT * FROM $_" } @tables) . ') u',
	'SELECT ' . join(', ', map { "(SELECT count(*) FROM $_)" } @tables),
	'SELECT count(*) FROM t0 JOIN t1 USING (month, service_name)'
	  . ' LEFT JOIN t2 USING (month, service_name) LEFT JOIN t3 USING (month, service_name)',
	'SELECT count(*) >= 0 FROM (SELECT FROM whole LIMIT 1) l');
my @answers = map { $node->safe_psql('postgres', $_) } @statements;

# Every statement of a session answers with its number and its rows; at times
# it is cancelled.  What the session has is told after a while and at the end.
$node->safe_psql('postgres', q(CREATE FUNCTION possessions() RETURNS text LANGUAGE sql AS $$
	SELECT format('descriptors %s memory %s', (SELECT count(*) FROM pg_ls_dir('/proc/self/fd')),
		(SELECT sum(total_bytes) FROM pg_backend_memory_contexts)) $$));
sub script
{
	my @script = ("SET statement_timeout = 0");
	foreach my $i (1 .. 100 * $seconds)
	{
		my $n = int(rand(@statements));
		my $age = rand() < 0.5 ? '0' : '2 s';
		push @script, "SET pinsight_fdw.max_age = '$age'";
		push @script, 'SET statement_timeout = ' . (rand() < 0.2 ? 1 + int(rand(400)) : 0);
		push @script, $statements[$n] =~ s/^SELECT/SELECT 'answer $n',/r;
		push @script, q(SET statement_timeout = 0; SELECT possessions()) if $i % 10 == 0;
	}
	return join(";\n", @script);
}

my @faults = (
	sub { { endpoint => 'any', status => 503 } },
	sub { { endpoint => 'any', drop_before => JSON::PP::true } },
	sub { { endpoint => 'executions', drop_after => JSON::PP::true } },
	sub { { endpoint => 'create_report', drop_after => JSON::PP::true } },
	sub { { endpoint => 'create_query', drop_after => JSON::PP::true } },
	sub { { endpoint => 'executions', delay_ms => int(rand(500)) } },
	sub { { endpoint => 'download', reset_after => int(rand(400)) } },
	sub { { endpoint => 'download', rate => 5000 } },
	sub { { endpoint => 'download', garble => JSON::PP::true } },
	sub { { endpoint => 'download', expired_link => JSON::PP::true } },
	sub { { endpoint => 'list_reports', wrong_json => JSON::PP::true } },
	sub { { endpoint => 'delete_query', hang_ms => int(rand(3000)) } },
	sub { { endpoint => 'token', status => 500 } });

my $folder = $node->data_dir . '/pinsight_fdw';
my @crowd = map { PinsightBackground->start($node, script()) } 1 .. $sessions;
my $began = time();
my $struck = 0;
while (time() - $began < $seconds)
{
	$emulator->fault($faults[ int(rand(@faults)) ]->());
	$struck++;
	if ($struck % 20 == 0)
	{
		$emulator->clear_log;
		unlink(glob("$folder/*.budget"));    # the hour is long over
	}
	sleep(0.05 + rand(0.3));
}
$emulator->control('DELETE', '/faults');
kill('TERM', $_->backend) foreach @crowd;
my @results = map { $_->finish(20) } @crowd;

my ($right, $wrong, $failed, $left, $unknown) = (0, 0, 0, 0, 0);
my (@descriptors, @memory);
foreach my $result (@results)
{
	my @own;
	foreach my $line (split(/\n/, $result->{out}))
	{
		if ($line =~ /^answer (\d+)\|(.*)$/)
		{
			$2 eq $answers[$1] ? $right++ : ($wrong++, diag("$line, not $answers[$1]"));
		}
		push @own, [ $1, $2 ] if $line =~ /^descriptors (\d+) memory (\d+)/;
	}
	if (@own > 2)
	{
		push @descriptors, $own[-1][0] - $own[1][0];
		push @memory, $own[-1][1] - $own[1][1];
	}
	foreach my $line (grep { /ERROR:|FATAL:|PANIC:/ } split(/\n/, $result->{err}))
	{
		if ($line =~ /canceling statement|terminating connection/) { $left++; }
		elsif ($line =~ /server "partner":|lock file .* was removed/) { $failed++; }
		else { $unknown++; diag($line); }
	}
}
note("$sessions sessions, $struck faults: $right answers, $failed errors, $left left");
diag("$sessions sessions, $struck faults: $right answers, $failed errors, $left left, "
	. 'at most ' . max(0, @descriptors) . ' descriptors and ' . int(max(0, @memory) / 1024) . ' kB more')
  if $seconds > 60;
is($wrong, 0, 'no answer is wrong');
is($unknown, 0, 'every error is one that the service gives reason for');
cmp_ok($right, '>', 0, 'and there are answers');
cmp_ok($failed, '<', $right / 4, '... and few errors');
cmp_ok(max(0, @descriptors), '<=', 6, 'no session collects descriptors');
cmp_ok(max(0, @memory), '<', 2 * 1024 * 1024, 'nor memory');

is_deeply([ map { glob("$folder/*.$_") } qw(part turn lock new) ], [], 'no file is left of any');
is($node->safe_psql('postgres', "SET pinsight_fdw.max_age = '0'; $statements[$_]"), $answers[$_],
	"statement $_ is right afterwards") foreach 0 .. $#statements;

$node->stop;
$emulator->stop;
done_testing();
