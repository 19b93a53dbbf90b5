# Queries and reports made, changed and deleted from SQL: what is sent, what is
# refused before, and what is said of changes that no rollback undoes.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use HTTP::Tiny;
use JSON::PP;
use PinsightEmulator;
use PinsightSession;
use POSIX qw(strftime);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $hour = 3600;
my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0', '--quota-queries', 1000 ]);
my $node = $emulator->node('changes', conf => "max_prepared_transactions = 1\n");
my $mapping = "client_id '$PinsightEmulator::client_id', "
  . "client_secret '$PinsightEmulator::client_secret', "
  . "refresh_token '$PinsightEmulator::refresh_token'";

$emulator->create_server($node, 'market', "program 'cmp'", $mapping);
$emulator->create_server($node, 'tight', "max_reports_per_hour '1'", $mapping);
$node->safe_psql('postgres', q(
	CREATE TABLE local (t text);
	CREATE SCHEMA api;
	CREATE SCHEMA market;
	CREATE SCHEMA tight;
	IMPORT FOREIGN SCHEMA api FROM SERVER partner INTO api;
	IMPORT FOREIGN SCHEMA api FROM SERVER market INTO market;
	IMPORT FOREIGN SCHEMA api FROM SERVER tight INTO tight;
	CREATE FOREIGN TABLE tight.usage (customer_name text) SERVER tight
		OPTIONS (dataset 'AzureUsage', timespan 'LAST_MONTH');
	CREATE FOREIGN TABLE usage (customer_name text) SERVER partner
		OPTIONS (dataset 'AzureUsage', timespan 'LAST_MONTH');));

my $session = PinsightSession->new($node);
$session->rows("SET search_path = api, public; SET timezone = UTC;");
my $select = 'SELECT CustomerName FROM AzureUsage TIMESPAN LAST_MONTH';
my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

# A time as the service writes it, so many seconds from now.
sub from_now { return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time() + $_[0])); }

# The only request to an endpoint since the log was cleared: "METHOD path" and body.
sub only
{
	my ($endpoint) = @_;
	my @found = $emulator->log(endpoint => $endpoint);

	is(scalar(@found), 1, "one request: $endpoint");
	my ($request) = @found;
	my $body = $request->{body} ? decode_json($request->{body}) : undef;
	my $path = $request->{path} =~ s{^/insights/v1/mpn}{}r;

	return ("$request->{method} $path", $body);
}

# Requests that change something.
sub changes
{
	return scalar(grep { $_->{method} ne 'GET' && $_->{path} =~ /insights/ } $emulator->log);
}

# The error of a statement, which sends no change.
sub refused
{
	my ($sql, $message, $name) = @_;

	$emulator->clear_log;
	my $error = $session->error($sql);
	like($error->{message}, $message, $name);
	is($error->{sqlstate}, '22023', 'sqlstate of a rule');
	is(changes(), 0, 'nothing was sent');
	return $error;
}

sub make_query
{
	my ($name, $schema) = @_;
	return $session->rows("INSERT INTO api.queries (name, query) "
		  . "VALUES ('$name', '$select') RETURNING query_id");
}

# ---- queries ----

my $all = q(query_id || ' ' || name || ' ' || coalesce(description, '?') || ' ' || query || ' '
	|| type || ' ' || user_name || ' ' || (created_time > now() - interval '1 minute')
	|| ' ' || (raw ->> 'queryId' = query_id));
my $row = $session->rows(
	"INSERT INTO queries (name, description, query) VALUES ('Usage', 'who', '$select') RETURNING $all");
my ($request, $body) = only('create_query');

is($request, 'POST /ScheduledQueries', 'a query is created');
is_deeply($body, { Name => 'Usage', Description => 'who', Query => $select }, 'what is sent');
like($row, qr/^($uuid) Usage who \Q$select\E userDefined \S+@\S+ true true$/,
	'RETURNING shows it as the service does');
my ($query_id) = $row =~ /^(\S+)/;
is($session->said, '', 'nothing else to say');

$emulator->clear_log;
$session->rows("INSERT INTO queries (name, query) VALUES ('No description', '$select')");
is_deeply([ only('create_query') ]->[1], { Name => 'No description', Query => $select },
	'what is left out is not sent');

$emulator->clear_log;
is($session->rows("DELETE FROM queries WHERE name = 'No description' RETURNING name, query"),
	"No description|$select", 'RETURNING shows what is gone');
($request, $body) = only('delete_query');
like($request, qr{^DELETE /ScheduledQueries/$uuid$}, 'a query is deleted');
is($session->rows("SELECT count(*) FROM queries WHERE type <> 'system'"), 1, 'and the other stays');

# ---- what cannot be changed at all ----

foreach my $case (
	[ "UPDATE queries SET name = 'x'", qr/^cannot update foreign table "queries"/,
		qr/cannot change a query: delete it/ ],
	[ 'DELETE FROM datasets', qr/^cannot delete from foreign table "datasets"/, qr/decides which/ ],
	[ "INSERT INTO datasets (dataset_name) VALUES ('x')", qr/^cannot insert into foreign table "datasets"/,
		qr/decides which/ ],
	[ 'DELETE FROM executions', qr/^cannot delete from foreign table "executions"/, qr/Insert a report/ ],
	[ "UPDATE executions SET report_id = 'x'", qr/^cannot update foreign table "executions"/,
		qr/Insert a report/ ],
	[ "INSERT INTO public.usage VALUES ('x')", qr/^cannot insert into foreign table "usage"/,
		qr/come from a report/ ],
	[ 'DELETE FROM public.usage', qr/^cannot delete from foreign table "usage"/, qr/come from a report/ ],
	[ "INSERT INTO queries (name) VALUES ('x') ON CONFLICT DO NOTHING", qr/ON CONFLICT/, qr// ])
{
	my ($sql, $message, $hint) = @$case;
	$emulator->clear_log;
	foreach my $explain ('', 'EXPLAIN ')
	{
		my $error = $session->error($explain . $sql);

		like($error->{message}, $message, "$explain$sql");
		is($error->{sqlstate}, '0A000', 'sqlstate');
		like($error->{hint} // '', $hint, 'hint');
	}
	is($emulator->count, 0, 'nobody is asked');
}
is($session->rows(q(SELECT string_agg(table_name || ' ' || is_insertable_into, ', ' ORDER BY table_name)
	FROM information_schema.tables WHERE table_schema = 'api')),
	'datasets NO, executions NO, queries YES, reports YES', 'information_schema');
is($session->rows(q(SELECT string_agg(t || ' ' || pg_relation_is_updatable(t::regclass, false), ', ')
	FROM unnest('{datasets,executions,queries,reports,public.usage}'::text[]) t)),
	'datasets 0, executions 0, queries 24, reports 28, public.usage 0', 'what can be changed');
like($session->error("COPY datasets (dataset_name) FROM PROGRAM 'echo x'")->{message},
	qr/"datasets" does not allow inserts/, 'COPY is not allowed more');

my $error = refused("INSERT INTO queries (query_id, name) VALUES ('x', 'y')",
	qr/^column "query_id" cannot have a value in INSERT/, 'a column that the service fills');
like($error->{detail}, qr/The service fills it/, 'says why');
refused("INSERT INTO reports (report_status) VALUES ('Paused')",
	qr/^column "report_status" cannot have a value in INSERT/, 'a status');
$error = refused("DELETE FROM queries WHERE type = 'system'",
	qr/query of the service's own cannot be deleted/, 'a system query');
like($error->{hint}, qr/type = 'userDefined'/, 'the way out');

# ---- the rules of queries ----

my $long = 'é' x 256;
foreach my $case (
	[ "'${long}n', '$select'", qr/column "name" has 257 characters/ ],
	[ "'a;b', '$select'", qr/column "name" contains a semicolon/ ],
	[ "' ', '$select'", qr/column "name" needs a value/ ],
	[ "NULL, '$select'", qr/column "name" needs a value/ ],
	[ "'n', NULL", qr/column "query" needs a value/ ],
	[ "'n', 'DELETE FROM AzureUsage'", qr/column "query" is not a report query/ ],
	[ "'pinsight 0123456789abcdef', '$select'", qr/of the kind that pinsight_fdw gives/ ],
	[ "' Pinsight Schedule 0123456789ABCDEF', '$select'", qr/of the kind that pinsight_fdw gives/ ])
{
	refused("INSERT INTO queries (name, query) VALUES ($case->[0])", $case->[1], "query $case->[1]");
}
is($session->rows("INSERT INTO queries (name, query) VALUES
		('$long', '$select'), ('pinsight 0123456789abcde', '$select'), ('pinsight', '$select')
		RETURNING length(name)"), "256\n24\n8", 'names on the other side of the edge');

# what only the service can judge
foreach my $case (
	[ "'n', 'SELECT Nothing FROM AzureUsage'", 'HV005', qr/answered: Incorrect column name/,
		qr/table "datasets"/ ],
	[ "'n', 'SELECT Month FROM Nothing'", 'HV00R', qr/answered: Invalid table name/,
		qr/table "datasets"/ ],
	[ "'n', 'SELECT * FROM AzureUsage'", 'HV00L', qr/answered: /,
		qr/is written as SELECT column.*table "datasets"/ ])
{
	my $refusal = $session->error("INSERT INTO queries (name, query) VALUES ($case->[0])");

	is($refusal->{sqlstate}, $case->[1], "sqlstate: $case->[0]");
	like($refusal->{detail}, $case->[2], "the service's words");
	like($refusal->{hint} // '', $case->[3], 'the way out');
	unlike($refusal->{text}, qr/WARNING/, 'nothing was changed');
}

# ---- reports ----

my $start = from_now(5 * $hour);
$emulator->clear_log;
$row = $session->rows(qq(INSERT INTO reports (report_name, description, query_id, start_time,
	recurrence_interval, recurrence_count, format, callback_url, callback_method)
	VALUES ('Weekly', 'd', '$query_id', '$start', 168, 4, 'TSV', 'https://example.com/hook', 'get')
	RETURNING report_id, report_name, query, report_status, execute_now, recurrence_interval,
		recurrence_count, format, callback_method, start_time = '$start', query_start_time));
($request, $body) = only('create_report');
is($request, 'POST /ScheduledReport', 'a report is created');
is_deeply($body, {
		ReportName => 'Weekly', Description => 'd', QueryId => $query_id, StartTime => $start,
		ExecuteNow => JSON::PP::false, RecurrenceInterval => 168, RecurrenceCount => 4,
		Format => 'tsv', CallbackUrl => 'https://example.com/hook', CallbackMethod => 'GET' },
	'what is sent');
like($row, qr/^$uuid\|Weekly\|\Q$select\E\|Active\|f\|168\|4\|tsv\|GET\|t\|$/, 'RETURNING');

my $windows = 'ALTER FOREIGN TABLE reports ALTER query_start_time %1$s NOT NULL, ALTER query_end_time %1$s NOT NULL';
$session->rows(sprintf($windows, 'SET'));
$emulator->clear_log;
$row = $session->rows(qq(INSERT INTO reports
	(report_name, query_id, execute_now, query_start_time, query_end_time)
	VALUES ('Once', '$query_id', true, '2026-01-01', '2026-02-01 00:00:00.5+00')
	RETURNING execute_now, format, query_start_time, query_end_time));
is_deeply([ only('create_report') ]->[1], {
		ReportName => 'Once', QueryId => $query_id, ExecuteNow => JSON::PP::true,
		QueryStartTime => '2026-01-01T00:00:00Z', QueryEndTime => '2026-02-01T00:00:01Z' },
	'a report that runs at once, with its window in whole seconds');
like($row, qr/^t\|csv\|2026-01-01 00:00:00\+00\|2026-02-01/, 'the window is shown though the service does not');
$session->rows(sprintf($windows, 'DROP'));
is($emulator->count(endpoint => 'datasets'), 0, 'nobody asks how often it may run');

# status alone, change alone, both
$emulator->clear_log;
is($session->rows("UPDATE reports SET report_status = 'paused' WHERE report_name = 'Weekly'
	RETURNING report_status"), 'Paused', 'a report is paused');
like([ only('pause') ]->[0], qr{^PUT /ScheduledReport/pause/$uuid$}, 'by one call');
is(changes(), 1, 'and no other');

my $later = from_now(30 * $hour);
$emulator->clear_log;
is($session->rows("UPDATE reports SET start_time = '$later', recurrence_count = NULL, format = 'csv'
	WHERE report_name = 'Weekly' RETURNING report_status, format, recurrence_count"),
	'Paused|csv|0', 'a report is changed, and stays as it was otherwise');
($request, $body) = only('update_report');
like($request, qr{^PUT /ScheduledReport/$uuid$}, 'by one call');
is_deeply($body, {
		ReportName => 'Weekly', Description => 'd', StartTime => $later, RecurrenceInterval => 168,
		Format => 'csv', CallbackUrl => 'https://example.com/hook', CallbackMethod => 'GET' },
	'which says all that may be said');
is(changes(), 1, 'and no other');

$emulator->clear_log;
is($session->rows("UPDATE reports SET report_status = 'Active', report_name = 'Monthly',
	recurrence_interval = 720 WHERE report_name = 'Weekly' RETURNING report_name, report_status"),
	'Monthly|Active', 'both at once');
is(join(' ', map { $_->{endpoint} } grep { $_->{method} ne 'GET' && $_->{path} =~ /insights/ } $emulator->log),
	'update_report resume', 'the change first');

$emulator->clear_log;
is($session->rows("UPDATE reports SET report_status = report_status, description = description
	WHERE report_name = 'Monthly' RETURNING report_name"), 'Monthly', 'nothing changes');
is(changes(), 0, 'and nothing is sent');

# a service that wakes a report up when it is changed
$session->rows("UPDATE reports SET report_status = 'Paused' WHERE report_name = 'Monthly'");
$emulator->clear_log;
$emulator->fault({ endpoint => 'update_report', status => 200, body => encode_json({
	value => [ { reportId => 'r', reportStatus => 'Active' } ], statusCode => 200 }) });
is($session->rows("UPDATE reports SET description = 'e' WHERE report_name = 'Monthly'
	RETURNING report_status"), 'Paused', 'a report that was paused stays so');
is($emulator->count(endpoint => 'pause'), 1, 'by another call');

# what a change cannot do
foreach my $case (
	[ "query_id = 'x'", qr/column "query_id" cannot be changed/ ],
	[ "report_id = 'x'", qr/column "report_id" cannot be changed/ ],
	[ 'execute_now = true', qr/column "execute_now" cannot be changed/ ],
	[ "created_time = now()", qr/column "created_time" cannot be changed/ ],
	[ "report_status = 'Inactive'", qr/column "report_status" can only be set to Paused or Active/ ],
	[ 'report_status = NULL', qr/column "report_status" can only be set to/ ],
	[ "report_name = 'a;b'", qr/column "report_name" contains a semicolon/ ],
	[ "report_name = 'pinsight 0123456789abcdef'", qr/of the kind that pinsight_fdw gives/ ],
	[ 'recurrence_interval = 3', qr/column "recurrence_interval" must be between 4 and 2160/ ],
	[ 'recurrence_interval = 23', qr/must be at least 24 for dataset "AzureUsage"/ ],
	[ 'recurrence_count = 0 - 1', qr/column "recurrence_count" must be positive/ ],
	[ "start_time = now() + interval '239 minutes'", qr/column "start_time" must be at least 4 hours ahead/ ])
{
	refused("UPDATE reports SET $case->[0] WHERE report_name = 'Monthly'", $case->[1],
		"change: $case->[0]");
}

like($session->error("UPDATE reports SET report_status = 'x' WHERE report_name = 'Monthly'")->{context},
	qr/row 1 of the changes to foreign table "reports": Report "Monthly" \(report_id $uuid\)$/m,
	'which report it is about is told');

# what a join brings several times
$emulator->clear_log;
is($session->rows("UPDATE reports SET description = i::text FROM generate_series(1, 3) i
	WHERE report_name = 'Monthly' RETURNING description"), '1', 'a report is changed once');
is($emulator->count(endpoint => 'update_report'), 1, 'by one call');
make_query('Joined');
is($session->rows("DELETE FROM queries USING generate_series(1, 3) WHERE name = 'Joined'
	RETURNING name"), 'Joined', 'a query is deleted once');
is($emulator->count(endpoint => 'delete_query'), 1, 'by one call');

# ---- the rules of reports: both sides of each edge ----

my $report = 0;
sub insert_report
{
	my ($schema, $query, %columns) = @_;
	$report++;
	%columns = (report_name => "'Rule $report'", query_id => "'$query'",
		start_time => "now() + interval '5 hours'", recurrence_interval => 720, %columns);
	delete @columns{qw(start_time recurrence_interval)} if delete $columns{once};
	return "INSERT INTO $schema.reports (" . join(', ', sort keys %columns) . ') VALUES ('
	  . join(', ', map { $columns{$_} // 'NULL' } sort keys %columns) . ') RETURNING 1';
}

foreach my $case (
	[ { report_name => "'n$long'" }, qr/column "report_name" has 257 characters/ ],
	[ { report_name => "'a;b'" }, qr/column "report_name" contains a semicolon/ ],
	[ { report_name => undef }, qr/column "report_name" needs a value/ ],
	[ { report_name => "'pinsight schedule 0123456789abcdef'" }, qr/of the kind that pinsight_fdw/ ],
	[ { description => "'n$long'" }, qr/column "description" has 257 characters/ ],
	[ { query_id => undef }, qr/column "query_id" needs a value/ ],
	[ { start_time => "now() + interval '3:59:58'" }, qr/column "start_time" must be at least 4 hours/ ],
	[ { start_time => "'infinity'" }, qr/column "start_time" is out of range/ ],
	[ { start_time => undef }, qr/column "start_time" needs a value/ ],
	[ { recurrence_interval => 3 }, qr/column "recurrence_interval" must be between 4 and 2160/ ],
	[ { recurrence_interval => 2161 }, qr/column "recurrence_interval" must be between/ ],
	[ { recurrence_interval => undef }, qr/column "recurrence_interval" must be between/ ],
	[ { recurrence_interval => 23 }, qr/must be at least 24 for dataset "AzureUsage"/ ],
	[ { recurrence_count => 0 }, qr/column "recurrence_count" must be positive/ ],
	[ { format => "'xlsx'" }, qr/column "format" must be csv or tsv/ ],
	[ { callback_url => "'http://localhost/x'" }, qr/column "callback_url" leads to this machine/ ],
	[ { callback_url => "'mailto:x'" }, qr/column "callback_url" does not begin with/ ],
	[ { callback_method => "'GET'" }, qr/column "callback_method" means nothing without/ ],
	[ { callback_url => "'https://example.com'", callback_method => "'PUT'" },
		qr/column "callback_method" must be GET or POST/ ],
	[ { execute_now => 'true' }, qr/column "start_time" does not go together with "execute_now"/ ],
	[ { query_start_time => 'now()' }, qr/column "query_start_time" needs "execute_now"/ ],
	[ { once => 1, execute_now => 'true', query_start_time => 'now()' }, qr/need each other/ ],
	[ { once => 1, execute_now => 'true', query_start_time => "'2026-01-02'",
			query_end_time => "'2026-01-02'" }, qr/column "query_end_time" must be later/ ])
{
	my ($columns, $message) = @$case;
	my $refusal = refused(insert_report('api', $query_id, %$columns), $message, "report $message");

	unlike($refusal->{message}, qr/server/, 'no fault of the server');
}

foreach my $columns (
	{ report_name => "'$long'", description => "'$long'" },
	{ start_time => "now() + interval '4:00:02'" },
	{ recurrence_interval => 24, recurrence_count => 1 },
	{ recurrence_interval => 2160 },
	{ format => "'CSV'", callback_url => "'http://example.com/'" },
	{ callback_url => "'https://example.com'", callback_method => "'post'" },
	{ once => 1, execute_now => 'true', query_start_time => "'2026-01-01'",
		query_end_time => "'2026-01-01 00:00:01'" })
{
	is($session->rows(insert_report('api', $query_id, %$columns)), 1,
		'the other side: ' . join(', ', sort keys %$columns));
}

# cmp tells no minimum of its own
my $market_id = $session->rows("INSERT INTO market.queries (name, query)
	VALUES ('m', 'SELECT OfferName FROM ISVUsage') RETURNING query_id");
is($session->rows(insert_report('market', $market_id, recurrence_interval => 4)), 1,
	'every four hours');
refused(insert_report('market', $market_id, recurrence_interval => 3),
	qr/must be between 4 and 2160/, 'every three');

# the service's own word, where our clock, or we, do not know
$emulator->switches({ clock_offset => 60 });
$error = $session->error(insert_report('api', $query_id, start_time => "now() + interval '4:00:30'"));
is($error->{sqlstate}, 'HV00L', 'the service judges the start by its own clock');
like($error->{detail}, qr/at least be 4 hours from current UTC time/, 'and says so');
$emulator->switches({ clock_offset => 0 });
$error = $session->error(insert_report('api', '00000000-0000-0000-0000-000000000000'));
is($error->{sqlstate}, 'HV00L', 'a query that is not there');
like($error->{detail}, qr/answered: Invalid QueryId/, 'in its words');
like($error->{hint}, qr/table "queries"/, 'the way out');
$emulator->switches({ quota_reports => 1 });
$error = $session->error(insert_report('api', $query_id));
is($error->{sqlstate}, '53400', 'a quota');
like($error->{detail}, qr/quota of 1 active reports/, 'in its words');
$emulator->switches({ quota_reports => 1000, plain_query_names => JSON::PP::true });
like($session->error("INSERT INTO queries (name, query) VALUES ('a-b', '$select')")->{detail},
	qr/Invalid query name/, 'names that only it refuses');
$emulator->switches({ plain_query_names => JSON::PP::false });

# a report ordered so is one of those of the hour
my $tight_id = $session->rows(
	"INSERT INTO tight.queries (name, query) VALUES ('t', '$select') RETURNING query_id");
$session->rows(insert_report('tight', $tight_id, once => 1, execute_now => 'true'));
is($session->error('SELECT count(*) FROM tight.usage')->{sqlstate}, '53400',
	'scans know of what was ordered');

# ---- what somebody else has made ----

my $http = HTTP::Tiny->new(timeout => 30, proxy => undef, http_proxy => undef);
my $token = decode_json($http->post_form($emulator->api_url
		. "/$PinsightEmulator::tenant/oauth2/token", {
			grant_type => 'refresh_token', resource => 'https://api.partnercenter.microsoft.com',
			client_id => $PinsightEmulator::client_id,
			client_secret => $PinsightEmulator::client_secret,
			refresh_token => $PinsightEmulator::refresh_token })->{content})->{access_token};

sub post
{
	my ($path, $content) = @_;
	my $reply = $http->request('POST', $emulator->api_url . "/insights/v1/mpn$path", {
		headers => { Authorization => "Bearer $token", 'Content-Type' => 'application/json' },
		content => encode_json($content) });
	die "$path: $reply->{content}\n" if !$reply->{success};
	return decode_json($reply->{content})->{value}->[0];
}

# made ten hours ago, to run every day from six hours ago on
my $first = time() - 6 * $hour;
$emulator->switches({ clock_offset => -10 * $hour - 60 });
my $portal = post('/ScheduledReport', { ReportName => 'Portal', RecurrenceInterval => 24,
	QueryId => post('/ScheduledQueries', { Name => 'Portal', Query => $select })->{queryId},
	StartTime => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($first)), Format => 'csv' });
$emulator->switches({ clock_offset => 0 });
my $mine = "WHERE report_id = '$portal->{reportId}'";
is($session->rows("SELECT report_name, report_status, recurrence_interval FROM reports $mine"),
	'Portal|Active|24', "a portal's report is found");
is($session->rows("UPDATE reports SET report_status = 'Paused' $mine RETURNING report_status"),
	'Paused', 'paused');
is($session->rows("UPDATE reports SET report_status = 'Active' $mine RETURNING report_status"),
	'Active', 'resumed');

$emulator->clear_log;
$session->rows("UPDATE reports SET description = 'moved' $mine");
my $next = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($first + 24 * $hour));
is([ only('update_report') ]->[1]->{StartTime}, $next, 'changed, it goes on in its rhythm');
like($session->said, qr/NOTICE: .*report "Portal" will run next at \Q$next\E/, 'which is said');

is($session->rows("DELETE FROM reports $mine RETURNING report_name"), 'Portal', 'deleted');
like([ only('delete_report') ]->[0], qr{^DELETE /ScheduledReport/$portal->{reportId}$}, 'by its id');
is($session->rows("SELECT count(*) FROM reports $mine"), 0, 'and gone');

# ---- EXPLAIN ----

my $base = '/insights/v1/mpn';

$emulator->clear_log;
foreach my $case (
	[ "INSERT INTO queries (name) VALUES ('x')", qr{Calls: POST $base/ScheduledQueries$}m ],
	[ 'DELETE FROM queries', qr{Calls: DELETE $base/ScheduledQueries/\{query_id\}$}m ],
	[ "INSERT INTO reports (report_name) VALUES ('x')", qr{Calls: POST $base/ScheduledReport$}m ],
	[ "UPDATE reports SET format = 'tsv'", qr{Calls: PUT $base/ScheduledReport/\{report_id\}$}m ],
	[ "UPDATE reports SET report_status = 'Paused', format = 'tsv'",
		qr{Calls: PUT $base/ScheduledReport/\{report_id\}, PUT $base/ScheduledReport/pause/\{report_id\}, PUT $base/ScheduledReport/resume/} ],
	[ 'DELETE FROM reports', qr{Calls: DELETE $base/ScheduledReport/\{report_id\}$}m ])
{
	like($session->rows("EXPLAIN $case->[0]"), $case->[1], "EXPLAIN $case->[0]");
}
is($emulator->count, 0, 'nobody is asked');
like($session->rows("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) INSERT INTO queries (name, query)
	VALUES ('analyzed', '$select')"), qr/Requests: 1\n\s*Retries: 0/, 'EXPLAIN ANALYZE counts');

# ---- transactions ----

# Statements one after the other, then a rollback; what was said.
sub said
{
	my @said;
	foreach my $sql (@_)
	{
		my ($out, $err) = $session->both($sql);
		push @said, $err if $err ne '';
	}
	return join('', @said);
}

$emulator->clear_log;
my $said = said('BEGIN', "INSERT INTO local VALUES ('x')", "DELETE FROM reports", 'ROLLBACK');
like($said, qr/ERROR:  25001: .*"reports" in a transaction that has already written to this database/,
	'no change behind a write');
like($said, qr/HINT:  Commit first, or set option "autocommit"/, 'the way out');
is($emulator->count, 0, 'nobody is asked');
like(said('BEGIN READ ONLY', 'DELETE FROM reports', 'ROLLBACK'), qr/ERROR:  25006/, 'READ ONLY');
$session->rows("CREATE FOREIGN TABLE pg_temp.passing (query_id text, name text) SERVER partner
	OPTIONS (api_object 'queries')");
like(said('BEGIN READ ONLY', 'DELETE FROM passing', 'ROLLBACK'),
	qr/ERROR:  25006: cannot change foreign table "passing"/, 'a temporary table is no exception');

$session->rows("ALTER FOREIGN TABLE queries OPTIONS (ADD autocommit 'true')");
$said = said('BEGIN', "INSERT INTO local VALUES ('x')",
	"INSERT INTO queries (name, query) VALUES ('Auto', '$select')", 'ROLLBACK');
like($said, qr/^WARNING:  01000: changes at the service are not rolled back\nDETAIL:  Query "Auto" \(query_id $uuid\) was created on server "partner"\.$/m,
	'autocommit allows it, and a rollback says what stays');
unlike($said, qr/ERROR/, 'without an error');
$session->rows('ALTER FOREIGN TABLE queries OPTIONS (DROP autocommit)');

$said = said('BEGIN', "INSERT INTO queries (name, query) VALUES ('One', '$select')",
	"UPDATE queries SET name = 'x'", 'ROLLBACK');
like($said, qr/^ERROR: /m, 'an error');
like($said, qr/^WARNING: .*\nDETAIL:  Query "One" .* was created/m, 'says it, too');
is(said('BEGIN', "INSERT INTO queries (name, query) VALUES ('Two', '$select')",
		"INSERT INTO local VALUES ('y')", 'COMMIT'), '', 'a write behind a change is fine');

$said = said('BEGIN', "INSERT INTO queries (name, query) VALUES ('Outer', '$select')", 'SAVEPOINT s',
	"DELETE FROM queries WHERE name = 'One'", 'SAVEPOINT t', "DELETE FROM queries WHERE name = 'Two'",
	'RELEASE t', 'ROLLBACK TO s');
like($said, qr/DETAIL:  Query "One" .* was deleted.*\nQuery "Two" .* was deleted/, "a savepoint's changes");
unlike($said, qr/Outer/, 'and no others');
$said = said('ROLLBACK');
like($said, qr/Query "Outer" .* was created/, "the transaction's");
unlike($said, qr/"One"|"Two"/, 'are told once');
is(said('BEGIN', 'ROLLBACK'), '', 'and forgotten');

$said = said(qq(DO \$\$ BEGIN
		INSERT INTO queries (name, query) VALUES ('Caught', '$select');
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN NULL; END \$\$));
like($said, qr/^WARNING: .*\nDETAIL:  Query "Caught" .* was created/, 'a caught exception');

$said = said('BEGIN', "INSERT INTO queries (name, query) VALUES ('Prepared', '$select')",
	"PREPARE TRANSACTION 'p'", 'ROLLBACK');
like($said, qr/ERROR:  0A000: cannot PREPARE a transaction that has changed objects at the service/,
	'it cannot be prepared');
like($said, qr/^WARNING: .*\nDETAIL:  Query "Prepared" .* was created/m, 'and says what stays');
is(said('BEGIN', 'SELECT count(*) FROM queries', 'SAVEPOINT s', "DELETE FROM reports WHERE report_name = '?'",
	'ROLLBACK TO s', "PREPARE TRANSACTION 'p'", "ROLLBACK PREPARED 'p'"), '', 'one that has changed nothing can');

is($session->rows("WITH q AS (INSERT INTO queries (name, query)
		SELECT 'Both ' || i, '$select' FROM generate_series(1, 2) i RETURNING name)
	INSERT INTO local SELECT name FROM q RETURNING t"), "Both 1\nBoth 2",
	'one statement may write both');

# ---- many rows ----

$emulator->clear_log;
$error = $session->error("INSERT INTO queries (name, query) VALUES
	('First', '$select'), ('Second', '$select'), ('Third', 'SELECT Nothing FROM AzureUsage'),
	('Fourth', '$select')");
is($error->{sqlstate}, 'HV005', 'the third of four fails');
like($error->{text}, qr/DETAIL:  The service answered: Incorrect column name\nIt was row 3 of the statement\.  What was done before stays:\nQuery "First" \(query_id $uuid\) was created\.\nQuery "Second" \(query_id $uuid\) was created\.$/m,
	'what was done before is told with its ids');
like($error->{context}, qr/row 3 of the changes to foreign table "queries"/, 'and which row it was');
like($error->{text}, qr/WARNING: .*\nDETAIL:  Query "First" .*\nQuery "Second" .* was created/,
	'and that it stays');
is($emulator->count(endpoint => 'create_query'), 3, 'the fourth is not sent');

$error = $session->error("INSERT INTO queries (name, query)
	SELECT 'Before ' || i, '$select' FROM generate_series(1, 3) i WHERE 1 / (3 - i) >= 0");
is($error->{sqlstate}, '22012', 'an error that is none of ours');
like($error->{text}, qr/WARNING: .*\nDETAIL:  Query "Before 1" .*\nQuery "Before 2" /,
	'what was done before is told all the same');

$node->safe_psql('postgres', q(
	CREATE FUNCTION named() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN NEW.name := NEW.name || '' here''; RETURN NEW; END';
	CREATE TRIGGER named BEFORE INSERT ON api.queries FOR EACH ROW EXECUTE FUNCTION named();));
is($session->rows("INSERT INTO queries (name, query) VALUES ('Triggered', '$select') RETURNING name"),
	'Triggered here', 'a trigger has its say');
$node->safe_psql('postgres', 'DROP TRIGGER named ON api.queries');

$emulator->switches({ page_size => 2 });
my $doomed = $session->rows("SELECT count(*) FROM queries WHERE type = 'userDefined' AND name <> 'Usage'");
is($session->rows("WITH d AS (DELETE FROM queries WHERE type = 'userDefined' AND name <> 'Usage'
	RETURNING 1) SELECT count(*) FROM d"), $doomed, 'pages do not move while they are deleted from');
is($session->rows("SELECT string_agg(name, ',') FROM queries WHERE type = 'userDefined'"), 'Usage',
	'all are gone');
$session->rows("INSERT INTO queries (name, query) SELECT 'Loop ' || i, '$select' FROM generate_series(1, 24) i");
$session->rows(q(DO $$ DECLARE one text; BEGIN
	FOR one IN SELECT query_id FROM queries WHERE name LIKE 'Loop %' LOOP
		DELETE FROM queries WHERE query_id = one;
	END LOOP; END $$));
is($session->rows("SELECT count(*) FROM queries WHERE name LIKE 'Loop %'"), 0, 'nor while a cursor is open');

# whoever deletes while rows are read
$node->safe_psql('postgres', q(
	CREATE FUNCTION api.drop_query(id text) RETURNS bool LANGUAGE plpgsql AS
		'BEGIN DELETE FROM api.queries WHERE query_id = id; RETURN FOUND; END';
	CREATE FUNCTION api.drop_mine() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN PERFORM api.drop_query(NEW.t); RETURN NULL; END';
	CREATE TABLE api.dropped (t text);
	CREATE TRIGGER drop_mine BEFORE INSERT ON api.dropped FOR EACH ROW EXECUTE FUNCTION api.drop_mine();));
foreach my $case (
	[ 'a function in the select list', 'SELECT drop_query(query_id) FROM queries WHERE %s' ],
	[ 'a condition', 'SELECT name FROM queries WHERE %s AND drop_query(query_id)' ],
	[ 'a condition above the scan',
		'SELECT name FROM queries LEFT JOIN generate_series(1, 1) i ON true WHERE %s AND drop_query(query_id || left(i::text, 0))' ],
	[ 'a trigger of another table', 'INSERT INTO dropped SELECT query_id FROM queries WHERE %s' ])
{
	my ($name, $sql) = @$case;
	$session->rows("INSERT INTO queries (name, query) SELECT 'Shift ' || i, '$select' FROM generate_series(1, 5) i");
	$session->rows(sprintf($sql, "name LIKE 'Shift %'"));
	is($session->rows("SELECT count(*) FROM queries WHERE name LIKE 'Shift %'"), 0, "nor by $name");
}
foreach my $copies (1, 2)
{
	is($session->rows("WITH i AS (INSERT INTO queries (name, query) SELECT 'Copied ' || name, query
		FROM queries WHERE type = 'userDefined' RETURNING 1) SELECT count(*) FROM i"), $copies,
		'what is made meanwhile is not read');
}
$emulator->switches({ page_size => 0 });

$node->safe_psql('postgres', qq(COPY api.queries (name, query) FROM PROGRAM
	\$\$printf 'Copied 1\\t$select\\nCopied 2\\t$select\\n'\$\$));
is($session->rows("DELETE FROM queries WHERE name ~ '^Copied [12]\$' RETURNING name"),
	"Copied 1\nCopied 2", 'COPY FROM');

# ---- tables of one's own ----

$node->safe_psql('postgres', q(
	CREATE FOREIGN TABLE few (report_id text, report_status text, description text) SERVER partner
		OPTIONS (api_object 'reports');
	CREATE FOREIGN TABLE nameless (report_name text) SERVER partner OPTIONS (api_object 'reports');));
$session->rows("UPDATE few SET report_status = 'Paused'
	WHERE report_id = (SELECT report_id FROM reports WHERE report_name = 'Rule 26')");
refused("UPDATE few SET description = 'x'",
	qr/^a change needs the column "report_name", which the table does not have/,
	'what would be set back');
$error = $session->error('DELETE FROM nameless');
like($error->{detail}, qr/no column "report_id", which tells the objects apart/, 'who would be deleted');

# ---- faults: nothing twice, and nobody knows is said ----

sub faulty
{
	my ($fault, $sql) = @_;
	$emulator->clear_log;
	$emulator->fault($fault);
	return $session->error($sql);
}

my $insert = "INSERT INTO queries (name, query) VALUES ('Doubtful', '$select')";
foreach my $fault (
	{ endpoint => 'create_query', drop_after => JSON::PP::true },
	{ endpoint => 'create_query', status => 503 },
	{ endpoint => 'create_query', empty => JSON::PP::true })
{
	my $what = join(' ', sort keys %$fault);
	$error = faulty($fault, $insert);
	is($emulator->count(endpoint => 'create_query'), 1, "$what: sent once");
	like($error->{hint}, qr/may have been created all the same\.  Look for it by its name/, 'hint');
	like($error->{text}, qr/WARNING: .*\nDETAIL:  Query "Doubtful" may have been created on server/,
		'warning');
}
is($session->rows("WITH d AS (DELETE FROM queries WHERE name = 'Doubtful' RETURNING 1)
	SELECT count(*) FROM d"), 2, 'as it was, twice');

$error = faulty({ endpoint => 'create_query', status => 403 }, $insert);
unlike($error->{text}, qr/may have been|WARNING/, 'a refusal leaves no doubt');
$emulator->control('POST', '/expire-tokens');
$error = faulty({ endpoint => 'token', status => 503, times => 0, headers => { 'Retry-After' => '0' } },
	$insert);
is($error->{sqlstate}, 'HV000', 'a sign-in that fails for good');
unlike($error->{text}, qr/may have been|WARNING/, 'has changed nothing');
$emulator->control('DELETE', '/faults');
$emulator->clear_log;
$emulator->fault({ endpoint => 'create_query', status => 429, headers => { 'Retry-After' => '0' } });
$session->rows($insert);
is($emulator->count(endpoint => 'create_query'), 2, 'what was not carried out is sent again');
$emulator->clear_log;
$emulator->fault({ endpoint => 'delete_query', drop_after => JSON::PP::true });
is($session->rows("DELETE FROM queries WHERE name = 'Doubtful' RETURNING name"), 'Doubtful',
	'what is gone the second time was deleted');
is($emulator->count(endpoint => 'delete_query'), 2, 'sent twice');

# what stands in front of the service knows nothing of its objects
$session->rows($insert);
$error = faulty({ endpoint => 'delete_query', status => 404, body => '<title>Nothing here</title>' },
	"DELETE FROM queries WHERE name = 'Doubtful'");
is($error->{sqlstate}, '42704', "a gateway's 404 deletes nothing");
like($error->{text}, qr/could not delete query.*Nothing here.*HINT:  .*"api_url".*Query "Doubtful" \(query_id $uuid\)$/ms,
	'which query it was, and where to look');
unlike($error->{text}, qr/may have been|WARNING/, 'it is there still');
$emulator->fault({ endpoint => 'delete_query', status => 404, body => '{"message": "No item found with given filters."}' });
is($session->rows("DELETE FROM queries WHERE name = 'Doubtful' RETURNING name"), 'Doubtful',
	"the service's own: it is gone");

# a refusal of the second request says nothing of the first
$emulator->fault({ endpoint => 'delete_query', nth => 2, status => 403 });
$error = faulty({ endpoint => 'delete_query', wrong_json => JSON::PP::true },
	"DELETE FROM queries WHERE name = 'Doubtful'");
is($error->{sqlstate}, '42501', 'a reply that makes no sense, and then a refusal');
like($error->{text}, qr/WARNING: .*\nDETAIL:  Query "Doubtful" .* may have been deleted/, 'warning');
is($session->rows("SELECT count(*) FROM queries WHERE name = 'Doubtful'"), 0, 'it was');

# ---- leaving ----

# An error after 0.2 s of a request that hangs.
sub left
{
	my ($endpoint, $sql) = @_;
	$emulator->control('POST', '/expire-tokens') if $endpoint eq 'token';
	$session->rows("SET statement_timeout = '200ms'");
	my $left = faulty({ endpoint => $endpoint, hang_ms => 3000 }, $sql);
	$session->rows('RESET statement_timeout');
	$emulator->control('DELETE', '/faults');
	is($left->{sqlstate}, '57014', "left while waiting for $endpoint");
	return $left;
}

unlike(left('list_queries', "DELETE FROM queries WHERE name = 'Usage'")->{text},
	qr/may have been/, 'while looking for rows nothing is changed');
unlike(left('token', $insert)->{text}, qr/may have been/, 'nor while signing in');
$error = left('create_query', $insert);
like($error->{context}, qr/Query "Doubtful" may have been created/, 'a query');
like($error->{text}, qr/WARNING: .*\nDETAIL:  Query "Doubtful" may have been created/, 'warning');
unlike(left('datasets', insert_report('api', $query_id))->{text}, qr/may have been/,
	'while rules are looked up');
like(left('create_report', insert_report('api', $query_id, report_name => "'Left'"))->{context},
	qr/Report "Left" may have been created/, 'a report');
foreach my $case (
	[ pause => "UPDATE reports SET report_status = 'Paused'", 'paused' ],
	[ update_report => "UPDATE reports SET description = 'x'", 'changed' ],
	[ delete_report => 'DELETE FROM reports', 'deleted' ])
{
	my ($endpoint, $sql, $done) = @$case;
	$error = left($endpoint, "$sql WHERE report_name = 'Rule 25'");
	like($error->{context}, qr/Report "Rule 25" \(report_id $uuid\) may have been $done$/, $endpoint);
	like($error->{text}, qr/WARNING: .*\nDETAIL:  Report "Rule 25" .* may have been $done/, 'warning');
}
is($session->rows("SELECT count(*) FROM reports WHERE report_name = 'Rule 25'"), 1, 'it was not');

# ---- old and new, and columns that are computed from others ----

SKIP:
{
	skip 'PostgreSQL 18 brings these', 3 if $node->pg_version < 18;
	$session->rows('ALTER FOREIGN TABLE queries ADD COLUMN size int GENERATED ALWAYS AS (length(name)) VIRTUAL');
	is($session->rows("INSERT INTO queries (name, query) VALUES ('Virtual', '$select')
		RETURNING old.name, new.name, new.size"), '|Virtual|7', 'an insert');
	is($session->rows("UPDATE reports SET description = 'later' WHERE report_name = 'Rule 25'
		RETURNING old.report_name, old.description, new.description"), 'Rule 25||later', 'an update');
	is($session->rows("DELETE FROM queries WHERE name = 'Virtual' AND size = 7
		RETURNING old.name, new.name, old.size"), 'Virtual||7', 'a delete');
}

done_testing();
