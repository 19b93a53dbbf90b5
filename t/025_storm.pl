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

my $rounds = $ENV{PINSIGHT_ROUNDS} || 200;
my $seed = srand($ENV{PINSIGHT_SEED} || int(time()));
note("PINSIGHT_SEED=$seed");

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 150, '--report-delay', '0.03' ]);
my $node = $emulator->node('storm',
	conf => "pinsight_fdw.max_age = ''\nrestart_after_crash = on",
	server => "poll_interval '10 ms'");
my $cache = $node->data_dir . '/pinsight_fdw';

my @others = qw(CustomerName MpnId UsageUnits);
$emulator->create_table($node, "usage_$_",
	"month date, x text OPTIONS (column_name '$others[$_]')",
	"dataset 'AzureUsage', timespan 'LIFETIME'") foreach 0 .. $#others;

$emulator->create_table($node, 'calm', 'month date', "dataset 'AzureUsage', timespan 'LIFETIME'");

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

# The scans under way.  Each ends with its answer, or with an error if it was
# struck.
my @pool;
my %struck;
my ($wrong, $failed, $right) = (0, 0, 0);
my $excuse = qr/canceling statement|terminating connection|server closed the connection|the database system is|could not connect|Connection refused/;

sub start_scan
{
	my $n = int(rand(@others));
	my $age = rand() < 0.7 ? '0' : '1 day';

	push @pool, { answer => $answers[$n],
		scan => PinsightBackground->start($node,
			"SET client_min_messages = warning; SET pinsight_fdw.max_age = '$age'; " . sql($n)) };
	return;
}

sub judge
{
	my ($one) = @_;
	my $result = $one->{scan}->finish;
	my $name = $one->{scan}{name};

	if ($result->{err} eq '' && $result->{out} eq $one->{answer})
	{
		$right++;
	}
	elsif ($result->{err} =~ $excuse &&
		($result->{out} eq '' || $result->{out} eq $one->{answer}))
	{
		$failed++;
	}
	else
	{
		$wrong++;
		diag("$name" . ($struck{$name} ? ', struck' : '') . ": $result->{out} $result->{err}");
	}
	return;
}

# SIGKILL of a backend ends them all.
sub crash
{
	my $scan = $pool[0]{scan};

	$struck{$_->{scan}{name}} = 1 foreach @pool;
	eval { kill('KILL', $scan->backend) if !$scan->over };
	eval { $observer->quit };
	judge($_) foreach splice(@pool);
	$node->poll_query_until('postgres', 'SELECT true') or die "no restart\n";
	$observer = PinsightSession->new($node);
	return;
}

my $began = time();
foreach my $round (1 .. $rounds)
{
	start_scan() foreach 1 .. 1 + int(rand(2));
	start_scan() while @pool < 4;
	sleep(rand(0.06));
	if ($round % 50 == 0)
	{
		crash();
		next;
	}
	$struck{ strike(rand() < 0.5 ? 'pg_cancel_backend' : 'pg_terminate_backend') } = 1
	  if rand() < 0.8;
	my @over = grep { $_->{scan}->over } @pool;
	@pool = grep { !$_->{scan}->over } @pool;
	judge($_) foreach @over;
	judge(shift @pool) while @pool > 8;
}
judge($_) foreach splice(@pool);
note(sprintf('%d rounds in %.1f s: %d answers, %d struck', $rounds, time() - $began, $right,
		$failed));
unlike(slurp_file($node->logfile), qr/was terminated by signal (?!9:)/, 'no backend crashes by itself');
is($wrong, 0, 'every answer is right');
cmp_ok($right, '>', $rounds / 2, 'and there are many');
cmp_ok($failed, '>', $rounds / 20, 'though not all');

# --- what is left is what jobs name, and goes with a sweep

my %names = map { $_ => 1 } $emulator->held;
cmp_ok(scalar(keys %names), '<=', scalar(my @jobs = files('job')),
	'each need that has something left at the service has a job that says so');
is($node->safe_psql('postgres', q(
		ALTER SERVER partner OPTIONS (SET poll_interval '1.2 s');
		SET pinsight_fdw.sweep_age = 0; SET pinsight_fdw.max_age = 0;
		SELECT count(*) FROM calm)), 150, 'a scan that sweeps');
is_deeply([ $emulator->held ], [], 'nothing is left at the service');
is_deeply([ files('part'), files('new'), files('lock'), files('job') ], [], 'no file is left of any scan');
my %kept = map { s/\.snapshot$//r => 1 } files('snapshot');
is(scalar(keys %kept), 1 + @others, 'but the rows of each table');
is_deeply([ grep { !$kept{s/\.hits$//r} } files('hits') ], [], 'and nothing is counted that is gone');
is($node->safe_psql('postgres', sql($_)), $answers[$_], "table $_ is right after the storm")
  foreach 0 .. $#others;

$observer->quit;
$node->stop;
$emulator->stop;
done_testing();
