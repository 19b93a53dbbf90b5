# What the service may answer: every known shape of a reply and of an error,
# and what is neither.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('replies', server => "poll_interval '20 ms', max_reports_per_hour '1000'");
my $select = 'SELECT count(*) FROM usage';

$emulator->create_table($node, 'usage', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
my $session = PinsightSession->new($node);

# As at the start: no faults, no queries or reports, known or not, an empty log.
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

sub set_patience
{
	my ($duration) = @_;
	$node->safe_psql('postgres', qq(
		ALTER SERVER partner OPTIONS (SET wait_timeout '$duration')));
	return;
}
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (ADD wait_timeout '1 min')));

# --- replies that differ in form

my @forms = (
	[ 'JSON with a byte order mark', { json_bom => \1 } ],
	[ 'JSON with PascalCase keys', { json_pascal => \1 } ],
	[ 'ids that are no UUIDs', { ids => 'text' } ],
	[ 'lists in pages', { page_size => 1 } ],
	[ 'the report stays active', { finished_report => 'active' } ],
	[ 'pending before it is completed', { report_delay => 0.2 } ],
	[ '404 before', { report_delay => 0.2, not_ready => '404' } ],
	[ 'nothing before', { report_delay => 0.2, not_ready => 'empty' } ],
	[ '404 without a word before',
		{ report_delay => 0.2, not_ready => '404', error_style => 'empty' } ],
	[ '404 of the gateway before',
		{ report_delay => 0.2, not_ready => '404', error_style => 'gateway' } ],
	[ '404 in 200 before',
		{ report_delay => 0.2, not_ready => '404', error_in_200 => \1 } ],
	[ 'all of it at once', {
			json_bom => \1, json_pascal => \1, ids => 'text', page_size => 1,
			report_delay => 0.2, not_ready => '404', error_style => 'partnerfd',
			refuse_used_query => \1, error_in_200 => \1 } ]);
foreach my $case (@forms)
{
	my ($name, $switches) = @$case;
	restart($switches);
	is($session->rows($select), 20, $name);
	is(held(), 0, "$name: nothing is left");
	is(requests(endpoint => 'create_report'), 1, "$name: one report");
}

# A list that has to be followed over pages to find what was created.
foreach my $relative (\0, \1)
{
	restart({ page_size => 1, relative_next_link => $relative });
	# the report is created, but the answer is lost; others are there, too
	my $token = 'x';
	$emulator->fault({ endpoint => 'create_report', drop_after => \1 });
	is($session->rows($select), 20, 'a report whose creation was not answered');
	is(requests(endpoint => 'create_report'), 1, 'is found, not made again');
	is(held(), 0, 'and deleted');
}

# --- errors in all shapes

sub fails
{
	my ($name, $sqlstate, $message, $detail) = @_;
	my $error = $session->error($select);

	is($error->{sqlstate}, $sqlstate, "$name: SQLSTATE") or diag($error->{text});
	like($error->{message}, qr/^server "partner": $message/, "$name: message");
	like($error->{detail}, $detail, "$name: detail");
	isnt($error->{hint}, '', "$name: hint");
	return $error;
}

foreach my $style (qw(envelope gateway partnerfd empty))
{
	foreach my $in_200 (\0, \1)
	{
		my $name = "$style" . ($$in_200 ? ' in 200' : '');
		my $words = $style ne 'empty';

		restart({ error_style => $style, error_in_200 => $in_200, role => 'none' });
		fails("$name, role missing", '42501', qr/could not look for reports: /,
			$words ? qr/^The service answered: Forbidden$/ : qr/HTTP status 403/);
		is(requests(endpoint => 'list_reports'), 1, "$name: asked once");
		is(requests(kind => 'api'), 1, "$name: and nothing else");

		restart({ error_style => $style, error_in_200 => $in_200, quota_execute_now => 0 });
		fails("$name, quota of reports", $words ? '53400' : 'HV00L',
			qr/could not create report: /,
			$words ? qr/quota/i : qr/HTTP status 400/) if $words;
		is(held(), 0, "$name: nothing is left") if $words;
		fails("$name, quota of reports, again", '53400',
			qr/no report can be ordered now/, qr/its quota is used up/) if $words;
		is(requests(endpoint => 'create_report'), 1, "$name: the service is not asked again")
		  if $words;

		restart({ error_style => $style, error_in_200 => $in_200, mfa_required => \1 });
		is($session->rows($select), 20, "$name: a token with MFA");
	}
}

restart({ quota_reports => 0 });
like(fails('active reports', '53400', qr/could not create report: .*active/, qr/./)->{hint},
	qr/50/, 'quota of active reports');
is(held(), 0, 'the query is deleted');
$emulator->switches({ quota_reports => 50 });
is($session->rows($select), 20, 'when reports are deleted, more are made');
restart({ quota_queries => 0 });
like(fails('queries', '53400', qr/could not create query: /, qr/exceeded/)->{hint},
	qr/100/, 'quota of queries');

# --- what the service does not know

restart();
$emulator->create_table($node, 'unknown_dataset', 'month date',
	q(dataset 'NoSuchThing', timespan 'LIFETIME'));
$emulator->create_table($node, 'unknown_column',
	q(month date, x text OPTIONS (column_name 'NoSuchColumn')),
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
my $error = $session->error('SELECT * FROM unknown_dataset');
is($error->{sqlstate}, 'HV00R', 'a dataset the service does not know');
like($error->{context}, qr/foreign table "unknown_dataset"/, 'the table is named');
like($error->{hint}, qr/IMPORT FOREIGN SCHEMA mpn/, 'with a hint');
$error = $session->error('SELECT * FROM unknown_column');
is($error->{sqlstate}, 'HV005', 'a column the service does not know');
like($error->{text}, qr/NoSuchColumn/, 'the column is named');
like($error->{hint}, qr/IMPORT FOREIGN SCHEMA mpn/, 'with a hint');
is(held(), 0, 'nothing is left');
my $url = $emulator->api_url;
$node->safe_psql('postgres', qq(
	CREATE SERVER misled FOREIGN DATA WRAPPER pinsight_fdw
		OPTIONS (tenant 'contoso.onmicrosoft.com', api_version 'v7',
			api_url '$url', login_url '$url');
	CREATE USER MAPPING FOR PUBLIC SERVER misled
		OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			client_secret 'emulator-secret');
	CREATE FOREIGN TABLE nowhere (month date) SERVER misled
		OPTIONS (dataset 'AzureUsage');));
$error = $session->error('SELECT * FROM nowhere');
is($error->{sqlstate}, '42704', 'an API that is not there');
like($error->{hint}, qr/"api_version"/, 'with a hint');

# --- redirects are not followed

my $elsewhere = $emulator->control_url . '/state?elsewhere';
foreach my $endpoint (qw(create_query create_report executions download))
{
	restart();
	$emulator->fault({ endpoint => $endpoint, redirect => $elsewhere, times => 0 });
	$error = $session->error($select);
	is($error->{sqlstate}, 'HV00M', "$endpoint: a redirect is an error");
	like($error->{hint}, qr/Redirects are never followed/, "$endpoint: says why");
	unlike($error->{text}, qr/elsewhere/, "$endpoint: not where to");
	is(requests(endpoint => $endpoint), 1, "$endpoint: asked once");
	$emulator->control('DELETE', '/faults');
	is($session->rows($select), 20, "$endpoint: the session goes on");
	is(held(), 0, "$endpoint: nothing is left");
}

# --- a report that is deleted or fails while we wait

restart({ execution_outcome => 'failed' });
fails('failed', 'HV00L', qr/the service could not make report /, qr/./);
is(held(), 0, 'a failed report is deleted');

foreach my $not_ready (qw(pending 404 empty))
{
	restart({ report_delay => 60, not_ready => $not_ready });
	# the second poll finds the report gone, and so do those of the report that
	# is ordered in its place: as if somebody deleted them all
	$emulator->fault({ endpoint => 'executions', nth => 2, times => 0, status => 404,
			body => { value => [], statusCode => 404,
				message => 'No item found with given filters.' } });
	$emulator->fault({ endpoint => 'list_reports', times => 0, status => 404,
			body => { value => [], statusCode => 404,
				message => 'No item found with given filters.' } });
	fails("deleted ($not_ready)", 'HV00L', qr/report .* was deleted/, qr//);
	is(requests(endpoint => 'create_report'), 2, 'after it was ordered once more');
	is(requests(endpoint => 'create_query'), 2, 'with a query of its own');
	is(scalar @{ $emulator->state->{queries} }, 0, 'the queries are deleted');

	restart({ report_delay => 0.2, not_ready => $not_ready });
	$emulator->fault({ endpoint => 'executions', status => 404, body => {
				value => [], statusCode => 404,
				message => 'No item found with given filters.' } });
	$emulator->fault({ endpoint => 'list_reports', nth => 2, status => 404, body => {
				value => [], statusCode => 404,
				message => 'No item found with given filters.' } });
	is($session->rows($select), 20, "deleted once ($not_ready): rows");
	is(requests(endpoint => 'create_report'), 2, 'of the report ordered in its place');
	is(requests(endpoint => 'create_query'), 2, 'with a query of its own');
	is(scalar @{ $emulator->state->{queries} }, 0, 'which is deleted as the first');
}

# --- what is no reply at all

# The error of a scan that has no time for the pause before another try.  Where the
# machine is so busy that there was none for the first one, it is looked at again.
sub hasty_error
{
	my $error;

	foreach (1 .. 20)
	{
		$error = $session->error($select);
		last if $error->{message} !~ /was not ready within wait_timeout/;
	}
	return $error;
}

my @broken = (
	[ 'a page', { body => '<html><head><title>Sign in here</title></head>x' } ],
	[ 'text', { body => 'all is well' } ],
	[ 'nothing', { empty => \1 } ],
	[ 'JSON of another shape', { wrong_json => 'shape' } ],
	[ 'half JSON', { wrong_json => 'broken' } ],
	[ 'garbled JSON', { garble => \1 } ],
	[ 'a number', { body => '42' } ],
	[ 'null', { body => 'null' } ],
	[ 'deep JSON', { body => '[' x 100_000 } ],
	[ 'no id', { body => { value => [ {} ], statusCode => 200 } } ],
	[ 'an id that is none', {
			body => { value => [ { queryId => '../../x', reportId => '../../x' } ] } } ],
	[ 'an id that is long',
		{ body => { value => [ { queryId => 'x' x 5000, reportId => 'x' x 5000 } ] } } ]);
foreach my $case (@broken)
{
	my ($name, $fault) = @$case;
	foreach my $endpoint (qw(create_query create_report executions))
	{
		next if $endpoint eq 'executions' && $name =~ /\bid\b/;
		# what does not replace the work leaves something to be found
		my $done = $endpoint ne 'executions' && !exists $fault->{body};

		set_patience($done ? '1 min' : '400 ms');
		restart();
		$emulator->fault({ endpoint => $endpoint, times => 0, %$fault });
		if ($done)
		{
			is($session->rows($select), 20, "$endpoint: $name: rows all the same");
			is(requests(endpoint => $endpoint), 1, "$endpoint: $name: asked once");
			is(held(), 0, "$endpoint: $name: nothing is left");
			next;
		}
		$error = hasty_error();
		like($error->{sqlstate}, qr/^HV00[ML]$/, "$endpoint: $name")
		  or diag($error->{text});
		isnt($error->{hint}, '', "$endpoint: $name: hint");
		cmp_ok(length($error->{text}), '<', 2000, "$endpoint: $name: bounded");
	}
}

# --- links that are not to be followed

set_patience('400 ms');
foreach my $link ('http://192.0.2.1/file?sig=hush', 'ftp://127.0.0.1/file?sig=hush',
	'https://hush:hush@127.0.0.1/file', 'https://127.0.0.1:99999999/hush',
	"https://127.0.0.1/a\r\nhush: hush", 'file:///etc/hush', 'hush')
{
	restart();
	$emulator->fault({ endpoint => 'executions', times => 0, body => {
				statusCode => 200, value => [ {
						executionStatus => 'Completed',
						reportAccessSecureLink => $link } ] } });
	$error = hasty_error();
	is($error->{sqlstate}, 'HV00M', 'a link that is none') or diag($error->{text});
	unlike($error->{text}, qr/hush|192/, 'is not repeated');
	isnt($error->{hint}, '', 'with a hint');
}

# --- texts of the service

set_patience('1 min');
restart();
$emulator->fault({ endpoint => 'create_query', times => 0, status => 400,
		body => { statusCode => 400,
			message => "red \e[31m alert\x07\r\nERROR:  00000: fake\x{202e}evil\x00" =~ s/\x00//r } });
$error = $session->error($select);
like($error->{detail}, qr/red \[31m alert ERROR: 00000: fake evil/,
	'control characters are taken out');
unlike($error->{text}, qr/[\x00-\x08\x0b-\x1f\x7f]/, 'all of them');

restart();
$emulator->fault({ endpoint => 'create_query', times => 0, status => 400,
		body => { statusCode => 400, message => 'long ' x 40_000 } });
$error = $session->error($select);
like($error->{detail}, qr/^The service answered: long long .*\.\.\.$/, 'a long text is cut');
cmp_ok(length($error->{detail}), '<', 1000, 'short enough');

restart();
$emulator->fault({ endpoint => 'create_query', times => 0, status => 400,
		body => 'x' x 1_000_000 });
$error = $session->error($select);
cmp_ok(length($error->{text}), '<', 2000, 'a megabyte that is no JSON is cut, too');

restart();
$emulator->fault({ endpoint => 'create_query', times => 0, status => 400,
		body => { statusCode => 400, message => 'Grüße aus Köln '  x 100 }, garble => \1 });
$error = $session->error($select);
is($error->{sqlstate}, 'HV00L', 'a text that is not UTF-8');
cmp_ok(length($error->{text}), '<', 2000, 'is bounded as well');

# In a database of another encoding.
$node->safe_psql('postgres', q(
	CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0));
$node->safe_psql('latin', qq(
	CREATE EXTENSION pinsight_fdw;
	CREATE SERVER partner FOREIGN DATA WRAPPER pinsight_fdw
		OPTIONS (tenant 'contoso.onmicrosoft.com', poll_interval '20 ms', max_reports_per_hour '1000',
			wait_timeout '1 min', api_url '$url', login_url '$url');
	CREATE USER MAPPING FOR PUBLIC SERVER partner
		OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			client_secret 'emulator-secret');
	CREATE FOREIGN TABLE usage (month date, customer_name text) SERVER partner
		OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME');));
my $latin = PinsightSession->new($node, 'latin');
$emulator->fault({ endpoint => 'create_query', times => 0, status => 400,
		body => { statusCode => 400, message => "caf\x{e9} \x{65e5}\x{672c}" } });
$emulator->control('DELETE', '/faults');
is($latin->rows($select), 20, 'LATIN1: rows');
$emulator->fault({ endpoint => 'create_query', times => 0, status => 400,
		body => { statusCode => 400, message => "caf\x{e9} \x{65e5}\x{672c}" } });
$latin->rows(q(SET client_encoding = 'UTF8'));
$error = $latin->error($select);
is($error->{sqlstate}, 'HV00L', 'LATIN1: an error with characters it has not');
like($error->{detail}, qr/caf\xc3\xa9 \S/, 'LATIN1: keeps those it has');
$latin->quit;

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
