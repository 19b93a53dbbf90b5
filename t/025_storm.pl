# Scans that are cancelled, terminated and killed at any time, beside others:
# every answer is right, and nothing is left.  The seed is told, and taken from
# PINSIGHT_SEED.

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
use Time::HiRes qw(sleep time);

my $rounds = $ENV{PINSIGHT_ROUNDS} || 100;
my $seconds = 25;
my $seed = srand($ENV{PINSIGHT_SEED} || int(time()));
note("PINSIGHT_SEED=$seed");

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 150, '--report-delay', '0.1' ]);
my $node = $emulator->node('storm',
	conf => "pinsight_fdw.max_age = ''\nrestart_after_crash = on",
	server => "poll_interval '30 ms'");
my $cache = $node->data_dir . '/pinsight_fdw';

my @others = qw(CustomerName MpnId UsageUnits);
$emulator->create_table($node, "usage_$_",
	"month date, x text OPTIONS (column_name '$others[$_]')",
	"dataset 'AzureUsage', timespan 'LIFETIME'") foreach 0 .. $#others;

sub sql { my ($n) = @_; return "SELECT count(*), count(x), min(x COLLATE \"C\"), max(month) FROM usage_$n"; }

my @answers = map { $node->safe_psql('postgres', sql($_)) } 0 .. $#others;
is($answers[$_], $emulator->truth(
		"SELECT count(*), count($others[$_]), min($others[$_]), max(Month) FROM mpn_AzureUsage"),
	"table $_ is right before the storm") foreach 0 .. $#others;

sub files { my ($kind) = @_; my @found = glob("$cache/*.$kind"); return @found; }

# What befalls one of the sessions; returns its name.
my $observer = PinsightSession->new($node);

sub strike
{
	my ($function) = @_;
	return $observer->rows(qq(
		SELECT application_name FROM (
			SELECT application_name, $function(pid) AS done FROM (
				SELECT application_name, pid FROM pg_stat_activity
				WHERE application_name LIKE 'background %'
				ORDER BY random() LIMIT 1) victim) struck
		WHERE done));
}

sub kill_backend
{
	my ($scan) = @_;
	kill('KILL', $scan->backend) if !$scan->over;
	$observer->quit;
	return;
}

my ($wrong, $failed, $right, $done) = (0, 0, 0, 0);
my $began = time();
foreach my $round (1 .. $rounds)
{
	last if time() - $began > $seconds;
	$done++;
	my @scans = map {
		my $n = int(rand(@others));
		my $age = rand() < 0.6 ? '0' : '1 day';
		{ scan => PinsightBackground->start($node,
				"SET pinsight_fdw.max_age = '$age'; " . sql($n)),
			answer => $answers[$n] }
	} 1 .. 1 + int(rand(4));
	my $crash = $round % 25 == 0;
	my $victim = '';

	sleep(rand(0.3));
	if ($crash)
	{
		my $scan = $scans[0]{scan};
		eval { kill_backend($scan) };
		$observer = undef;
	}
	elsif (rand() < 0.8)
	{
		$victim = strike(rand() < 0.5 ? 'pg_cancel_backend' : 'pg_terminate_backend');
	}
	foreach my $one (@scans)
	{
		my $result = $one->{scan}->finish;
		if ($result->{err} eq '' && $result->{out} eq $one->{answer})
		{
			$right++;
			next;
		}
		my $expected = $crash || $one->{scan}{name} eq $victim;
		# who is struck behind the answer has given the right one
		if ($expected && $result->{out} =~ /^(?:\Q$one->{answer}\E)?$/ && $result->{err} =~
			/canceling statement|terminating connection|server closed the connection|the database system is|could not connect|Connection refused/)
		{
			$failed++;
			next;
		}
		$wrong++;
		diag("round $round, $one->{scan}{name}, victim '$victim': $result->{out} $result->{err}");
	}
	next if !$crash;
	$node->poll_query_until('postgres', 'SELECT true') or die "no restart\n";
	$observer = PinsightSession->new($node);
}
note("$done rounds: $right answers, $failed struck");
is($wrong, 0, 'every answer is right');
cmp_ok($right, '>', $done / 2, 'and there are many');
cmp_ok($failed, '>', 5, 'though not all');

# --- what is left is what jobs name, and goes with the next scan or a sweep

is_deeply([ files('new') ], [], 'no file was left under its first name');
my %names = map { $_ => 1 } $emulator->held;
cmp_ok(scalar(keys %names), '<=', scalar(my @jobs = files('job')),
	'each need that has something left at the service has a job that says so');
is($node->safe_psql('postgres', "SET pinsight_fdw.max_age = '0'; " . sql($_)), $answers[$_],
	"table $_ is right after the storm") foreach 0 .. $#others;
is_deeply([ $emulator->held ], [], 'nothing is left at the service');
is_deeply([ files('part'), files('lock'), files('job') ], [], 'no file is left of any scan');
is(scalar(my @kept = files('snapshot')), scalar(@others), 'but the rows of each table');

$observer->quit;
$node->stop;
$emulator->stop;
done_testing();
