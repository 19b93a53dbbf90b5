# Leaving at random moments: a statement over several foreign tables that is
# cancelled or terminated is over at once, whatever it waits for, and the next
# one has all rows.  PINSIGHT_MOMENTS says at how many moments; see
# scripts/measure-leaving.

use strict;
use warnings;

use FindBin;
use List::Util qw(max);
use Time::HiRes qw(sleep time);
use lib $FindBin::RealBin;

use PinsightBackground;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $moments = $ENV{PINSIGHT_MOMENTS} || 20;
# On a quiet machine it is 100 ms; what fails is what cannot be the load.
my $limit = 1.5;
my $seed = srand($ENV{PINSIGHT_SEED} || int(time()));
note("PINSIGHT_SEED=$seed");

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 2000, '--report-delay', '0.1' ]);
# PostgreSQL's compiler heeds no cancel; that is not what is measured.
my $node = $emulator->node('leaving', server => "poll_interval '20 ms'", conf => "jit = off\n");
my @timespans = qw(LIFETIME LAST_6_MONTHS LAST_3_MONTHS LAST_MONTH);
my @tables = map { "t$_" } 0 .. $#timespans;
$emulator->create_table($node, $tables[$_], 'month date, service_name text, customer_name text',
	"dataset 'AzureUsage', timespan '$timespans[$_]'") foreach 0 .. $#tables;
my $union = join(' UNION ALL ', map { "SELECT * FROM $_" } @tables);
my @statements = (
	'SELECT count(*) FROM t0',
	"SELECT count(*) FROM ($union) u",
	'SELECT ' . join(' + ', map { "(SELECT count(*) FROM $_)" } @tables),
	# reads rows for seconds
	'SELECT count(*) FROM t0 a JOIN t0 b ON a.service_name < b.customer_name JOIN t1 c'
	  . ' ON c.service_name > b.customer_name');
# A signal may come before the statement does, which then goes on: so none of
# this lasts for ever.
my @phases = (
	undef, undef,
	{ endpoint => 'token', hang_ms => 3000 },
	{ endpoint => 'create_query', hang_ms => 3000 },
	{ endpoint => 'create_report', hang_ms => 3000 },
	{ endpoint => 'executions', times => 2, hang_ms => 3000 },
	{ endpoint => 'executions', status => 503, headers => { 'Retry-After' => '30' } },
	{ endpoint => 'download', times => 0, rate => 5000 },
	{ endpoint => 'download', times => 2, stall_after => 500, hang_ms => 3000 },
	{ endpoint => 'delete_report', hang_ms => 3000 });

my $session = PinsightSession->new($node);
my $pid = $session->rows('SELECT pg_backend_pid()');
my @answers = map { $session->rows($_) } @statements[ 0 .. 2 ];

# Sends a signal after a while, from a process of its own; tells when.
sub signal_later
{
	my ($signal, $target, $after) = @_;
	pipe(my $in, my $out) or die "pipe: $!\n";
	my $child = fork();
	die "fork: $!\n" if !defined $child;
	if ($child == 0)
	{
		sleep($after);
		my $now = time();
		kill($signal, $target);
		syswrite($out, "$now\n");
		POSIX::_exit(0);
	}
	close($out);
	return sub { my $when = <$in>; waitpid($child, 0); return $when; };
}

# Each returns how long it took, or nothing if the statement was faster.
sub cancel
{
	my ($statement, $after) = @_;
	my $sent = signal_later('INT', $pid, $after);
	my ($out, $said) = $session->both($statement);
	my $ended = time();
	my $when = $sent->();
	# one that comes too late must not befall the next statement
	$session->both('SELECT pg_sleep(0.01)') if $said !~ /57014/;
	die $said if $said =~ /ERROR/ && $said !~ /57014/;
	return $said =~ /57014/ ? $ended - $when : ();
}
sub terminate
{
	my ($statement, $after) = @_;
	my $scan = PinsightBackground->start($node, $statement);
	my $sent = signal_later('TERM', $scan->backend, $after);
	my $result = $scan->finish;
	my $ended = time();
	my $when = $sent->();
	return $result->{err} =~ /terminating connection/ ? $ended - $when : ();
}

my (@took, %slowest);
for (my $i = 0; @took < $moments && $i < 4 * $moments; $i++)
{
	my $fault = $phases[ int(rand(@phases)) ];
	my $statement = $statements[ int(rand(@statements)) ];
	my $way = $i % 5 == 0 ? \&terminate : \&cancel;

	$emulator->reset;
	$emulator->forget($node);
	$emulator->fault($fault) if $fault;
	my @one = $way->($statement, rand(0.5));
	push @took, @one;
	$slowest{ $one[0] } = ($fault ? $fault->{endpoint} : 'no fault') . ", $statement" if @one;
}
@took = sort { $a <=> $b } @took;
sub percentile { return $took[ int($_[0] * $#took / 100 + 0.5) ]; }
diag(sprintf('left at %d moments: 50%% within %.0f ms, 99%% within %.0f ms, all within %.0f ms (%s)',
		scalar(@took), 1000 * percentile(50), 1000 * percentile(99), 1000 * $took[-1],
		$slowest{ $took[-1] }));
cmp_ok(scalar(@took), '>=', $moments, 'statements were left at as many moments as wanted');
cmp_ok(percentile(99), '<', $limit, 'a statement is left at once');

$emulator->control('DELETE', '/faults');
is($session->rows($statements[$_]), $answers[$_], "statement $_ has all rows afterwards")
  foreach 0 .. 2;
my $folder = $node->data_dir . '/pinsight_fdw';
is_deeply([ map { glob("$folder/*.$_") } qw(part turn lock new) ], [], 'and no file is left');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
