# What is left at the service is deleted by pinsight_cleanup: reports and queries
# of ours that nothing uses, and nothing else.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use File::Path qw(remove_tree);
use PinsightEmulator;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '1000', '--quota-execute-now', 100 ]);
my $node = $emulator->node('cleanup',
	server => "poll_interval '20 ms', wait_timeout '1 s', max_reports_per_hour '1000'");
my $cache = $node->data_dir . '/pinsight_fdw';
my $select = 'SELECT count(*) FROM usage';

$emulator->create_table($node, 'usage', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));

# Queries and reports the service holds.
sub held
{
	my $state = $emulator->state;
	return scalar(@{ $state->{queries} }) + scalar(@{ $state->{reports} });
}

sub clear_faults { return $emulator->control('DELETE', '/faults'); }

# What a cleanup says it deleted.
sub cleanup
{
	my ($older_than) = @_;
	return $node->safe_psql('postgres',
		"SELECT kind FROM pinsight_cleanup('partner', '$older_than') ORDER BY 1");
}

# Leaves a report behind whose scan did not wait for it.
sub abandon
{
	my ($ret) = $node->psql('postgres', $select);
	isnt($ret, 0, 'the scan did not wait for its report');
	return;
}

abandon();
is(held(), 2, 'a query and a report are left');
is(cleanup('1 day'), '', 'what is young is spared');
is(held(), 2, 'and still there');
is(cleanup('0'), "query\nreport", 'what is abandoned is deleted');
is(held(), 0, 'by the service, too');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pinsight_jobs'), '0',
	'the job is forgotten');
is(cleanup('0'), '', 'nothing is left to do');

# the cache directory was lost: what is left is found by its name, on any page
abandon();
remove_tree($cache);
$emulator->switches({ page_size => 1 });
is(cleanup('1 hour'), '', 'orphans are spared while they are young');
is(cleanup('0'), "query\nreport", 'orphans are deleted');
is(held(), 0, 'by the service, too');

# only names of ours
abandon();
remove_tree($cache);
$emulator->fault({ endpoint => 'list_reports', status => 200, times => 0,
		body => '{"value":[{"reportId":"r1","reportName":"pinsight 0123456789abcdef0",'
		  . '"createdTime":"2020-01-01T00:00:00Z"},{"reportId":"r2","reportName":"Monthly",'
		  . '"createdTime":"2020-01-01T00:00:00Z"},{"reportId":"r3",'
		  . '"reportName":"pinsight 0123456789abcdef","recurrenceInterval":24,'
		  . '"createdTime":"2020-01-01T00:00:00Z","queryId":"Q3"},{"reportId":"r4",'
		  . '"reportName":"Pinsight 0123456789ABCDEF ","executeNow":true,'
		  . '"createdTime":"2020-01-01T00:00:00Z","queryId":"q4"},{"reportId":"r5",'
		  . '"reportName":"pinsight 0123456789abcdef"}],"statusCode":200}' });
$emulator->fault({ endpoint => 'list_queries', status => 200, times => 0,
		body => '{"value":[{"queryId":"q3","name":"pinsight 0123456789abcdef",'
		  . '"createdTime":"2020-01-01T00:00:00Z"},{"queryId":"q4",'
		  . '"name":"pinsight 0123456789abcdef","createdTime":"2020-01-01T00:00:00Z"},'
		  . '{"queryId":"q5","name":"pinsight_0123456789abcdef",'
		  . '"createdTime":"2020-01-01T00:00:00Z"}],"statusCode":200}' });
is( $node->safe_psql('postgres',
		"SELECT kind, id FROM pinsight_cleanup('partner', '1 day')"),
	"report|r4\nquery|q4",
	'names of others, recurring reports, what they use and what has no age are spared');
clear_faults();
is(cleanup('0'), "query\nreport", 'the orphans of before are still found');

# what the service will not delete does not keep the others
abandon();
$emulator->fault({ endpoint => 'delete_report', status => 400, times => 1,
		body => '{"statusCode":400,"message":"This report is busy."}' });
my ($ret, $out, $err) = $node->psql('postgres',
	"SELECT kind FROM pinsight_cleanup('partner', '0')");
is($ret, 0, 'a refusal is no error');
like($err, qr/WARNING.*This report is busy/s, 'but a warning');
is(cleanup('0'), "query\nreport", 'and tried again next time');
is(held(), 0, 'until nothing is left');

# a gateway's word that there is no such address is not the service's
abandon();
my $nowhere = '{"statusCode": 404, "message": "Resource not found"}';
foreach my $endpoint (qw(delete_report list_queries))
{
	$emulator->fault({ endpoint => $endpoint, status => 404, body => $nowhere });
	($ret, $out, $err) = $node->psql('postgres', "SELECT kind FROM pinsight_cleanup('partner', '0')");
	like($err, qr/ERROR: .*nothing at this address.*HINT: .*"api_url"/s, "no $endpoint: an error");
	like($err, $endpoint eq 'list_queries' ? qr/program "mpn"/ : qr/deleting report \S+/, 'that says of what');
	is(held(), $endpoint eq 'list_queries' ? 0 : 2, 'and what is left at the service');
}
is(cleanup('0'), '', 'nothing is left to do');

# a job that somebody works on is left alone
$node->safe_psql('postgres',
	"ALTER SERVER partner OPTIONS (SET wait_timeout '5 min')");
my $scan = $node->background_psql('postgres', on_error_stop => 0);
$scan->query_until(qr/begun/, "\\echo begun\n$select;\n");
$node->poll_query_until('postgres',
	q(SELECT pid IS NOT NULL AND service_state IS NOT NULL FROM pinsight_jobs))
  or die 'no job appeared';
is(cleanup('0'), '', 'what a scan waits for is left alone');
is(held(), 2, 'at the service, too');
is($node->safe_psql('postgres', q(SELECT pg_cancel_backend(pid) FROM pinsight_jobs)),
	't', 'the view tells whom to cancel');
$scan->quit;
is($node->safe_psql('postgres', 'SELECT count(*), count(pid) FROM pinsight_jobs'),
	'1|0', 'after that nobody works on the job');
is(cleanup('0'), "query\nreport", 'and it can be cleaned up');

# a cleanup can be left at any instant
$emulator->fault({ endpoint => 'any', hang_ms => 60000, times => 0 });
my $started = time;
($ret, $out, $err) = $node->psql('postgres',
	"SET statement_timeout = '300 ms'; SELECT * FROM pinsight_cleanup('partner', '0')");
like($err, qr/statement timeout/, 'a cleanup ends when it is told to');
cmp_ok(time - $started, '<', 10, 'at once');
clear_faults();

$node->stop;
done_testing();
