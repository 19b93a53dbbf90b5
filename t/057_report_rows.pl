# What exists at the service already, read from SQL: the first rows of a query
# (pinsight_preview), reports made elsewhere (pinsight_report_rows, report_id),
# and queries made elsewhere (query_id).

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Encode qw(decode);
use HTTP::Tiny;
use JSON::PP;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 40, '--report-delay', '0' ]);
my $node = $emulator->node('rows', conf => "pinsight_fdw.max_age = ''\n",
	server => "poll_interval '20 ms', wait_timeout '20 s', max_reports_per_hour '1000'");
my $http = HTTP::Tiny->new(timeout => 30, proxy => undef, http_proxy => undef);
my $session = PinsightSession->new($node);

sub requests { return scalar(my @found = $emulator->log(@_)); }

sub set_server
{
	my ($option) = @_;
	$node->safe_psql('postgres', "ALTER SERVER partner OPTIONS (SET $option)");
	return;
}

# A plain client of the API, signed in as the same user.
my $token;

sub api
{
	my ($method, $path, $body) = @_;

	$token //= decode_json(
		$http->post_form(
			$emulator->api_url . "/$PinsightEmulator::tenant/oauth2/token",
			[
				grant_type => 'refresh_token', client_id => $PinsightEmulator::client_id,
				client_secret => $PinsightEmulator::client_secret,
				refresh_token => $PinsightEmulator::refresh_token,
				resource => 'https://api.partnercenter.microsoft.com'
			])->{content})->{access_token};
	my $reply = $http->request(
		$method, $emulator->api_url . "/insights/v1/mpn/$path",
		{
			headers => { Authorization => "Bearer $token",
				'Content-Type' => 'application/json' },
			$body ? (content => encode_json($body)) : ()
		});
	die "$method $path: $reply->{status} $reply->{content}\n" if !$reply->{success};
	return decode_json($reply->{content})->{value}[0];
}

# A query, and a report of it that was made at once, as somebody makes them in
# Partner Center.
sub portal_query
{
	my ($text) = @_;
	return api('POST', 'ScheduledQueries', { Name => 'by hand', Query => $text })->{queryId};
}

sub portal_report
{
	my ($query_id, %more) = @_;
	return api('POST', 'ScheduledReport',
		{
			ReportName => 'made by hand', QueryId => $query_id,
			ExecuteNow => JSON::PP::true, Format => 'CSV', %more
		})->{reportId};
}

# Until the service has made the file of a report.
sub await_file
{
	my ($report) = @_;

	foreach (1 .. 500)
	{
		my $execution = api('GET', "ScheduledReport/execution/$report");
		return if $execution->{reportAccessSecureLink};
		sleep 0.02;
	}
	die "report $report has no file\n";
}

# ---- the first rows of a query

my $query = 'SELECT CustomerName, Month FROM AzureUsage TIMESPAN LIFETIME';
my $first = $session->rows("SELECT pinsight_preview('partner', '$query') LIMIT 1");
like($first, qr/^\{"Month": "\d{4}-\d\d-\d\d", "CustomerName": "[^"]+"\}$/,
	'a preview has one object for each row, with the names of the service');
is($session->rows("SELECT count(*) FROM pinsight_preview('partner', '$query') AS row"), 40,
	'and all rows that the service gives');
is($session->rows(
		"SELECT string_agg(row ->> 'Month' || (row ->> 'CustomerName'), ',' ORDER BY row ->> 'Month', row ->> 'CustomerName')
			FROM pinsight_preview('partner', '$query') AS row") =~ tr/,//,
	39, 'whose members can be used');
my ($asked) = $emulator->log(endpoint => 'test_query');
like($asked->{query}, qr/^exportQuery=SELECT(%20|\+)CustomerName%2C/i, 'the query is sent as it is');
unlike($asked->{query}, qr/startTime|queryId/i, 'and nothing beside it');
is(requests(endpoint => 'create_query') + requests(endpoint => 'create_report'), 0,
	'nothing is made for it');

# What the service says is not changed on its way.
my $body = qq({"value":[{"b":1.10,"aa":12345678901234567890.123456789,"c":null,"d":true,"e":"x\\"\\u00e4","f":100000000000000000000,"g":[1,{"h":0.0}]},{}],"statusCode":200});
$emulator->fault({ endpoint => 'test_query', status => 200, body => $body });
is($session->rows("SELECT pinsight_preview('partner', '$query')"),
	qq({"b": 1.10, "c": null, "d": true, "e": "x\\"\x{c3}\x{a4}", "f": 100000000000000000000, )
	  . qq("g": [1, {"h": 0.0}], "aa": 12345678901234567890.123456789}\n{}),
	'no digit is lost');

# Where the database has no encoding, characters are the bytes that scans bring, too.
$node->safe_psql('postgres',
	q(CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0));
$node->safe_psql('bytes', 'CREATE EXTENSION pinsight_fdw');
$emulator->create_server($node, 'partner', undef, "client_id '$PinsightEmulator::client_id', "
	  . "client_secret '$PinsightEmulator::client_secret', refresh_token '$PinsightEmulator::refresh_token'", 'bytes');
my $letters = '\u00e4\uD83D\uDE00 \\\\u00e4 \u0041 x';
$emulator->fault({ endpoint => 'test_query', status => 200,
	body => qq({"value":[{"\\u6f22":"$letters"}],"statusCode":200}) });
is($node->safe_psql('bytes', "SELECT pinsight_preview('partner', '$query')"),
	qq({"\x{e6}\x{bc}\x{a2}": "\x{c3}\x{a4}\x{f0}\x{9f}\x{98}\x{80} \\\\u00e4 A x"}),
	'a database without encoding gets UTF-8');
$emulator->switches({ json_bom => JSON::PP::true, json_pascal => JSON::PP::true });
is($session->rows("SELECT count(*) FROM pinsight_preview('partner', '$query')"), 40,
	'another spelling of the reply is understood');
$emulator->switches({ json_bom => JSON::PP::false, json_pascal => JSON::PP::false });

# By id, and in a window.
my $system = 'd1a4d75e-5ca8-4847-845f-ee0a9be6f07b';
$emulator->clear_log;
like($session->rows("SELECT pinsight_preview('partner', query_id => '$system') ->> 'SubscriptionId' LIMIT 1"),
	qr/\S/, 'an existing query can be looked at by its id');
like(($emulator->log(endpoint => 'test_query'))[0]{query}, qr/^queryId=$system$/i, 'which is what is sent');
$session->rows(q(SET TimeZone = 'Europe/Berlin'));
$session->rows("SELECT count(*) FROM pinsight_preview('partner', '$query',
	start_time => '2026-03-01', end_time => '2026-04-01 12:30:59.9+00')");
$session->rows(q(RESET TimeZone));
like(($emulator->log(endpoint => 'test_query'))[-1]{query},
	qr/&startTime=2026-02-28T23%3A00%3A00Z&endTime=2026-04-01T12%3A30%3A59Z$/i,
	'a window is sent in the service\'s words');

# When something is wrong.
foreach my $case (
	[ q('partner', 'SELECT Nonsense FROM AzureUsage'), 'HV005', qr/Incorrect column name/, qr/IMPORT FOREIGN SCHEMA mpn/ ],
	[ q('partner', 'SELECT Month FROM Nowhere'), 'HV00R', qr/Invalid table name/, qr/IMPORT FOREIGN SCHEMA mpn/ ],
	[ q('partner', 'SELECT'), 'HV00L', qr/The service answered: \S/, qr// ],
	[ q('partner', query_id => 'no-such-query'), 'HV00L', qr/Invalid QueryId/, qr/was deleted/ ])
{
	my ($arguments, $sqlstate, $detail, $hint) = @$case;
	my $error = $session->error("SELECT pinsight_preview($arguments)");
	is($error->{sqlstate}, $sqlstate, "($arguments) is refused");
	like($error->{detail}, $detail, 'in the words of the service');
	like($error->{hint}, $hint, 'with a way out');
}

# What it quotes of the query is pointed at.
foreach my $case (
	[ 'SELECT Month FROM AzureUsage WHRE Month = 1', 'WHRE', 'Incorrect syntax' ],
	[ "SELECT Month FROM AzureUsage WHERE PartnerName = ''\x{c3}\x{a4}'' LIMT 3", 'LIMT', 'Incorrect syntax' ],
	[ 'SELECT Month FROM AzureUsage TIMESPAN LAST_7_MONTHS', undef, 'Invalid timespan' ],
	[ 'SELECT Month, Month FROM AzureUsage Month', undef, 'Incorrect syntax' ],
	[ 'SELECT Month, Nope FROM AzureUsage WHERE Month = 1', 'Nope', "doesn't know 'Month', 'Nope'", 'own' ])
{
	my ($wrong, $part, $words, $own) = @$case;
	$emulator->fault({ endpoint => 'test_query', status => 400, body => { message => $words } }) if $own;
	my $error = $session->error("SELECT pinsight_preview('partner', '$wrong')");
	my ($line, $mark) = $error->{text} =~ /^LINE 1: (.*)\n {8}( *)\^/m;
	like($error->{detail}, qr/$words/, "$wrong: refused");
	like($error->{hint}, qr/^A report query is written as SELECT/, 'with the form of a query');
	is($part ? substr(decode('UTF-8', $line), length $mark, length $part) : $line, $part,
		$part ? "and a mark at $part" : 'without a mark where nobody knows the place');
}
foreach my $case (
	[ q(query_id => 'x'), '{"message": "No item found with given filters."}', qr/was deleted/ ],
	[ q(query_id => 'x'), '<title>Nothing here</title>', qr/"api_url"/ ],
	[ q(query => 'SELECT'), '<title>Nothing here</title>', qr/"api_url"/ ])
{
	my ($argument, $body, $hint) = @$case;
	$emulator->fault({ endpoint => 'test_query', status => 404, body => $body });
	like($session->error("SELECT pinsight_preview('partner', $argument)")->{hint}, $hint,
		"whose word it is that there is nothing: $body");
}
$emulator->clear_log;
foreach my $case (
	[ q('partner'), qr/either query or query_id/ ],
	[ q('partner', 'SELECT', 'x'), qr/either query or query_id/ ],
	[ q('partner', ' '), qr/empty/ ], [ q('partner', query_id => '../x'), qr/id of a report query/ ],
	[ q('partner', 'SELECT', start_time => 'today'), qr/both, or neither/ ])
{
	my ($arguments, $message) = @$case;
	my $error = $session->error("SELECT pinsight_preview($arguments)");
	is($error->{sqlstate}, '22023', "($arguments) makes no sense");
	like($error->{message}, $message, 'which is told');
}
is($session->error("SELECT pinsight_preview('partner', 'SELECT', start_time => '-infinity', end_time => 'today')")->{sqlstate},
	'22008', 'nor does the end of time');
like($session->error(q(SELECT pinsight_preview('partner', repeat('x', 10000))))->{message},
	qr/too long/, 'nor what fits no address');
is(requests(), 0, 'and asks nobody');
$emulator->fault({ endpoint => 'test_query', status => 503, times => 2,
	headers => { 'Retry-After' => '0' } });
is($session->rows("SELECT count(*) FROM pinsight_preview('partner', '$query')"), 40,
	'a service that is away for a moment is asked again');
is(requests(endpoint => 'test_query'), 3, 'twice');
$emulator->fault({ endpoint => 'test_query', delay_ms => 5000 });
my $began = time();
is($session->error("SET statement_timeout = '300 ms'; SELECT pinsight_preview('partner', '$query')")->{sqlstate},
	'57014', 'a preview can be cancelled');
ok(time() - $began < 3, 'at once');
$session->rows('RESET statement_timeout');
$emulator->control('DELETE', '/faults');

# ---- a report that somebody has made

my $text = 'SELECT CustomerName, Month, UsageQuantity, SubscriptionId FROM AzureUsage TIMESPAN LIFETIME';
my $query_id = portal_query($text);
my $id = portal_report($query_id);
await_file($id);
$emulator->clear_log;
is($session->rows(
		"SELECT string_agg(definition, ', ' ORDER BY position) FROM pinsight_report_columns('partner', '$id')"),
	'customer_name text, month date, usage_quantity numeric, subscription_id uuid',
	'the columns of a report, ready to be declared');
is($session->rows(
		"SELECT remote_name, local_name, type FROM pinsight_report_columns('partner', '$id') WHERE position = 1"),
	'CustomerName|customer_name|text', 'with their names');
my $truth = $emulator->truth(
	'SELECT count(*), count(DISTINCT CustomerName), min(Month) FROM mpn_AzureUsage');
my $numbers = 'count(*), count(DISTINCT customer_name), min(month)';
is($session->rows(
		"SELECT $numbers FROM pinsight_report_rows('partner', '$id')
			AS t(customer_name text, month date)"),
	$truth, 'its rows, in the columns that are wanted');
$emulator->create_table($node, 'theirs',
	'month date, customer_name text, report text OPTIONS (metadata \'report_id\')',
	"report_id '$id'");
is($session->rows("SELECT $numbers FROM theirs"), $truth, 'and through a table that names no dataset');
is($session->rows('SELECT DISTINCT report FROM theirs'), $id, 'of that report');
is(requests(endpoint => 'executions'), 1, 'for all of which the service was asked once');
is(requests(endpoint => 'download'), 1, 'and one file was fetched');
is(requests() - requests(endpoint => 'token'), 2, 'and nothing else was asked');
is($session->rows('SELECT foreign_table IS NULL, query, fresh_until IS NULL, hits FROM pinsight_snapshots'),
	"t|REPORT $id|t|4", 'and is kept for all of them');
unlike($session->rows('EXPLAIN (VERBOSE) SELECT * FROM theirs'), qr/Dataset/, 'EXPLAIN has no dataset to tell');
like($session->rows('EXPLAIN SELECT * FROM theirs WHERE month > now()'), qr/Rows From: snapshot/,
	'but where the rows are from');
is($session->rows(
		"SELECT $numbers FROM pinsight_report_rows('partner', '$id')
			AS t(\"CUSTOMERNAME\" text, month date, usage_quantity text) CROSS JOIN LATERAL (SELECT \"CUSTOMERNAME\" AS customer_name) AS x"),
	$truth, 'columns are found by the names of the service, too, in any case');
$session->rows("SET pinsight_fdw.max_age = '0'");
is($session->rows(
		"SELECT count(*) FROM pinsight_report_rows('partner', '$id') AS a(month date),
			pinsight_report_rows('partner', '$id') AS b(month date)"),
	1600, 'twice in a statement');
is(requests(endpoint => 'download'), 1, 'the same execution is not fetched again');
$session->rows('RESET pinsight_fdw.max_age');

# A report knows its own format; names may be longer than PostgreSQL's.
my $tsv = portal_report('258fdcac-6e9c-4072-af27-b1b3d97be16c', Format => 'TSV');
my $columns = $session->rows(
	"SELECT string_agg(definition, ', ' ORDER BY position) FROM pinsight_report_columns('partner', '$tsv')");
ok($columns =~ tr/,// >= 40, 'a wide report with tabs has its columns');
is($session->rows("SELECT count(*) FROM pinsight_report_rows('partner', '$tsv') AS t($columns)"), 40,
	'all of which can be read as they were told');
$emulator->create_table($node, 'wide', $columns, "report_id '$tsv'");
is($session->rows('SELECT count(t) FROM wide t'), 40, 'by a table, too');

# A report may end between two looks at it.
$emulator->switches({ report_delay => 0.2 });
$emulator->fault({ endpoint => 'list_reports', delay_ms => 500 });
my $brief = portal_report($query_id);
my $looks = requests(endpoint => 'list_reports');
is($session->rows("SELECT count(*) FROM pinsight_report_rows('partner', '$brief') AS t(month date)"), 40,
	'a report that ends while it is looked at has its rows');
is(requests(endpoint => 'list_reports') - $looks, 1, 'though its end was seen first');
$emulator->switches({ report_delay => 0 });

# Column lists that do not fit.
my $error = $session->error(
	"SELECT * FROM pinsight_report_rows('partner', '$id') AS t(month date, colour text)");
is($error->{sqlstate}, 'HV005', 'a column that the report does not have');
like($error->{message}, qr/report \Q$id\E has no column "colour"/, 'is named');
like($error->{hint}, qr/pinsight_report_columns\('partner', '\Q$id\E'\)/, 'with a way to see them');
$error = $session->error(
	"SELECT * FROM pinsight_report_rows('partner', '$id') AS t(month date, customer_name integer)");
is($error->{sqlstate}, '22P02', 'a type that does not fit');
like($error->{context}, qr/line 2, field "CustomerName", column "customer_name" of report \Q$id\E: "\S/,
	'names column, place and value');
is($session->error("SELECT * FROM pinsight_report_rows('partner', '$id')")->{sqlstate}, '42601',
	'without a list the parser asks for one');
$emulator->create_table($node, 'wrong', 'month date, colour text', "report_id '$id'");
like($session->error('SELECT * FROM wrong')->{message}, qr/lacks column "colour"/,
	'a table names the column, too');

# Reports without rows.
is($session->error("SELECT * FROM pinsight_report_rows('partner', '../x') AS t(a int)")->{sqlstate},
	'22023', 'what is no id is not asked for');
$error = $session->error("SELECT * FROM pinsight_report_rows('partner', 'no-such-report') AS t(a int)");
is($error->{sqlstate}, 'HV00L', 'a report that does not exist');
like($error->{message}, qr/report no-such-report does not exist/, 'is named');
like($error->{hint}, qr/deleted, or belongs to another user/, 'with a reason');
$emulator->switches({ execution_outcome => 'stuck' });
my $stuck = portal_report($query_id);
set_server("wait_timeout '300 ms'");
$emulator->fault([ { endpoint => 'executions', nth => 2, status => 503, headers => { 'Retry-After' => '0' } },
		{ endpoint => 'executions', nth => 3, delay_ms => 400 } ]);
foreach my $case (
	[ "SELECT * FROM pinsight_report_rows('partner', '$stuck') AS t(month date)", 'The last try failed: ' ],
	[ "SELECT * FROM pinsight_report_columns('partner', '$stuck')", 'The service says of its execution: ' ])
{
	my ($call, $why) = @$case;
	$error = $session->error($call);
	like($error->{detail}, qr/^$why/, 'and whether the service still answers is told');
	is($error->{sqlstate}, 'HV00L', 'a report that is never ready');
	like($error->{message}, qr/report \Q$stuck\E was not ready within wait_timeout/, 'is not waited for longer than wait_timeout');
}
set_server("wait_timeout '20 s'");
is($session->error(
		"SET statement_timeout = '300 ms'; SELECT * FROM pinsight_report_rows('partner', '$stuck') AS t(month date)")
	  ->{sqlstate}, '57014', 'nor than one likes');
$session->rows('RESET statement_timeout');
$emulator->switches({ execution_outcome => 'complete' });
is($session->rows('SELECT count(*) FROM pinsight_jobs'), 0, 'and nothing is left of it');
is(requests(endpoint => 'create_report') - 3, 0, 'only the reports made by hand were made');
is(requests(endpoint => 'delete_report') + requests(endpoint => 'delete_query'), 0, 'and none was deleted');

# Only for those who may use the server, with their own mapping.
$node->safe_psql('postgres', 'CREATE ROLE reader; CREATE ROLE user_of_it; GRANT USAGE ON FOREIGN SERVER partner TO user_of_it;
	CREATE USER MAPPING FOR user_of_it SERVER partner OPTIONS (client_id \'x\')');
$emulator->clear_log;
foreach my $call (
	"pinsight_preview('partner', '$query')", "pinsight_report_columns('partner', '$id')",
	"pinsight_report_rows('partner', '$id') AS t(month date)")
{
	foreach my $case ([ 'reader', '42501' ], [ 'user_of_it', 'HV002' ])
	{
		my ($role, $sqlstate) = @$case;
		$session->rows("SET ROLE $role");
		is($session->error("SELECT * FROM $call")->{sqlstate}, $sqlstate, "$call is not for $role");
		$session->rows('RESET ROLE');
	}
}
is(requests(), 0, 'and nobody is asked');

# ---- an existing query

# A report of a system query, whose columns the table finds by their names.
$emulator->create_table($node, 'system_usage',
	'month date, customer_name text, quantity numeric OPTIONS (column_name \'UsageQuantity\')',
	"query_id '$system'");
my $plan = $session->rows('EXPLAIN (VERBOSE) SELECT * FROM system_usage WHERE month > now() LIMIT 5');
like($plan, qr/Existing Query: $system/, 'EXPLAIN tells the query');
like($plan, qr/Rows From: new report of query $system/, 'and that a report would be ordered');
unlike($plan, qr/Report Query|Dataset|Time Window|preview/, 'but not what is up to the query');
$emulator->clear_log;
my $rows = $session->rows('SELECT count(*), sum(quantity) FROM system_usage');
my ($order) = $emulator->log(endpoint => 'create_report');
my $ordered = ref $order->{body} ? $order->{body} : decode_json($order->{body});
is($ordered->{QueryId}, $system, 'the report is one of that query');
like($ordered->{ReportName}, qr/^pinsight [0-9a-f]{16}$/, 'by a name of ours');
ok(!defined $ordered->{QueryStartTime} && !defined $ordered->{QueryEndTime}, 'over the query\'s own time');
is(requests(endpoint => 'create_query') + requests(endpoint => 'delete_query'), 0, 'which is neither made nor deleted');
is(requests(endpoint => 'delete_report'), 1, 'but the report is');
my $direct = portal_report($system);
is($session->rows("SELECT count(*), sum(usage_quantity) FROM pinsight_report_rows('partner', '$direct') AS t(usage_quantity numeric)"),
	$rows, 'its rows are those of the query');
$emulator->clear_log;
is($session->rows('SELECT count(*) FROM system_usage WHERE customer_name IS NULL'), 0, 'conditions are checked here');
$session->rows('SELECT * FROM system_usage LIMIT 3');
is(requests(), 0, 'and the rows are kept as any');
$emulator->create_table($node, 'same_usage', 'customer_name text', "query_id '$system', max_age '1 day'");
$session->rows('SELECT count(*) FROM same_usage');
is(requests(), 0, 'another table on the query shares them');

# A user's query, where the server says fetch 'query'.
$node->safe_psql('postgres', "ALTER SERVER partner OPTIONS (ADD fetch 'query')");
$emulator->create_table($node, 'by_hand', 'month date, customer_name text, quantity numeric OPTIONS (column_name \'UsageQuantity\')',
	"query_id '$query_id'");
is($session->rows('SELECT DISTINCT month IS NULL FROM by_hand WHERE month IS NOT NULL LIMIT 1'), 'f',
	'what the server says of queries means nothing to it');
is($session->rows("SELECT $numbers FROM by_hand"), $truth, 'it has all rows of the query');
is(requests(endpoint => 'create_report'), 1, 'with one report');
$node->safe_psql('postgres', "ALTER SERVER partner OPTIONS (DROP fetch)");

# A report that was left is found again, and what was left of it is swept, but
# never the query.
$session->rows(q(SELECT pinsight_forget('by_hand')));
$emulator->switches({ report_delay => 0.7 });
$emulator->clear_log;
is($session->error("SET statement_timeout = '300 ms'; SELECT count(*) FROM by_hand")->{sqlstate}, '57014', 'left');
$session->rows('RESET statement_timeout');
is($session->rows('SELECT count(*) FROM by_hand'), 40, 'and picked up');
is(requests(endpoint => 'create_report'), 1, 'the report that was ordered');
$session->rows(q(SELECT pinsight_forget('by_hand')));
is($session->error("SET statement_timeout = '300 ms'; SELECT count(*) FROM by_hand")->{sqlstate}, '57014', 'left again');
$session->rows('RESET statement_timeout');
$emulator->switches({ report_delay => 0 });
like($session->rows(q(SELECT kind, name FROM pinsight_cleanup('partner', '0'))), qr/^report\|pinsight [0-9a-f]{16}$/,
	'the report alone is cleaned up');
is(requests(endpoint => 'delete_query'), 0, 'the query stays');

# A column that the query does not have costs one report, not one each time.
$emulator->create_table($node, 'lacking', 'colour text', "query_id '$system'");
like($session->error('SELECT * FROM lacking')->{message}, qr/lacks column "colour"/, 'a missing column is named');
$emulator->clear_log;
is($session->error('SELECT * FROM lacking')->{sqlstate}, 'HV005', 'and again');
is(requests(), 0, 'without another report');

# What is about a table's own query.
like($session->error(q(SELECT pinsight_schedule('by_hand')))->{message}, qr/reads a query that exists already/,
	'such a table cannot be scheduled');
$session->rows(q(SELECT pinsight_unschedule('by_hand')));
like($session->said, qr/has no schedule/, 'nor has it a schedule');
is($session->rows(q(SELECT count(*) FROM pinsight_check_tables('partner'))), 0,
	'nothing is compared with what the service offers');

# A query that is gone.
api('DELETE', "ScheduledQueries/$query_id");
$emulator->clear_log;
$error = $session->error('SELECT * FROM by_hand');
is($error->{sqlstate}, 'HV00L', 'a deleted query has no report');
like($error->{message}, qr/report query \Q$query_id\E does not exist/, 'which is told');
like($error->{detail}, qr/Invalid QueryId/, 'as the service did');
like($error->{hint}, qr/option "query_id"/, 'with a way out');
is(requests(endpoint => 'create_report'), 1, 'after one try');
is(requests(endpoint => 'create_query'), 0, 'and no other query');
is($session->rows('SELECT count(*) FROM pinsight_jobs'), 0, 'nothing is left of it');

# ---- the other program, whose ids are no UUIDs

my $market = 'q9df4939-073f-5795-b0cb-v2c81d11e58d';
$emulator->create_server($node, 'market', "program 'cmp', poll_interval '20 ms'",
	"client_id '$PinsightEmulator::client_id', client_secret '$PinsightEmulator::client_secret'");
$emulator->clear_log;
is($session->rows("SELECT count(*) > 0 FROM pinsight_preview('market', query_id => '$market')"), 't',
	'a query of the marketplace can be looked at');
like(($emulator->log(endpoint => 'test_query'))[0]{path}, qr{/insights/v1.1/cmp/}, 'there');
like($session->error("SELECT pinsight_preview('market', 'SELECT', start_time => 'today', end_time => 'today')")->{message},
	qr/only program "mpn"/, 'but not in a window');
$node->safe_psql('postgres', "CREATE FOREIGN TABLE quality (customer_name text) SERVER market OPTIONS (query_id '$market')");
ok($session->rows('SELECT count(*) FROM quality') > 0, 'and a table can have its rows');
is(($emulator->log(endpoint => 'create_report'))[0]{status}, 200, 'of a report');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
