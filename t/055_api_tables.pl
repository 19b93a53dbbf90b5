# The service's own objects as tables: what is asked for them, and what is read.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HTTP::Tiny;
use JSON::PP;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('api');
my $mapping = "client_id '$PinsightEmulator::client_id', "
  . "client_secret '$PinsightEmulator::client_secret', "
  . "refresh_token '$PinsightEmulator::refresh_token'";
my $http = HTTP::Tiny->new(timeout => 30, proxy => undef, http_proxy => undef);

$emulator->create_server($node, 'market', "program 'cmp'", $mapping);
$node->safe_psql('postgres', q(
	CREATE SCHEMA api;
	CREATE SCHEMA market;
	IMPORT FOREIGN SCHEMA api FROM SERVER partner INTO api;
	IMPORT FOREIGN SCHEMA api FROM SERVER market INTO market;));
is($emulator->count, 0, 'nothing is asked for an import');

my $session = PinsightSession->new($node);
$session->rows('SET search_path = api; SET timezone = UTC');

# ---- a plain HTTP client ----

my $token;

sub call
{
	my ($method, $path, $body, $program) = @_;
	my $version = ($program || 'mpn') eq 'cmp' ? 'v1.1/cmp' : 'v1/mpn';
	my $reply;

	if (!$token)
	{
		$reply = $http->post_form($emulator->api_url
			  . "/$PinsightEmulator::tenant/oauth2/token", {
				grant_type => 'refresh_token',
				resource => 'https://api.partnercenter.microsoft.com',
				client_id => $PinsightEmulator::client_id,
				client_secret => $PinsightEmulator::client_secret,
				refresh_token => $PinsightEmulator::refresh_token });
		$token = decode_json($reply->{content})->{access_token};
	}
	$reply = $http->request($method,
		$emulator->api_url . "/insights/$version$path", {
			headers => {
				Authorization => "Bearer $token",
				'Content-Type' => 'application/json' },
			$body ? (content => encode_json($body)) : () });
	die "$method $path: $reply->{status} $reply->{content}\n"
	  if !$reply->{success};
	return decode_json($reply->{content})->{value}->[0];
}

sub make_query
{
	my ($name, $program) = @_;
	my $text = ($program || 'mpn') eq 'cmp' ? 'SELECT OfferName FROM ISVUsage TIMESPAN LAST_MONTH' :
	  'SELECT Month, CustomerName FROM AzureUsage TIMESPAN LAST_MONTH';
	return call('POST', '/ScheduledQueries',
		{ Name => $name, Query => $text, Description => "about $name" }, $program)->{queryId};
}

sub make_report
{
	my ($query_id, $name, $program) = @_;
	return call('POST', '/ScheduledReport',
		{ ReportName => $name, QueryId => $query_id, ExecuteNow => JSON::PP::true },
		$program)->{reportId};
}

# What a statement brings, and what it asks for: path and parameters of each
# call but sign-ins, with ids in braces.
my %names;

sub decoded
{
	my ($text) = @_;
	$text =~ s/%([0-9A-Fa-f]{2})/chr(hex($1))/ge;
	$text =~ s/\Q$_\E/{$names{$_}}/g foreach keys %names;
	return $text;
}

sub calls
{
	return join("\n", map {
			my $path = $_->{path} =~ s{^/insights}{}r;
			decoded("$_->{method} $path" . ($_->{query} ? "?$_->{query}" : ''))
		} grep { $_->{endpoint} ne 'token' } $emulator->log);
}

sub asks
{
	my ($name, $sql, $rows, @calls) = @_;

	$emulator->clear_log;
	my $found = decoded($session->rows($sql));
	if (ref $rows) { like($found, $rows, "$name: rows"); }
	else { is($found, $rows, "$name: rows"); }
	is(calls(), join("\n", map { "GET $_" } @calls), "$name: calls");
	return;
}

my @mpn_datasets = map { $_->{name} } grep { $_->{program} eq 'mpn' }
  @{ $emulator->control('GET', '/catalog')->{datasets} };
my $all = 'executionStatus=Pending;Running;Paused;Completed;Failed&getLatestExecution=false';
my $latest = $all =~ s/false/true/r;

# ---- datasets ----

asks('all datasets', 'SELECT count(*) > 10, bool_and(cardinality(selectable_columns) > 0), '
	  . 'min(minimum_recurrence_interval) FROM datasets',
	't|t|24', '/v1/mpn/ScheduledDataset');
asks('a dataset by its name',
	q(SELECT dataset_name, 'CustomerName' = ANY (selectable_columns), available_date_ranges[1], raw ->> 'datasetName'
	  FROM datasets WHERE dataset_name = 'AzureUsage'),
	qr/^AzureUsage\|t\|LAST_MONTH\|AzureUsage$/, '/v1/mpn/ScheduledDataset?datasetName=AzureUsage');
asks('a name in another case is another one',
	q(SELECT count(*) FROM datasets WHERE dataset_name = 'azureusage'), 0,
	'/v1/mpn/ScheduledDataset?datasetName=azureusage');
asks('no such dataset', q(SELECT count(*) FROM datasets WHERE dataset_name = 'Nothing'), 0,
	'/v1/mpn/ScheduledDataset?datasetName=Nothing');
asks('two datasets', q(SELECT dataset_name FROM datasets WHERE dataset_name IN ('AzureUsage', 'Profile') ORDER BY 1),
	"AzureUsage\nProfile", '/v1/mpn/ScheduledDataset');
asks('datasets of the other program', q(SELECT dataset_name FROM market.datasets WHERE dataset_name = 'ISVUsage'),
	'ISVUsage', '/v1.1/cmp/ScheduledDataset?datasetName=ISVUsage');

# ---- queries ----

my $query = make_query('first of all');
my $second = make_query("O'Neill & 50%");
%names = ($query => 'query', $second => 'second');

asks('own queries', q(SELECT query_id, name, description, type, query, user_name, created_time IS NOT NULL, modified_time
	  FROM queries WHERE type = 'userDefined' AND name ~ 'first'),
	'{query}|first of all|about first of all|userDefined|'
	  . 'SELECT Month, CustomerName FROM AzureUsage TIMESPAN LAST_MONTH|'
	  . 'analyst@contoso.onmicrosoft.com|t|',
	'/v1/mpn/ScheduledQueries?includeSystemQueries=false');
asks('system queries', q(SELECT count(*) > 5, min(type) FROM queries WHERE type = 'system'), 't|system',
	'/v1/mpn/ScheduledQueries?includeOnlySystemQueries=true');
asks('all queries', q(SELECT count(DISTINCT type) FROM queries), 2,
	'/v1/mpn/ScheduledQueries?includeSystemQueries=true');
asks('a query by its id', qq(SELECT name FROM queries WHERE query_id = '$query'), 'first of all',
	'/v1/mpn/ScheduledQueries?queryId={query}&includeSystemQueries=true');
asks('a query by its name', q(SELECT query_id FROM queries WHERE name = 'first of all'), '{query}',
	'/v1/mpn/ScheduledQueries?queryName=first of all&includeSystemQueries=true');
asks('a name the service might read otherwise',
	q(SELECT query_id FROM queries WHERE name = 'O''Neill & 50%' AND type = 'userDefined'), '{second}',
	'/v1/mpn/ScheduledQueries?includeSystemQueries=false');
SKIP:
{
	skip 'a server without ICU', 2
	  if !$session->rows(q(SELECT count(*) FROM pg_collation WHERE collprovider = 'i'));
	$session->rows(q(CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)));
	asks('an equality of another kind',
		q(SELECT query_id FROM queries WHERE name = 'FIRST OF ALL' COLLATE loose), '{query}',
		'/v1/mpn/ScheduledQueries?includeSystemQueries=true');
}
asks('no name at all', q(SELECT query_id FROM queries WHERE name = NULL), '');
asks('conditions that are not about one value are checked here',
	q(SELECT name FROM queries WHERE name LIKE 'first%' AND type <> 'system'), 'first of all',
	'/v1/mpn/ScheduledQueries?includeSystemQueries=true');

# ---- reports and executions ----

my $report = make_report($query, 'now');
my $other = make_report($query, 'again');
my $idle = call('POST', '/ScheduledReport', {
		ReportName => 'later', QueryId => $second, StartTime => '2099-01-01T00:00:00Z',
		RecurrenceInterval => 24, RecurrenceCount => 3, Format => 'TSV',
		CallbackUrl => 'https://example.com/done' })->{reportId};
%names = (%names, $report => 'report', $other => 'other', $idle => 'idle');
for (1 .. 200)
{
	last if !grep { $_->{executionStatus} ne 'Completed' }
	  map { @{ $_->{executions} } } @{ $emulator->state->{reports} };
	sleep(0.02);
}
my ($execution, $another) = map { call('GET', "/ScheduledReport/execution/$_")->{executionId} } $report, $other;
%names = (%names, $execution => 'execution', $another => 'another');

asks('a report that another program made',
	q(SELECT report_id, query_id, description, user_name, execute_now, report_status, recurrence_interval,
	  recurrence_count, callback_url, callback_method, format, modified_time FROM reports WHERE report_name = 'now'),
	'{report}|{query}||analyst@contoso.onmicrosoft.com|t|Inactive|0|0|||csv|',
	'/v1/mpn/ScheduledReport?reportName=now');
asks('a recurring one', qq(SELECT report_name, start_time, report_status, recurrence_interval, recurrence_count,
	  callback_url, format, raw ->> 'startTime' FROM reports WHERE report_id = '$idle'),
	'later|2099-01-01 00:00:00+00|Active|24|3|https://example.com/done|tsv|2099-01-01T00:00:00Z',
	'/v1/mpn/ScheduledReport?reportId={idle}');
asks('reports of a query', qq(SELECT report_name FROM reports WHERE query_id = '$query' ORDER BY 1), "again\nnow",
	'/v1/mpn/ScheduledReport?queryId={query}');
asks('status is checked here', q(SELECT report_name FROM reports WHERE report_status = 'Active'), 'later',
	'/v1/mpn/ScheduledReport');

asks('executions of a report',
	qq(SELECT execution_id, report_id, execution_status, report_generated_time > '2000-01-01',
	  report_access_secure_link LIKE 'http%', report_location, format, latest
	  FROM executions WHERE report_id = '$report'),
	'{execution}|{report}|Completed|t|t||csv|t',
	"/v1/mpn/ScheduledReport/execution/{report}?$latest",
	"/v1/mpn/ScheduledReport/execution/{report}?$all");
asks('whether it is the latest is asked only if it is looked at',
	qq(SELECT execution_id FROM executions WHERE report_id = '$report'), '{execution}',
	"/v1/mpn/ScheduledReport/execution/{report}?$all");
asks('the latest one', qq(SELECT execution_id, latest FROM executions WHERE latest AND report_id = '$report'),
	'{execution}|t', "/v1/mpn/ScheduledReport/execution/{report}?$latest");
asks('the latest one of all is told apart before its status',
	qq(SELECT count(*) FROM executions WHERE latest IS TRUE AND report_id = '$report' AND execution_status = 'Running'),
	0, "/v1/mpn/ScheduledReport/execution/{report}?$latest");
asks('a status', qq(SELECT execution_id FROM executions WHERE report_id = '$report' AND execution_status = 'Completed'),
	'{execution}',
	'/v1/mpn/ScheduledReport/execution/{report}?executionStatus=Completed&getLatestExecution=false');
asks('several', qq(SELECT count(*) FROM executions WHERE report_id = '$report' AND execution_status IN ('Pending', 'Running')),
	0, '/v1/mpn/ScheduledReport/execution/{report}?executionStatus=Pending;Running&getLatestExecution=false');
asks('a status that nobody knows is not told',
	qq(SELECT count(*) FROM executions WHERE report_id = '$report' AND execution_status = 'done'),
	0, "/v1/mpn/ScheduledReport/execution/{report}?$all");
asks('an execution', qq(SELECT report_id FROM executions WHERE report_id = '$report' AND execution_id = '$execution'),
	'{report}', "/v1/mpn/ScheduledReport/execution/{report}?executionId={execution}&$all");
asks('too many for an address', qq(SELECT count(*) FROM executions WHERE report_id = '$report'
	AND execution_id = ANY (array_append(array(SELECT md5(i::text) FROM generate_series(1, 100) i), '$execution'))),
	1, "/v1/mpn/ScheduledReport/execution/{report}?$all");
asks('all executions', q(SELECT report_id, execution_id FROM executions ORDER BY report_id = ') . $other . q('),
	"{report}|{execution}\n{other}|{another}",
	'/v1/mpn/ScheduledReport',
	map { "/v1/mpn/ScheduledReport/execution/{$_}?$all" } qw(report other idle));
asks('of two reports', qq(SELECT count(*) FROM executions WHERE report_id IN ('$report', '$other', '$report', NULL)), 2,
	map { "/v1/mpn/ScheduledReport/execution/{$_}?$all" } qw(report other));
asks('of what is no report',
	q(SELECT count(*) FROM executions WHERE report_id IN ('', 'a/b', '../x', 'a;b')), 0);
asks('of no report', q(SELECT count(*) FROM executions WHERE report_id = ANY ('{}')), 0);

# values that are known only then
asks('a parameter', qq(PREPARE p (text) AS SELECT execution_id FROM executions WHERE report_id = \$1;
	SET plan_cache_mode = force_generic_plan; EXECUTE p ('$other')), '{another}',
	"/v1/mpn/ScheduledReport/execution/{other}?$all");
asks('null', 'EXECUTE p (NULL)', '');
$session->rows('RESET plan_cache_mode');
asks('a subquery', q(SELECT execution_id FROM executions
	WHERE report_id = (SELECT report_id FROM reports WHERE report_name = 'now')), '{execution}',
	'/v1/mpn/ScheduledReport?reportName=now', "/v1/mpn/ScheduledReport/execution/{report}?$all");
asks('a join: executions of the reports that are wanted',
	q(SELECT report_name, execution_id FROM reports JOIN executions USING (report_id) WHERE report_name <> 'again'),
	'now|{execution}', '/v1/mpn/ScheduledReport',
	map { "/v1/mpn/ScheduledReport/execution/{$_}?$all" } qw(report idle));
asks('a subquery about another table',
	q(SELECT r.report_name, e.execution_id FROM reports r JOIN executions e
	  ON e.report_id = (SELECT max(s.report_id) FROM reports s WHERE s.report_name = r.report_name)
	  WHERE r.report_name = 'now'), 'now|{execution}',
	('/v1/mpn/ScheduledReport?reportName=now') x 2, "/v1/mpn/ScheduledReport/execution/{report}?$all");
asks('an array of a subquery', q(SELECT execution_id FROM executions
	  WHERE report_id = ANY (ARRAY(SELECT report_id FROM reports WHERE report_name = 'again'))), '{another}',
	'/v1/mpn/ScheduledReport?reportName=again', "/v1/mpn/ScheduledReport/execution/{other}?$all");
asks('three levels', q(SELECT q.name, report_name, execution_status, format FROM queries q JOIN reports r USING (query_id)
	JOIN executions e USING (report_id, format) WHERE q.name = 'first of all' AND report_name = 'now'),
	'first of all|now|Completed|csv',
	'/v1/mpn/ScheduledQueries?queryName=first of all&includeSystemQueries=true',
	'/v1/mpn/ScheduledReport?reportName=now&queryId={query}',
	"/v1/mpn/ScheduledReport/execution/{report}?$all");
asks('the latest execution of each report',
	q(SELECT report_name, e.execution_status FROM reports r LEFT JOIN executions e
	  ON e.report_id = r.report_id AND e.latest ORDER BY 1), "again|Completed\nlater|\nnow|Completed",
	'/v1/mpn/ScheduledReport',
	map { "/v1/mpn/ScheduledReport/execution/{$_}?$latest" } qw(report other idle));

# reading again asks nobody
$session->rows('SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off');
asks('a rescan', q(SELECT count(*) FROM generate_series(1, 3) g CROSS JOIN reports r), 9, '/v1/mpn/ScheduledReport');
asks('values that only matter here do not change what is asked',
	q(SELECT s, n FROM (VALUES ('Active'), ('Inactive')) v (s),
	  LATERAL (SELECT count(*) AS n FROM reports WHERE report_status = s) r), "Active|1\nInactive|2",
	'/v1/mpn/ScheduledReport');
asks('values that change do, and come back',
	qq(SELECT count(execution_id) FROM unnest(ARRAY['$report', '$report', NULL, '$other', '$report']) WITH ORDINALITY u (id, n)
	  LEFT JOIN LATERAL (SELECT execution_id FROM executions WHERE report_id = u.id OFFSET 0) e ON true), 4,
	map { "/v1/mpn/ScheduledReport/execution/{$_}?$all" } qw(report other report));
$session->rows(q(BEGIN; DECLARE c SCROLL CURSOR FOR SELECT report_name FROM reports));
asks('a cursor goes back', 'FETCH 2 FROM c; MOVE ABSOLUTE 0 IN c; FETCH ALL FROM c',
	"now\nagain\nnow\nagain\nlater", '/v1/mpn/ScheduledReport');
$session->rows('COMMIT; RESET ALL; SET search_path = api; SET timezone = UTC');

# ---- pages ----

make_query("query $_") foreach 1 .. 12;
$emulator->switches({ page_size => 5 });
asks('pages', q(SELECT count(*), count(DISTINCT query_id) FROM queries WHERE type = 'userDefined'), '14|14',
	'/v1/mpn/ScheduledQueries?includeSystemQueries=false',
	'/v1/mpn/ScheduledQueries?includeSystemQueries=false&pageToken=5',
	'/v1/mpn/ScheduledQueries?includeSystemQueries=false&pageToken=10');
asks('all pages before the first row', q(SELECT count(*) FROM (SELECT FROM queries WHERE type = 'userDefined' LIMIT 5) q), 5,
	'/v1/mpn/ScheduledQueries?includeSystemQueries=false',
	'/v1/mpn/ScheduledQueries?includeSystemQueries=false&pageToken=5',
	'/v1/mpn/ScheduledQueries?includeSystemQueries=false&pageToken=10');
asks('none where no row is wanted', q(SELECT FROM queries LIMIT 0), '');
$emulator->switches({ page_size => 1, relative_next_link => JSON::PP::true });
asks('relative links, and pages of reports on the way to executions', q(SELECT count(*) FROM executions), 2,
	'/v1/mpn/ScheduledReport', '/v1/mpn/ScheduledReport?pageToken=1', '/v1/mpn/ScheduledReport?pageToken=2',
	map { "/v1/mpn/ScheduledReport/execution/{$_}?$all" } qw(report other idle));
$emulator->switches({ page_size => 0, relative_next_link => JSON::PP::false });

# A reply of the service for the next call of an endpoint.
sub reply
{
	my ($endpoint, $body, %more) = @_;
	$emulator->fault({ endpoint => $endpoint, status => 200,
			headers => { 'Content-Type' => 'application/json' },
			body => ref $body ? encode_json($body) : $body, %more });
	return;
}

# Who has the token has everything: it is for the API's host alone.
{
	my $elsewhere = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1')
	  or die "listen: $!\n";
	my $port = $elsewhere->sockport;

	foreach my $link ("http://127.0.0.1:$port/next", "//127.0.0.1:$port/next",
		"https://api.partnercenter.microsoft.com/next")
	{
		reply('list_reports', { value => [], nextLink => $link });
		my $error = $session->error('SELECT count(*) FROM reports');
		is($error->{message}, q(server "partner": could not read on: the next page is not on the API's host),
			"a next page elsewhere: $link");
	}
	$elsewhere->blocking(0);
	ok(!$elsewhere->accept, 'nobody was called there');
}
$emulator->fault({ endpoint => 'list_reports', status => 200, times => 0,
		body => encode_json({ value => [], nextLink => '/insights/v1/mpn/ScheduledReport' }) });
like($session->error('SELECT count(*) FROM reports')->{message}, qr/there are more than 1000 pages/,
	'a list that runs in circles ends');
$emulator->control('DELETE', '/faults');
reply('list_reports', { value => [ { reportId => 'r' } ], nextLink => '/insights/v1/mpn/ScheduledReport?page=2' });
$emulator->fault({ endpoint => 'list_reports', nth => 2, status => 404, body => '{"message": "None."}' });
like($session->error('SELECT count(*) FROM reports')->{message}, qr/a page that the service told of is not there/,
	'a page that is missing is an error');
reply('list_reports', { value => [ { reportId => 'r' }, { reportId => 's' } ],
		nextLink => '/insights/v1/mpn/ScheduledReport?page=2' });
reply('list_reports', { value => [ { reportId => 's' }, { reportId => 't' } ] }, nth => 2);
is($session->rows(q(SELECT string_agg(report_id, ',') FROM reports)), 'r,s,t', 'pages that overlap');

$emulator->fault({ endpoint => 'list_reports', status => 404, body => '<title>Nothing here</title>' });
like($session->error('SELECT count(*) FROM reports')->{text}, qr/could not list reports: .*Nothing here.*api_url.*CONTEXT:  foreign table "reports"$/ms,
	'a page that is none of the service\'s does not mean that there are no reports');

# more than work_mem has room for is kept on disk
reply('list_reports', { value => [ map { { reportId => "r$_", description => "$_ " x 1000 } } 1 .. 100 ] });
$session->rows(q(SET work_mem = '64kB'));
is($session->rows(q(SELECT string_agg(report_id, ','), bool_and(description = repeat(substr(report_id, 2) || ' ', 1000))
	FROM reports)), join(',', map { "r$_" } 1 .. 100) . '|t', 'rows that are kept on disk');
$session->rows('RESET work_mem');

# ---- odd spellings ----

reply('list_reports', "\x{feff}" . encode_json({ Value => [
	{ REPORTID => ' r1 ', ' ReportName' => ' a name', ReportStatus => 'PAUSED', executenow => 'False',
		RecurrenceInterval => '24', recurrenceCount => 3.0, StartTime => '3/1/2026 4:05:06 PM',
		CreatedTime => '2021-01-06T05:38:34', modifiedTime => '', Format => 'CSV', callbackMethod => 'get',
		description => '', isPublicInOrg => JSON::PP::false, user => 142344300 },
	{ reportId => 'r2', reportStatus => 'Dormant', executeNow => 1, recurrenceInterval => undef,
		createdTime => '2026-03-01T12:00:00.1234567+01:00', callbackUrl => { odd => [1] } },
	undef, 'nothing', { reportName => 'without an id' } ] }));
$emulator->clear_log;
is($session->rows(q(SELECT report_id, report_name, description, query_id, user_name, created_time, modified_time, execute_now,
	  start_time, report_status, recurrence_interval, recurrence_count, callback_url, callback_method, format
	  FROM reports)), join("\n",
		'r1| a name|||142344300|2021-01-06 05:38:34+00||f|2026-03-01 16:05:06+00|Paused|24|3||GET|csv',
		'r2|||||2026-03-01 11:00:00.123457+00||t||Dormant|||{"odd":[1]}||',
		'|without an id|||||||||||||'), 'odd spellings are read');
reply('list_reports', q({"value": [{"reportId": "r", "more": {"a": 0.1, "b": [1e3, 12345678901234567890]}, "t": "\u00e9"}]}));
is($session->rows(q(SELECT raw FROM reports)),
	q({"t": "é", "more": {"a": 0.1, "b": [1000, 12345678901234567000]}, "reportId": "r"}), 'raw is all there is');
foreach my $none ({ value => [] }, { value => undef }, { Value => [], nextLink => '' })
{
	reply('list_reports', $none);
	is($session->rows('SELECT count(*) FROM reports'), 0, 'an empty list');
}
reply('list_reports', { value => [ { reportId => 'r', createdTime => 'yesterday', recurrenceInterval => 'often' } ] }, times => 5);
my $error = $session->error('SELECT created_time FROM reports');
is($error->{message}, 'invalid value for column "created_time" of foreign table "reports": "yesterday"',
	'what cannot be read is an error');
is($error->{detail}, 'It is of the object with report_id "r".', 'which tells of what');
is($session->rows('SELECT report_id FROM reports'), 'r', 'if it is looked at');
$session->rows(q(ALTER FOREIGN TABLE reports OPTIONS (ADD on_error 'set_null')));
is($session->rows('SELECT report_id, created_time, recurrence_interval FROM reports'), 'r||', 'or it is null');
$session->rows(q(ALTER FOREIGN TABLE reports OPTIONS (DROP on_error)));
$session->rows(q(CREATE FOREIGN TABLE texts (id text OPTIONS (column_name 'reportId'), created_time text,
	recurrence_interval text, raw text) SERVER partner OPTIONS (api_object 'reports')));
is($session->rows('SELECT id, created_time, recurrence_interval, raw::json ->> $$reportId$$ FROM texts'),
	'r|yesterday|often|r', 'or text');
$emulator->control('DELETE', '/faults');
reply('executions', { value => [ { executionId => 'e1', reportId => undef, executionStatus => 'COMPLETED' },
			{ executionId => 'e2' } ] });
is($session->rows(qq(SELECT execution_id, report_id = '$report', execution_status FROM executions WHERE report_id = '$report')),
	"e1|t|Completed\ne2|t|", 'an execution is of the report it was asked for');
reply('executions', { value => [ { executionId => 'e1' } ] }, times => 3);
is($session->rows('SELECT count(*), count(DISTINCT report_id) FROM executions'), '3|3',
	'executions of several reports may have the same id');
reply('list_reports', { value => [ { reportId => 'a/b' }, { reportName => 'x' } ] });
is($session->rows('SELECT count(*) FROM executions'), 0, 'a report whose executions nobody can ask for');
is(scalar(my @w = $session->said =~ /WARNING/g), 2, 'is told');
$emulator->switches({ json_pascal => JSON::PP::true, json_bom => JSON::PP::true });
is($session->rows(q(SELECT count(*) FROM reports JOIN executions USING (report_id))), 2, 'PascalCase');
$emulator->switches({ json_pascal => JSON::PP::false, json_bom => JSON::PP::false });

# a service that knows no word for what failed
$emulator->fault({ endpoint => 'executions', status => 400, body => q({"message": "Requested value 'Failed' not found"}) });
asks('statuses that the service does not know', q(SELECT count(*) FROM executions), 2,
	'/v1/mpn/ScheduledReport',
	"/v1/mpn/ScheduledReport/execution/{report}?$all",
	map { "/v1/mpn/ScheduledReport/execution/{$_}?" . ($all =~ s/;Failed//r) } qw(report other idle));

# ---- the client's ways ----

$emulator->fault({ endpoint => 'list_reports', status => 503, times => 2, headers => { 'Retry-After' => '0' } });
is($session->rows('SELECT count(*) FROM reports'), 3, 'what passes is tried again');
$emulator->clear_log;
$emulator->fault({ endpoint => 'list_reports', status => 429, headers => { 'Retry-After' => '3600' } });
is($session->error(q(SET statement_timeout = '5s'; SELECT count(*) FROM reports))->{sqlstate}, '53400',
	'what passes in an hour is an error now');
is($emulator->count(endpoint => 'list_reports'), 1, '... asked once');
$session->rows('RESET statement_timeout');
$emulator->control('POST', '/expire-tokens');
is($session->rows('SELECT count(*) FROM reports'), 3, 'a token that ended is renewed');
$token = undef;
$emulator->switches({ role => 'none' });
is($session->error('SELECT count(*) FROM reports')->{sqlstate}, '42501', 'a role is missing');
$emulator->switches({ role => 'erv', error_in_200 => JSON::PP::true });
is($session->rows(q(SELECT count(*) FROM reports WHERE report_id = 'gone')), 0, 'an error in a reply of status 200');
$emulator->switches({ error_in_200 => JSON::PP::false });
{
	$emulator->fault({ endpoint => 'list_reports', hang_ms => 5000 });
	my $start = time();
	is($session->error(q(SET statement_timeout = 200; SELECT count(*) FROM reports))->{sqlstate}, '57014', 'cancelled');
	cmp_ok(time() - $start, '<', 3, 'at once');
	$session->rows('RESET statement_timeout');
}

# beside a report: both in one statement
$session->rows(q(CREATE FOREIGN TABLE usage (month date, customer_name text) SERVER partner
	OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME')));
is($session->rows(q(SELECT count(*) > 0, count(DISTINCT dataset_name) FROM usage, datasets WHERE dataset_name = 'AzureUsage')),
	't|1', 'with the rows of a report');
$session->rows(q(SELECT 1 FROM usage u, executions e, reports r WHERE r.report_id = e.report_id));

# ---- EXPLAIN ----

$emulator->clear_log;
my $plan = $session->rows(qq(EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
	SELECT execution_id FROM executions WHERE report_id = '$report'));
like($plan, qr{^ +Calls: GET /insights/v1/mpn/ScheduledReport/execution/$report\?\Q$all\E$}m, 'ANALYZE shows the call');
like($plan, qr{^ +Requests: 1$}m, 'and how many there were');
is($emulator->count(endpoint => 'executions'), 1, 'which is true');
$emulator->clear_log;
$session->rows('EXPLAIN (VERBOSE) SELECT * FROM reports JOIN executions USING (report_id)');
is($emulator->count, 0, 'EXPLAIN asks nobody');

# ---- the other program ----

my $market_query = make_query('market', 'cmp');
my $market_report = make_report($market_query, 'market now', 'cmp');
%names = (%names, $market_query => 'market_query', $market_report => 'market_report');
$session->rows('SELECT FROM market.reports');	# signs in anew
asks('the other program', q(SELECT q.name, report_name, execute_now, r.callback_method, count(execution_id)
	FROM market.queries q JOIN market.reports r USING (query_id) LEFT JOIN market.executions USING (report_id)
	WHERE type = 'userDefined' GROUP BY 1, 2, 3, 4), 'market|market now|||1',
	'/v1.1/cmp/ScheduledQueries?includeSystemQueries=false',
	'/v1.1/cmp/ScheduledReport?queryId={market_query}',
	"/v1.1/cmp/ScheduledReport/execution/{market_report}?$all");

# ---- many executions: the history of ninety days ----

my $daily = call('POST', '/ScheduledReport', {
		ReportName => 'daily', QueryId => $second,
		StartTime => POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time() + 5 * 3600)),
		RecurrenceInterval => 24, RecurrenceCount => 10 })->{reportId};
$emulator->control('POST', '/clock', { advance_seconds => 7 * 86400 });
$token = undef;
my $runs = scalar(map { @{ $_->{executions} } } grep { $_->{reportId} eq $daily } @{ $emulator->state->{reports} });
cmp_ok($runs, '>', 5, 'a report that ran again and again');
is($session->rows(qq(SELECT count(*) = $runs, count(*) FILTER (WHERE latest) FROM executions WHERE report_id = '$daily')),
	't|1', 'all of its executions, and the latest');
is($session->rows(qq(SELECT count(*) FROM executions WHERE report_id = '$daily' AND latest)), 1, 'the latest alone');
is($session->rows(qq(SELECT count(*) FROM executions WHERE report_id = '$daily' AND NOT latest)), $runs - 1, 'the others');

$session->quit;
done_testing();
