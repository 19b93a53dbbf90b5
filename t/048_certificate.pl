# Certificates instead of secrets, and how long what one signs in with will do:
# what pinsight_check says of both.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::RealBin;

use POSIX qw(strftime);
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(options => [ '--rows', 20, '--report-delay', '0' ]);
my $node = $emulator->node('certificate', server => "poll_interval '20 ms'");
my $app = "client_id '$PinsightEmulator::client_id'";
my $token = "refresh_token '$PinsightEmulator::refresh_token'";
my $folder = tempdir(CLEANUP => 1);
my $session = PinsightSession->new($node);

$emulator->create_table($node, 'profile', 'month date', q(dataset 'AzureUsage', timespan 'LIFETIME'));

sub execute { return $node->safe_psql('postgres', $_[0]); }

sub set_mapping
{
	my ($options) = @_;
	execute(qq(
		DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER partner;
		CREATE USER MAPPING FOR PUBLIC SERVER partner OPTIONS ($options)));
	return;
}

# A row of the checklist as "status|detail|hint".
sub row
{
	my ($step) = @_;
	return $session->rows(qq(
		SELECT status, detail, hint FROM pinsight_check('partner') WHERE step = '$step'));
}

# Rows that are not ok.
sub bad
{
	return $session->rows(q(
		SELECT string_agg(step || ' ' || status, ', ') FROM pinsight_check('partner')
		WHERE status <> 'ok'));
}

# --- certificates

sub openssl { system_or_bail('openssl', @_); return; }
sub path { return "$folder/$_[0]"; }

# A key with a certificate that signs itself.
sub certificate
{
	my ($name, $days, @key) = @_;
	@key = qw(-newkey rsa:2048 -nodes) if !@key;
	openssl('req', @key, '-subj', "/CN=$name", '-keyout', path("$name.key"),
		'-out', path("$name.csr"));
	openssl('x509', '-req', '-in', path("$name.csr"), '-signkey', path("$name.key"),
		'-passin', 'pass:hush', '-days', $days, '-out', path("$name.pem"));
	chmod 0600, path("$name.key"), path("$name.pem");
	return;
}

sub files
{
	my ($certificate, $key) = @_;
	return "$app, certificate_file '@{[ path($certificate) ]}', "
	  . "private_key_file '@{[ path($key) ]}'";
}

# From now on the service knows this certificate.
sub register
{
	my ($name) = @_;
	my $key = `openssl x509 -in @{[ path("$name.pem") ]} -noout -pubkey`;
	$emulator->control('POST', '/secrets', { public_key => $key });
	return;
}

certificate('app', 400);
certificate('soon', 20);
certificate('old', 0);
certificate('locked', 400, qw(-newkey rsa:2048 -passout pass:hush));
certificate('ec', 400, qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes));
register('app');
foreach my $more ('', ", signature_algorithm 'RS256'", ", $token")
{
	foreach my $version ('v1', 'v2')
	{
		execute("ALTER SERVER partner OPTIONS (ADD login_version '$version')");
		set_mapping(files('app.pem', 'app.key') . $more);
		$emulator->clear_log;
		is($session->rows('SELECT count(*) FROM profile'), 20, "a certificate at $version$more");
		my ($request) = $emulator->log(endpoint => 'token');
		like($request->{path}, $version eq 'v1' ? qr{/oauth2/token$} : qr{/oauth2/v2\.0/token$},
			'by that version');
		like($request->{body}, qr/client_assertion_type=urn.*client_assertion=/, 'signed');
		unlike($request->{body}, qr/client_secret/, 'and no secret');
		is(bad(), '', 'all is well');
		execute("ALTER SERVER partner OPTIONS (DROP login_version)");
	}
}
like(row('secret'), qr/^ok\|The certificate [0-9A-F]{40} is valid until \d{4}-\d\d-\d\d .*\.\|$/,
	'the certificate is named as the portal does');
set_mapping(files('soon.pem', 'soon.key'));
like(row('secret'), qr/^failed\|.*AADSTS700027.*\|.*registered/, 'one that is not registered');
register('soon');
like(row('secret'), qr/^warning\|.*valid until.*\|Make a new one soon/, 'one that ends soon');
is(bad(), 'secret warning', 'which still signs in');

foreach my $case (
	[ 'old.pem', 'old.key', qr/^failed\|.*valid until.*\|It has expired/, 'one that has expired' ],
	[ 'app.pem', 'soon.key', qr/^failed\|.*not the certificate's/, 'a key of another one' ],
	[ 'app.key', 'app.key', qr/^failed\|.*holds no certificate/, 'no certificate in the file' ],
	[ 'app.pem', 'app.pem', qr/^failed\|.*holds no private key/, 'no key in the file' ],
	[ 'locked.pem', 'locked.key', qr/^failed\|.*passphrase/, 'a key with a passphrase' ],
	[ 'ec.pem', 'ec.key', qr/^failed\|.*no RSA key/, 'a key that is not RSA' ])
{
	my ($certificate, $key, $pattern, $name) = @$case;
	set_mapping(files($certificate, $key));
	$emulator->clear_log;
	like(row('secret'), $pattern, $name);
	is(scalar($emulator->log(endpoint => 'token')), 0, 'is not even sent');
	like(bad(), qr/secret failed, user not reached, .* quota not reached$/, 'nothing else is reached');
	next if $name =~ /expired/;
	my $error = $session->error('SELECT count(*) FROM profile');
	is($error->{sqlstate}, '28000', 'a scan tells as well');
	like($error->{hint}, qr/"certificate_file" and "private_key_file"/, 'with a hint');
}
chmod 0644, path('app.key');
set_mapping(files('app.pem', 'app.key'));
like(row('options'), qr/^failed\|.*"private_key_file" cannot be used: everybody can read it/i,
	'a key that everybody can read');
chmod 0600, path('app.key');
set_mapping(files('none.pem', 'app.key'));
like(row('options'), qr/^failed\|Could not read file .*"certificate_file"/, 'a certificate that is not there');
$emulator->reset;

# --- who signs in, and how long that will do

my $secret = "client_secret '$PinsightEmulator::client_secret'";
my $user = 'analyst@contoso.onmicrosoft.com';
set_mapping("$app, $secret, username '$user', password 'emulator-password'");
like(row('user'), qr/^ok\|Signed in as "\Q$user\E"\.\|$/, 'the user is named');
set_mapping("$app, $secret, $token");
like(row('user'), qr/^ok\|Signed in as "\Q$user\E"; when the refresh token ends is not known\.\|$/,
	'a refresh token of unknown age');

sub set_issued
{
	my ($days) = @_;
	my $time = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - $days * 86400));
	set_mapping("$app, $secret, $token, refresh_token_issued '$time'");
	return;
}
set_issued(10);
like(row('user'), qr/^ok\|.*is good until \d{4}-\d\d-\d\d .*\.\|$/, 'one of ten days');
set_issued(80);
like(row('user'), qr/^warning\|.*is good until.*\|Renew it with pinsight_rotate/, 'one of eighty days');
append_to_file(path('token'), $PinsightEmulator::refresh_token);
chmod 0600, path('token');
set_mapping("$app, $secret, refresh_token_file '@{[ path('token') ]}'");
like(row('user'), qr/^ok\|.*is good until/, 'one in a file');
utime(time - 85 * 86400, time - 85 * 86400, path('token'));
like(row('user'), qr/^warning\|/, 'is as old as the file');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
