# A scan that ended before its report was ready: the next one with the same need,
# in whichever session, goes on with that report.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('pick_up',
	server => "poll_interval '20 ms', wait_timeout '1 min'");
my $select = 'SELECT count(*) FROM usage';

$emulator->create_table($node, 'usage', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
my $session = PinsightSession->new($node);

# As at the start: no faults, no queries or reports, known or not, an empty log,
# no token.
sub restart
{
	my ($switches) = @_;
	$emulator->reset;
	$emulator->switches($switches) if $switches;
	$session->quit;
	$emulator->forget($node);
	$session = PinsightSession->new($node);
	return;
}

# Queries and reports the service holds.
sub held
{
	my $state = $emulator->state;
	return scalar(@{ $state->{queries} }) + scalar(@{ $state->{reports} });
}

sub requests { return scalar(my @found = $emulator->log(@_)); }

# How old may the session's rows be?
sub set_age
{
	my ($age) = @_;
	$session->rows("SET pinsight_fdw.max_age = '$age'");
	return;
}

sub set_patience
{
	my ($duration) = @_;
	$node->safe_psql('postgres', qq(
		ALTER SERVER partner OPTIONS (SET wait_timeout '$duration')));
	return;
}

# --- a report that takes too long

restart({ report_delay => 1.5 });
set_patience('300 ms');
$node->safe_psql('postgres', q(ALTER SERVER partner OPTIONS (SET poll_interval '1 min')));
$emulator->fault({ endpoint => 'executions', status => 503, headers => { 'Retry-After' => '0' } });
my $error = $session->error($select);
is($error->{sqlstate}, 'HV00L', 'wait_timeout');
like($error->{message}, qr/the report was not ready within wait_timeout/, 'is told');
is(requests(endpoint => 'executions'), 2, 'it was asked for again after a failure');
like($error->{detail}, qr/The service says of report \S+: Pending/, 'and its state is told');
$node->safe_psql('postgres', q(ALTER SERVER partner OPTIONS (SET poll_interval '20 ms')));
like($error->{hint}, qr/run the query again/, 'and what to do');
is(requests(endpoint => 'create_report'), 1, 'one report was ordered');
is(held(), 2, 'and is kept');
$error = $session->error($select);
is(requests(endpoint => 'create_report'), 1, 'the next run waits for the same');
my $other = PinsightSession->new($node);
set_patience('1 min');
set_age('1 hour');			# even if it is ready before it is looked for
is($session->rows($select), 20, 'and gets it');
is(requests(endpoint => 'create_query'), 1, 'with one query');
is(requests(endpoint => 'create_report'), 1, 'and one report');
is(held(), 0, 'nothing is left');
set_age('0');
$session->rows($select);
is(requests(endpoint => 'create_report'), 2, 'the one after that orders anew');
is($other->rows($select), 20, 'as another session does');
$other->quit;

# Another need does not get that report.
restart({ report_delay => 1 });
set_patience('300 ms');
$session->error($select);
$node->safe_psql('postgres', q(
	CREATE FOREIGN TABLE less (month date) SERVER partner
		OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME')));
set_patience('1 min');
$session->rows('SELECT count(*) FROM less');
is(requests(endpoint => 'create_report'), 2, 'another query is another report');
set_age('1 hour');
is($session->rows($select), 20, 'while the first goes on');
is(requests(endpoint => 'create_report'), 2, 'and is picked up');
is(requests(endpoint => 'download'), 2, 'with its own file');
is(held(), 0, 'nothing is left');

# What was ready before the statement began is no answer if it may not be old.
restart({ report_delay => 0.5 });
set_patience('300 ms');
$session->error($select);
set_patience('1 min');
sleep(1);
is($session->rows($select), 20, 'a report that was ready too early');
is(requests(endpoint => 'create_report'), 2, 'is ordered anew');
is(requests(endpoint => 'create_query'), 2, 'with a query of its own');
is(requests(endpoint => 'download'), 1, 'and not even fetched');
is(held(), 0, 'nothing is left');

# A scan is ended, and by the time of the next its report is ready and too old.
sub leave_to_age
{
	restart({ report_delay => 0.4 });
	set_patience('300 ms');
	$session->error($select);
	set_patience('1 min');
	sleep(0.5);
	$emulator->switches({ report_delay => 0 });
	return;
}

# Nor is it if it cannot be deleted, and nobody knows whether there is another one.
leave_to_age();
$emulator->fault([ { endpoint => 'delete_report', status => 400, times => 2 },
		{ endpoint => 'create_report', drop_before => JSON::PP::true } ]);
is($session->error($select)->{sqlstate}, '08006', 'one that is not deleted is not taken for the one ordered anew');
is($session->rows($select), 20, 'which the next run gets');
is(requests(endpoint => 'create_report'), 3, 'of a report of its own');
like($session->said, qr/WARNING: .*could not delete report/, 'and says that the other is still there');
is($session->rows('SELECT count(*) FROM pinsight_jobs'), 0, 'without a job');
is($session->rows($select), 20, 'the run after that');
is(scalar(@{ $emulator->state->{reports} }), 0, 'finds it by its name');

# Nor is it if the scan ends before it orders another one, and the next one does.
leave_to_age();
$emulator->fault([ { endpoint => 'delete_report', status => 400 },
		{ endpoint => 'create_query', delay_ms => 300 },
		{ endpoint => 'create_report', drop_before => JSON::PP::true } ]);
is($session->error("SET statement_timeout = '200 ms'; $select")->{sqlstate}, '57014', 'a scan ends before it orders anew');
$session->rows('RESET statement_timeout');
is(requests(endpoint => 'create_report'), 1, 'so nothing was ordered');
is($session->error($select)->{sqlstate}, '08006', 'the next one does not take the old report for its own');
is(requests(endpoint => 'create_report'), 2, 'when its order is lost');
is($session->rows($select), 20, 'the one after that');
is(requests(endpoint => 'create_report'), 3, 'gets a report of its own');

# Somebody has deleted it in between, whatever the service says of its executions.
foreach my $case ([ 'pending', 'No item found with given filters.' ],
	[ '404', 'No item found with given filters.' ],
	[ 'pending', 'There are no executions that have occurred for the given filter conditions' ])
{
	my ($not_ready, $message) = @$case;
	restart({ report_delay => 1, not_ready => $not_ready });
	set_patience('300 ms');
	$session->error($select);
	my $state = $emulator->state;
	my $id = $state->{reports}[0]{reportId};
	$emulator->fault({ endpoint => 'list_reports', status => 404, body => {
				value => [], statusCode => 404,
				message => 'No item found with given filters.' } });
	$emulator->fault({ endpoint => 'executions', status => 404, body => {
				value => [], statusCode => 404, message => $message } });
	set_patience('1 min');
	is($session->rows($select), 20, "a report that is gone ($not_ready: $message)");
	is(requests(endpoint => 'create_report'), 2, 'is ordered anew');
	is(requests(endpoint => 'create_query'), 2, 'with a query of its own');
	is(scalar @{ $emulator->state->{queries} }, 0, 'and no query is left');
}

# Time runs out while it is being created.
foreach my $endpoint (qw(token list_reports list_queries create_query create_report))
{
	restart();
	set_patience('300 ms');
	$emulator->fault({ endpoint => $endpoint, delay_ms => 600 });
	$error = $session->error($select);
	is($error->{sqlstate}, 'HV00L', "$endpoint takes too long");
	like($error->{message}, qr/wait_timeout \(300 ms\)$/, "$endpoint: for how long is told");
	like($error->{detail}, qr/got no further than the step "(?:looking for|creating|ordering) (?:query|report)"/,
		"$endpoint: and where it was");
	unlike($error->{hint}, qr/goes on/, "$endpoint: and nothing of a report that nobody knows of");
	sleep(1);
	set_patience('1 min');
	set_age('1 hour');
	is($session->rows($select), 20, "$endpoint: the next run goes on");
	is(requests(endpoint => 'create_report', status => 200), 1, "$endpoint: one report");
	is(held(), 0, "$endpoint: nothing is left");
}

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
