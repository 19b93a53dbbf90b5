# HTTPS with a private authority, to all hosts: what is not signed by it, for
# this host and for today, is refused. And proxies that want to know who asks.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::RealBin;

use IO::Select;
use IO::Socket::INET;
use MIME::Base64;
use POSIX ();
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = tempdir(CLEANUP => 1);

# --- certificates

sub openssl { system_or_bail('openssl', @_); return; }
my @new_key = qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes);

sub authority
{
	my ($name) = @_;
	openssl('req', '-x509', @new_key, '-days', 30, '-subj', "/CN=$name",
		'-keyout', "$folder/$name.key", '-out', "$folder/$name.pem");
	return;
}

# A host's certificate, signed by an authority.
sub certificate
{
	my ($name, $authority, $hosts, $days) = @_;
	append_to_file("$folder/$name.ext", "subjectAltName=$hosts\n");
	openssl('req', @new_key, '-subj', "/CN=$name",
		'-keyout', "$folder/$name.key", '-out', "$folder/$name.csr");
	openssl('x509', '-req', '-in', "$folder/$name.csr", '-CA', "$folder/$authority.pem",
		'-CAkey', "$folder/$authority.key", '-CAcreateserial', '-days', $days,
		'-extfile', "$folder/$name.ext", '-out', "$folder/$name.pem");
	return;
}

my $here = 'IP:127.0.0.1,DNS:localhost';
authority('company');
authority('stranger');
certificate('good', 'company', $here, 30);
certificate('foreign', 'stranger', $here, 30);
certificate('elsewhere', 'company', 'DNS:api.example.com', 30);
certificate('expired', 'company', $here, 0);
openssl('req', '-x509', @new_key, '-days', 30, '-subj', '/CN=alone',
	'-addext', "subjectAltName=$here", '-keyout', "$folder/alone.key", '-out', "$folder/alone.pem");

sub https
{
	my ($name) = @_;
	return PinsightEmulator->new(options => [ '--rows', 20, '--report-delay', '0',
			'--cert', "$folder/$name.pem", '--key', "$folder/$name.key" ]);
}

# --- all hosts by HTTPS

my $emulator = https('good');
like($emulator->api_url, qr/^https:/, 'the service speaks HTTPS');
my $node = $emulator->node('https',
	server => "poll_interval '20 ms', ca_file '$folder/company.pem'",
	conf => 'log_min_messages = debug5');
my $session = PinsightSession->new($node);
my $select = 'SELECT count(*) FROM profile';

sub execute { return $node->safe_psql('postgres', $_[0]); }

# The row of the checklist as "status|detail|hint".
sub row
{
	my ($step) = @_;
	return $session->rows(qq(
		SELECT status, detail, hint FROM pinsight_check('partner') WHERE step = '$step'));
}

$emulator->create_table($node, 'profile', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
is($session->rows($select), 20, 'sign-in, API and download, with a private authority');
my %kinds = map { $_->{kind} => 1 } $emulator->log;
is(join(' ', sort keys %kinds), 'api blob login', 'all of them');
like(row('API host'), qr/^ok\|"https:.*" answers\./,
	'the checklist says so');
# the sign-in host and the API may be two, as in national clouds
(my $login_url = $emulator->api_url) =~ s/127\.0\.0\.1/localhost/;
execute("ALTER SERVER partner OPTIONS (SET login_url '$login_url')");
is($session->rows($select), 20, 'two hosts');
like(row('login host'), qr{^ok\|"https://localhost:}, 'each by its name');
execute("ALTER SERVER partner OPTIONS (SET login_url '@{[ $emulator->api_url ]}')");
# an application that proves itself, for the address that it signs in at
openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=app',
	'-keyout', "$folder/app.key", '-out', "$folder/app.pem");
chmod 0600, "$folder/app.key";
$emulator->control('POST', '/secrets',
	{ public_key => scalar(`openssl x509 -in $folder/app.pem -noout -pubkey`) });
execute(qq(CREATE USER MAPPING FOR CURRENT_USER SERVER partner OPTIONS (
	client_id '$PinsightEmulator::client_id', certificate_file '$folder/app.pem',
	private_key_file '$folder/app.key')));
is($session->rows($select), 20, 'by certificate');
execute('DROP USER MAPPING FOR CURRENT_USER SERVER partner');

# --- what is refused

execute("ALTER SERVER partner OPTIONS (DROP ca_file)");
my $error = $session->error($select);
is($error->{sqlstate}, '08001', 'an authority that nobody trusts');
like($error->{message}, qr/could not make a secure connection/, 'is refused');
like($error->{hint}, qr/"ca_file"/, 'with a hint');
append_to_file("$folder/none.pem", "no certificate\n");
execute("ALTER SERVER partner OPTIONS (ADD ca_file '$folder/none.pem', ADD wait_timeout '300 ms')");
$error = $session->error($select);
is($error->{sqlstate}, '08001', 'a file without certificates');
like($error->{hint}, qr/"ca_file" has to name a PEM file/, 'is told');
execute("ALTER SERVER partner OPTIONS (DROP ca_file, DROP wait_timeout)");
execute("ALTER SERVER partner OPTIONS (ADD ca_file '$folder/company.pem')");
foreach my $case (
	[ 'foreign', 'a certificate of another authority', qr/issuer/, qr/private authority.*"ca_file"/ ],
	[ 'elsewhere', 'one for another host', qr/does not match|no alternative/, qr/another host's.*URL options/ ],
	[ 'expired', 'one that has expired', qr/expired/, qr/clock.*renew/ ],
	[ 'alone', 'one that signed itself', qr/self-signed/, qr/"ca_file"/ ])
{
	my ($name, $what, $why, $hint) = @$case;
	my $other = https($name);
	my $url = $other->api_url;
	execute("ALTER SERVER partner OPTIONS (SET login_url '$url', SET api_url '$url', "
		  . "ADD wait_timeout '300 ms')");
	$error = $session->error($select);
	like($error->{message}, qr/could not make a secure connection to host "127\.0\.0\.1:\d+": .*$why/,
		"$what is refused");
	like($error->{hint}, $hint, 'with a way out');
	unlike($error->{text}, qr/verif(y|ication) off|insecure|disable/i, 'and no way around it');
	like(row('login host'), qr/^failed\|.*secure connection.*\|.*$hint/, 'the checklist tells');
	like(row('API host'), qr/^failed\|.*secure connection/, 'of both hosts');
	like(row('user'), qr/^not reached/, 'and asks no further');
	is(scalar(my @log = $other->log), 0, 'nothing was sent');
	execute("ALTER SERVER partner OPTIONS (DROP wait_timeout)");
	$other->stop;
}
my $url = $emulator->api_url;
execute("ALTER SERVER partner OPTIONS (SET login_url '$url', SET api_url '$url')");
is($session->rows($select), 20, 'the right one still serves');
(my $plain = $emulator->control_url) =~ s/^http:/https:/;
execute("ALTER SERVER partner OPTIONS (SET login_url '$plain', ADD wait_timeout '300 ms')");
like($session->error($select)->{hint}, qr/speak HTTPS/, 'a port that does not');
execute("ALTER SERVER partner OPTIONS (SET login_url '$url', DROP wait_timeout)");

# --- a proxy that lets nobody through whom it does not know

my $known = 'Basic ' . encode_base64('jane:hush%Proxy:word', '');

# Bytes in both directions, until one has no more.
sub relay
{
	my ($client, $server) = @_;
	my $both = IO::Select->new($client, $server);
	while (my @ready = $both->can_read(20))
	{
		foreach my $from (@ready)
		{
			sysread($from, my $bytes, 65536) or return;
			syswrite($from == $client ? $server : $client, $bytes);
		}
	}
	return;
}

# Serves one client of a proxy that speaks HTTP: CONNECT, and then bytes.
sub serve_http
{
	my ($client) = @_;
	my $head = '';
	while ($head !~ /\r\n\r\n/) { sysread($client, $head, 4096, length $head) or return; }
	append_to_file("$folder/proxy.log", $head);
	my ($target) = $head =~ /^CONNECT (127\.0\.0\.1:\d+) /;
	if (!$target || $head !~ /^Proxy-Authorization: \Q$known\E\r/m)
	{
		syswrite($client, "HTTP/1.1 407 Proxy Authentication Required\r\n"
			  . "Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
		return;
	}
	my $server = IO::Socket::INET->new(PeerAddr => $target) or return;
	syswrite($client, "HTTP/1.1 200 OK\r\n\r\n");
	relay($client, $server);
	return;
}

# The same of one that speaks SOCKS 5 (RFC 1928, 1929).
sub serve_socks
{
	my ($client) = @_;
	my $take = sub {
		my ($n) = @_;
		my $bytes = '';
		while (length $bytes < $n)
		{
			sysread($client, $bytes, $n - length $bytes, length $bytes) or POSIX::_exit(0);
		}
		return $bytes;
	};
	my @methods = unpack('C*', $take->(unpack('xC', $take->(2))));
	append_to_file("$folder/socks.log", "methods @methods\n");
	if (!grep { $_ == 2 } @methods)
	{
		syswrite($client, "\x05\xff");
		return;
	}
	syswrite($client, "\x05\x02");
	my $user = $take->(unpack('xC', $take->(2)));
	my $password = $take->(unpack('C', $take->(1)));
	append_to_file("$folder/socks.log", "$user $password\n");
	my $good = "$user $password" eq 'jane hush%Proxy:word';
	syswrite($client, $good ? "\x01\x00" : "\x01\x01");
	return if !$good;
	my ($type) = unpack('xxxC', $take->(4));
	my $host = $type == 3 ? $take->(unpack('C', $take->(1))) : join('.', unpack('C4', $take->(4)));
	my $port = unpack('n', $take->(2));
	append_to_file("$folder/socks.log", "to $host\n");
	my $server = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) or return;
	syswrite($client, pack('C4C4n', 5, 0, 0, 1, 127, 0, 0, 1, $port));
	relay($client, $server);
	return;
}

# Starts a proxy: its port, and its process.
sub start_proxy
{
	my ($serve) = @_;
	my $listener = IO::Socket::INET->new(Listen => 8, LocalAddr => '127.0.0.1', ReuseAddr => 1)
	  or die "listen: $!\n";
	my $pid = fork() // die "fork: $!\n";
	return ($listener->sockport, $pid) if $pid != 0;

	local $SIG{CHLD} = 'IGNORE';
	# not the test's own way to end, which takes the server along
	local $SIG{TERM} = 'DEFAULT';
	alarm(300);
	while (my $client = $listener->accept)
	{
		next if fork();
		$serve->($client);
		POSIX::_exit(0);
	}
	POSIX::_exit(0);
}

my ($proxy_port, $proxy) = start_proxy(\&serve_http);
my ($socks_port, $socks) = start_proxy(\&serve_socks);

append_to_file("$folder/proxy_password", "hush%Proxy:word\n");
chmod 0600, "$folder/proxy_password";
execute("ALTER SERVER partner OPTIONS (ADD proxy 'http://127.0.0.1:$proxy_port', ADD wait_timeout '300 ms')");
$error = $session->error($select);
is($error->{sqlstate}, '08001', 'a proxy that does not know us');
like($error->{hint}, qr/"proxy_user" and "proxy_password_file"/, 'with a hint');
like(row('login host'), qr/^failed.*"proxy_user"/, 'in the checklist, too');
execute("ALTER SERVER partner OPTIONS (ADD proxy_user 'jane')");
like($session->error($select)->{hint}, qr/"proxy_password_file"/, 'without password');
execute("ALTER SERVER partner OPTIONS (DROP wait_timeout, ADD proxy_password_file '$folder/proxy_password')");
unlink("$folder/proxy.log");
$emulator->clear_log;
is($session->rows($select), 20, 'with user and password');
my @heads = split(/(?<=\r\n\r\n)/, slurp_file("$folder/proxy.log"));
cmp_ok(scalar @heads, '>=', 3, 'all requests went through it');
ok(!(grep { /Bearer|client_secret/ } @heads), 'which learns no token and no secret');
ok(!(grep { join(' ', %{ $_->{headers} }) =~ /proxy-auth/i } $emulator->log),
	'and the service nothing of the proxy');
chmod 0644, "$folder/proxy_password";
$error = $session->error($select);
like($error->{message}, qr/"proxy_password_file" cannot be used: everybody can read it/,
	'a password that everybody can read');
like(row('options'), qr/^failed.*everybody can read it/, 'is on the checklist');
chmod 0600, "$folder/proxy_password";
append_to_file("$folder/proxy_password", 'x');
execute("ALTER SERVER partner OPTIONS (ADD wait_timeout '300 ms')");
like($session->error($select)->{hint}, qr/"proxy_user"/, 'a wrong password');

# --- the same by SOCKS

execute("ALTER SERVER partner OPTIONS (SET proxy 'socks5h://127.0.0.1:$socks_port')");
$error = $session->error($select);
is($error->{sqlstate}, '08001', 'a SOCKS proxy and a wrong password');
like($error->{hint}, qr/"proxy_user" and "proxy_password_file"/, 'with a hint');
unlike($error->{text}, qr/hush/, 'which does not repeat it');
execute("ALTER SERVER partner OPTIONS (DROP proxy_user, DROP proxy_password_file)");
unlink("$folder/socks.log");
like($session->error($select)->{hint}, qr/"proxy_user" and "proxy_password_file"/, 'without user');
is(slurp_file("$folder/socks.log") =~ s/^methods 0\n//mgr, '',
	'nobody else is offered in his place, such as the owner of a Kerberos ticket');
unlink("$folder/socks.log", "$folder/proxy_password");
append_to_file("$folder/proxy_password", 'hush%Proxy:word');
chmod 0600, "$folder/proxy_password";
execute("ALTER SERVER partner OPTIONS (DROP wait_timeout, ADD proxy_user 'jane', ADD proxy_password_file '$folder/proxy_password')");
my $told = $session->rows("EXPLAIN (ANALYZE, VERBOSE) $select");
like($told, qr/actual/, 'with user and password');
unlike($told, qr/hush|jane/, 'of which EXPLAIN tells nothing');
my @lines = split(/\n/, slurp_file("$folder/socks.log"));
cmp_ok(scalar(grep { $_ eq 'to 127.0.0.1' } @lines), '>=', 3, 'all requests went through it');
is(scalar(grep { !/^(methods [02 ]+|jane hush%Proxy:word|to 127\.0\.0\.1)$/ } @lines), 0,
	'each with user and password, by no other method');
kill('TERM', $socks);
waitpid($socks, 0);
execute("ALTER SERVER partner OPTIONS (ADD wait_timeout '300 ms')");
$error = $session->error($select);
like($error->{message}, qr/could not connect to host "127\.0\.0\.1:\d+".*(?:\b$socks_port\b|over proxy)/, 'one that is not there');
like($error->{hint}, qr/Check the server option "proxy"/, 'with a hint');

my $log = slurp_file($node->logfile);
foreach my $form ('hush%Proxy:word', 'hush%25Proxy', encode_base64('jane:hush%Proxy:word', ''))
{
	ok(index($log, $form) < 0, "the log does not have $form");
}

kill('TERM', $proxy);
waitpid($proxy, 0);
$session->quit;
$node->stop;
$emulator->stop;
done_testing();
