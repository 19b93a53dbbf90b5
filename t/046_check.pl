# pinsight_check(): whatever is broken, its row says so, those behind it are not
# reached, nothing raises, and nothing is made at the service.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('check', server => "max_reports_per_hour '2', poll_interval '20 ms'");
my $app = "client_id '$PinsightEmulator::client_id'";
my $secret = "client_secret '$PinsightEmulator::client_secret'";
my $user = 'analyst@contoso.onmicrosoft.com';
my %grants = (
	refresh_token => "$app, $secret, refresh_token '$PinsightEmulator::refresh_token'",
	password => "$app, $secret, username '$user', password 'emulator-password'",
	client_credentials => "$app, $secret");
my @steps = (
	'options', 'login host', 'API host', 'clock', 'tenant', 'application',
	'secret', 'user', 'MFA', 'consent', 'permission', 'role', 'datasets',
	'cache directory', 'quota');

# Looked at by themselves, whatever else has failed.
my %alone = map { $_ => 1 } 'login host', 'API host', 'clock', 'cache directory';

my $session = open_session();
my $seen = '';
my @requests;

sub open_session
{
	my $opened = PinsightSession->new($node);
	$opened->rows(q(\pset null '~'));
	return $opened;
}

sub run_sql { return $node->safe_psql('postgres', $_[0]); }
sub set_server { return run_sql("ALTER SERVER partner OPTIONS ($_[0])"); }

sub set_mapping
{
	my ($options) = @_;
	return run_sql(qq(
		DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER partner;
		CREATE USER MAPPING FOR PUBLIC SERVER partner OPTIONS ($options)));
}

# The rows of one call as a hash by step; remembers all that was shown and sent.
sub check
{
	my ($server) = @_;
	my %rows;

	$emulator->clear_log;
	my $out = $session->rows(
		"SELECT * FROM pinsight_check('" . ($server || 'partner') . "')");
	$seen .= "$out\n" . $session->said;
	foreach my $line (split(/\n/, $out))
	{
		my ($step, $status, $detail, $hint) = split(/\|/, $line, 4);
		$rows{$step} = { status => $status, detail => $detail, hint => $hint };
	}
	push @requests, $emulator->log;
	return \%rows;
}

# Exactly that step has failed, with words like these in its hint; nothing
# behind it was reached but what is looked at by itself.
sub fails
{
	my ($name, $step, $hint, $detail) = @_;
	my $rows = check();
	my $behind = 0;
	my @wrong;

	foreach my $other (@steps)
	{
		my $status = $rows->{$other}{status} // 'missing';
		my $good =
			$other eq $step ? $status eq 'failed'
		  : $behind && !$alone{$other} ? $status eq 'not reached'
		  : $status =~ /^(?:ok|warning|not reached)$/;
		push @wrong, "$other: $status" if !$good;
		$behind = 1 if $other eq $step;
	}
	ok(!@wrong, "$name: $step") or diag(explain($rows));
	like($rows->{$step}{hint}, $hint, "$name: the way out");
	like($rows->{$step}{detail}, $detail, "$name: what was seen") if $detail;
	return $rows;
}

sub statuses
{
	my ($rows) = @_;
	return join(', ', map { "$_ $rows->{$_}{status}" }
		  grep { $rows->{$_}{status} ne 'ok' } @steps);
}

# --- all is well

my $out = $session->rows(q(SELECT step FROM pinsight_check('partner')));
is($out, join("\n", @steps), 'steps in their order');
foreach my $grant (sort keys %grants)
{
	set_mapping($grants{$grant});
	my $rows = check();
	is(statuses($rows), $grant eq 'password' ? 'MFA warning' : '',
		"$grant: all is well") or diag(explain($rows));
	ok(!(grep { $_->{detail} !~ /^["A-Z0-9].*\.$/ || $_->{status} eq 'ok' && $_->{hint} ne '~' }
			values %$rows), "$grant: what was seen is told, and no hint");
	cmp_ok(scalar(my @l = $emulator->log), '<=', 4, "$grant: four requests");
	is(scalar(my @s = $emulator->log(endpoint => 'token')), 1, "$grant: signs in anew");
	like($rows->{datasets}{detail}, qr/^\d+ in program "mpn"\.$/, "$grant: datasets");
	like($rows->{quota}{detail}, qr/^2 of 2 immediate reports/, "$grant: quota");
	like($rows->{MFA}{detail}, $grant eq 'refresh_token' ? qr/API says/ :
		  $grant eq 'password' ? qr/carries no proof/ : qr/needs none/, "$grant: MFA");
	is($s[0]{status}, 200, "$grant: is accepted");
	like($rows->{MFA}{hint}, qr/CALL pinsight_login/, 'a password will not do for long')
	  if $grant eq 'password';
}
set_server(q(ADD program 'cmp'));
is(statuses(check()), '', 'program cmp');
set_server(q(DROP program));
set_mapping($grants{refresh_token});

# --- here

my $folder = tempdir(CLEANUP => 1);
my $file = "$folder/secret";
set_mapping("$app, client_secret_file '$file'");
fails('a missing file', 'options', qr/database server reads it/, qr/could not read file "\Q$file\E"/i);
append_to_file($file, "hush\n");
chmod 0644, $file;
fails('a file for everybody', 'options', qr/0640/, qr/everybody can read it/);
chmod 0600, $file;
fails('a wrong secret in a file', 'secret', qr/"client_secret"/);
run_sql('DROP USER MAPPING FOR PUBLIC SERVER partner');
fails('no mapping', 'options', qr/^Use CREATE USER MAPPING FOR .* SERVER partner/,
	qr/no user mapping/);
is(join(' ', sort map { $_->{endpoint} } $emulator->log), 'configuration unknown',
	'both hosts are looked at all the same');
set_mapping($app);
fails('no secret', 'options', qr/ADD client_secret/);
set_mapping($secret);
fails('no application', 'options', qr/ADD client_id/);
set_mapping($grants{refresh_token});

my $cache = $node->data_dir . '/pinsight_fdw';
chmod 0755, $cache;
fails('a cache directory for everybody', 'cache directory', qr/0700/);
chmod 0700, $cache;
run_sql(qq(LOAD 'pinsight_fdw';
	ALTER SYSTEM SET pinsight_fdw.cache_directory = '/proc/nowhere'));
$node->reload;
$session->quit;
$session = open_session();
fails('one that cannot be made', 'cache directory', qr/pinsight_fdw\.cache_directory/);
run_sql(qq(LOAD 'pinsight_fdw';
	ALTER SYSTEM RESET pinsight_fdw.cache_directory));
$node->reload;
$session->quit;
$session = open_session();
is(join(' ', glob("$cache/check*")), '', 'no file is left');

# --- hosts

my $url = $emulator->api_url;
my $tls = $url =~ s/^http:/https:/r;
set_server(q(ADD connect_timeout '2 s'));
foreach my $case ([ 'login_url', 'login host' ], [ 'api_url', 'API host' ])
{
	my ($option, $step) = @$case;

	set_server("SET $option 'http://127.0.0.1:1'");
	my $rows = fails("$option: a closed port", $step, qr/firewall/, qr/connect/);
	is($rows->{$_}{status}, $_ eq $step ? 'failed' : 'ok', "$option: $_")
	  foreach 'login host', 'API host', 'clock', 'cache directory';
	set_server("SET $option 'https://nowhere.invalid'");
	fails("$option: a wrong host", $step, qr/name service/, qr/nowhere\.invalid/);
	set_server("SET $option '$tls'");
	fails("$option: no TLS", $step, qr/speak HTTPS/, qr/secure connection/);
	set_server("SET $option '$url'");
}
set_server(q(ADD proxy 'http://127.0.0.1:1'));
like(statuses(check()), qr/^login host failed, API host failed, clock not reached, /,
	'a proxy that is not there: both hosts');
set_server(q(DROP proxy));

sub fault
{
	$emulator->control('DELETE', '/faults');
	return $emulator->fault([ map { { times => 0, %$_ } } @_ ]);
}

fault({ endpoint => 'configuration', status => 503, body => 'down' });
fails('login host: 503', 'login host', qr/fault of the service/, qr/HTTP status 503/);
fault({ endpoint => 'configuration', redirect => 'https://elsewhere.example' });
fails('login host: a redirect', 'login host', qr/never followed/);
fault({ endpoint => 'configuration', drop_before => \1 });
fails('login host: no answer', 'login host', qr/./);
fault({ endpoint => 'configuration', status => 404, body => '' });
is(statuses(check()), '', 'a login host without that page will do');
fault({ endpoint => 'token', status => 503, body => '' });
fails('sign-in: 503', 'login host', qr/fault of the service/);
fault({ endpoint => 'token', body => 'hello' });
fails('sign-in: no JSON', 'login host', qr/sign-in page or a proxy/);
fault({ endpoint => 'token', status => 404, body => '' });
fails('sign-in: 404', 'login host', qr/"login_url"/);

# The same where a token was had: the steps of the sign-in are passed, though
# the API host stands before them.
sub fails_at_api
{
	my ($name, $step, $hint) = @_;
	my $rows = check();

	is($rows->{$step}{status}, 'failed', "$name: $step") or diag(explain($rows));
	like($rows->{$step}{hint}, $hint, "$name: the way out");
	is(scalar(grep { $_->{status} eq 'failed' } values %$rows), 1, "$name: and no other");
	is(join(' ', map { $rows->{$_}{status} } qw(tenant application secret user)),
		'ok ok ok ok', "$name: the sign-in is passed");
	is(join(' ', map { $rows->{$_}{status} } qw(permission role datasets quota)),
		join(' ', ('not reached') x 4), "$name: the rest is not reached");
	return;
}
fault({ endpoint => 'datasets', status => 503, body => '' });
fails_at_api('datasets: 503', 'API host', qr/fault of the service/);
is(scalar(my @d = $emulator->log(endpoint => 'datasets')), 1, 'which is not tried again');
fault({ endpoint => 'datasets', status => 429, headers => { 'Retry-After' => '60' } });
fails_at_api('datasets: 429', 'API host', qr/Wait/);
fault({ endpoint => 'datasets', wrong_json => \1 });
fails_at_api('datasets: no JSON', 'API host', qr/proxy/);
fault({ endpoint => 'datasets', status => 404, body => '' });
fails_at_api('datasets: 404', 'API host', qr/"api_version"/);
$emulator->control('DELETE', '/faults');
set_server(q(ADD api_version 'v9'));
fails_at_api('a wrong version', 'API host', qr/"api_version"/);
set_server(q(DROP api_version));
fault({ endpoint => 'datasets', status => 400,
		body => { statusCode => 400, message => 'no' } });
is(check()->{datasets}{status}, 'failed', 'datasets: 400');
fault({ endpoint => 'datasets', body => { value => [], statusCode => 200 } });
my $rows = check();
is(statuses($rows), 'datasets warning', 'no datasets');
like($rows->{datasets}{hint}, qr/"program"/, 'with a hint');

# --- clock

foreach my $case ([ 2090, 'behind' ], [ 1990, 'ahead of' ])
{
	my ($year, $how) = @$case;

	fault({ endpoint => 'configuration', headers => { Date => "01 Jan $year 00:00:00 GMT" } });
	$rows = check();
	is(statuses($rows), 'clock warning', "$year: a clock that is wrong stops nothing");
	like($rows->{clock}{detail}, qr/ seconds $how the service's\.$/, "$year: $how");
	like($rows->{clock}{hint}, qr/time server/, "$year: with a hint");
}
$emulator->control('DELETE', '/faults');

# --- tenant, application, secret, user, consent, permission

set_server(q(SET tenant 'fabrikam.com'));
$rows = fails('a wrong tenant', 'tenant', qr/"tenant"/, qr/"fabrikam\.com".*AADSTS90002/);
is(scalar(my @t = $emulator->log(endpoint => 'token')), 0, 'which gets no secret');
set_server(q(SET tenant 'common'));
fails('no tenant in particular', 'tenant', qr/not to a common name/);
set_server("SET tenant '$PinsightEmulator::tenant'");

my %refusals = (
	tenant => [ 90002, 9001023 ],
	application => [ 70001, 700016, 7000112 ],
	secret => [ 700025, 7000215, 7000222 ],
	user => [
		50034, 50053, 50057, 50173, 53003, 530032, 530035, 54005, 70000, 70008,
		70043, 700082
	],
	MFA => [ 50072, 50074, 50078, 50079 ],
	consent => [ 65001, 90094, 90099 ],
	permission => [ 50001, 70011, 500011, 650056, 650057 ],
	options => [ 900144, 901002 ],
	'login host' => [ 50196, 90055 ]);
my %hints = (
	tenant => qr/tenant/, application => qr/application/, secret => qr/secret/,
	user => qr/user|account|policy|refresh token|defaults|Sign in/,
	MFA => qr/CALL pinsight_login/, consent => qr/consent/,
	permission => qr/"resource"|permission/, options => qr/Check (?:the|that)/,
	'login host' => qr/Wait some minutes/);

sub refuse
{
	my ($step, $code) = @_;
	$emulator->switches({ sign_in_error => $code });
	return fails("AADSTS$code", $step, $hints{$step}, qr/AADSTS$code\b/);
}

foreach my $step (sort keys %refusals)
{
	refuse($step, $_) foreach @{ $refusals{$step} };
}
like(refuse('secret', 7000222)->{secret}{hint}, qr/has expired.*new one/,
	'an expired secret is named');
is(join(' ', map { refuse('user', 70008)->{$_}{status} } qw(tenant application secret)),
	'ok ok ok', 'what the sign-in has passed is told');
set_mapping($grants{password});
refuse('user', $_) foreach 50055, 50056, 50126;
refuse('MFA', 50076);
set_mapping($grants{client_credentials});
refuse('secret', 7000218);
$emulator->switches({ sign_in_error => 0 });

my %wrong = (
	"client_id '33333333-3333-3333-3333-333333333333', $secret" => 'application',
	"$app, client_secret 'hush'" => 'secret',
	"$app, $secret, username '$user', password 'hush'" => 'user',
	"$app, $secret, refresh_token 'hush'" => 'user');
foreach my $options (sort keys %wrong)
{
	set_mapping($options);
	fails('a wrong value', $wrong{$options}, $hints{ $wrong{$options} });
}

# --- the API's own view

set_mapping($grants{password});
$emulator->switches({ mfa_required => \1 });
fails('a token without MFA', 'MFA', qr/CALL pinsight_login/, qr/multifactor/);
$emulator->switches({ mfa_required => \0, role => 'none' });
set_mapping($grants{refresh_token});
fails('no role', 'role', qr/Executive report viewer/);
$emulator->switches({ role => 'erv', token_programs => 'cmp' });
fails('a token for another program', 'role', qr/role/);
set_mapping($grants{client_credentials});
$emulator->switches({ token_programs => 'both', mpn_app_only => \0 });
fails('an application in mpn', 'role', qr/sign in with CALL/);
$emulator->switches({ token_programs => 'mpn', mpn_app_only => \1 });
set_server(q(ADD program 'cmp'));
fails('an application without program', 'role', qr/"Manager"/);
set_server(q(DROP program));
set_mapping($grants{refresh_token});
$emulator->switches({ token_programs => 'both', redacted => \1 });
$rows = check();
is(statuses($rows), 'role warning', 'data that is kept back');
like($rows->{role}{detail}, qr/dataRedacted/, 'is told');
like($rows->{role}{hint}, qr/Executive Report Viewer/, 'with the role that helps');
$emulator->switches({ redacted => \0 });
set_server(q(ADD resource 'https://graph.microsoft.com'));
fails('a token for something else', 'permission', qr/"resource"/);
set_server(q(DROP resource));
is(statuses(check()), '', 'all is well again');

fault({ endpoint => 'datasets', headers => { isMfaCompliant => 'False' },
		body => { value => [ { datasetName => 'AzureUsage' } ] } });
$rows = check();
is(statuses($rows), 'MFA warning', 'a token that will not do for long');
like($rows->{MFA}{hint}, qr/CALL pinsight_login/, 'with the way out');
fault({ endpoint => 'datasets', body => { value => [ { datasetName => 'AzureUsage' } ] } });
$rows = check();
is(statuses($rows), '', 'a service that says nothing of it');
is($rows->{datasets}{detail}, '1 in program "mpn".', 'and has one dataset');
$emulator->control('DELETE', '/faults');

ok(!(grep { $_->{method} ne 'GET' && $_->{endpoint} ne 'token' } @requests),
	'nothing but questions was sent');
cmp_ok(scalar @requests, '>', 200, 'though many');
is(join(' ', $emulator->held), '', 'and nothing was made');

# --- what is left of the hour

$emulator->create_table($node, 'profile', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
run_sql('SELECT count(*) FROM profile');
like(check()->{quota}{detail}, qr/^1 of 2 /, 'a report was ordered');
run_sql('SELECT count(*) FROM profile');
$rows = check();
is(statuses($rows), 'quota warning', 'no report can be ordered');
like($rows->{quota}{detail}, qr/next one is free in \d+ min/, 'until when');
like($rows->{quota}{hint}, qr/"stale_ok"/, 'with a hint');

# --- servers that cannot be used, and what does raise

sub raises
{
	my ($sql) = @_;
	$node->psql('postgres', $sql, stderr => \my $err);
	return $err;
}

sub fails_at_once
{
	my ($name, $server, $detail, $hint) = @_;
	my $rows = check($server);

	is(join(' ', map { $rows->{$_}{status} } @steps),
		join(' ', 'failed', ('not reached') x $#steps), $name);
	like($rows->{options}{detail}, $detail, "$name: what was seen");
	like($rows->{options}{hint}, $hint, "$name: the way out");
	is(scalar(my @l = $emulator->log), 0, "$name: nothing is asked");
	return;
}
run_sql(q(CREATE ROLE stranger;
	CREATE FOREIGN DATA WRAPPER other;
	CREATE SERVER other FOREIGN DATA WRAPPER other));
fails_at_once('no such server', 'nobody', qr/no server "nobody"/, qr/CREATE SERVER nobody/);
fails_at_once(q(somebody else's server), 'other', qr/has no handler/, qr/^~$/);
$session->rows('SET ROLE stranger');
fails_at_once('no right', 'partner', qr/may not use/, qr/GRANT USAGE ON FOREIGN SERVER partner/);
$session->rows('RESET ROLE');
fault({ endpoint => 'token', hang_ms => 20000 });
my $begun = time();
like(raises(q(SET statement_timeout = '300 ms'; SELECT * FROM pinsight_check('partner'))),
	qr/canceling statement due to statement timeout/, 'cancel');
cmp_ok(time() - $begun, '<', 10, 'at once');
$emulator->control('DELETE', '/faults');
is($session->rows(q(BEGIN; SELECT count(*) FROM pinsight_check('partner'); COMMIT)), 15,
	'in a transaction');

unlike($seen . slurp_file($node->logfile) =~ s/^.*(?:STATEMENT|statement):.*$//mgr,
	qr/emulator-(?:secret|password|refresh)|hush/, 'no secret is shown or logged');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
