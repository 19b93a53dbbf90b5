# SELECT from a dataset, end to end: the rows are the emulator's own, and what
# was sent to get them is what the service documents, once each.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(options => [ '--rows', 500 ]);
my $node = $emulator->node('select');

# What sqlite3 and psql -A have in common is text; so the columns are text here,
# except where a type's output is the same.
my @columns = qw(SubscriptionId Month ServiceName UsageUnits CustomerName
  CustomerMarket UsageQuantity IsACRDuplicateAtPGALevel);
$emulator->create_table(
	$node, 'azure_usage', q(
		subscription_id uuid,
		month date,
		service_name text,
		usage_units text,
		customer_name text,
		customer_market varchar(100),
		quantity numeric OPTIONS (column_name 'UsageQuantity'),
		is_acr_duplicate_at_pga_level boolean),
	q(timespan 'LIFETIME'));

my $select = q(SELECT subscription_id, month, service_name, usage_units,
	customer_name, customer_market, quantity, is_acr_duplicate_at_pga_level::int
	FROM azure_usage);

# --- the rows

my $rows = join("\n", sort split(/\n/, $node->safe_psql('postgres', $select)));
my $truth = join("\n", sort split(/\n/, $emulator->truth(
	'SELECT ' . join(', ', @columns) . ' FROM mpn_AzureUsage')));
ok(length($truth) > 10_000, 'the emulator has rows');
is($rows, $truth, 'every value is the one the emulator holds');

# --- what was sent for them

my @log = $emulator->log;
my @token = grep { $_->{kind} eq 'login' } @log;
my @api = grep { $_->{kind} eq 'api' } @log;
my @blob = grep { $_->{kind} eq 'blob' } @log;

# Requests with that method whose path ends like that.
sub sent
{
	my ($method, $tail) = @_;
	return grep { $_->{method} eq $method && $_->{path} =~ m{$tail$} } @api;
}

is(scalar @token, 1, 'one token');
like($token[0]{path}, qr{^/contoso\.onmicrosoft\.com/oauth2/}, 'of the tenant');
like($token[0]{body}, qr{grant_type=refresh_token}, 'for the refresh token');
ok(!(grep { !$_->{has_authorization} } @api), 'all API requests are authorized');
ok(!(grep { $_->{path} !~ m{^/insights/v1/mpn/} } @api),
	'all go to the program and version of the server');

my @queries = sent('POST', qr{/ScheduledQueries}i);
is(scalar @queries, 1, 'one report query is created');
my $query = decode_json($queries[0]{body});
like($query->{Query}, qr{^SELECT .* FROM AzureUsage TIMESPAN LIFETIME$}i,
	'over the dataset and timespan');
ok(!(grep { $query->{Query} !~ /\b$_\b/ } @columns), 'with all columns');

my @reports = sent('POST', qr{/ScheduledReport}i);
is(scalar @reports, 1, 'one report is created');
my $report = decode_json($reports[0]{body});
ok($report->{ExecuteNow}, 'to be executed now');
like($report->{QueryId}, qr/\S/, 'of the query');

my @polls = sent('GET', qr{/ScheduledReport/execution/[^/]+}i);
cmp_ok(scalar @polls, '>=', 1, 'the execution is polled');
cmp_ok(scalar @polls, '<=', 20, 'with growing pauses');

is(scalar @blob, 1, 'one download');
is($blob[0]{status}, 200, 'that succeeds');
ok(!$blob[0]{has_authorization}, 'without the token');

is(scalar(sent('DELETE', qr{/ScheduledReport/[^/]+}i)), 1,
	'the report is deleted after use');
is(scalar(sent('DELETE', qr{/ScheduledQueries/[^/]+}i)), 1,
	'the report query is deleted after use');
is(join(', ', map { "$_->{endpoint} $_->{status}" } grep { $_->{status} >= 400 } @api),
	'list_reports 404, list_queries 404',
	'nothing was refused; but nobody had left a report or a query');
like($_->{query}, qr{^(report|query)Name=pinsight(%20|\+)[0-9a-f]{16}(&|$)}, 'by our name')
  foreach grep { $_->{status} == 404 } @api;
ok(decode_json($queries[0]{body})->{Name} eq decode_json($reports[0]{body})->{ReportName},
	'which both of ours have');

# --- no request without need

$emulator->clear_log;
$node->safe_psql('postgres', "EXPLAIN (VERBOSE) $select");
$node->safe_psql('postgres', "PREPARE p AS $select");
is(scalar(my @none = $emulator->log), 0, 'EXPLAIN and PREPARE ask nobody');

my $twice = $node->safe_psql('postgres',
	'SELECT count(*) FROM azure_usage; SELECT count(*) FROM azure_usage');
my $count = $emulator->truth('SELECT count(*) FROM mpn_AzureUsage');
is($twice, "$count\n$count", 'two statements in a session');
is(scalar(my @tokens = grep { $_->{kind} eq 'login' } $emulator->log), 1,
	'use one token');

# --- joins, parameters, rescans

is( $node->safe_psql(
		'postgres', q(
		CREATE TABLE market AS SELECT DISTINCT customer_market FROM azure_usage;
		SELECT count(*) FROM azure_usage NATURAL JOIN market)),
	$emulator->truth(
		'SELECT count(*) FROM mpn_AzureUsage WHERE CustomerMarket IS NOT NULL'),
	'a join with a local table');

$emulator->clear_log;
is( $node->safe_psql(
		'postgres', q(
		SET enable_hashjoin = off;
		SET enable_mergejoin = off;
		SET enable_material = off;
		SET enable_memoize = off;
		SELECT count(*) FROM (VALUES (1), (2), (3)) v (n)
			LEFT JOIN azure_usage u ON length(u.service_name) + v.n > 0)),
	3 * $emulator->truth(
		'SELECT count(*) FROM mpn_AzureUsage WHERE ServiceName IS NOT NULL'),
	'a nested loop');
is(scalar(my @downloads = grep { $_->{kind} eq 'blob' } $emulator->log), 1,
	'rereads one file');

$node->stop;
$emulator->stop;
done_testing();
