# max_reports_per_hour: counted over all sessions of a credential; and the
# service's own quota.

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
	options => [ '--rows', 20, '--report-delay', '0.1' ]);
my $node = $emulator->node('budget',
	server => "poll_interval '50 ms', max_reports_per_hour '2'");
my $cache = $node->data_dir . '/pinsight_fdw';
my $session = PinsightSession->new($node);

$emulator->create_table($node, "usage_$_",
	"month date, x text OPTIONS (column_name '"
	  . qw(CustomerName MpnId UsageUnits ServiceName ResellerID PartnerName)[$_] . "')",
	"dataset 'AzureUsage', timespan 'LIFETIME'") foreach 0 .. 5;

sub reports { return $emulator->count(endpoint => 'create_report', @_); }

sub new_budget
{
	unlink(glob("$cache/*"));
	$emulator->reset;
	$emulator->clear_log;
	return;
}

sub set_budget
{
	$node->safe_psql('postgres',
		"ALTER SERVER partner OPTIONS (SET max_reports_per_hour '$_[0]')");
	return;
}

# --- our own count

$session->rows('SELECT count(*) FROM usage_0');
my $other = PinsightSession->new($node);
$other->rows('SELECT count(*) FROM usage_1');
is(reports(), 2, 'two reports of two sessions');
$emulator->clear_log;
foreach my $who ($session, $other, PinsightSession->new($node))
{
	my $error = $who->error('SELECT count(*) FROM usage_0');
	is($error->{sqlstate}, '53400', 'a third one, of any session, is refused');
	like($error->{message}, qr/no report can be ordered now/, 'with a message');
	like($error->{detail}, qr/^As many reports were ordered within the last hour as "max_reports_per_hour" allows \(2\)\.  The next one is free in (59|60) min\.$/,
		'that counts, and says when');
	like($error->{hint}, qr/stale_ok/, 'and what else to do');
}
is($emulator->count(method => 'POST', kind => 'api'), 0, 'nothing was created');
cmp_ok($emulator->count(kind => 'api'), '<=', 2, 'nobody asked again and again');
is($session->rows("SET pinsight_fdw.max_age = '1 hour'; SELECT count(*) FROM usage_0"), 20,
	'what is kept is read all the same');
$session->rows("RESET pinsight_fdw.max_age");

set_budget(3);
is($session->rows('SELECT count(*) FROM usage_0'), 20, 'a larger budget counts at once');

# Another credential has a budget of its own.
$node->safe_psql('postgres', q(
	CREATE ROLE other LOGIN;
	GRANT USAGE ON FOREIGN SERVER partner TO other;
	GRANT SELECT ON usage_0 TO other;
	CREATE USER MAPPING FOR other SERVER partner OPTIONS (
		client_id '22222222-2222-2222-2222-222222222222', client_secret 'emulator-secret',
		username 'analyst@contoso.onmicrosoft.com', password 'emulator-password')));
is($node->safe_psql('postgres', 'SELECT count(*) FROM usage_0', extra_params => [ '-U', 'other' ]),
	20, 'another credential has its own');

# Several at once: never more than there are.
new_budget();
set_budget(2);
my @scans = map { PinsightBackground->start($node, "SELECT count(*) FROM usage_$_") } 0 .. 5;
my @results = map { $_->finish } @scans;
is(scalar(grep { $_->{out} eq '20' } @results), 2, 'six at once: two have rows');
is(scalar(grep { $_->{err} =~ /no report can be ordered now/ } @results), 4, 'four are refused');
is(reports(), 2, 'two reports');

# --- what does not count

new_budget();
set_budget(1);
$emulator->fault({ endpoint => 'create_report', status => 400,
		body => { statusCode => 400, message => 'No' } });
my $error = $session->error('SELECT count(*) FROM usage_0');
like($error->{message}, qr/could not|refused|No/, 'an order that was refused');
is($session->rows('SELECT count(*) FROM usage_0'), 20, 'does not count');
$error = $session->error('SELECT count(*) FROM usage_0');
like($error->{message}, qr/no report can be ordered now/, 'one that was not, does');

new_budget();
$emulator->switches({ report_delay => 1 });
$session->rows("SET statement_timeout = '400ms'");
$session->error('SELECT count(*) FROM usage_0');
$session->rows('RESET statement_timeout');
is($session->rows('SELECT count(*) FROM usage_0'), 20, 'a report that is resumed');
is(reports(), 1, 'counts once');

# An order whose answer was lost is found, and counts once.
new_budget();
$emulator->fault({ endpoint => 'create_report', drop_after => JSON::PP::true });
is($session->rows('SELECT count(*) FROM usage_0'), 20, 'an answer that was lost');
is(reports(), 1, 'is no second report');

# Time passes.
new_budget();
$session->rows('SELECT count(*) FROM usage_0');
$error = $session->error('SELECT count(*) FROM usage_1');
my ($file) = glob("$cache/*.budget");
open(my $in, '+<:raw', $file) or die "$file: $!\n";
my $bytes = do { local $/; <$in> };
my ($blocked, $n, $pad, @orders) = unpack('q l l q*', $bytes);
is($n, 1, 'one is counted');
$orders[0] -= 3601 * 1_000_000;
seek($in, 0, 0);
print $in pack('q l l q*', $blocked, $n, $pad, @orders);
close($in);
is($session->rows('SELECT count(*) FROM usage_1'), 20, 'after an hour it counts no more');

# --- the service's own quota

new_budget();
set_budget(1000);
$emulator->switches({ quota_execute_now => 1 });
is($session->rows('SELECT count(*) FROM usage_0'), 20, 'the service allows one');
$error = $session->error('SELECT count(*) FROM usage_0');
is($error->{sqlstate}, '53400', 'and refuses the second');
unlike($error->{message}, qr/no report can be ordered now/, 'in its own words');
is_deeply([ $emulator->held ], [], 'the query is not left there');
$emulator->clear_log;
foreach my $try (1 .. 3)
{
	$error = $session->error('SELECT count(*) FROM usage_0');
	is($error->{sqlstate}, '53400', "try $try: refused");
	like($error->{detail}, qr/^The service has said that its quota is used up\.  The next try is free in \d+ min\.$/,
		'because it is remembered');
}
is($emulator->count, 0, 'nobody was asked');
$error = $other->error('SELECT count(*) FROM usage_0');
is($emulator->count, 0, 'nor by another session');
$error = $other->error('SELECT count(*) FROM usage_3');
like($error->{detail}, qr/^The service has said/, 'nor may another table order one');
is($emulator->count(method => 'POST', kind => 'api'), 0, 'nothing is created');

$_->quit foreach $session, $other;
$node->stop;
$emulator->stop;
done_testing();
