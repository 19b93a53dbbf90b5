# Many reports at once: all scans of a plan set out before any waits, so N
# reports take as long as the slowest; what goes wrong with one concerns only
# whoever asks for it; and no more are under way than may be.
#
# PINSIGHT_REPORT_SECONDS=10 makes the reports slower, which shows more clearly
# that their times do not add up.

use strict;
use warnings;

use FindBin;
use List::Util qw(max min sum);
use POSIX ();
use Time::HiRes qw(sleep time);
use lib $FindBin::RealBin;

use PinsightBackground;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{PINSIGHT_REPORT_SECONDS} || 1;
my $emulator = PinsightEmulator->new(
	options => [ '--rows', 400, '--report-delay', '0' ]);
my $node = $emulator->node('many', server => "poll_interval '50 ms'",
	conf => "max_connections = 30\nrestart_after_crash = on\n");
my $session = PinsightSession->new($node);

sub ask { return $session->rows($_[0]); }

my %timespans = (a => 'LIFETIME', b => 'LAST_6_MONTHS', c => 'LAST_3_MONTHS', d => 'LAST_MONTH');
my @tables = sort keys %timespans;
my $columns = 'month date, service_name text, customer_name text';
$emulator->create_table($node, $_, $columns,
	"dataset 'AzureUsage', timespan '$timespans{$_}'") foreach @tables;

# The same four as partitions; what they hold does not matter to PostgreSQL.
ask("CREATE TABLE whole ($columns) PARTITION BY LIST (service_name)");
foreach my $table (@tables)
{
	$emulator->create_table($node, "part_$table", $columns,
		"dataset 'AzureUsage', timespan '$timespans{$table}'");
	ask("ALTER TABLE whole ATTACH PARTITION part_$table FOR VALUES IN ('$table')");
}

my %rows = map { $_ => ask("SELECT count(*) FROM $_") } @tables;
my $sum = sum(values %rows);
cmp_ok(min(values %rows), '>', 0, 'every table has rows');

# As at the start, but the reports take so long.
sub restart
{
	my ($delay, @faults) = @_;
	$emulator->reset;
	$emulator->forget($node);
	$emulator->switches({ report_delay => $delay });
	$emulator->fault(\@faults) if @faults;
	return;
}

# When the requests of a kind came, in seconds.
sub moments { return map { $_->{time_ms} / 1000 } $emulator->log(endpoint => $_[0]); }

sub count { return scalar(my @found = $emulator->log(@_)); }

# Files that only scans under way have.
sub under_way
{
	my $folder = $node->data_dir . '/pinsight_fdw';
	return scalar(my @files = map { glob("$folder/*.$_") } qw(part lock turn));
}

my $union = join(' UNION ALL ', map { "SELECT '$_' AS t, month FROM $_" } @tables);

# --- the times do not add up

my %statements = (
	'a UNION ALL' => [ "SELECT count(*) FROM ($union) u", $sum ],
	'a partitioned table' => [ 'SELECT count(*) FROM whole', $sum ],
	'a join' => [ 'SELECT a.n + b.n + c.n + d.n FROM (SELECT count(*) AS n FROM a) a,'
		  . ' (SELECT count(*) AS n FROM b) b LEFT JOIN LATERAL (SELECT count(*) AS n FROM c'
		  . ' WHERE b.n >= 0) c ON true, (SELECT count(*) AS n FROM d) d', $sum ],
	'a join by hash' => [ 'SELECT count(*) > 0 FROM a JOIN b USING (month, service_name)'
		  . ' JOIN c USING (month, service_name) JOIN d USING (month, service_name)', 't' ],
	'subqueries' => [ 'SELECT ' . join(' + ', map { "(SELECT count(*) FROM $_)" } @tables), $sum ]);
foreach my $name (sort keys %statements)
{
	my ($sql, $result) = @{ $statements{$name} };

	restart($seconds);
	my $began = time();
	is(ask($sql), $result, "$name has its rows");
	my $took = time() - $began;
	cmp_ok($took, '<', $seconds + max(2, 0.3 * $seconds), sprintf('... after %.1f s', $took));
	my @creates = moments('create_report');
	is(scalar @creates, 4, '... of four reports');
	my $spread = max(@creates) - $began;
	cmp_ok($spread, '<', 1.5, sprintf('... all ordered within %.2f s', $spread));
	is(under_way(), 0, '... and nothing is left');
}
restart(0.3);
like(ask("EXPLAIN $union"), qr/Async Foreign Scan/, 'an Append reads them as they become ready');

# --- turned off

ask(q(ALTER SERVER partner OPTIONS (ADD prefetch 'false')));
unlike(ask("EXPLAIN $union"), qr/Async/, 'with prefetch off it does not');
is(ask("SELECT count(*) FROM ($union) u"), $sum, '... and has the same rows');
my @creates = moments('create_report');
my @downloads = moments('download');
cmp_ok($creates[$_], '>', $downloads[$_ - 1], '... one report after the other')
  foreach 1 .. 3;
ask(q(ALTER SERVER partner OPTIONS (DROP prefetch);
	ALTER FOREIGN TABLE d OPTIONS (ADD prefetch 'false')));
restart(0.3);
is(ask('SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b) + (SELECT count(*) FROM d)'),
	$rows{a} + $rows{b} + $rows{d}, 'one table without it');
@creates = moments('create_report');
cmp_ok($creates[2], '>', max((moments('download'))[ 0 .. 1 ]), '... is fetched when it is read');
ask('ALTER FOREIGN TABLE d OPTIONS (DROP prefetch)');

# --- scans that will not run are not fetched: beside one that takes a while

sub reports
{
	my ($name, $sql, $reports) = @_;
	restart(0.3);
	ask($sql);
	is(count(endpoint => 'create_report'), $reports, "$name: $reports");
	return;
}
reports('LIMIT 0', 'SELECT month FROM a UNION ALL (SELECT month FROM b LIMIT 0)', 1);
reports('a condition that is false',
	q(SELECT (SELECT count(*) FROM a), (SELECT max(month) FROM b WHERE current_user = 'nobody')), 1);
reports('one that may be true',
	'SELECT (SELECT count(*) FROM a), (SELECT max(month) FROM b WHERE (SELECT count(*) = 0 FROM a))', 2);
ask(q(SET plan_cache_mode = force_generic_plan;
	PREPARE limited(int) AS SELECT month FROM a UNION ALL (SELECT month FROM b LIMIT $1);
	PREPARE gated(bool) AS SELECT month FROM a UNION ALL SELECT month FROM b WHERE $1;
	PREPARE pruned(text) AS SELECT count(*) FROM whole WHERE service_name = $1;));
reports('LIMIT of a parameter', 'EXECUTE limited(0)', 1);
reports('another one', 'EXECUTE limited(1)', 2);
reports('no LIMIT', 'EXECUTE limited(NULL)', 2);
reports('a condition of a parameter', 'EXECUTE gated(false)', 1);
reports('another one', 'EXECUTE gated(true)', 2);
reports('a partition chosen by a parameter', q(EXECUTE pruned('b')), 1);
reports('a partition chosen by a subquery',
	q(SELECT count(*) FROM whole WHERE service_name = (SELECT 'c' FROM a LIMIT 1)), 2);
ask('RESET plan_cache_mode');
restart(0);
ask("EXPLAIN $_->[0]") foreach values %statements;
is(count(), 0, 'EXPLAIN asks for nothing');

# One report serves all scans that it is enough for.
$emulator->create_table($node, 'narrow', 'month date NOT NULL',
	"dataset 'AzureUsage', timespan 'LIFETIME'");
reports('the same table twice', 'SELECT count(*) FROM a UNION ALL SELECT count(*) FROM a', 1);
reports('a narrower one first', 'SELECT month FROM narrow UNION ALL SELECT month FROM a', 1);
reports('and last', 'SELECT month FROM a UNION ALL SELECT month FROM narrow', 1);

# --- what goes wrong with one

restart(0.5, { endpoint => 'create_report', nth => 3, status => 400, body => 'no' });
my $error = $session->error("SELECT count(*) FROM ($union) u");
like($error->{context} . $error->{message}, qr/report of foreign table "[abcd]"/, 'one that fails is told');
is(under_way(), 0, '... leaves nothing');
$emulator->control('DELETE', '/faults');
is(ask("SELECT count(*) FROM ($union) u"), $sum, '... and next time all have rows');
cmp_ok(count(endpoint => 'create_report', status => 200), '<=', 4, '... without ordering any twice');

foreach my $endpoint (qw(create_query create_report))
{
	restart(0.2, { endpoint => $endpoint, nth => 2, drop_after => JSON::PP::true });
	is(ask('SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b)'), $rows{a} + $rows{b},
		"$endpoint: nobody waits, and its answer is lost");
	is(count(endpoint => $endpoint), 2, '... but what it has made is found');
}

restart(0.5);
ask(q(CREATE FOREIGN TABLE broken (nothing text OPTIONS (column_name 'NoSuchColumn'))
	SERVER partner OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME')));
is(ask('SELECT CASE WHEN (SELECT count(*) FROM a) < 0 THEN (SELECT count(*) FROM broken) ELSE 7 END'), 7,
	'one that is never asked for may fail');
is(count(endpoint => 'create_query'), 2, '... though it was begun');

# In an exception block, with scans around it that go on.
ask(q(CREATE FUNCTION count_of(t text) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE n bigint;
	BEGIN
		EXECUTE format('SELECT count(*) FROM %I', t) INTO n;
		RETURN n;
	EXCEPTION WHEN OTHERS THEN
		RETURN -1;
	END $$));
restart(0.3);
is(ask(q(SELECT count_of('broken') + (SELECT count(*) FROM a) + (SELECT count(*) FROM b))),
	$rows{a} + $rows{b} - 1, 'an error that a function catches does not concern the others');
restart(0.3);
is(ask(q(SELECT sum(count_of(t)) + (SELECT count(*) FROM a) FROM (VALUES ('b'), ('broken'), ('c')) v(t))),
	$rows{a} + $rows{b} + $rows{c} - 1, 'scans within functions');
is(under_way(), 0, 'and nothing is left of them');

restart(0.2, { endpoint => 'download', nth => 2, status => 200,
		body => "Month,ServiceName,CustomerName\n" });
is(ask("SELECT count(*) < $sum FROM ($union) u"), 't', 'one that is empty');

restart(0.2, { endpoint => 'download', nth => 1, hang_ms => 4000 });
my $began = time();
is(ask("SELECT count(*) FROM (SELECT * FROM ($union) u LIMIT 1) v"), 1, 'LIMIT takes what comes first');
cmp_ok(time() - $began, '<', 3, '... and does not wait for the rest');
is(under_way(), 0, '... which is left to the next scan');
restart(0.2, { endpoint => 'download', nth => 1, rate => 3000 });
is(ask("SELECT count(*) FROM ($union) u"), $sum, 'a slow link delays, but that is all');

restart(5);
$error = $session->error("SET statement_timeout = '1s'; SELECT count(*) FROM ($union) u");
is($error->{sqlstate}, '57014', 'one that is cancelled');
is(under_way(), 0, '... leaves nothing');
ask('RESET statement_timeout');
$emulator->control('POST', '/clock', { advance_seconds => 10 });
is(ask("SELECT count(*) FROM ($union) u"), $sum, '... and is picked up');
is(count(endpoint => 'create_report'), 4, '... report by report');

# --- rescans

ask(q(SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
	SET enable_memoize = off));
restart(0.2);
is(ask("SELECT string_agg(n::text, ' ') FROM generate_series(1, 3) i, LATERAL
	(SELECT count(*) AS n FROM ($union) u WHERE i > 0) x"), "$sum $sum $sum", 'rescans of an Append');
is(count(endpoint => 'create_report'), 4, '... of four reports');
restart(0.2, { endpoint => 'download', nth => 1, hang_ms => 800 });
is(ask("SELECT string_agg(n::text, ' ') FROM generate_series(1, 3) i, LATERAL
	(SELECT count(*) AS n FROM (SELECT * FROM ($union) u LIMIT i) v) x"), '1 2 3',
	'rescans while some are still on their way');
is(ask("SELECT count(*) FROM generate_series(1, 3) i, LATERAL (SELECT * FROM whole WHERE i > 0) x"),
	3 * $sum, 'rescans of partitions');
ask('RESET ALL');

# --- beside children of postgres_fdw

ask(sprintf(q(CREATE EXTENSION postgres_fdw;
	CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw
		OPTIONS (host '%s', port '%s', dbname 'postgres', async_capable 'true');
	CREATE USER MAPPING FOR PUBLIC SERVER loopback;
	CREATE VIEW slow_numbers AS SELECT i, pg_sleep(0.02)::text FROM generate_series(1, 50) i;
	CREATE FOREIGN TABLE numbers (i int) SERVER loopback OPTIONS (table_name 'slow_numbers')),
	$node->host, $node->port));
my $mixed = "SELECT t FROM ($union) u UNION ALL SELECT 'n' FROM numbers"
  . " UNION ALL SELECT 'l' FROM generate_series(1, 5)";
restart(0.5);
like(ask("EXPLAIN $mixed"), qr/Async.*Async.*Async.*Async.*Async/s, 'children of two wrappers');
$began = time();
is(ask("SELECT string_agg(t || n, ' ' ORDER BY t) FROM (SELECT t, count(*) AS n FROM ($mixed) m GROUP BY 1) g"),
	join(' ', map { "$_$rows{$_}" } @tables) . ' l5 n50', '... have their rows');
my $took = time() - $began;
cmp_ok($took, '<', 4, sprintf('... after %.1f s', $took));
restart(0.3);
is(ask("SELECT count(*) FROM ($mixed LIMIT 3) m"), 3, '... with a LIMIT');
is(ask("SELECT count(*) FROM generate_series(1, 2) i, LATERAL (SELECT FROM ($mixed) m WHERE i > 0) x"),
	2 * ($sum + 55), '... and again');

# --- a cursor that nobody reads holds up nobody

restart(0.5);
ask("BEGIN; DECLARE c CURSOR FOR SELECT * FROM ($union) u");
is(under_way(), 0, 'a cursor that was only declared has begun nothing');
ask("FETCH 1 FROM c");
is(under_way(), 0, 'one that is not read now keeps no report from others');
$began = time();
my $other = PinsightSession->new($node);
is($other->rows("SELECT count(*) FROM ($union) u"), $sum, '... which they get');
cmp_ok(time() - $began, '<', 4, '... soon');
$other->quit;
my $fetched = 1 + scalar(split(/\n/, ask('FETCH ALL FROM c')));
is($fetched, $sum, '... and so does the cursor, later');
ask('COMMIT');

# --- a client that does not read its rows: its session has what it has begun

restart(0, { endpoint => 'download', nth => 2, hang_ms => 2000 });
pipe(my $unread, my $rows_out) or die "pipe: $!\n";
my $sleeper = fork() // die "fork: $!\n";
if ($sleeper == 0)
{
	open(STDOUT, '>&', $rows_out) or POSIX::_exit(2);
	open(STDERR, '>', '/dev/null') or POSIX::_exit(2);
	exec($node->installed_command('psql'), '-XAtq', '-d', $node->connstr('postgres'), '-c',
		q(COPY (SELECT repeat('x', 1000), generate_series(1, 50)
			FROM (SELECT month FROM a UNION ALL SELECT month FROM b) u) TO STDOUT))
	  or POSIX::_exit(2);
}
close($rows_out);
ok($node->poll_query_until('postgres', q(SELECT count(*) = 1
	FROM pinsight_jobs JOIN pg_stat_activity a USING (pid) WHERE a.wait_event = 'ClientWrite')),
	'a session that waits for its client has a report');
my ($stuck, $holder) = split(/\|/, ask('SELECT foreign_table, pid FROM pinsight_jobs'));
ask(q(ALTER SERVER partner OPTIONS (ADD wait_timeout '300 ms')));
$error = $session->error("SELECT count(*) FROM $stuck");
like($error->{detail}, qr/^Process $holder works on it, at the step "[\w ]+"\.$/,
	'... which is told to whoever needs it, too');
like($error->{hint}, qr/ClientWrite/, '... and what to look for');
ask(q(ALTER SERVER partner OPTIONS (DROP wait_timeout)));
ask("SET pinsight_fdw.max_age = '1 hour'; SELECT pg_terminate_backend($holder)");
is(ask("SELECT count(*) FROM $stuck"), $rows{$stuck}, '... and who gets it when that session has ended');
is(count(endpoint => 'create_report'), 2, '... and nothing is ordered twice');
ask('RESET pinsight_fdw.max_age');
close($unread);
waitpid($sleeper, 0);

# --- seen by others

# What those wait for who fetch reports, once they do: between two waits a backend
# works, and has none.
sub waits_for
{
	my ($column) = @_;
	my $found = '';

	for (my $looks = 0; $found eq '' && $looks < 200; $looks++)
	{
		sleep(0.02) if $looks > 0;
		$found = ask("SELECT string_agg(DISTINCT a.$column, ',')
			FROM pinsight_jobs JOIN pg_stat_activity a USING (pid)");
	}
	return $found;
}

restart(1);
my $scan = PinsightBackground->start($node, "SELECT count(*) FROM ($union) u");
$emulator->await(endpoint => 'executions');
sleep(0.3);
is(ask(q(SELECT count(*), count(DISTINCT pid), string_agg(DISTINCT phase, ',')
	FROM pinsight_jobs)), '4|1|waiting', 'pinsight_jobs has all four, and who waits');
is(waits_for('wait_event_type'), 'IPC', '... in an Append');
is($scan->finish->{out}, $sum, '... for their rows');
restart(1);
$scan = PinsightBackground->start($node, 'SELECT count(*) FROM a JOIN b USING (month)');
$emulator->await(endpoint => 'executions');
like(waits_for('wait_event'),
	$node->pg_version >= 17 ? qr/^Pinsight(Report|Reply)$/ : qr/^Extension$/, 'a wait has a name');
$scan->finish;

# --- not more at once than may be

# Most that were under way at one time: ordered, and not yet deleted.
sub most_at_once
{
	my %change;
	my ($now, $most) = (0, 0);

	$change{ $_->{seq} } = 1
	  foreach $emulator->log(endpoint => 'create_report', status => 200);
	$change{ $_->{seq} } = -1
	  foreach $emulator->log(endpoint => 'delete_report');
	foreach my $seq (sort { $a <=> $b } keys %change)
	{
		$now += $change{$seq};
		$most = max($most, $now);
	}
	return $most;
}

restart(0.3);
is(ask("SELECT count(*) FROM ($union) u"), $sum, 'without a bound');
is(most_at_once(), 4, '... all are under way at once');
foreach my $bound (1, 2)
{
	ask("ALTER SERVER partner OPTIONS (" . ($bound == 1 ? 'ADD' : 'SET') . " max_concurrent_reports '$bound')");
	restart(0.3);
	is(ask("SELECT count(*) FROM ($union) u"), $sum, "a bound of $bound");
	is(most_at_once(), $bound, '... is kept');
}
ask(q(ALTER SERVER partner OPTIONS (SET max_concurrent_reports '1')));
restart(60);
my @scans;
foreach my $table (@tables)
{
	push @scans, PinsightBackground->start($node, "SELECT count(*) FROM $table");
	$node->poll_query_until('postgres', 'SELECT count(*) = ' . scalar(@scans)
		. q( FROM pinsight_jobs WHERE phase IN ('waiting', 'waiting for its turn')));
}
like(ask(q(SELECT string_agg(DISTINCT phase, ',') FROM pinsight_jobs)), qr/waiting for its turn/,
	'whoever waits for a turn is seen to');
$emulator->switches({ report_delay => 0.1 });
$emulator->control('POST', '/clock', { advance_seconds => 60 });
is(join(',', map { $_->finish->{out} } @scans), join(',', map { $rows{$_} } @tables),
	'sessions take turns');
is(most_at_once(), 1, '... one at a time');
my @order = map { $_->{body} =~ /TIMESPAN (\w+)/ ? $1 : '?' } $emulator->log(endpoint => 'create_query');
is("@order", join(' ', map { $timespans{$_} } @tables), '... in the order in which they came');

# A killed session's turn comes free.
restart(60);
$scan = PinsightBackground->start($node, 'SELECT count(*) FROM a');
$emulator->await(endpoint => 'executions');
ask(q(SET statement_timeout = '700ms'));
is($session->error('SELECT count(*) FROM b')->{sqlstate}, '57014', 'a turn that does not come');
ask(q(RESET statement_timeout; ALTER FOREIGN TABLE b OPTIONS (ADD wait_timeout '500 ms')));
like($session->error('SELECT count(*) FROM b')->{detail}, qr/max_concurrent_reports.*\(1\)/,
	'... is told as the reason');
is(count(endpoint => 'create_report'), 1, '... and nothing was ordered');
kill('KILL', $scan->backend);
eval { $scan->finish };
$node->poll_query_until('postgres', 'SELECT true');
$emulator->switches({ report_delay => 0 });
$session = PinsightSession->new($node);
is(ask('SELECT count(*) FROM b'), $rows{b}, '... comes when a crash has freed it');
ask(q(ALTER FOREIGN TABLE b OPTIONS (DROP wait_timeout);
	ALTER SERVER partner OPTIONS (DROP max_concurrent_reports)));

# --- wait_timeout counts from when somebody waits

ask(q(ALTER FOREIGN TABLE b OPTIONS (ADD wait_timeout '600 ms')));
restart(1);
is(ask('SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)'), "$rows{a}|$rows{b}",
	'wait_timeout does not count while another report is waited for');
restart(1);
like($session->error('SELECT count(*) FROM b')->{message}, qr/not ready within wait_timeout/,
	'... but then it does');
ask(q(ALTER FOREIGN TABLE b OPTIONS (DROP wait_timeout)));

# --- a slow reader

# Its backend needs no more memory than it did when it had read for the first time,
# but for the windows of four downloads, a megabyte each, which may be filled or not.
my $body = "Month,ServiceName,CustomerName\n" . "2026-01-01,Bandwidth,Contoso Corporation\n" x 20_000;
my $pid = ask('SELECT pg_backend_pid()');
sub memory { return slurp_file("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m ? $1 : 0; }
sub read_slowly
{
	my $most = 0;
	restart(0, { endpoint => 'download', times => 0, status => 200, body => $body });
	ask("BEGIN; DECLARE c CURSOR FOR SELECT * FROM ($union) u");
	foreach my $n (1, (1000) x 5, 60_000, 'ALL')
	{
		ask("MOVE $n IN c");
		$most = max($most, memory());
		sleep(0.05);
	}
	ask('ROLLBACK');
	return $most;
}
my $before = read_slowly();
my $most = max(map { read_slowly() } 1 .. 3);
cmp_ok($most - $before, '<', 4 * 1024 + 512,
	sprintf('a slow reader of %d kB makes %d kB more memory', 4 * 3 * length($body) >> 10, $most - $before));

# --- nothing is left of those that are left at any time

sub possessions
{
	my $contexts = ask(q(SELECT string_agg(format('%s %s', name, n), E'\n' ORDER BY name)
		FROM (SELECT name, count(*) AS n FROM pg_backend_memory_contexts GROUP BY 1) c));
	# without the server's own files, which it opens and closes as it likes
	my @descriptors = grep { $_ && !m{/(?:base|global|pg_\w+)/} }
	  map { readlink } glob("/proc/$pid/fd/*");
	return { contexts => $contexts,
		descriptors => join("\n", sort map { s/\d+//gr } @descriptors) };
}
sub leave_often
{
	foreach my $i (1 .. $_[0])
	{
		my ($out, $said) = $session->both(sprintf('SET statement_timeout = %d; %s', 3 + 7 * $i % 190,
			$i % 2 ? "SELECT count(*) FROM ($union) u" : 'SELECT count(*) FROM a JOIN b USING (month) JOIN c USING (month)'));
		die $said if $said =~ /ERROR/ && $said !~ /57014/;
	}
	ask('RESET statement_timeout');
	return;
}
restart(0.1, { endpoint => 'download', times => 0, rate => 200000 });
leave_often(10);
possessions();
my $old = possessions();
leave_often(40);
my $new = possessions();
is($new->{contexts}, $old->{contexts}, 'left at any time: same memory contexts');
is($new->{descriptors}, $old->{descriptors}, '... same descriptors');
is(under_way(), 0, '... no file');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
