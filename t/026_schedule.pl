# Reports that the service makes by itself: made and removed by
# pinsight_schedule() and pinsight_unschedule(), read by report_id.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use IPC::Run;
use JSON::PP;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use Time::Local qw(timegm);

use constant HOUR => 3600;

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('schedule', conf => "pinsight_fdw.max_age = ''\n",
	server => "poll_interval '20 ms', wait_timeout '1 min', max_reports_per_hour '1000'");
my $session = PinsightSession->new($node);
my $columns = q(month date, customer_name text,
	execution text OPTIONS (metadata 'execution_id'));
my $options = q(dataset 'AzureUsage', timespan 'LIFETIME');

sub requests { return scalar(my @found = $emulator->log(@_)); }
sub queries { return $emulator->state->{queries}; }
sub reports { return $emulator->state->{reports}; }
sub held { return scalar(@{ queries() }) + scalar(@{ reports() }); }

my $clock = 0;

# Time passes, and what is due by then is made.
sub elapse
{
	my ($hours) = @_;
	my $deadline = time() + 20;

	$clock += int($hours * HOUR);
	$emulator->control('POST', '/clock', { advance_seconds => int($hours * HOUR) });
	while (time() < $deadline)
	{
		my @unready = grep { $_->{executionStatus} !~ /Completed|Failed/ }
		  map { @{ $_->{executions} } } @{ reports() };
		return if !@unready;
		sleep(0.05);
	}
	die "reports are not made\n";
}

# Everything at the service is gone; the session begins anew, without snapshots
# of the tables.
sub restart
{
	$emulator->reset;
	$clock = 0;
	$session->quit;
	$session = PinsightSession->new($node);
	return;
}

# Tables are made anew for each part, so that snapshots of another do not count.
sub table
{
	my ($name, $report_id, $more) = @_;
	$node->safe_psql('postgres', "DROP FOREIGN TABLE IF EXISTS $name");
	$emulator->create_table($node, $name, $columns,
		join(', ', $options, $report_id ? "report_id '$report_id'" : (), $more || ()));
	return;
}

sub report_id_of
{
	my ($table) = @_;
	return $node->safe_psql('postgres', qq(
		SELECT option_value FROM pg_foreign_table, pg_options_to_table(ftoptions)
		WHERE ftrelid = '$table'::regclass AND option_name = 'report_id'));
}

sub set_server
{
	my ($option) = @_;
	$node->safe_psql('postgres', "ALTER SERVER partner OPTIONS (SET $option)");
	return;
}

# A plain client of the API, signed in as the same user.
sub api { return $emulator->api(@_); }

# A report as somebody makes it in Partner Center.
sub foreign_report
{
	my ($query, %more) = @_;
	my $made = api('POST', 'ScheduledQueries', { Name => 'by hand', Query => $query });
	my @start = gmtime(time() + $clock + 5 * HOUR);
	my $report = api('POST', 'ScheduledReport',
		{
			ReportName => 'made by hand', QueryId => $made->{queryId},
			StartTime => sprintf('%04d-%02d-%02dT%02d:%02d:%02dZ', $start[5] + 1900,
				$start[4] + 1, @start[ 3, 2, 1, 0 ]),
			ExecuteNow => JSON::PP::false, RecurrenceInterval => 24, Format => 'CSV',
			%more
		});
	return $report->{reportId};
}

# --- a schedule is made as documented

table('usage');
my $id = $session->rows(q(SELECT pinsight_schedule('usage')));
like($session->said, qr/NOTICE: .* has rows after the first run of its report at 20/,
	'the first run is told');
is(report_id_of('usage'), $id, 'the table has its report_id');
my ($query) = $emulator->log(endpoint => 'create_query');
my ($report) = $emulator->log(endpoint => 'create_report');
my $query_body = ref $query->{body} ? $query->{body} : decode_json($query->{body});
my $report_body = ref $report->{body} ? $report->{body} : decode_json($report->{body});
like($query_body->{Name}, qr/^pinsight schedule [0-9a-f]{16}$/, 'the name of the query');
is($query_body->{Query}, 'SELECT Month, CustomerName FROM AzureUsage TIMESPAN LIFETIME',
	'its text');
is($report_body->{ReportName}, $query_body->{Name}, 'the name of the report');
is($report_body->{QueryId}, queries()->[0]{queryId}, 'its query');
ok(!$report_body->{ExecuteNow}, 'it is not made at once');
is($report_body->{RecurrenceInterval}, 24, 'but every 24 hours');
ok(!exists $report_body->{RecurrenceCount}, 'without end');
is(lc $report_body->{Format}, 'csv', 'as the table says');
like($report_body->{StartTime}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'its start');
my @start = $report_body->{StartTime} =~ /(\d+)/g;
my $wait = timegm(@start[ 5, 4, 3, 2 ], $start[1] - 1, $start[0]) - time();
ok($wait > 4 * HOUR && $wait <= 4 * HOUR + 300, 'is the earliest there can be');

is($session->rows(q(SELECT pinsight_schedule('usage'))), $id, 'the same again is the same');
is(requests(endpoint => 'create_report'), 1, 'nothing is made for it');
my %made = %{ $emulator->state->{reports}[0] };
$made{queryId} = uc $made{queryId};
$emulator->fault({ endpoint => 'list_reports', times => 0, status => 200, body => { value => [ \%made ] } });
is($session->rows(q(SELECT pinsight_schedule('usage'))), $id, 'whatever the case of its ids is');
is(requests(endpoint => 'create_report'), 1, 'nothing is made for that, either');
$emulator->control('DELETE', '/faults');
is($session->rows(q(SELECT pinsight_cleanup('partner', '0'))), '', 'it is no leftover');
is(held(), 2, 'and stays');

# --- before the first run

like($session->rows('EXPLAIN SELECT * FROM usage'), qr/Rows From: scheduled report \Q$id\E/,
	'EXPLAIN names the report');
set_server("wait_timeout '300 ms'");
my $error = $session->error('SELECT count(*) FROM usage');
is($error->{sqlstate}, 'HV00L', 'there are no rows before the first run');
like($error->{message}, qr/report \Q$id\E was not ready within wait_timeout/, 'which is told');
like($error->{detail}, qr/It runs for the first time at \Q$report_body->{StartTime}\E\./,
	'with the time');
set_server("wait_timeout '1 min'");
is(requests(endpoint => 'create_report'), 1, 'nothing else is ordered');

# --- its executions

elapse(5);
$emulator->clear_log;
is($session->rows('SELECT count(*) FROM usage'), 20, 'rows are there at once');
is(requests(endpoint => 'executions'), 1, 'with one question');
is(requests(endpoint => 'download'), 1, 'and one download');
is(requests() - requests(endpoint => 'token'), 2, 'and nothing else');
my $first = $session->rows('SELECT DISTINCT execution FROM usage');
is($session->rows('SELECT count(*) FROM usage WHERE month IS NOT NULL'), 20, 'and again');
is(requests() - requests(endpoint => 'token'), 2, 'without asking');

$emulator->clear_log;
$session->rows(q(SET pinsight_fdw.max_age = '0'));
is($session->rows('SELECT DISTINCT execution FROM usage'), $first, 'no newer one');
is($session->said, '', 'is no reason to complain');
is(requests(endpoint => 'executions'), 1, 'was asked for');
is(requests(endpoint => 'download'), 0, 'and the same is not downloaded again');
is($session->rows('SELECT count(*) FROM usage a, usage b'), 400, 'two scans');
is(requests(endpoint => 'executions'), 2, 'of one statement ask once');

elapse(24);
my $second = $session->rows('SELECT DISTINCT execution FROM usage');
isnt($second, $first, 'a newer one replaces it');
is(requests(endpoint => 'download'), 1, 'and is downloaded once');
like($session->rows('EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM usage'),
	qr/Rows From: snapshot/, 'EXPLAIN ANALYZE says where rows are from');
is(scalar(my @files = glob($node->data_dir . '/pinsight_fdw/*.snapshot')), 1,
	'the older one is gone');
is(scalar(my @jobs = glob($node->data_dir . '/pinsight_fdw/*.{job,lock,part}')), 0,
	'and nothing else is left');

# Rows older than max_age are asked for, but not all the time.
set_server("poll_interval '1 hour'");
$session->rows(q(SET pinsight_fdw.max_age = '1 ms'));
$emulator->clear_log;
$session->rows('SELECT count(*) FROM usage') for 1 .. 3;
is(requests(), 0, 'a service that has just been asked is left alone');
set_server("poll_interval '20 ms'");
sleep(0.5);
$session->rows('SELECT count(*) FROM usage');
is(requests(endpoint => 'executions'), 1, 'until a while has passed');
$session->rows(q(RESET pinsight_fdw.max_age));

# --- without rights

$node->safe_psql('postgres', q(
	CREATE ROLE reader LOGIN; GRANT SELECT ON usage TO reader;
	GRANT USAGE ON FOREIGN SERVER partner TO reader));
foreach my $call (q(pinsight_schedule('usage', '48 hours')), q(pinsight_unschedule('usage')))
{
	$emulator->clear_log;
	$session->rows('SET ROLE reader');
	$error = $session->error("SELECT $call");
	$session->rows('RESET ROLE');
	is($error->{sqlstate}, '42501', "$call is the owner's");
	is(requests(), 0, 'and asks nobody else');
}
foreach my $call (q(pinsight_schedule('usage', '48 hours')), q(pinsight_unschedule('usage')))
{
	$emulator->clear_log;
	$session->rows('BEGIN READ ONLY');
	is($session->error("SELECT $call")->{sqlstate}, '25006', "$call writes to the table");
	$session->rows('ROLLBACK');
	is(requests(), 0, 'so nobody is asked where that cannot be');
}
$session->rows('CREATE TABLE plain (a int)');
is($session->error(q(SELECT pinsight_schedule('plain')))->{sqlstate}, '42809',
	'a plain table has no report');

# --- another interval, and no schedule any more

restart();
table('usage');
$id = $session->rows(q(SELECT pinsight_schedule('usage')));
my $other = $session->rows(q(SELECT pinsight_schedule('usage', '48 hours')));
isnt($other, $id, 'another interval is another report');
is(report_id_of('usage'), $other, 'which the table reads');
is(scalar @{ reports() }, 1, 'instead of the first');
is(reports()->[0]{recurrenceInterval}, 48, 'with that interval');
is(scalar @{ queries() }, 1, 'and with the same query');
foreach my $endpoint (qw(list_reports delete_report))
{
	$emulator->fault({ endpoint => $endpoint, status => 404, body => '<title>Nothing here</title>' });
	$error = $session->error(q(SELECT pinsight_unschedule('usage')));
	like($error->{text}, qr/Nothing here.*unscheduling foreign table "usage"/s,
		"$endpoint is not there: that does not mean that the report is gone");
	is(report_id_of('usage'), $other, 'the table still reads it');
}
$session->rows(q(SELECT pinsight_unschedule('usage')));
is(held(), 0, 'pinsight_unschedule removes report and query');
is(report_id_of('usage'), '', 'and the option');
$session->rows(q(SELECT pinsight_unschedule('usage')));
like($session->said, qr/NOTICE: .* has no schedule/, 'a second time there is none');

# A table that has one column alone: its report has another one, which goes with it.
$emulator->create_table($node, 'lonely', 'month date', $options);
$id = $session->rows(q(SELECT pinsight_schedule('lonely')));
is($session->rows(q(SELECT pinsight_schedule('lonely'))), $id, 'one column: the same again is the same');
$session->rows(q(SELECT pinsight_unschedule('lonely'); DROP FOREIGN TABLE lonely));
is(held(), 0, '... and goes');

foreach my $case (
	[ '1 hour', 24 ], [ '100 days', 2160 ], [ '30 hours 1 minute', 31 ],
	[ '2 months', 1440, 'exact' ])
{
	my ($interval, $hours, $exact) = @$case;
	$session->rows("SELECT pinsight_schedule('usage', '$interval')");
	is(reports()->[0]{recurrenceInterval}, $hours, "$interval are $hours hours");
	if ($exact) { unlike($session->said, qr/will run every/, 'exactly') }
	else { like($session->said, qr/NOTICE: .*the report will run every $hours hours/, 'is told') }
}
is($session->error(q(SELECT pinsight_schedule('usage', '-1 day')))->{sqlstate}, '22023',
	'no way back');

# Two tables with one definition have one report.
table('same');
my $shared = $session->rows(q(SELECT pinsight_schedule('same', '2 months')));
is($shared, report_id_of('usage'), 'tables of one definition share a report');
$session->rows(q(SELECT pinsight_unschedule('same')));
like($session->said, qr/NOTICE: .*stays: another foreign table reads it/, 'which stays');
is(held(), 2, 'with its query');
$session->rows(q(SELECT pinsight_unschedule('usage')));
is(held(), 0, 'until the last');

# --- when something goes wrong

# The option cannot be written.
$session->rows(q(
	CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql
		AS 'BEGIN RAISE ''not today''; END'));
$session->rows(q(
	CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('ALTER FOREIGN TABLE')
		EXECUTE FUNCTION refuse()));
$error = $session->error(q(SELECT pinsight_schedule('usage')));
like($error->{message}, qr/not today/, 'the error is the original');
is(requests(endpoint => 'create_report', status => 200) > 0, 1, 'a report was made');
is(held(), 0, 'and is removed again');
$session->rows(q(DROP EVENT TRIGGER refuse));

# Nobody knows whether the service did it.
foreach my $endpoint (qw(create_query create_report))
{
	restart();
	$emulator->fault({ endpoint => $endpoint, drop_after => JSON::PP::true });
	$session->rows(q(SELECT pinsight_schedule('usage')));
	is(held(), 2, "an answer to $endpoint that is lost makes nothing twice");
	$session->rows(q(SELECT pinsight_unschedule('usage')));
	is(held(), 0, 'nor leaves anything');
}

# The service refuses.
restart();
$emulator->fault({ endpoint => 'create_report', status => 400, body => {
			statusCode => 400,
			message => 'User has exceeded its report creation quota of 50 active reports' } });
is($session->error(q(SELECT pinsight_schedule('usage')))->{sqlstate}, '53400',
	'no report when there are too many');
is(held(), 0, 'and no query either');
is(report_id_of('usage'), '', 'nor an option');

# Cancel.
$emulator->fault({ endpoint => 'create_report', delay_ms => 5000 });
$session->rows(q(SET statement_timeout = '500 ms'));
my $began = time();
is($session->error(q(SELECT pinsight_schedule('usage')))->{sqlstate}, '57014', 'cancelled');
ok(time() - $began < 2, 'at once');
$session->rows(q(RESET statement_timeout));
sleep(5);
$session->rows(q(SELECT pinsight_schedule('usage')));
is(held(), 2, 'the next call finds what was made');

# A transaction that fails afterwards.
restart();
table('usage');
$session->rows(q(BEGIN; SELECT pinsight_schedule('usage'); ROLLBACK));
is(report_id_of('usage'), '', 'the option is rolled back');
is(held(), 2, 'what the service has done is not');
$id = $session->rows(q(SELECT pinsight_schedule('usage')));
is($id, reports()->[0]{reportId}, 'but is found again');
is(held(), 2, 'and used');
$session->rows(q(BEGIN; SELECT pinsight_unschedule('usage'); ROLLBACK));
$session->rows(q(SELECT pinsight_unschedule('usage')));
like($session->said, qr/NOTICE: .*report \Q$id\E does not exist any more/,
	'a report that is gone keeps nobody from unscheduling');
is(report_id_of('usage'), '', 'the option goes');

# --- several sessions

restart();
table('usage');
$id = $session->rows(q(SELECT pinsight_schedule('usage')));
my @waiting = map {
	my $out = '';
	my $psql = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SELECT count(*) FROM usage' ],
		'>', \$out, '2>', '/dev/null', IPC::Run::timeout(60));
	[ $psql, \$out ];
} 1 .. 3;
$node->poll_query_until('postgres', q(
	SELECT count(*) = 1 FROM pinsight_jobs WHERE phase = 'waiting for schedule'
		AND service_state LIKE 'first run at%' AND polls % 8 > 2))
	or die "nobody waits, or knows for what after a look in vain\n";
elapse(5);
foreach my $waiting (@waiting)
{
	my ($psql, $out) = @$waiting;
	$psql->finish;
	is($$out, "20\n", 'a session that waits for the first run gets it');
}
is(requests(endpoint => 'download'), 1, 'with one download for all');
is(scalar(@jobs = glob($node->data_dir . '/pinsight_fdw/*.{job,lock,part}')), 0,
	'nothing else is left');

# --- reports of others

restart();
$id = foreign_report(
	'SELECT ServiceName, CustomerName, Month FROM AzureUsage TIMESPAN LIFETIME',
	Format => 'TSV');
table('theirs', $id);
elapse(6);
is($session->rows('SELECT count(*) FROM theirs WHERE customer_name IS NOT NULL'), 20,
	'a report that somebody else has made, with tabs and a column more');
table('ordered');
my $all = q(SELECT string_agg(month || customer_name, ',' ORDER BY month, customer_name) FROM );
is($session->rows("$all theirs"), $session->rows("$all ordered"), 'has the rows it should');
$error = $session->error(q(SELECT pinsight_schedule('theirs')));
like($error->{message}, qr/reads another report/, 'it is not replaced by a schedule');
like($error->{detail}, qr/"made by hand"/, 'and is named');
$node->safe_psql('postgres', qq(
	CREATE FOREIGN TABLE wider (month date, category text OPTIONS (column_name 'MeterCategory'))
		SERVER partner OPTIONS ($options, report_id '$id')));
$error = $session->error('SELECT * FROM wider');
like($error->{text}, qr/MeterCategory/, 'a column it does not have is named');
is(requests(endpoint => 'download'), 2, 'two tables on it share its rows');

# Paused.
api('PUT', "ScheduledReport/pause/$id");
$session->rows('SELECT count(*) FROM theirs');
is($session->said, '', 'a paused report is fine while its rows are fresh');
$session->rows(q(SET pinsight_fdw.max_age = '0'));
is($session->rows('SELECT count(*) FROM theirs'), 20, 'and has rows when they are not');
like($session->said, qr/WARNING: .*rows of foreign table "theirs" are \d+ min old.*report \Q$id\E is paused.*HINT: .*Resume it/s,
	'with a warning');
my $idle = foreign_report('SELECT Month, CustomerName FROM AzureUsage TIMESPAN LIFETIME');
table('idle', $idle);
api('PUT', "ScheduledReport/pause/$idle");
$error = $session->error('SELECT * FROM idle');
is($error->{sqlstate}, 'HV00L', 'a paused report that has never run');
like($error->{message}, qr/report \Q$idle\E is paused/, 'is not waited for');
like($error->{hint}, qr/Resume it/, 'but told');
api('PUT', "ScheduledReport/resume/$id");
$session->rows('SELECT count(*) FROM theirs');
is($session->said, '', 'resumed');

# Ended.
my $ended = foreign_report('SELECT Month, CustomerName FROM AzureUsage TIMESPAN LIFETIME',
	RecurrenceCount => 1);
table('ended', $ended);
elapse(6);
is($session->rows('SELECT count(*) FROM ended'), 20, 'a report that has ended has its rows');
is($session->rows('SELECT count(*) FROM ended'), 20, 'and keeps them');
like($session->said, qr/WARNING: .*report \Q$ended\E has ended and will not run again/s,
	'with a warning');

# Failed.
$emulator->switches({ execution_outcome => 'failed' });
my $failing = foreign_report('SELECT Month, CustomerName FROM AzureUsage TIMESPAN LIFETIME');
table('failing', $failing);
elapse(6);
{
	my ($state) = map { $_->{executionStatus} } map { @{ $_->{executions} } }
	  grep { $_->{reportId} eq $failing } @{ reports() };
	set_server("wait_timeout '300 ms'");
	$error = $session->error('SELECT * FROM failing');
	is($error->{sqlstate}, 'HV00L', "a report whose only execution is $state has no rows");
	set_server("wait_timeout '1 min'");
}
$emulator->switches({ execution_outcome => 'complete' });

# Nothing of this has deleted or made anything.
is(requests(endpoint => 'delete_report') + requests(endpoint => 'delete_query'), 2,
	'but for the report ordered for comparison nothing was deleted');

# Deleted.
api('DELETE', "ScheduledReport/$id");
is($session->rows('SELECT count(*) FROM theirs'), 20, 'a deleted report leaves the rows that are here');
like($session->said, qr/WARNING: .*report \Q$id\E does not exist/s, 'with a warning');
$session->rows(q(SELECT pinsight_forget('theirs')));
$session->rows(q(SELECT pinsight_forget('wider')));
$error = $session->error('SELECT * FROM theirs');
like($error->{message}, qr/report \Q$id\E does not exist/, 'without them it is an error');
like($error->{hint}, qr/deleted.*pinsight_schedule/, 'that says what to do');

# What somebody else has made stays.
$session->rows(q(SELECT pinsight_unschedule('ended')));
like($session->said, qr/NOTICE: .*report \Q$ended\E stays: it was not made by/,
	'pinsight_unschedule leaves it');
is(report_id_of('ended'), '', 'but not the option');
ok((grep { $_->{reportId} eq $ended } @{ reports() }), 'the report is there');

# --- the service is away

$emulator->fault({ endpoint => 'executions', status => 503, times => 0 });
$node->safe_psql('postgres', q(
	ALTER FOREIGN TABLE failing OPTIONS (SET report_id 'no-such-report')));
set_server("wait_timeout '300 ms'");
$error = $session->error('SELECT * FROM failing');
isnt($error->{sqlstate}, '00000', 'no rows and no service is an error');
$emulator->control('DELETE', '/faults');
$error = $session->error('SELECT * FROM failing');
like($error->{message}, qr/no-such-report does not exist/, 'as is a report that never was');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
