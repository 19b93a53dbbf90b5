# pinsight_check: whatever is missing, its row has failed, what comes after it is
# not reached, and the hint leads on. It never raises.

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
my $node = $emulator->node('check', server => "poll_interval '20 ms', request_timeout '5 s'");
my $app = "client_id '$PinsightEmulator::client_id'";
my $secret = "client_secret '$PinsightEmulator::client_secret'";
my $user = 'analyst@contoso.onmicrosoft.com';
my %mappings = (
	refresh_token => "$app, $secret, refresh_token '$PinsightEmulator::refresh_token'",
	password => "$app, $secret, username '$user', password 'emulator-password'",
	client_credentials => "$app, $secret");
my @steps = (
	'server', 'user mapping', 'sign-in host', 'api host', 'clock', 'tenant', 'application',
	'secret', 'user', 'mfa', 'consent', 'permission', 'role', 'datasets', 'quota',
	'cache directory');
my $session = PinsightSession->new($node);
my $folder = tempdir(CLEANUP => 1);
my $closed = 'http://127.0.0.1:1';

sub execute { return $node->safe_psql('postgres', $_[0]); }

sub set_mapping
{
	my ($options) = @_;
	execute(qq(
		DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER partner;
		CREATE USER MAPPING FOR PUBLIC SERVER partner OPTIONS ($options)));
	return;
}

# The checklist as a hash of rows: status, detail, hint.
sub checklist
{
	my ($server) = @_;
	my $rows = $session->rows(sprintf(
		q(SELECT step, status, coalesce(detail, ''), coalesce(hint, '') FROM pinsight_check('%s')),
		$server || 'partner'));
	my %list;
	my @seen;

	foreach (split /\n/, $rows)
	{
		my ($step, $status, $detail, $hint) = split(/\|/, $_, 4);
		$list{$step} = { status => $status, detail => $detail, hint => $hint };
		push @seen, $step;
	}
	is_deeply(\@seen, \@steps, 'all rows, in order') if "@seen" ne "@steps";
	return \%list;
}

sub show
{
	my ($list) = @_;
	return join("\n", map { "$_: " . join(' | ', @{ $list->{$_} }{qw(status detail hint)}) } @steps);
}

# A row that has failed, and why; nothing after it but the given rows is reached.
sub fails
{
	my ($name, $step, $detail, $hint, @others) = @_;
	my $list = checklist();
	my ($at) = grep { $steps[$_] eq $step } 0 .. $#steps;
	my %reached = map { $_ => 1 } 'cache directory', @others;
	my $ok = $list->{$step}{status} eq 'failed' && $list->{$step}{detail} =~ $detail &&
	  $list->{$step}{hint} =~ $hint;

	foreach my $i (0 .. $#steps)
	{
		my $status = $list->{ $steps[$i] }{status};
		next if $i == $at;
		$ok &&= $reached{ $steps[$i] } ? $status ne 'not reached' :
		  $i > $at ? $status eq 'not reached' : $status ne 'failed';
	}
	ok($ok, $name) or diag(show($list));
	return $list;
}

# --- all is well, in each way of signing in

foreach my $grant (sort keys %mappings)
{
	set_mapping($mappings{$grant});
	my $list = checklist();
	my @bad = grep { $list->{$_}{status} ne 'ok' } @steps;
	my @expected = $grant eq 'password' ? ('mfa') : ();
	is("@bad", "@expected", "$grant: all is well") or diag(show($list));
}
set_mapping($mappings{password});
my $list = checklist();
is($list->{mfa}{status}, 'warning', 'a password brings no second factor');
like($list->{mfa}{hint}, qr/CALL pinsight_login/, 'which is the way out');
like($list->{user}{detail}, qr/signed in as \Q$user\E$/, 'the user is named');
set_mapping($mappings{refresh_token});
$emulator->clear_log;
$list = checklist();
like($list->{server}{detail}, qr/contoso\.onmicrosoft\.com.*mpn/, 'tenant and program');
like($list->{datasets}{detail}, qr/^26 datasets$/, 'datasets are counted');
my @requests = $emulator->log;
is(scalar(grep { ($_->{headers}{ValidateMfa} || '') eq 'true' } @requests), 1,
	'the second factor is asked about');
is(join(' ', sort map { $_->{endpoint} || '' } @requests),
	'configuration datasets list_queries list_reports token unknown',
	'and nothing is made at the service');
ok(!(grep { $_->{has_authorization} && $_->{kind} ne 'api' } @requests), 'the token goes to the API alone');

# --- each refusal of the sign-in

my %codes = (
	tenant => [ 90002, 9001023 ],
	application => [ 700016, 70001, 7000112 ],
	secret => [ 7000215, 7000222, 7000218, 700025 ],
	user => [ 50034, 50053, 50055, 50056, 50057, 50126, 50173, 50196, 53003, 530032, 530035,
		54005, 70000, 70008, 70043, 700082, 80001, 90055, 900144, 9002313 ],
	mfa => [ 50072, 50074, 50076, 50078, 50079 ],
	consent => [ 65001, 90094, 90099 ],
	permission => [ 650056, 650057, 500011, 50001, 70011, 901002 ]);
my %needs_password = map { $_ => 1 } 50055, 50056, 50076, 50126, 80001;
foreach my $step (sort keys %codes)
{
	foreach my $code (sort { $a <=> $b } @{ $codes{$step} })
	{
		set_mapping($mappings{password}) if $needs_password{$code};
		$emulator->switches({ sign_in_error => $code });
		fails("AADSTS$code is about the $step", $step, qr/could not sign in.*AADSTS$code:/,
			qr/^[A-Z].{20,}\.$/);
		set_mapping($mappings{refresh_token}) if $needs_password{$code};
	}
}
$emulator->switches({ sign_in_error => 0 });
my @wrong = (
	[ "client_id '33333333-3333-3333-3333-333333333333', $secret", 'application', qr/"client_id"/ ],
	[ "$app, client_secret 'hush'", 'secret', qr/value, not its id/ ],
	[ "$app, $secret, username 'nobody', password 'hush'", 'user', qr/"username"/ ],
	[ "$app, $secret, username '$user', password 'hush'", 'user', qr/"password"/ ],
	[ "$app, $secret, refresh_token 'hush'", 'user', qr/CALL pinsight_login/ ]);
foreach my $case (@wrong)
{
	my ($options, $step, $hint) = @$case;
	set_mapping($options);
	my $rows = fails("a wrong $step", $step, qr/AADSTS/, $hint);
	unlike(show($rows), qr/hush/, 'which is not repeated');
}
set_mapping($mappings{refresh_token});

# --- the server and its hosts

my @hosts = qw(application secret user consent);
execute("ALTER SERVER partner OPTIONS (DROP tenant)");
fails('no tenant', 'server', qr/has no tenant/, qr/ADD tenant/, 'sign-in host', 'api host', 'clock');
execute("ALTER SERVER partner OPTIONS (ADD tenant 'fabrikam.com')");
fails('a tenant that does not exist', 'tenant', qr/AADSTS90002/, qr/option "tenant"/);
execute("ALTER SERVER partner OPTIONS (SET tenant '$PinsightEmulator::tenant')");
execute("ALTER SERVER partner OPTIONS (SET login_url '$closed')");
fails('nobody at the sign-in host', 'sign-in host', qr/could not connect/, qr/firewall/,
	'api host', 'clock');
execute("ALTER SERVER partner OPTIONS (SET login_url 'https://no-such-host.invalid')");
fails('a sign-in host without a name', 'sign-in host', qr/resolve/, qr/name service/,
	'api host', 'clock');
execute("ALTER SERVER partner OPTIONS (SET login_url '@{[ $emulator->api_url ]}')");
execute("ALTER SERVER partner OPTIONS (SET api_url '$closed')");
fails('nobody at the API', 'api host', qr/could not connect/, qr/firewall/,
	'clock', 'tenant', @hosts);
execute("ALTER SERVER partner OPTIONS (SET api_url '@{[ $emulator->api_url ]}')");
execute("ALTER SERVER partner OPTIONS (ADD proxy '$closed')");
$list = checklist();
is("$list->{'sign-in host'}{status} $list->{'api host'}{status} $list->{tenant}{status}",
	'failed failed not reached', 'a proxy that is not there');
like($list->{'api host'}{hint}, qr/"proxy"/, 'with a hint');
execute("ALTER SERVER partner OPTIONS (DROP proxy)");
execute("ALTER SERVER partner OPTIONS (ADD resource 'https://graph.microsoft.com')");
fails('a token for another API', 'permission', qr/did not accept the sign-in token/, qr/"resource"/);
execute("ALTER SERVER partner OPTIONS (DROP resource)");

# a gateway that does not pass the first question on is no reason to stop
$emulator->fault({ endpoint => 'configuration', status => 404, body => 'not here' });
$list = checklist();
is("$list->{tenant}{status} $list->{user}{status}", 'ok ok', 'the sign-in tells as well');

# --- the clock

foreach my $case ([ -3600, 'failed', qr/3600 s ahead|3599 s ahead|3601 s ahead/ ],
	[ 120, 'warning', qr/1(19|20) s behind/ ], [ 20, 'ok', qr/right/ ])
{
	my ($offset, $status, $detail) = @$case;
	my $date = strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + $offset));
	$emulator->fault({ endpoint => 'configuration', headers => { Date => $date } });
	$list = checklist();
	is($list->{clock}{status}, $status, "a clock that differs by $offset s");
	like($list->{clock}{detail}, $detail, 'by how much');
	is($list->{datasets}{status}, 'ok', 'which does not end the check');
}

# --- mappings

execute('DROP USER MAPPING FOR PUBLIC SERVER partner');
fails('no mapping', 'user mapping', qr/no user mapping/, qr/CREATE USER MAPPING.*pinsight_login/,
	'sign-in host', 'api host', 'clock', 'tenant');
set_mapping($secret);
fails('no application', 'user mapping', qr/has no client_id/, qr/ADD client_id/,
	'sign-in host', 'api host', 'clock', 'tenant');
set_mapping("$app, client_secret_file '$folder/none'");
fails('no file', 'user mapping', qr/could not read file/, qr/^$/,
	'sign-in host', 'api host', 'clock', 'tenant');
append_to_file("$folder/secret", 'hush');
chmod 0644, "$folder/secret";
set_mapping("$app, client_secret_file '$folder/secret'");
fails('a file that everybody can read', 'user mapping', qr/everybody can read it/, qr/^$/,
	'sign-in host', 'api host', 'clock', 'tenant');

# --- certificates

sub openssl { system_or_bail('openssl', @_); return; }

sub certificate
{
	my ($name, @more) = @_;
	openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', "/CN=$name", '-keyout',
		"$folder/$name.key", '-out', "$folder/$name.pem", @more);
	chmod 0600, "$folder/$name.key";
	return;
}
certificate('app', '-days', 400);
certificate('soon', '-days', 20);
sub files { return "$app, certificate_file '$folder/$_[0].pem', private_key_file '$folder/$_[1].key'"; }
my $public_key = `openssl x509 -in $folder/app.pem -noout -pubkey`;
$emulator->control('POST', '/secrets', { public_key => $public_key });
foreach my $more ('', ", signature_algorithm 'RS256'",
	", refresh_token '$PinsightEmulator::refresh_token'")
{
	foreach my $version ('v1', 'v2')
	{
		execute("ALTER SERVER partner OPTIONS (ADD login_version '$version')");
		set_mapping(files('app', 'app') . $more);
		$emulator->clear_log;
		$list = checklist();
		is(join(' ', grep { $list->{$_}{status} ne 'ok' } @steps), '',
			"a certificate at $version$more") or diag(show($list));
		like($list->{secret}{detail}, qr/^certificate [0-9A-F]{40}, valid until \d{4}-\d\d-\d\d$/,
			'which is named');
		like(($emulator->log(endpoint => 'token'))[0]{path},
			$version eq 'v1' ? qr{/oauth2/token$} : qr{/oauth2/v2\.0/token$}, 'the version');
		execute("ALTER SERVER partner OPTIONS (DROP login_version)");
	}
}
set_mapping(files('soon', 'soon'));
fails('a certificate that is not registered', 'secret', qr/AADSTS700027/, qr/registered/);
$emulator->control('POST', '/secrets', { public_key => scalar(`openssl x509 -in $folder/soon.pem -noout -pubkey`) });
$list = checklist();
is("$list->{secret}{status} $list->{datasets}{status}", 'warning ok', 'a certificate that ends soon');
like($list->{secret}{hint}, qr/new certificate/, 'with a hint');
set_mapping(files('app', 'soon'));
fails('a key of another certificate', 'secret', qr/not the certificate's/, qr/"private_key_file"/,
	'tenant');
set_mapping(files('soon', 'soon') =~ s/soon\.pem/soon.key/r);
fails('no certificate in the file', 'secret', qr/holds no certificate/, qr/"certificate_file"/);
openssl('req', '-x509', '-newkey', 'rsa:2048', '-passout', 'pass:hush', '-subj', '/CN=locked',
	'-keyout', "$folder/locked.key", '-out', "$folder/locked.pem");
chmod 0600, "$folder/locked.key";
set_mapping(files('locked', 'locked'));
fails('a key with a passphrase', 'secret', qr/passphrase/, qr/"private_key_file"/);
openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj',
	'/CN=ec', '-keyout', "$folder/ec.key", '-out', "$folder/ec.pem");
chmod 0600, "$folder/ec.key";
set_mapping(files('ec', 'ec'));
fails('a key that is not RSA', 'secret', qr/no RSA key/, qr/"private_key_file"/);
openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=old', '-keyout', "$folder/old.key",
	'-out', "$folder/old.csr");
openssl('x509', '-req', '-in', "$folder/old.csr", '-signkey', "$folder/old.key", '-days', -1,
	'-out', "$folder/old.pem");
chmod 0600, "$folder/old.key";
set_mapping(files('old', 'old'));
$emulator->clear_log;
fails('a certificate that has expired', 'secret', qr/valid until/, qr/has expired/);
is($emulator->count(endpoint => 'token'), 0, 'is not even sent');
chmod 0644, "$folder/app.key";
set_mapping(files('app', 'app'));
fails('a key that everybody can read', 'user mapping', qr/everybody can read it/, qr/^$/,
	'sign-in host', 'api host', 'clock', 'tenant');
$emulator->reset;
set_mapping($mappings{refresh_token});

# --- the API

$emulator->switches({ mfa_required => \1 });
set_mapping($mappings{password});
fails('a token without MFA', 'mfa', qr/wants multifactor authentication/, qr/CALL pinsight_login/,
	'consent');
$emulator->switches({ mfa_required => \0, role => 'none' });
set_mapping($mappings{refresh_token});
fails('a user without role', 'role', qr/./, qr/role/);
$emulator->switches({ role => 'erv', redacted => \1 });
$list = checklist();
is("$list->{role}{status} $list->{datasets}{status}", 'warning ok', 'a user who sees only a part');
like($list->{role}{hint}, qr/Executive Report Viewer/, 'with a hint');
$emulator->switches({ redacted => \0 });
foreach my $case ([ { status => 401, body => 'no' }, 'permission', qr/token/ ],
	[ { status => 500, body => 'no' }, 'permission', qr/fault of the service/ ],
	[ { status => 404, body => '' }, 'datasets', qr/"api_version"/ ],
	[ { wrong_json => \1 }, 'permission', qr/./ ],
	[ { drop_before => \1, times => 0 }, 'permission', qr/./ ],
	[ { body => { value => [], statusCode => 200 } }, 'datasets', qr/"program"/ ])
{
	my ($fault, $step, $hint) = @$case;
	$emulator->fault({ endpoint => 'datasets', %$fault });
	$list = checklist();
	ok($list->{$step}{status} eq 'failed' && $list->{$step}{hint} =~ $hint &&
		$list->{quota}{status} eq 'not reached', 'the API answers ' . join(' ', sort keys %$fault))
	  or diag(show($list));
	$emulator->control('DELETE', '/faults');
}
$emulator->control('DELETE', '/faults');
my $token = 'hushAccessToken-1234567890';
$emulator->fault({ endpoint => 'token', body => { access_token => $token, expires_in => 3600 } });
$emulator->fault({ endpoint => 'datasets', status => 403, body => "Your request: $token" });
unlike(show(checklist()), qr/hush/, 'an API that repeats the token');
$emulator->fault({ endpoint => 'list_reports', status => 403, body => 'no' });
fails('lists that cannot be had', 'quota', qr/./, qr/./);

# --- quotas

execute("ALTER SERVER partner OPTIONS (SET max_reports_per_hour '1')");
$emulator->create_table($node, 'profile', 'month date', q(dataset 'AzureUsage', timespan 'LIFETIME'));
execute('SELECT count(*) FROM profile');
fails('no report can be ordered', 'quota', qr/As many reports were ordered/, qr/later|then/);
execute("ALTER SERVER partner OPTIONS (SET max_reports_per_hour '5')");
$list = checklist();
like($list->{quota}{detail}, qr/^4 more reports may be ordered/, 'what is left');

# --- the refresh token's age

sub set_issued
{
	my ($days) = @_;
	my $time = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - $days * 86400));
	set_mapping("$mappings{refresh_token}, refresh_token_issued '$time'");
	return;
}
set_issued(10);
$list = checklist();
is($list->{user}{status}, 'ok', 'a refresh token of ten days');
like($list->{user}{detail}, qr/good until \d{4}-\d\d-\d\d/, 'and until when it is good');
set_issued(80);
$list = checklist();
is($list->{user}{status}, 'warning', 'one of eighty days');
like($list->{user}{hint}, qr/pinsight_rotate/, 'and what to do');
append_to_file("$folder/token", $PinsightEmulator::refresh_token);
chmod 0600, "$folder/token";
utime(time - 85 * 86400, time - 85 * 86400, "$folder/token");
set_mapping("$app, $secret, refresh_token_file '$folder/token'");
is(checklist()->{user}{status}, 'warning', 'one in a file is as old as the file');

# --- the cache directory, and the end of it all

append_to_file("$folder/file", '');
foreach my $case ([ "$folder/file", qr/not a directory/, qr/0700/ ],
	[ '/proc/none', qr/could not create directory/, qr/cache_directory/ ])
{
	my ($path, $detail, $hint) = @$case;
	$node->append_conf('postgresql.conf', "pinsight_fdw.cache_directory = '$path'");
	$node->reload;
	$session->rows(q(SELECT pg_sleep(0.2)));
	$list = checklist();
	ok($list->{'cache directory'}{status} eq 'failed' && $list->{'cache directory'}{detail} =~ $detail
		  && $list->{'cache directory'}{hint} =~ $hint, "cache directory $path")
	  or diag(show($list));
	is($list->{datasets}{status}, 'ok', 'the others are looked at all the same');
}
$node->append_conf('postgresql.conf', "pinsight_fdw.cache_directory = 'pinsight_fdw'");
$node->reload;

$session->rows("SET statement_timeout = '300 ms'");
$emulator->fault({ endpoint => 'configuration', hang_ms => 3000 });
is($session->error("SELECT * FROM pinsight_check('partner')")->{sqlstate}, '57014',
	'a timeout ends it');
$session->rows('RESET statement_timeout');
is($session->rows('SELECT 1'), 1, 'and not the session');
$session->rows('BEGIN READ ONLY');
$list = checklist();
is($list->{datasets}{status}, 'ok', 'it writes nothing');
$session->rows('COMMIT');
execute('DROP SERVER partner CASCADE');
$list = checklist();
is(join(' ', map { $list->{$_}{status} } @steps), 'failed' . ' not reached' x 15, 'no server');
like($list->{server}{hint}, qr/CREATE SERVER partner/, 'make one');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
