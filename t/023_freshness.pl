# How old rows may be: max_age, stale_ok, and what one statement or transaction
# sees.

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
	options => [ '--rows', 50, '--report-delay', '0.1' ]);
my $node = $emulator->node('freshness', conf => "pinsight_fdw.max_age = ''",
	server => "poll_interval '50 ms', wait_timeout '20 s'");
my $columns = q(month date, customer_name text,
	execution text OPTIONS (metadata 'execution_id'),
	generated timestamptz OPTIONS (metadata 'generated_time'));
my $dataset = "dataset 'AzureUsage', timespan 'LIFETIME'";

# The execution that rows come from tells snapshots apart.
my $which = 'SELECT DISTINCT execution FROM usage';

sub reports { return $emulator->count(endpoint => 'create_report'); }
sub requests { return $emulator->count; }

sub server_options
{
	$node->safe_psql('postgres', "ALTER SERVER partner OPTIONS ($_[0])");
	return;
}

sub table_options
{
	$node->safe_psql('postgres', "ALTER FOREIGN TABLE usage OPTIONS ($_[0])");
	return;
}

$emulator->create_table($node, 'usage', $columns, $dataset);
my $session = PinsightSession->new($node);

# --- max_age: of the server, the table, the session

my $first = $session->rows($which);
like($first, qr/^\S+$/, 'rows come from one execution');
is($session->rows($which), $first, 'a day is the default');
is(reports(), 1, 'one report');

server_options("ADD max_age '1 second'");
sleep(1.1);
my $second = $session->rows($which);
isnt($second, $first, 'max_age of the server: too old');
is($session->rows($which), $second, 'or young enough');

table_options("ADD max_age '1 hour'");
sleep(1.1);
is($session->rows($which), $second, 'max_age of the table comes before that');
table_options("SET max_age '0'");
my $third = $session->rows($which);
isnt($third, $second, 'max_age 0 of the table');
isnt($session->rows($which), $third, 'is a new report each time');

$session->rows("SET pinsight_fdw.max_age = '1 hour'");
my $fourth = $session->rows($which);
is($session->rows($which), $fourth, 'max_age of the session comes before both');
$session->rows("SET pinsight_fdw.max_age = '0'");
table_options("SET max_age '1 hour'");
isnt($session->rows($which), $fourth, 'and 0 asks for a new report');
$session->rows("BEGIN; SET LOCAL pinsight_fdw.max_age = '1 hour'");
is($session->rows($which), $session->rows($which), 'or for a transaction');
$session->rows('COMMIT');
my $error = $session->error("SET pinsight_fdw.max_age = 'young'");
like($error->{message}, qr/invalid value for parameter "pinsight_fdw.max_age"/, 'nonsense is refused');
$session->rows("SET pinsight_fdw.max_age = ''");

my $age = $session->rows('SELECT max(now() - generated) FROM usage');
like($age, qr/^-?00:0/, 'the time the rows were made at is a column');

# --- what is asked for while a report runs

# Rows that were asked for before the report was ready are young enough for
# max_age 0; those of a report that was ready before are not.
$session->rows("SET pinsight_fdw.max_age = '0'");
$emulator->switches({ report_delay => 1 });
$session->rows("SET statement_timeout = '300ms'");
$session->error($which);
$session->rows('RESET statement_timeout');
$emulator->clear_log;
$session->rows($which);
is(reports(), 0, 'max_age 0 takes a report that is still being made');
$session->rows("SET statement_timeout = '300ms'");
$session->error($which);
$session->rows('RESET statement_timeout');
sleep(1.2);
$emulator->clear_log;
$session->rows($which);
is(reports(), 1, 'but none that was ready before');
is_deeply([ $emulator->held ], [], 'which is removed');
$session->rows("SET pinsight_fdw.max_age = '10 minutes'");
$emulator->switches({ report_delay => 0.1 });

# --- one statement, several scans

$session->rows("SET pinsight_fdw.max_age = '0'");
foreach my $plan (qw(hashjoin mergejoin nestloop))
{
	$session->rows(join(';', map { "SET enable_$_ = " . ($_ eq $plan ? 'on' : 'off') }
			qw(hashjoin mergejoin nestloop)));
	$emulator->clear_log;
	is($session->rows(q(SELECT count(DISTINCT a.execution || b.execution) FROM usage a
		JOIN usage b USING (month, customer_name))), 1, "$plan: one execution for both sides");
	is(reports(), 1, "$plan: one report");
}
$session->rows('RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_nestloop');
$emulator->clear_log;
is($session->rows("SELECT count(*) FROM (($which) UNION ($which) UNION
	SELECT (SELECT max(execution) FROM usage)) x"), 1, 'UNION and a subquery, too');
is(reports(), 1, 'of one report');
$session->rows(q(
	CREATE FUNCTION execution() RETURNS text LANGUAGE plpgsql AS $$
	DECLARE e text; BEGIN SELECT max(execution) INTO e FROM usage; RETURN e; END $$));
is($session->rows('SELECT execution() = (SELECT max(execution) FROM usage)'), 't',
	'and a function that the statement calls');

# --- one transaction, several statements

my $writer = PinsightSession->new($node);
$writer->rows("SET pinsight_fdw.max_age = '0'");
foreach my $age ('0', '1 hour')
{
	$session->rows("SET pinsight_fdw.max_age = '$age'");
	foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
	{
		$session->rows("BEGIN ISOLATION LEVEL $level");
		my $mine = $session->rows($which);
		my $new = $writer->rows($which);
		isnt($new, $mine, "$level, max_age $age: another session refreshes");
		is($session->rows($which), $mine, 'the transaction keeps its rows');
		$session->rows('SAVEPOINT s');
		$session->error('SELECT 1 / 0');
		$session->rows('ROLLBACK TO s');
		is($session->rows($which), $mine, 'after an error, too');
		$session->rows('COMMIT');
		isnt($session->rows($which), $mine, 'the next one has others');
	}
	$session->rows('BEGIN');
	my $mine = $session->rows($which);
	my $new = $writer->rows($which);
	my $next = $session->rows($which);
	isnt($next, $mine, "READ COMMITTED, max_age $age: the next statement sees fresh rows");
	is($next, $new, 'those of the other session') if $age ne '0';
	$session->rows('COMMIT');
}
$writer->quit;

# However long it lasts, it keeps open what counts, and each file once.
$emulator->create_table($node, 'narrow', $columns, "$dataset, fetch 'query', max_age '1 day'");
my $backend = $session->rows('SELECT pg_backend_pid()');
foreach my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	my @ordered = $emulator->log(endpoint => 'create_report');
	$session->rows("BEGIN ISOLATION LEVEL $level");
	$session->rows("SELECT count(*) FROM narrow WHERE customer_name = 'Nobody $_'") foreach 1 .. 5;
	my @open = grep { (readlink($_) // '') =~ /\.snapshot/ } glob("/proc/$backend/fd/*");
	is(scalar(@open), 1, "$level: one snapshot is open");
	is(reports(), scalar(@ordered), 'from which all rows were read');
	$session->rows('COMMIT');
}

# --- stale_ok

sub stale
{
	my ($what, $why) = @_;
	my $rows = $session->rows($which);
	like($session->said, qr/WARNING: .*rows of foreign table "usage" are \d+ min old/,
		"$what: old rows come with a warning");
	like($session->said, qr/DETAIL:  Nothing fresher could be had: $why/, "$what: that says why");
	return $rows;
}

$session->rows("SET pinsight_fdw.max_age = '1 hour'");
my $kept = $session->rows($which);
$session->rows("SET pinsight_fdw.max_age = '0'");
server_options("ADD stale_ok '1 hour'");
$emulator->fault({ endpoint => 'any', status => 403, times => 0,
		body => { statusCode => 403, message => 'down' } });
is(stale('the service refuses', 'could not'), $kept, 'the youngest ones');
$emulator->control('DELETE', '/faults');
isnt($session->rows($which), $kept, 'when it is back there are fresh ones');
is($session->said, '', 'without a warning');
$session->rows("SET pinsight_fdw.max_age = '1 hour'");
$kept = $session->rows($which);
$session->rows("SET pinsight_fdw.max_age = '0'");

$emulator->switches({ report_delay => 3 });
server_options("SET wait_timeout '300 ms'");
is(stale('wait_timeout', 'the report was not ready within wait_timeout'), $kept, 'the same');
server_options("SET wait_timeout '20 s'");
$emulator->switches({ report_delay => 0.1 });

server_options("SET max_reports_per_hour '1'");
$session->rows($which);			# the one that was begun
$session->rows("SET pinsight_fdw.max_age = '1 hour'");
$kept = $session->rows($which);
$session->rows("SET pinsight_fdw.max_age = '0'");
is(stale('the budget is spent', 'no report can be ordered now'), $kept, 'the same');
server_options("SET max_reports_per_hour '1000'");

# Too old is too old.
server_options("SET stale_ok '1 second', SET wait_timeout '300 ms'");
sleep(1.1);
$emulator->switches({ report_delay => 3 });
$error = $session->error($which);
is($error->{sqlstate}, 'HV00L', 'rows that are older than stale_ok are none');
is(table_options("ADD stale_ok '1 hour'"), undef);
is(stale('a table', 'the report was not ready'), $kept, 'unless the table has its own');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
