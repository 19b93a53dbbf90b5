# Memory that runs out anywhere on the way from a statement to its rows ends that
# statement at most: the next one of the session has all rows, and no descriptor
# and no lock stays behind.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Config;
use File::Temp qw(tempdir);
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Allocations that fail, one at a time, from the first: PINSIGHT_ALLOCATIONS says
# how many.  By these the report's job has been taken and its first request sent.
my $allocations = $ENV{PINSIGHT_ALLOCATIONS} || 64;

my $library = tempdir(CLEANUP => 1) . '/no_memory.so';
my $compiler = (split(' ', `pg_config --cc`))[0] || $Config{cc};
system($compiler, '-O1', '-shared', '-fPIC', '-o', $library, "$FindBin::RealBin/no_memory.c", '-ldl') == 0
  or plan skip_all => "$compiler makes no library to be preloaded";

my $emulator = PinsightEmulator->new(options => [ '--rows', 50, '--report-delay', 0 ]);
my $node;
{
	local $ENV{LD_PRELOAD} = $library;
	$node = $emulator->node('no_memory', server => "poll_interval '10 ms', wait_timeout '5 s'",
		conf => "jit = off\n");
}
$emulator->create_table($node, 'usage', 'month date, customer_name text', "dataset 'AzureUsage'");

my $session = PinsightSession->new($node);
my $pid = $session->rows('SELECT pg_backend_pid()');
my $query = 'SELECT count(*), count(customer_name) FROM usage';
my $answer = $session->rows($query);
my %said;

# The rows, or the error, when the nth allocation fails; 0: none does.
sub ask
{
	my ($n) = @_;
	my ($rows, $errors) = $session->both("SELECT pg_stat_file('/no_memory/$n', true) IS NULL; $query");

	return $errors =~ /^ERROR: *(.*)/m ? $1 : $rows =~ s/^t\n//r;
}

sub descriptors { return scalar(my @fds = glob("/proc/$pid/fd/*")); }

# All that is kept for later is there by then.
is($session->rows($query), $answer, 'there are rows');
my $before = descriptors();
my @wrong;

foreach my $n (1 .. $allocations)
{
	$said{ ask($n) }++;
	next if $n % 10 != 0 && $n != $allocations;
	push @wrong, "up to $n" if ask(0) ne $answer;
}
note("$said{$_} times: $_") foreach sort keys %said;
cmp_ok($said{$answer} // 0, '<', $allocations, 'memory ran out');
is(join(', ', @wrong), '', 'and the next statement has all rows');
is(descriptors(), $before, 'no descriptor stays open');

done_testing();
