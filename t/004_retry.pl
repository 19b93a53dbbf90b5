# Trying again: what is sent twice and when, what never is, and what is left at
# the service afterwards.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use JSON::PP;
use PinsightBackground;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('retry',
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

# Milliseconds between the n-th and the next request to an endpoint.
sub pause
{
	my ($endpoint, $n) = @_;
	my @found = $emulator->log(endpoint => $endpoint);
	return $found[$n]{time_ms} - $found[ $n - 1 ]{time_ms};
}

# Milliseconds from the first request to an endpoint to the one that follows it,
# wherever that goes.
sub pause_after
{
	my ($endpoint) = @_;
	my @log = $emulator->log;
	my ($n) = grep { $log[$_]{endpoint} eq $endpoint } 0 .. $#log;
	return $log[ $n + 1 ]{time_ms} - $log[$n]{time_ms};
}

# In the order of a scan.
my @endpoints = qw(token list_reports list_queries create_query create_report
  executions download delete_report delete_query);

# --- Retry-After is honoured

# A create that the service failed in is looked for before it is sent again,
# but not before the service wants to be asked.
foreach my $case ([ 429, 'token' ], [ 503, 'executions' ],
	[ 429, 'create_report' ], [ 503, 'create_query' ], [ 429, 'download' ],
	[ 503, 'delete_report' ])
{
	my ($status, $endpoint) = @$case;
	restart();
	$emulator->fault({ endpoint => $endpoint, status => $status,
			headers => { 'Retry-After' => '1' }, body => '' });
	is($session->rows($select), 20, "$endpoint, $status with Retry-After: rows");
	cmp_ok(pause_after($endpoint), '>=', 950, "$endpoint: the pause is kept");
	cmp_ok(pause_after($endpoint), '<', 3000, "$endpoint: and not much longer");
	is(requests(endpoint => $endpoint), 2, "$endpoint: sent once more");
	is(held(), 0, "$endpoint: nothing is left");
}

# The gateway says it in words.
restart();
$emulator->fault({ endpoint => 'create_query', status => 429, body => {
			statusCode => 429,
			message => 'Rate limit is exceeded. Try again in 1 seconds.' } });
is($session->rows($select), 20, 'throttled by the gateway');
cmp_ok(pause("create_query", 1), '>=', 950, 'its words are understood');

# More than there is time for: an error now, not at the end of the time.
foreach my $endpoint (qw(list_reports create_query executions download))
{
	restart();
	# so that the report, complete since the first try, is good enough
	$session->rows(q(SET pinsight_fdw.max_age = '1 hour'));
	$emulator->fault({ endpoint => $endpoint, status => 429, times => 0,
			headers => { 'Retry-After' => '86400' }, body => '' });
	my $error = $session->error($select);
	is($error->{sqlstate}, '53400', "$endpoint: throttled for a day");
	like($error->{hint}, qr/again/, "$endpoint: with a hint");
	is(requests(endpoint => $endpoint), 1, "$endpoint: asked once");
	$emulator->control('DELETE', '/faults');
	is($session->rows($select), 20, "$endpoint: the session goes on");
	is(requests(endpoint => 'create_report'), 1, "$endpoint: with one report");
	is(held(), 0, "$endpoint: nothing is left");
}

# --- connections that break, before and after the work was done

foreach my $endpoint (@endpoints)
{
	foreach my $fault (
		[ 'reset before', { drop_before => \1, rst => \1 } ],
		[ 'closed after', { drop_after => \1 } ],
		[ 'an answer that breaks off', { reset_after => 3 } ])
	{
		my ($name, $what) = @$fault;
		my $done = !exists $what->{drop_before};

		restart();
		$emulator->fault({ endpoint => $endpoint, %$what });
		is($session->rows($select), 20, "$endpoint: $name: rows");
		is(held(), 0, "$endpoint: $name: nothing is left");
		unlike($session->said, qr/WARNING/, "$endpoint: $name: no warning");
		if ($endpoint eq 'create_query' || $endpoint eq 'create_report')
		{
			my $list = $endpoint eq 'create_query' ? 'list_queries' : 'list_reports';

			# as it was before it was created
			is(requests(endpoint => $list), 2, "$endpoint: $name: it is looked for");
			is(requests(endpoint => $endpoint), $done ? 1 : 2,
				"$endpoint: $name: and created " . ($done ? 'once' : 'again'));
		}
		else
		{
			# the report may really be pending as well
			cmp_ok(requests(endpoint => $endpoint), '>=', 2, "$endpoint: $name: asked again");
			cmp_ok(requests(endpoint => $endpoint), '<=', 4, "$endpoint: $name: but not often");
		}
	}
}

# Looking for what was created goes wrong as well.
restart();
$emulator->fault([
		{ endpoint => 'create_query', drop_after => \1 },
		{ endpoint => 'list_queries', nth => 2, drop_after => \1 },
		{ endpoint => 'list_queries', nth => 3, status => 500, body => '' },
		{ endpoint => 'create_report', drop_after => \1 },
		{ endpoint => 'list_reports', nth => 2, status => 502, body => '<html></html>' },
		{ endpoint => 'list_reports', nth => 3, drop_before => \1 } ]);
is($session->rows($select), 20, 'one misfortune after the other');
is(requests(endpoint => $_), 4, "$_ befallen twice") foreach qw(list_queries list_reports);
is(requests(endpoint => 'create_query'), 1, 'one query');
is(requests(endpoint => 'create_report'), 1, 'one report');
is(held(), 0, 'nothing is left');

# --- a service that stays down

foreach my $endpoint (qw(token list_reports list_queries create_query create_report))
{
	foreach my $status (500, 503)
	{
		restart();
		$emulator->fault({ endpoint => $endpoint, status => $status, times => 0,
				headers => { 'Retry-After' => '0' }, body => '' });
		my $error = $session->error($select);
		is($error->{sqlstate}, 'HV000', "$endpoint stays $status: an error");
		like($error->{detail}, qr/HTTP status $status/, "$endpoint: that tells it");
		like($error->{hint}, qr/run the query again/, "$endpoint: with a hint");
		cmp_ok(requests(endpoint => $endpoint), '<=', 4, "$endpoint: after some tries");
		cmp_ok(requests(endpoint => $endpoint), '>=', 3, "$endpoint: not just one");
		$emulator->control('DELETE', '/faults');
		is($session->rows($select), 20, "$endpoint: the session goes on");
		is(held(), 0, "$endpoint: nothing is left");
	}
}

# The poll is more patient: the report goes on meanwhile.
restart();
$emulator->fault({ endpoint => 'executions', status => 502, times => 8,
		headers => { 'Retry-After' => '0' }, body => '<html>Bad gateway</html>' });
is($session->rows($select), 20, 'a storm while polling');
is(requests(endpoint => 'create_report'), 1, 'costs no second report');

# Nobody is there at all.
$node->safe_psql('postgres', q(
	CREATE SERVER nobody FOREIGN DATA WRAPPER pinsight_fdw
		OPTIONS (tenant 'contoso.onmicrosoft.com', wait_timeout '400 ms',
			api_url 'http://127.0.0.1:1', login_url 'http://127.0.0.1:1');
	CREATE USER MAPPING FOR PUBLIC SERVER nobody
		OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			client_secret 'emulator-secret');
	CREATE FOREIGN TABLE nothing (month date) SERVER nobody
		OPTIONS (dataset 'AzureUsage');));
my $error = $session->error('SELECT * FROM nothing');
is($error->{sqlstate}, '08001', 'a host that refuses connections');
like($error->{message}, qr/server "nobody": could not connect to host "127\.0\.0\.1:1"/,
	'is named');
like($error->{hint}, qr/firewall/, 'with a hint');

# A host that takes connections and says nothing.
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (ADD request_timeout '300 ms')));
foreach my $endpoint (qw(token executions))
{
	restart();
	$emulator->fault({ endpoint => $endpoint, hang_ms => 5000 });
	is($session->rows($select), 20, "$endpoint: silence once");
	is(requests(endpoint => $endpoint), 2, "$endpoint: is asked again");
}
foreach my $endpoint (qw(create_query create_report))
{
	restart();
	$emulator->fault({ endpoint => $endpoint, hang_ms => 5000 });
	is($session->rows($select), 20, "$endpoint: silence once");
	is(requests(endpoint => $endpoint), 2, "$endpoint: is sent again");
	cmp_ok(requests(kind => 'api', endpoint => $endpoint eq 'create_query' ?
				'list_queries' : 'list_reports'), '>=', 2,
		"$endpoint: after a look");
}
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (DROP request_timeout)));

# The service may still be at what took too long: it comes while it is looked for.
restart();
$emulator->fault({ endpoint => 'create_report', delay_ms => 1200, status => 504, body => '' });
my $scan = PinsightBackground->start($node, $select);
my $late = $emulator->await(endpoint => 'create_report', status => 504);
for (1 .. 100)
{
	last if requests(endpoint => 'list_reports') > 1;
	sleep(0.02);
}
$emulator->api('POST', 'ScheduledReport', ref $late->{body} ? $late->{body} : decode_json($late->{body}));
is($scan->finish->{out}, 20, 'a create that takes too long');
is(requests(endpoint => 'create_report'), 2, '... is not sent again: the other is ours');
is(held(), 0, '... and nothing is left');

# --- what cannot be tidied up

foreach my $endpoint (qw(delete_report delete_query))
{
	restart();
	$emulator->fault({ endpoint => $endpoint, status => 403, times => 0,
			body => { statusCode => 403, message => 'No' } });
	is($session->rows($select), 20, "$endpoint fails: rows all the same");
	like($session->said, qr/WARNING:  42501: server "partner": could not/,
		"$endpoint: and a warning");
}

# a gateway that knows no such address is no word that the report is gone
foreach my $endpoint (qw(delete_report delete_query))
{
	restart();
	$emulator->fault({ endpoint => $endpoint, status => 404, body => '<title>Nothing here</title>' });
	is($session->rows($select), 20, "$endpoint is not there: rows all the same");
	like($session->said, qr/WARNING: .*\nDETAIL: .*Nothing here.*\nHINT: .*"api_url"/,
		"$endpoint: and a warning");
	is($session->rows('SELECT count(*) FROM pinsight_jobs'), 1, 'what is left is not forgotten');
	is($session->rows(q(SELECT count(*) FROM pinsight_cleanup('partner', '0'))), $endpoint eq 'delete_report' ? 2 : 1,
		'and is deleted later');
	is(held(), 0, 'by the service, too');
}

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
