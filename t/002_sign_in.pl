# Signing in: what is sent for each grant, how long a token is used, and what
# every refusal looks like.

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

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('sign_in', server => "poll_interval '20 ms'");
my $app = "client_id '$PinsightEmulator::client_id'";
my $secret = "client_secret '$PinsightEmulator::client_secret'";
my $user = 'analyst@contoso.onmicrosoft.com';
my $select = 'SELECT count(*) FROM profile';

$emulator->create_table($node, 'profile', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
$emulator->create_table($node, 'orders', 'offer_name text',
	q(dataset 'ISVOrder', program 'cmp', timespan 'LIFETIME'));

# The requests for tokens since the log was cleared.
sub sign_ins
{
	return grep { $_->{kind} eq 'login' } $emulator->log;
}

# Form or address parameters as a hash.
sub parameters
{
	my %parameters =
	  map { /^([^=]*)=(.*)$/ ? ($1 => $2) : () } split(/&/, $_[0]);
	s/%([0-9A-Fa-f]{2})/chr(hex($1))/ge foreach values %parameters;
	return \%parameters;
}

sub set_mapping
{
	my ($options) = @_;
	$node->safe_psql('postgres', qq(
		DROP USER MAPPING FOR PUBLIC SERVER partner;
		CREATE USER MAPPING FOR PUBLIC SERVER partner OPTIONS ($options)));
	return;
}

# A scan in a session of its own that must succeed; returns its sign-ins.
sub sign_ins_of
{
	my ($sql) = @_;
	$emulator->clear_log;
	$node->safe_psql('postgres', $sql);
	return sign_ins();
}

# --- each grant sends what it has to, and no more

my %grants = (
	refresh_token => {
		options => "$app, $secret, refresh_token '$PinsightEmulator::refresh_token'",
		sent => [qw(client_id client_secret grant_type refresh_token resource scope)]
	},
	password => {
		options => "$app, $secret, username '$user', password 'emulator-password'",
		sent => [qw(client_id client_secret grant_type password resource scope username)]
	},
	client_credentials => {
		options => "$app, $secret",
		sent => [qw(client_id client_secret grant_type resource)]
	});

sub set_grant { return set_mapping($grants{ $_[0] }{options}); }

foreach my $grant (sort keys %grants)
{
	set_grant($grant);
	my @requests = sign_ins_of($select);
	my $form = parameters($requests[0]{body});

	is(scalar @requests, 1, "$grant: one request");
	is("$requests[0]{method} $requests[0]{path}?$requests[0]{query}",
		'POST /contoso.onmicrosoft.com/oauth2/token?', "$grant: to the v1 endpoint");
	is($requests[0]{status}, 200, "$grant: is accepted");
	is_deeply([ sort keys %$form ], $grants{$grant}{sent}, "$grant: parameters");
	is($form->{grant_type}, $grant, "$grant: is named");
	is($form->{resource}, 'https://api.partnercenter.microsoft.com',
		"$grant: names the resource");
	is($form->{client_id}, $PinsightEmulator::client_id, "$grant: names the app");
	ok(!$requests[0]{has_authorization}, "$grant: no header holds a credential");
	like($requests[0]{headers}{'Content-Type'},
		qr{^application/x-www-form-urlencoded}, "$grant: is a form");
}
is(scalar sign_ins_of('SELECT count(*) FROM orders'), 1,
	'program cmp takes the same way');
ok(!(grep { $_->{kind} eq 'api' && $_->{path} !~ m{^/insights/v1\.1/cmp/} }
		$emulator->log), 'and goes to its own API');


set_grant('client_credentials');
sign_ins_of('SELECT count(*) FROM orders');
is(parameters((sign_ins())[0]{body})->{grant_type}, 'client_credentials',
	'the application signs in to cmp by itself');

# --- secrets that need encoding, from options and from files

my $strange = q(ä+b&c=d%41 "e"/?#;);
my $folder = tempdir(CLEANUP => 1);
chmod 0700, $folder;

sub secret_file
{
	my ($name, $content) = @_;
	append_to_file("$folder/$name", $content);
	chmod 0600, "$folder/$name";
	return "$folder/$name";
}

{
	use utf8;
	$emulator->control('POST', '/secrets', { client_secret => q(ä+b&c=d%41 "e"/?#;) });
}
set_mapping("$app, client_secret '$strange'");
is((sign_ins_of($select))[0]{status}, 200, 'a secret of strange characters');
my $file = secret_file('client_secret', "$strange\n");
set_mapping("$app, client_secret_file '$file'");
is((sign_ins_of($select))[0]{status}, 200, 'from a file with a line end');
$emulator->reset;

$file = secret_file('password', "emulator-password\r\n");
set_mapping("$app, $secret, username '$user', password_file '$file'");
is((sign_ins_of($select))[0]{status}, 200, 'a password from a file');
$file = secret_file('refresh_token', "$PinsightEmulator::refresh_token\n");
set_mapping("$app, $secret, refresh_token_file '$file'");
is((sign_ins_of($select))[0]{status}, 200, 'a refresh token from a file');

# --- one token for a session, until it expires or is refused

set_grant('refresh_token');
my $session = PinsightSession->new($node);
$emulator->clear_log;
$session->rows($select) foreach 1 .. 5;
is(scalar sign_ins(), 1, 'one token for five scans');

my $other = PinsightSession->new($node);
$other->rows($select);
is(scalar sign_ins(), 2, 'another session gets its own');

$emulator->clear_log;
$emulator->control('POST', '/expire-tokens');
is($session->rows($select), 20, 'a token that is refused is renewed');
is(scalar sign_ins(), 1, 'once');
is(scalar(grep { $_->{status} == 401 } $emulator->log), 1, 'after one refusal');

$emulator->switches({ token_lifetime => 3 });
$emulator->control('POST', '/expire-tokens');
$session->rows($select);
$emulator->clear_log;
$session->rows($select);
is(scalar sign_ins(), 0, 'a short-lived token is used');
sleep(3);
$session->rows($select);
is(scalar sign_ins(), 1, 'and renewed');
ok(!(grep { $_->{status} == 401 } $emulator->log), 'before it has expired');

# A token that is good for one request only, in a scan of many.
$emulator->reset;
$emulator->switches({ quota_execute_now => 1000, report_delay => 0 });
$emulator->clear_log;
is($session->rows($select), 20, 'after a restart of the service');
$emulator->fault({ endpoint => 'executions', status => 401, times => 1 });
$emulator->clear_log;
is($session->rows($select), 20, 'a refusal in the middle of a scan');
is(scalar sign_ins(), 1, 'is answered with a new token');
is(scalar(grep { $_->{endpoint} eq 'create_report' } $emulator->log), 1,
	'not with a new report');

# --- a refusal that stays

$emulator->fault({ endpoint => 'create_query', status => 401, times => 0 });
$emulator->clear_log;
my $error = $session->error($select);
is($error->{sqlstate}, '28000', 'a token that is refused for good');
like($error->{message}, qr/server "partner".*did not accept the sign-in token/,
	'is an error that says so');
like($error->{hint}, qr/"resource"/, 'with a hint');
is(scalar(grep { $_->{endpoint} eq 'create_query' } $emulator->log), 2,
	'after a second try');
cmp_ok(scalar sign_ins(), '<=', 1, 'with one new token');
$emulator->control('DELETE', '/faults');
is($session->rows($select), 20, 'the session goes on');

# --- changed options

$emulator->clear_log;
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (ADD connect_timeout '9 s')));
$session->rows($select);
is(scalar sign_ins(), 1, 'ALTER SERVER drops the token');
$node->safe_psql('postgres', qq(
	ALTER USER MAPPING FOR PUBLIC SERVER partner OPTIONS (SET client_secret 'hush')));
$error = $session->error($select);
is($error->{sqlstate}, '28000', 'ALTER USER MAPPING drops the token');
like($error->{detail}, qr/AADSTS7000215/, 'and the new secret is sent');
unlike($error->{text}, qr/hush/, 'and is not repeated');
set_grant('refresh_token');
$session->rows($select);
$session->rows("BEGIN; DROP USER MAPPING FOR PUBLIC SERVER partner;");
$error = $session->error($select);
is($error->{sqlstate}, '42704', 'a mapping that was dropped in the transaction');
like($error->{message}, qr/server "partner" has no user mapping for "/, 'is missed');
like($error->{hint}, qr/^Use CREATE USER MAPPING FOR .* SERVER partner/, 'with a hint');
$session->rows('ROLLBACK');
is($session->rows($select), 20, 'and back after ROLLBACK');

# --- refresh tokens that change

$emulator->switches({ refresh_rotation => 'revoke' });
$session->quit;
$session = PinsightSession->new($node);
$session->rows($select);
# From now on only the token that came with the sign-in is good.
$emulator->control('POST', '/secrets', { refresh_token => 'another' });
$emulator->control('POST', '/expire-tokens');
is($session->rows($select), 20, 'a rotated refresh token is used');
$emulator->control('POST', '/expire-tokens');
is($session->rows($select), 20, 'and the one that replaced it');
is($node->psql('postgres', $select, stderr => \my $stderr), 3,
	'the mapping keeps its own');
like($stderr, qr/AADSTS70000/, 'which is of no use now');

$emulator->control('POST', '/secrets',
	{ refresh_token => $PinsightEmulator::refresh_token });
$emulator->switches({ refresh_lifetime => 0 });
$emulator->control('POST', '/expire-tokens');
$session->rows($select);
$emulator->control('POST', '/expire-tokens');
$emulator->clear_log;
is($session->rows($select), 20, 'a rotated token that is refused');
is(join(' ', map { $_->{status} } sign_ins()), '400 200',
	q(is replaced by the mapping's));

# --- every refusal of the sign-in service

$emulator->reset;
$emulator->switches({ quota_execute_now => 1000, report_delay => 0 });
# Shorter than the first pause before another try.
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (ADD wait_timeout '400 ms')));
my %refusals = (
	refresh_token => [
		50001, 50034, 50053, 50057, 50072, 50074, 50078, 50079, 50173, 53003,
		530032, 530035, 54005, 65001, 650056, 650057, 70000, 70001, 70008,
		70011, 70043, 700016, 700025, 700082, 7000112, 7000215, 7000222, 90002,
		90094, 90099, 900144, 901002, 9001023, 9002313, 500011
	],
	password => [ 50055, 50056, 50076, 50126 ],
	client_credentials => [ 7000218, 650056 ]);

foreach my $grant (sort keys %refusals)
{
	set_grant($grant);
	foreach my $code (@{ $refusals{$grant} })
	{
		$emulator->switches({ sign_in_error => $code });
		$emulator->clear_log;
		$error = $session->error($select);
		ok( $error->{sqlstate} eq '28000'
			  && $error->{message} =~
			  /^server "partner": could not sign in to tenant "contoso\.onmicrosoft\.com"$/
			  && $error->{detail} =~
			  /^The sign-in service answered: AADSTS$code: .*[^ ]$/
			  && $error->{detail} !~ /Trace|Correlation|Timestamp/
			  && $error->{hint} =~ /^[A-Z].{20,}\.$/
			  && scalar(sign_ins()) == 1,
			"AADSTS$code is explained, and not tried again")
		  or diag($error->{text});
		like($error->{hint}, qr/CALL pinsight_login/, "$code: about MFA")
		  if grep { $code == $_ } 50072, 50074, 50076, 50078, 50079;
	}
}

set_grant('refresh_token');
foreach my $code (50196, 90055)
{
	$emulator->switches({ sign_in_error => $code });
	$error = $session->error($select);
	is($error->{sqlstate}, '53400', "AADSTS$code: throttled");
}
$emulator->switches({ sign_in_error => 7000222 });
$error = $session->error($select);
like($error->{hint}, qr/client secret has expired/, 'an expired secret is named');
$emulator->switches({ sign_in_error => 0 });
is($session->rows($select), 20, 'when all is well again, the session works');

# The API wants the second factor that a password cannot give.
set_grant('password');
$emulator->switches({ mfa_required => \1 });
$emulator->clear_log;
$error = $session->error($select);
is($error->{sqlstate}, '28000', 'a token without MFA');
like($error->{message}, qr/wants multifactor authentication/, 'is refused as such');
like($error->{hint}, qr/CALL pinsight_login/,
	'with the way out');
is(scalar sign_ins(), 1, 'and not tried again');
set_grant('refresh_token');
is($session->rows($select), 20, 'a refresh token has it');
$emulator->switches({ mfa_required => \0 });

# Wrong values, as they come.
my %wrong = (
	"client_id '33333333-3333-3333-3333-333333333333', $secret" => 700016,
	"$app, client_secret 'hush'" => 7000215,
	"$app, $secret, username 'nobody\@contoso.com', password 'hush'" => 50034,
	"$app, $secret, username '$user', password 'hush'" => 50126,
	"$app, $secret, refresh_token 'hush'" => 70000,);
foreach my $options (sort keys %wrong)
{
	set_mapping($options);
	$error = $session->error($select);
	is($error->{sqlstate}, '28000', "AADSTS$wrong{$options}");
	like($error->{detail}, qr/AADSTS$wrong{$options}:/, 'is told');
	unlike($error->{text}, qr/hush/, 'but no secret');
}
set_grant('refresh_token');
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (SET tenant 'fabrikam.com')));
$error = $session->error($select);
like($error->{message}, qr/could not sign in to tenant "fabrikam.com"/, 'wrong tenant');
like($error->{hint}, qr/"tenant"/, 'with a hint');
$node->safe_psql('postgres', qq(
	ALTER SERVER partner OPTIONS (SET tenant '$PinsightEmulator::tenant');
	ALTER SERVER partner OPTIONS (ADD resource 'https://elsewhere.example')));
$error = $session->error($select);
like($error->{detail}, qr/AADSTS500011/, 'wrong resource');
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (SET resource 'https://graph.microsoft.com')));
$error = $session->error($select);
is($error->{sqlstate}, '28000', 'a resource that does not open the API');
like($error->{hint}, qr/"resource"/, 'with a hint');
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (DROP resource, DROP wait_timeout)));

# --- replies that are no replies

my @broken = (
	[ { body => 'hello' }, qr/^HV00M$/, 'no JSON' ],
	[ { body => '<html><head><title>Proxy login</title></head></html>' },
		qr/^HV00M$/, 'a page' ],
	[ { body => {} }, qr/^HV00M$/, 'no token' ],
	[ { body => { access_token => "a\nb", expires_in => 3600 } },
		qr/^HV00M$/, 'a token that would break a header' ],
	[ { empty => \1 }, qr/^HV00M$/, 'nothing' ],
	[ { status => 302, redirect => $emulator->api_url . '/elsewhere' },
		qr/^HV00M$/, 'a redirect' ],
	[ { status => 404, body => '' }, qr/^28000$/, 'nobody at home' ],
	[ { status => 403, body => 'no' }, qr/^28000$/, 'a firewall' ]);
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (ADD wait_timeout '400 ms')));
foreach my $case (@broken)
{
	my ($fault, $sqlstate, $name) = @$case;
	$emulator->control('DELETE', '/faults');
	$emulator->fault({ endpoint => 'token', times => 0, %$fault });
	$emulator->clear_log;
	$error = $session->error($select);
	like($error->{sqlstate}, $sqlstate, "the sign-in brings $name");
	ok($error->{hint} ne '', 'with a hint');
	ok(!(grep { $_->{kind} eq 'api' } $emulator->log), 'and nothing else is asked');
}
$emulator->control('DELETE', '/faults');

$emulator->switches({ mpn_app_only => \0 });
set_grant('client_credentials');
$error = $session->error($select);
is($error->{sqlstate}, '42501', 'an application where a user is wanted');
like($error->{hint}, qr/may want a user: sign in with CALL pinsight_login/, 'is told so');
$emulator->switches({ mpn_app_only => \1 });

# --- whose mapping

$node->safe_psql('postgres', qq(
	ALTER SERVER partner OPTIONS (DROP wait_timeout);
	DROP USER MAPPING FOR PUBLIC SERVER partner;
	CREATE ROLE owner;
	CREATE ROLE reader;
	GRANT USAGE ON FOREIGN SERVER partner TO owner;
	CREATE USER MAPPING FOR owner SERVER partner
		OPTIONS ($grants{password}{options});
	GRANT CREATE ON SCHEMA public TO owner;
	GRANT SELECT ON profile TO owner, reader;
	SET ROLE owner;
	CREATE VIEW through AS SELECT * FROM profile;
	CREATE VIEW invoker WITH (security_invoker) AS SELECT * FROM profile;
	GRANT SELECT ON through, invoker TO reader));

$session->rows('SET ROLE reader');
$error = $session->error($select);
is($error->{sqlstate}, '42704', 'a role without mapping');
like($error->{message}, qr/no user mapping for "reader"/, 'is told so');
$emulator->clear_log;
is($session->rows('SELECT count(*) FROM through'), 20,
	'but reads a view with the mapping of its owner');
is(parameters((sign_ins())[0]{body})->{grant_type}, 'password', 'indeed');
$error = $session->error('SELECT count(*) FROM invoker');
like($error->{message}, qr/no user mapping for "reader"/,
	'a security_invoker view needs the own mapping');
$session->rows('RESET ROLE');
$error = $session->error($select);
like($error->{message}, qr/no user mapping/, 'a superuser needs one, too');

$node->safe_psql('postgres', qq(
	CREATE USER MAPPING FOR PUBLIC SERVER partner
		OPTIONS ($grants{client_credentials}{options})));
$session->rows('SET ROLE reader');
$emulator->clear_log;
is($session->rows($select), 20, 'the mapping for everybody serves');
is(parameters((sign_ins())[0]{body})->{grant_type}, 'client_credentials', 'indeed');
$session->rows('SET ROLE owner');
$session->rows("PREPARE p AS $select");
$emulator->clear_log;
$session->rows('EXECUTE p');
is(parameters((sign_ins())[0]{body})->{grant_type}, 'password', 'the own one goes first');
$session->rows('SET ROLE reader');
$emulator->clear_log;
$session->rows($select);
is(scalar sign_ins(), 0, 'and each keeps its token');

$session->quit;
$other->quit;
$node->stop;
$emulator->stop;
done_testing();
