# Leaving: a scan that is cancelled ends at once, wherever it is, leaves nothing
# behind, and the next one finds its report again.

use strict;
use warnings;

use FindBin;
use IPC::Run qw(start finish);
use List::Util qw(max sum);
use Time::HiRes qw(time);
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A cancel shall be over within 200 ms.  A machine that is busy with other
# things may need longer, so this is what fails; what was measured is printed.
my $limit = 1.0;

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 2000, '--report-delay', '0' ]);
my $node = $emulator->node('cancel', server => "poll_interval '20 ms'",
	conf => "pinsight_fdw.max_age = '1 hour'\n");
$emulator->create_table($node, 'usage',
	'subscription_id uuid, month date, service_name text, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
my $select = 'SELECT count(*) FROM usage';

# As at the start: no faults, no queries or reports on either side, an empty log.
sub restart
{
	my ($switches, @faults) = @_;
	$emulator->reset;
	$emulator->forget($node);
	$emulator->switches($switches) if %$switches;
	$emulator->fault(\@faults) if @faults;
	return;
}

# Files of reports that did not come to their end.
sub unfinished { return scalar(my @parts = glob($node->data_dir . '/pinsight_fdw/*.part')); }

sub requests { return scalar(my @found = $emulator->log(@_)); }

# Queries and reports the service holds.
sub held
{
	my $state = $emulator->state;
	return scalar(@{ $state->{queries} }) + scalar(@{ $state->{reports} });
}

# --- every phase, every way to leave

# Where the scan hangs, and what there is then: 0, no report; 1, one that the next
# scan finds again; 2, its rows, which the next scan reads.
my $scan = $select;
my $parse = 'SELECT count(u.month) FROM generate_series(1, 100000) i'
	. q( LEFT JOIN usage u ON u.month > '2000-01-01'::date + i);
my $looping = q(SET enable_hashjoin = off; SET enable_mergejoin = off;
	SET enable_material = off; SET enable_memoize = off; SET jit = off);
my @phases = (
	[ 'sign-in', 0, $scan, {}, { endpoint => 'token', hang_ms => 20000 } ],
	[ 'creating the query', 0, $scan, {},
		{ endpoint => 'create_query', hang_ms => 20000 } ],
	[ 'creating the report', 0, $scan, {},
		{ endpoint => 'create_report', hang_ms => 20000 } ],
	[ 'creating the report, which is done', 1, $scan, {},
		{ endpoint => 'create_report', stall_after => 5, hang_ms => 20000 } ],
	[ 'a poll', 1, $scan, {}, { endpoint => 'executions', hang_ms => 20000 } ],
	[ 'the wait between polls', 1, $scan, { execution_outcome => 'stuck' } ],
	[ 'the wait for a busy service', 1, $scan, {},
		{ endpoint => 'executions', times => 0, status => 503,
			headers => { 'Retry-After' => '30' } } ],
	[ 'the wait for the file', 1, $scan, {},
		{ endpoint => 'download', hang_ms => 20000 } ],
	[ 'the download', 1, $scan, {}, { endpoint => 'download', rate => 500 } ],
	[ 'a silent download', 1, $scan, {},
		{ endpoint => 'download', stall_after => 500, hang_ms => 20000 } ],
	[ 'reading the file', 2, $parse, {} ],
	[ 'deleting the report', 2, $scan, {},
		{ endpoint => 'delete_report', hang_ms => 20000 } ],
	[ 'deleting the query', 2, $scan, {},
		{ endpoint => 'delete_query', hang_ms => 20000 } ]);

# Runs a statement that a later moment ends; returns how long that took.
# Long enough for the phase to be reached on a busy machine.
my $moment = 0.6;

sub seconds_to_leave
{
	my ($session, $statement, $how) = @_;
	my $pid = $session->rows('SELECT pg_backend_pid()');
	my ($when, $ends);

	if ($how eq 'statement_timeout')
	{
		my $begun = time();
		my $error = $session->error(sprintf('SET statement_timeout = %d; %s', 1000 * $moment, $statement));
		$ends = time() - $begun - $moment;
		is($error->{sqlstate}, '57014', "... is cancelled");
		$session->rows('RESET statement_timeout');
		return $ends;
	}
	my @psql = ($node->installed_command('psql'), '-XAtq', '-d',
		$node->connstr('postgres'), '-c', "SELECT pg_sleep($moment)", '-c',
		"SELECT extract(epoch FROM clock_timestamp()) FROM $how($pid)");
	my $other = start(\@psql, '<', \undef, '>', \$when, IPC::Run::timeout(30));
	my $error = $session->error($statement);
	$ends = time();
	finish($other);
	is($error->{sqlstate}, '57014', "... is cancelled");
	$when =~ s/\s//g;
	return $ends - $when;
}

my %took;
foreach my $phase (@phases)
{
	my ($name, $ordered, $statement, $switches, @faults) = @$phase;

	foreach my $how (qw(statement_timeout pg_cancel_backend))
	{
		my $session = PinsightSession->new($node);

		restart($switches, @faults);
		$session->rows($looping) if $statement eq $parse;
		my $seconds = seconds_to_leave($session, $statement, $how);
		push @{ $took{$how} }, $seconds;
		cmp_ok($seconds, '<', $limit,
			sprintf('%s: %s within %.0f ms', $how, $name, 1000 * $seconds));
		is(unfinished(), 0, '... no file');

		# What came of it.
		$emulator->control('DELETE', '/faults');
		$emulator->switches({ execution_outcome => 'complete' });
		my $created = requests(endpoint => 'create_report', status => 200);

		is($created, $ordered > 0 ? 1 : 0, '... as many reports as expected');
		if ($switches->{execution_outcome})
		{
			# that report will not complete any more
			my $error = $session->error("SET statement_timeout = '300ms'; $select");
			is(requests(endpoint => 'create_report'), 1, '... is waited for again');
		}
		else
		{
			is($session->rows($select), 2000, '... the next scan has all rows');
			is(requests(endpoint => 'create_report', status => 200) - $created,
				$ordered ? 0 : 1, '... of the same report');
			$session->rows("SELECT count(*) FROM pinsight_cleanup('partner', '0 s')");
			is(held(), 0, '... and what is left can be cleaned up');
		}
		$session->quit;
	}

	# And for good.
	restart($switches, @faults);
	my ($out, $said, $when);
	my @psql = ($node->installed_command('psql'), '-XAtq', '-d',
		$node->connstr('postgres'));
	my $victim = start([ @psql, '-c', "SET application_name = 'victim'", '-c',
			$looping, '-c', $statement ],
		'<', \undef, '>', \$out, '2>', \$said, IPC::Run::timeout(30));
	my $other = start([ @psql, '-c', 'SELECT pg_sleep(0.4)', '-c',
			q(SELECT extract(epoch FROM clock_timestamp()), pg_terminate_backend(pid)
				FROM pg_stat_activity WHERE application_name = 'victim') ],
		'<', \undef, '>', \$when, IPC::Run::timeout(30));
	finish($victim);
	my $ended = time();
	finish($other);
	my ($told) = $when =~ /([0-9.]+)\|t/;
	like($said, qr/terminating connection due to administrator command/,
		"pg_terminate_backend: $name");
	push @{ $took{pg_terminate_backend} }, $ended - $told;
	cmp_ok($ended - $told, '<', $limit,
		sprintf('... within %.0f ms', 1000 * ($ended - $told)));
}
foreach my $how (sort keys %took)
{
	diag(sprintf('%s: %.0f ms on average, %.0f ms at most', $how,
			1000 * sum(@{ $took{$how} }) / @{ $took{$how} }, 1000 * max(@{ $took{$how} })));
}
is(unfinished(), 0, 'no file is left of terminated scans');

# --- nothing is left

my $session = PinsightSession->new($node);
my $pid = $session->rows('SELECT pg_backend_pid()');

# Descriptors, memory contexts, and what malloc has.
sub possessions
{
	my $contexts = $session->rows(q(SELECT string_agg(format('%s %s %s', name, level, n),
			E'\n' ORDER BY name, level)
		FROM (SELECT name, level, count(*) AS n
			FROM pg_backend_memory_contexts GROUP BY 1, 2) c));
	my $descriptors = $session->rows(
		q(SELECT count(*) FROM pg_ls_dir('/proc/self/fd')));
	my $files = unfinished();
	my $memory = slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0;

	return { contexts => $contexts, descriptors => $descriptors,
		files => $files, memory => $memory };
}

# Does that once to fill caches, then often, and compares.
sub leaves_nothing
{
	my ($name, $often) = @_;

	$often->(10);
	my $before = possessions();
	$before = possessions();
	$often->(50);
	my $after = possessions();
	is($after->{contexts}, $before->{contexts}, "$name: same memory contexts");
	is($after->{descriptors}, $before->{descriptors}, '... same descriptors');
	is($after->{files}, 0, '... no temporary file');
	cmp_ok($after->{memory} - $before->{memory}, '<', 1024,
		sprintf('... %d kB more memory', $after->{memory} - $before->{memory}));
	return;
}

# Scans that are cancelled at any time, from the sign-in on to the last row.
sub cancel_often
{
	my ($times) = @_;
	foreach my $i (1 .. $times)
	{
		my $timeout = 5 + 3 * ($i % 20);
		my ($out, $error) = $session->both(
			"SET statement_timeout = ${timeout}; $select");
		die $error if $error =~ /ERROR/ && $error !~ /57014/;
	}
	$session->rows('RESET statement_timeout');
	return;
}

restart({}, { endpoint => 'download', times => 0, rate => 200000 });
leaves_nothing('cancelled at any time', \&cancel_often);
restart({ execution_outcome => 'stuck' });
leaves_nothing('cancelled while waiting', \&cancel_often);

# Errors that a function catches, at all stages: refused sign-in, query and
# report, broken file, bad cell; each leaves another ticket, engine and file.
$session->rows(q(CREATE FUNCTION try(times int) RETURNS int LANGUAGE plpgsql AS $$
	DECLARE n int := 0; v bigint;
	BEGIN
		FOR i IN 1 .. times LOOP
			BEGIN
				SELECT count(month + 0) / 0 INTO v FROM usage;
			EXCEPTION WHEN OTHERS THEN
				n := n + 1;
			END;
		END LOOP;
		RETURN n;
	END $$));
my @errors = (
	[ 'refused queries' => { endpoint => 'create_query', status => 400 } ],
	[ 'refused reports' => { endpoint => 'create_report', status => 400 } ],
	[ 'refused polls' => { endpoint => 'executions', status => 400 } ],
	[ 'refused downloads' => { endpoint => 'download', status => 400 } ],
	[ 'broken files' => { endpoint => 'download', status => 200,
			body => "SubscriptionId,Month,ServiceName,CustomerName\n,x,,\n" } ],
	[ 'errors behind the scan' => { endpoint => 'list_queries', delay_ms => 0 } ]);
foreach my $case (@errors)
{
	my ($name, $fault) = @$case;

	restart({}, { times => 0, %$fault });
	leaves_nothing("exception blocks, $name", sub {
		die if $session->rows("SELECT try($_[0])") != $_[0];
	});
	restart({});
	$session->rows($select);
}
restart({});
leaves_nothing('savepoints', sub {
	$session->rows(join(';', 'BEGIN',
		map { "SAVEPOINT s; $select; ROLLBACK TO s" } 1 .. $_[0] / 10, 'COMMIT'));
	$session->rows('COMMIT');
});

# --- cursors

my $declare = 'DECLARE c CURSOR FOR SELECT month FROM usage';
my @cursors = (
	[ 'ROLLBACK' => "BEGIN; $declare; FETCH 5 FROM c; ROLLBACK" ],
	[ 'COMMIT' => "BEGIN; $declare; FETCH 5 FROM c; COMMIT" ],
	[ 'CLOSE' => "BEGIN; $declare; FETCH 5 FROM c; CLOSE c; COMMIT" ],
	[ 'ROLLBACK TO' => "BEGIN; SAVEPOINT s; $declare; FETCH 5 FROM c; ROLLBACK TO s; COMMIT" ],
	[ 'ROLLBACK of the savepoint it was read in' =>
		"BEGIN; $declare; SAVEPOINT s; FETCH 5 FROM c; ROLLBACK TO s; FETCH 5 FROM c; COMMIT" ],
	[ 'WITH HOLD' => 'BEGIN; DECLARE h CURSOR WITH HOLD FOR SELECT month FROM usage;'
		. ' FETCH 5 FROM h; COMMIT; FETCH 5 FROM h; CLOSE h' ],
	[ 'an error' => "BEGIN; $declare; FETCH 5 FROM c; SELECT 1 / 0; ROLLBACK" ]);
foreach my $case (@cursors)
{
	my ($name, $sql) = @$case;

	leaves_nothing("a cursor ended by $name", sub {
		$session->both($sql) foreach 1 .. $_[0] / 10;
	});
}
$session->rows("BEGIN; $declare");
my $first = $session->rows('FETCH 3 FROM c');
$session->rows('SAVEPOINT s');
my $second = $session->rows('FETCH 3 FROM c');
$session->rows('ROLLBACK TO s');
my $third = $session->rows('FETCH 3 FROM c');
is("$first\n$second\n$third", $session->rows('SELECT month FROM usage LIMIT 9'),
	'a cursor goes on behind a savepoint that is rolled back');
$session->rows('SAVEPOINT s; DECLARE d CURSOR FOR SELECT month FROM usage');
$session->rows('FETCH 1 FROM d');
$session->error('SELECT 1 / 0');
$session->rows('ROLLBACK TO s');
like($session->error('FETCH 1 FROM d')->{message}, qr/"d" does not exist/,
	'one that began in it is gone');
$session->rows('ROLLBACK');

# The end of the session with a cursor open and a report ordered.
$session->rows("BEGIN; $declare; FETCH 1 FROM c");
$session->quit;
is(unfinished(), 0, 'a session that ends with a cursor open leaves no file');
is(held(), 0, 'and nothing is left at the service');

# --- the server stops

restart({ execution_outcome => 'stuck' });
my ($out, $said);
my $waiting = start([ $node->installed_command('psql'), '-XAtq', '-d',
		$node->connstr('postgres'), '-c', $select ],
	'<', \undef, '>', \$out, '2>', \$said, IPC::Run::timeout(30));
$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_activity
	WHERE query LIKE '%FROM usage' AND wait_event IS NOT NULL));
my $begun = time();
$node->stop('fast');
cmp_ok(time() - $begun, '<', 5, 'a waiting scan does not delay a shutdown');
finish($waiting);
like($said, qr/terminating connection/, 'and ends with it');

$emulator->stop;
done_testing();
