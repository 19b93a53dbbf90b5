# Signing in from psql: by device code at a terminal, by authorization code, and
# what becomes of the refresh token.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::RealBin;

use IPC::Run qw(start timer);
use POSIX ();
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0', '--switch', 'device_interval=1' ]);
my $node = $emulator->node('login', server => "poll_interval '20 ms'",
	mapping => "client_id '$PinsightEmulator::client_id', "
	  . "client_secret '$PinsightEmulator::client_secret'",
	conf => q(
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = all
log_statement = all
log_min_messages = info
));
my $app = $PinsightEmulator::client_id;
my $user = 'analyst@contoso.onmicrosoft.com';

$emulator->create_table($node, 'profile', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
$node->safe_psql('postgres', q(
	CREATE EXTENSION pg_stat_statements;
	CREATE ROLE analyst LOGIN;
	GRANT USAGE ON FOREIGN SERVER partner TO analyst;
	GRANT SELECT ON profile TO analyst));

# Options of a role's own mapping, as a hash.
sub mapping
{
	my ($role) = @_;
	my $options = $node->safe_psql('postgres', qq(
		SELECT unnest(umoptions) FROM pg_user_mappings WHERE usename = '$role'));
	return { map { /^(\w+)=(.*)$/ ? ($1 => $2) : () } split(/\n/, $options) };
}

# Form parameters of a request.
sub parameters
{
	my %parameters =
	  map { /^([^=]*)=(.*)$/ ? ($1 => $2) : () } split(/&/, $_[0]);
	s/%([0-9A-Fa-f]{2})/chr(hex($1))/ge foreach values %parameters;
	return \%parameters;
}

# --- a terminal, and a user who sits at it

my $screen = '';
my $keyboard = '';
my $patience = timer(60);
my $terminal;

sub open_terminal
{
	local %ENV = $node->_get_env();
	$ENV{TERM} = 'dumb';
	$ENV{PSQL_HISTORY} = '/dev/null';
	$terminal = start(
		[ $node->installed_command('psql'), '-XAt', '-d',
			$node->connstr('postgres') . ' user=analyst' ],
		'<pty<', \$keyboard, '>pty>', \$screen, $patience);
	return;
}

# Types a line and clears the screen.
sub type
{
	my ($line) = @_;
	$screen = '';
	$keyboard .= $line;
	$patience->start(60);
	return;
}

# Waits until the screen shows something.
sub sees
{
	my ($pattern, $name) = @_;
	my $seen = eval {
		until ($screen =~ $pattern) { $terminal->pump or last }
		$screen =~ $pattern;
	};
	ok($seen, $name) or diag("the screen shows:\n$screen");
	return;
}

sub decide
{
	my ($action) = @_;
	$emulator->control('POST', '/device', { action => $action });
	return;
}

open_terminal();
type("SET client_min_messages = error;\n");
sees(qr/SET\r?\n/, 'a terminal');

# without mapping, so with the id; the mapping for everybody has a secret
type("CALL pinsight_login('partner', client_id => '$app');\n");
sees(qr{to sign in, open http://127\.0\.0\.1:\d+/devicelogin in a browser and enter the code \w{8}},
	'address and code are shown at once');
is(scalar($emulator->log(endpoint => 'token')), 0, 'before anything else is asked');
my $request = ($emulator->log(endpoint => 'devicecode'))[0];
is($request->{path}, '/contoso.onmicrosoft.com/oauth2/v2.0/devicecode', 'by the v2 endpoint');
is_deeply(parameters($request->{body}), { client_id => $app,
		scope => 'https://api.partnercenter.microsoft.com/.default openid profile offline_access' },
	'for the API, and to be used later');
$emulator->await(endpoint => 'token', status => 400);
is(scalar(keys %{ mapping('analyst') }), 0, 'nothing is written before the user has decided');
decide('approve');
sees(qr/signed in to server "partner" as \Q$user\E.*good until \d{4}-\d\d-\d\d/s,
	'who has signed in, and until when');
sees(qr/CALL\r?\n/, 'done');
my $mapping = mapping('analyst');
is(join(' ', sort keys %$mapping), 'client_id refresh_token refresh_token_issued',
	'a mapping was made, without the secret of the one for everybody');
is($mapping->{client_id}, $app, 'for that application');
like($mapping->{refresh_token_issued}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'and its time');
is($node->safe_psql('postgres', 'SET ROLE analyst; SELECT count(*) FROM profile'), 20,
	'it serves a scan');
my $first = $mapping->{refresh_token};

# cancel with the keyboard
$emulator->clear_log;
type("CALL pinsight_login('partner');\n");
sees(qr/enter the code/, 'once more, with the own mapping');
$emulator->await(endpoint => 'token', status => 400);
type("\x03");
sees(qr/canceling statement due to user request/, 'Ctrl-C ends the wait');
decide('approve');
is(mapping('analyst')->{refresh_token}, $first, 'and leaves the mapping as it was');

# denial
type("CALL pinsight_login('partner');\n");
sees(qr/enter the code/, 'again');
decide('decline');
sees(qr/ERROR:  server "partner": could not sign in.*AADSTS70020.*Start it again/s,
	'declined in the browser');
like($screen, qr/declined/, 'is told as such');

# expiry, by the service's word and by the clock
type("CALL pinsight_login('partner');\n");
sees(qr/enter the code/, 'again');
$emulator->control('POST', '/clock', { advance_seconds => 901 });
sees(qr/ERROR:  server "partner": could not sign in.*AADSTS70019.*Start the sign-in again/s,
	'a code that has expired');
$emulator->fault({ endpoint => 'devicecode', body => { device_code => 'hush', user_code => 'ABCD',
			verification_uri => 'https://login.example/device', expires_in => 1, interval => 1 } });
$emulator->fault({ endpoint => 'token', status => 400, body => { error => 'authorization_pending' } });
type("CALL pinsight_login('partner');\n");
sees(qr/ERROR:  server "partner": nobody entered the code in time/, 'a service that never says so');

# slower, and through troubles that pass
$emulator->clear_log;
$emulator->fault({ endpoint => 'token', status => 400, body => { error => 'slow_down' } });
type("CALL pinsight_login('partner');\n");
sees(qr/enter the code/, 'again');
decide('approve');
sees(qr/CALL\r?\n/, 'after slow_down');
my @polls = $emulator->log(endpoint => 'token');
is(scalar @polls, 2, 'asked twice');
cmp_ok($polls[1]{time_ms} - $polls[0]{time_ms}, '>', 5900, 'five seconds slower');
$emulator->fault({ endpoint => 'token', status => 503, headers => { 'Retry-After' => '0' } });
type("CALL pinsight_login('partner');\n");
sees(qr/enter the code/, 'again');
decide('approve');
sees(qr/CALL\r?\n/, 'after a failure of the service');
isnt(mapping('analyst')->{refresh_token}, $first, 'the token is another one now');

# other ends
$emulator->switches({ sign_in_error => 7000218 });
type("CALL pinsight_login('partner');\n");
sees(qr/AADSTS7000218.*allow public client flows/s, 'public client flows not allowed');
$emulator->switches({ sign_in_error => 0 });
foreach my $reply ({ user_code => 'ABC' }, { device_code => 'x', user_code => 'A',
		verification_uri => 'http://evil.example/' }, 'hello')
{
	$emulator->fault({ endpoint => 'devicecode', body => $reply });
	type("CALL pinsight_login('partner');\n");
	sees(qr/ERROR:  server "partner": .*\n/, 'no device code');
}
type("\\q\n");
$terminal->finish;

# --- other sessions: statement_timeout, a dropped right, a rollback

my $session = PinsightSession->new($node);
$session->rows('SET ROLE analyst');
my $error = $session->error("SET statement_timeout = '1500ms'; CALL pinsight_login('partner')");
is($error->{sqlstate}, '57014', 'a timeout ends the wait');
$session->rows('RESET statement_timeout');
my $kept = mapping('analyst')->{refresh_token};
$session->rows("BEGIN");
$emulator->fault({ endpoint => 'token', body => { access_token => 'x', expires_in => 1,
			refresh_token => 'hush-new', } });
$session->rows("CALL pinsight_login('partner')");
like($session->said, qr/signed in to server "partner" as an unnamed user/,
	'a service that does not say who');
$session->rows('ROLLBACK');
is(mapping('analyst')->{refresh_token}, $kept, 'a rollback undoes it');
$emulator->fault({ endpoint => 'token', body => { access_token => 'x', expires_in => 1 } });
$error = $session->error("CALL pinsight_login('partner')");
like($error->{message}, qr/brought no refresh token/, 'a sign-in without refresh token');
is($error->{sqlstate}, 'HV00M', 'is an error');
like($error->{hint}, qr/offline_access/, 'with a hint');

# a right that is taken away while the user is at the browser
$kept = mapping('analyst')->{refresh_token};
$emulator->fault({ endpoint => 'devicecode', body => { device_code => 'hush', user_code => 'ABCD',
			verification_uri => 'https://login.example/device', expires_in => 60, interval => 1 } });
$emulator->fault({ endpoint => 'token', delay_ms => 500, body => { access_token => 'x',
			expires_in => 1, refresh_token => 'hush-late' } });
$emulator->clear_log;
my $late = fork() // die "fork: $!\n";
if ($late == 0)
{
	$emulator->await(endpoint => 'devicecode');
	$node->safe_psql('postgres', 'REVOKE USAGE ON FOREIGN SERVER partner FROM analyst');
	POSIX::_exit(0);
}
$error = $session->error("CALL pinsight_login('partner')");
waitpid($late, 0);
is($error->{sqlstate}, '42501', 'a right that is taken away meanwhile');
$node->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER partner TO analyst');
is(mapping('analyst')->{refresh_token}, $kept, 'is missed before anything is written');

# a mapping whose files are the superuser's: only the token is the user's own
my $folder = tempdir(CLEANUP => 1);
append_to_file("$folder/secret", $PinsightEmulator::client_secret);
append_to_file("$folder/token", 'hush');
chmod 0600, "$folder/secret", "$folder/token";
$node->safe_psql('postgres', qq(
	DROP USER MAPPING FOR analyst SERVER partner;
	CREATE USER MAPPING FOR analyst SERVER partner OPTIONS (client_id '$app',
		client_secret_file '$folder/secret', refresh_token_file '$folder/token')));
$error = $session->error(q(SELECT pinsight_rotate('partner')));
like($error->{message}, qr/is in a file, which is not written to/, 'a token in a file stays there');
sub approve_soon
{
	my ($statement) = @_;
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0)
	{
		$emulator->await(endpoint => 'devicecode');
		$emulator->control('POST', '/device', { action => 'approve' });
		POSIX::_exit(0);
	}
	my $rows = $session->rows($statement);
	waitpid($pid, 0);
	return $rows;
}
unlink("$folder/token");    # what is to be replaced need not be there
$emulator->clear_log;
approve_soon("CALL pinsight_login('partner')");
$mapping = mapping('analyst');
is(join(' ', sort keys %$mapping),
	'client_id client_secret_file refresh_token refresh_token_issued',
	q(the superuser's file stays, the token's file goes));
ok(parameters(($emulator->log(endpoint => 'token'))[-1]{body})->{client_secret},
	'the application proves itself');
is($session->error(qq(ALTER USER MAPPING FOR analyst SERVER partner
	OPTIONS (SET client_secret_file '/etc/passwd')))->{sqlstate}, '42501',
	'it is nobody else to change');

# --- pinsight_rotate

# The name of the report that was ordered last.
sub report_name
{
	my ($request) = reverse $emulator->log(endpoint => 'create_report');
	return $request && $request->{body} =~ /"ReportName":\s*"([^"]*)"/i ? $1 : 'none';
}

my $before = $mapping->{refresh_token};
like($session->rows("SELECT pinsight_rotate('partner') - now() > '89 days'"), qr/^t$/,
	'a new token, for another 90 days');
$mapping = mapping('analyst');
isnt($mapping->{refresh_token}, $before, 'is in the mapping');
is($session->rows(q(SET pinsight_fdw.max_age = '1 h'; SELECT count(*) FROM profile)), 20, 'rows');
my $name = report_name();
like($name, qr/^pinsight \w+/, 'a report was ordered');
$emulator->clear_log;
$session->rows("SELECT pinsight_rotate('partner')") foreach 1 .. 2;
is($session->rows('SELECT count(*) FROM profile'), 20, 'what was fetched with the old token');
is($emulator->count(kind => 'api'), 0, 'is there for the new one');
$session->rows(q(SET pinsight_fdw.max_age = '0'; SELECT count(*) FROM profile));
is(report_name(), $name, 'and what was ordered, by the same name');
$session->rows(q(SET pinsight_fdw.max_age = '1 h'));
$emulator->clear_log;
$node->safe_psql('postgres', q(
	ALTER USER MAPPING FOR analyst SERVER partner OPTIONS (SET refresh_token 'emulator-refresh-token')));
is($session->rows('SELECT count(*) FROM profile'), 20, 'and for none that was set by hand');
cmp_ok($emulator->count(endpoint => 'create_report'), '==', 1, 'which orders its own report');
$session->rows('RESET pinsight_fdw.max_age');
is($session->rows('SELECT count(*) FROM profile'), 20, 'and serves');
$emulator->switches({ refresh_rotation => 'revoke' });
$session->rows('SELECT count(*) FROM profile');
$session->rows("SELECT pinsight_rotate('partner')");
is($node->safe_psql('postgres', 'SET ROLE analyst; SELECT count(*) FROM profile'), 20,
	'the newest one is kept, where each use ends the one before');
$emulator->switches({ refresh_rotation => 'off' });
$node->safe_psql('postgres', q(
	ALTER USER MAPPING FOR analyst SERVER partner OPTIONS (
		SET refresh_token 'emulator-refresh-token')));
$error = $session->error("SELECT pinsight_rotate('partner')");
like($error->{message}, qr/brought no new refresh token/, 'a service that gives none');
is(mapping('analyst')->{refresh_token}, 'emulator-refresh-token', 'leaves the old one');
$emulator->switches({ refresh_rotation => 'on', sign_in_error => 700082 });
$error = $session->error("SELECT pinsight_rotate('partner')");
like($error->{hint}, qr/CALL pinsight_login/, 'too late');
$emulator->switches({ sign_in_error => 0 });

# the mapping for everybody is the server owner's to renew
$node->safe_psql('postgres', q(
	ALTER USER MAPPING FOR PUBLIC SERVER partner OPTIONS (
		ADD refresh_token 'emulator-refresh-token')));
$node->safe_psql('postgres', "SELECT pinsight_rotate('partner')");
isnt(mapping('public')->{refresh_token}, 'emulator-refresh-token', 'by pinsight_rotate as well');
$node->safe_psql('postgres', q(CREATE ROLE reader; GRANT USAGE ON FOREIGN SERVER partner TO reader));
is($node->psql('postgres', "SET ROLE reader; SELECT pinsight_rotate('partner')"), 3,
	q(and not a reader's));

# --- what is left of the 90 days

sub set_issued
{
	my ($days) = @_;
	$node->safe_psql('postgres', qq(
		DO \$\$ BEGIN EXECUTE format(
			'ALTER USER MAPPING FOR analyst SERVER partner OPTIONS (SET refresh_token_issued %L)',
			to_char(now() at time zone 'UTC' - interval '$days days', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
		END \$\$));
	return;
}
set_issued(70);
$session->rows('SELECT count(*) FROM profile');
unlike($session->said, qr/WARNING/, 'twenty days before the end nobody is alarmed');
set_issued(80);
is($session->rows('SELECT count(*) FROM profile'), 20, 'ten days before the end rows come');
like($session->said, qr/WARNING:.*server "partner": the refresh token in the user mapping ends on \d{4}-.*HINT:  Renew it with pinsight_rotate/s,
	'with a warning');
$session->rows('SELECT count(*) FROM profile');
unlike($session->said, qr/WARNING/, 'once for each sign-in');

# --- the authorization code

$node->safe_psql('postgres', "DROP USER MAPPING FOR analyst SERVER partner");
my $browser = HTTP::Tiny->new(max_redirect => 0, proxy => undef, http_proxy => undef);
foreach my $way ('the whole address', 'the code alone')
{
	my $url = $session->rows("SELECT pinsight_login_url('partner', client_id => '$app')");
	my $back = $browser->get($url)->{headers}{location};
	like($back, qr{^http://localhost\?code=.*&state=}, 'the browser ends at localhost');
	my ($code) = $way eq 'the code alone' ? $back =~ /code=([^&]*)/ : $back;
	is($session->rows("SELECT pinsight_login_code('partner', '$code')"), $user, $way);
	$kept = mapping('analyst')->{refresh_token};
	ok($kept, 'brings a refresh token');
	is($session->error("SELECT pinsight_login_code('partner', '$code')")->{sqlstate}, '55000',
		'once');
}
my $form = parameters(($emulator->log(endpoint => 'token'))[-1]{body});
is($form->{grant_type}, 'authorization_code', 'by the grant for it');
# somebody else's code, and another session's
my $url = $session->rows("SELECT pinsight_login_url('partner')");
my ($stolen) = $browser->get($url)->{headers}{location} =~ /code=([^&]*)/;
my $thief = PinsightSession->new($node);
$thief->rows('SET ROLE analyst');
$thief->rows("SELECT pinsight_login_url('partner')");
$error = $thief->error("SELECT pinsight_login_code('partner', '$stolen')");
like($error->{detail}, qr/AADSTS70000/, 'a code is of no use in another session');
is(mapping('analyst')->{refresh_token}, $kept, 'and changes nothing');
$thief->quit;
$session->quit;

# --- nothing of it is to be read where statements are

my $everything = slurp_file($node->logfile)
  . $node->safe_psql('postgres', 'SELECT query FROM pg_stat_statements');
like($everything, qr/CALL pinsight_login/, 'statements are there');
foreach my $token ($first, $before, $kept)
{
	ok(index($everything, substr($token, 0, 30)) < 0, 'refresh tokens are not');
}

$node->stop;
$emulator->stop;
done_testing();
