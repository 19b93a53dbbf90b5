# No secret shows up where others may read it: in the server's log at its most
# talkative, on the client's terminal, in plans, in statistics, in errors.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use MIME::Base64;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 20, '--report-delay', '0.1' ]);
my $user = 'analyst@contoso.onmicrosoft.com';
my %secrets = (
	client_secret => 'hushClientSecret+/=%41',
	password => 'hushPassword"&<>',
	refresh_token => 'hushRefreshToken.abc-_~');
my %grants = (
	client_credentials => "client_secret '$secrets{client_secret}'",
	password => "client_secret '$secrets{client_secret}', username '$user', "
	  . "password '$secrets{password}'",
	refresh_token => "client_secret '$secrets{client_secret}', "
	  . "refresh_token '$secrets{refresh_token}'");

my $node = $emulator->node('secrets',
	server => "poll_interval '20 ms'", conf => q(
shared_preload_libraries = 'pg_stat_statements, auto_explain'
pg_stat_statements.track = all
pg_stat_statements.track_utility = off
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_verbose = on
auto_explain.log_settings = on
auto_explain.log_nested_statements = on
log_min_messages = debug5
log_error_verbosity = verbose
debug_print_parse = on
debug_print_rewritten = on
debug_print_plan = on
log_duration = on
log_executor_stats = on
));
$emulator->create_table($node, 'usage', 'month date, customer_name text',
	q(dataset 'AzureUsage', timespan 'LIFETIME'));
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');

# What PostgreSQL itself logs of a statement with secrets is no matter of ours
# (and documented): these statements are run without that.
sub set_mapping
{
	my ($options) = @_;
	$node->safe_psql('postgres', qq(
		SET log_min_messages = panic;
		SET debug_print_parse = off;
		SET debug_print_rewritten = off;
		SET debug_print_plan = off;
		SET log_min_error_statement = panic;
		SET log_duration = off;
		SET log_executor_stats = off;
		DROP USER MAPPING IF EXISTS FOR PUBLIC SERVER partner;
		CREATE USER MAPPING FOR PUBLIC SERVER partner
			OPTIONS (client_id '$PinsightEmulator::client_id', $options)));
	return;
}

# Everything that must not be seen, as patterns.  "hush" is in every secret;
# the others are of the emulator's making.
my %taboo = (
	'a secret' => qr/hush/i,
	'a header' => qr/bearer/i,
	'a signature' => qr/sig=|sp=r/,
	'an emulator secret' => qr/emulator-(secret|password|refresh)/);
my $seen = '';

# Runs statements in a new session at the client's most talkative; returns what
# they bring, and remembers it.
sub talk
{
	my ($sql) = @_;
	my ($out, $err);

	$node->psql('postgres',
		"SET client_min_messages = debug5; \\set VERBOSITY verbose\n$sql",
		stdout => \$out, stderr => \$err, on_error_stop => 0);
	$seen .= "$out\n$err\n";
	return "$out\n$err";
}

sub check
{
	my ($name, $text) = @_;
	foreach my $what (sort keys %taboo)
	{
		my $found = $text =~ $taboo{$what};
		ok(!$found, "$name: no $what")
		  or diag(substr($text, $-[0] > 200 ? $-[0] - 200 : 0, 400));
	}
	return;
}

sub server_log { return slurp_file($node->logfile, $_[0] || 0); }

my $everything = q(
	SELECT count(*) FROM usage;
	EXPLAIN (VERBOSE) SELECT * FROM usage;
	EXPLAIN (ANALYZE, VERBOSE, SETTINGS, FORMAT JSON) SELECT * FROM usage;
	PREPARE p AS SELECT * FROM usage WHERE month > $1;
	EXPLAIN (VERBOSE) EXECUTE p('2026-01-01');
	DECLARE c CURSOR WITH HOLD FOR SELECT * FROM usage;
	CREATE MATERIALIZED VIEW v AS SELECT * FROM usage;
	DROP MATERIALIZED VIEW v;
	SELECT query FROM pg_stat_activity;
	SELECT * FROM pg_prepared_statements;
	SELECT * FROM pg_backend_memory_contexts;
	SELECT * FROM pg_cursors;);

# --- all goes well

$emulator->control('POST', '/secrets', \%secrets);
foreach my $grant (sort keys %grants)
{
	set_mapping($grants{$grant});
	my $position = -s $node->logfile;
	my $output = talk($everything);
	like($output, qr/^20$/m, "$grant: rows");
	like($output, qr/DEBUG/, "$grant: the client hears everything");
	check("$grant, on the terminal", $output);
	my $log = server_log($position);
	like($log, qr/DEBUG.*pinsight_fdw: POST sign-in/, "$grant: so does the log");
	like($log, qr/:fdw_private/, "$grant: plans included");
	check("$grant, in the log", $log);
}

# --- errors of all kinds

my $position = -s $node->logfile;
my %wrong = (
	'a wrong secret' => "client_secret 'hush-wrong'",
	'a wrong password' => "client_secret '$secrets{client_secret}', "
	  . "username '$user', password 'hush-wrong'",
	'a wrong token' => "client_secret '$secrets{client_secret}', "
	  . "refresh_token 'hush-wrong'");
foreach my $case (sort keys %wrong)
{
	set_mapping($wrong{$case});
	my $output = talk('SELECT * FROM usage');
	like($output, qr/ERROR:  28000: /, "$case is an error");
	check($case, $output);
}

set_mapping($grants{refresh_token});
my $known = 'hushAccessToken-1234567890';
my @faults = (
	[ 'a sign-in service that repeats what it got',
		{ endpoint => 'token', status => 400, body => {
				error => 'invalid_grant', error_codes => [70000],
				error_description =>
				  "AADSTS70000: $secrets{refresh_token} of $secrets{client_secret}" } } ],
	[ 'one that repeats it encoded',
		{ endpoint => 'token', status => 500,
			body => 'client_secret=hushClientSecret%2B%2F%3D%2541' } ],
	[ 'a token that the API repeats in JSON', [
			{ endpoint => 'token', body => { access_token => $known, expires_in => 3600 } },
			{ endpoint => 'create_query', status => 400, body => {
					statusCode => 400, message => "cannot read $known" } } ] ],
	[ 'a token that a proxy repeats', [
			{ endpoint => 'token', body => { access_token => $known, expires_in => 3600 } },
			{ endpoint => 'create_query', status => 403,
				body => "Your request: authorization=$known" } ] ],
	[ 'a long one, of which an error would show a part', [
			{ endpoint => 'token', body => {
					access_token => $known x 100, expires_in => 3600 } },
			{ endpoint => 'create_query', status => 403, body => $known x 100 } ] ],
	[ 'a link that is refused', { endpoint => 'download', status => 404,
			body => 'Not found: /reports/x?sv=1&sp=r&sig=hush' } ],
	[ 'a link that leads elsewhere', { endpoint => 'download',
			redirect => 'http://127.0.0.1:1/?sig=hush' } ],
	[ 'a download that is garbled', { endpoint => 'download', garble => \1 } ],
	[ 'a service that is down', { endpoint => 'create_query', status => 503, body => '' } ]);
$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (ADD wait_timeout '400 ms')));
foreach my $case (@faults)
{
	my ($name, $fault) = @$case;
	my @all = ref $fault eq 'ARRAY' ? @$fault : ($fault);

	$emulator->control('DELETE', '/faults');
	$emulator->fault([ map { { times => 0, %$_ } } @all ]);
	my $output = talk('SELECT * FROM usage');
	like($output, qr/ERROR:  \w{5}: server "partner"/, "$name: is an error");
	check($name, $output);
}
$emulator->control('DELETE', '/faults');

$node->safe_psql('postgres', q(
	ALTER SERVER partner OPTIONS (SET api_url 'http://127.0.0.1:1')));
my $output = talk('SELECT * FROM usage');
like($output, qr/ERROR:  08001: /, 'a host that cannot be reached');
check('unreachable', $output);
$node->safe_psql('postgres', qq(
	ALTER SERVER partner OPTIONS (SET api_url '@{[ $emulator->api_url ]}')));

# Options that are refused: the log may hold the statement, the message not.
foreach my $options (
	"client_secrets 'hush'", "password 'hush', refresh_token 'hush'",
	"client_secret '', password 'hush'", "client_secret E'hush\\nhush'",
	"refresh_token_file 'hush-is-no-path'",
	"client_secret 'hush', client_secret_file '/tmp/hush'")
{
	my ($out, $err);
	$node->psql('postgres', qq{
		SET log_min_messages = panic;
		\\set VERBOSITY verbose
		DROP USER MAPPING FOR PUBLIC SERVER partner;
		CREATE USER MAPPING FOR PUBLIC SERVER partner
			OPTIONS (client_id 'x', $options)},
		stdout => \$out, stderr => \$err);
	# psql shows the line of an error with a position, which none of ours has
	like($err, qr/ERROR/, "$options: is an error") or diag($out);
	unlike($err =~ s/hush-is-no-path//r, qr/hush/, "$options: that does not repeat it");
}

# A server has no place for them.
$output = $node->psql('postgres', q(
	SET log_min_messages = panic;
	ALTER SERVER partner OPTIONS (ADD client_secret 'hush')), stderr => \my $stderr);
like($stderr, qr/ERROR/, 'a secret on a server is refused');
unlike($stderr, qr/hush/, 'and not repeated');

check('errors, in the log', server_log($position));

# --- signing in, looking and renewing, with secrets of every kind

my $folder = tempdir(CLEANUP => 1);
system_or_bail('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=app',
	'-keyout', "$folder/key", '-out', "$folder/certificate");
append_to_file("$folder/secret", $secrets{client_secret});
chmod 0600, "$folder/key", "$folder/secret";
# long and without patterns, as real ones: nothing that storage would compress
my @letters = ('a' .. 'z', 'A' .. 'Z', 0 .. 9, '-', '_');
my %brought = map { $_ => "hush$_-" . join('', map { $letters[rand @letters] } 1 .. 180) }
  qw(Access Renewed Login Device);
my $key = (slurp_file("$folder/key") =~ /-\n(.{60})/)[0];

# The next sign-in brings these tokens.
sub bring
{
	my ($refresh) = @_;
	$emulator->fault({ endpoint => 'token', body => { token_type => 'Bearer', expires_in => 3600,
				access_token => $brought{Access}, refresh_token => $brought{$refresh} } });
	return;
}
$node->safe_psql('postgres', qq(ALTER SERVER partner OPTIONS (SET wait_timeout '30 s')));
$position = -s $node->logfile;
set_mapping("certificate_file '$folder/certificate', private_key_file '$folder/key', "
	  . "refresh_token '$secrets{refresh_token}'");
$output = talk(q(SELECT * FROM pinsight_check('partner')));
like($output, qr/^user\|ok\|Signed in as/m, 'a check with a certificate');
is(scalar(grep { ($_->{body} || '') =~ /client_assertion=/ } $emulator->log), 1, 'which signs');
$emulator->fault({ endpoint => 'token', status => 401, body => {
		error => 'invalid_client', error_description => 'AADSTS700027: eyJhbGciOiJQUzI1NiJ9.' . 'x' x 60 } });
$output .= talk(q(SELECT pinsight_rotate('partner')));
unlike($output, qr/eyJ/, 'a service that repeats the assertion');
bring('Renewed');
$output .= talk(q(SELECT pinsight_rotate('partner') > now()));
bring('Login');
$emulator->fault({ endpoint => 'devicecode', body => { device_code => $brought{Device},
			user_code => 'ABCDEFG', verification_uri => 'https://login.example/device',
			expires_in => 60, interval => 1 } });
$output .= talk(qq(CALL pinsight_login('partner', client_id => '$PinsightEmulator::client_id')));
like($output, qr/INFO: .*enter the code ABCDEFG.*signed in to server "partner"/s, 'a login');
$emulator->fault({ endpoint => 'devicecode', body => { device_code => $brought{Device},
			user_code => 'ABCDEFG', verification_uri => 'https://login.example/device',
			expires_in => 60, interval => 1 } });
$emulator->fault([ map { { endpoint => 'token', status => 400, body => {
				error => 'invalid_grant', error_description => "not $brought{$_}" } } } qw(Device Login) ]);
$output .= talk(q(CALL pinsight_login('partner')) . ";\n" . q(SELECT pinsight_rotate('partner')));
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_user_mapping
	WHERE array_to_string(umoptions, ' ') ~ 'hush(Renewed|Login)-')), 2, 'both tokens are kept');
check('signing in, on the terminal', $output);
$node->safe_psql('postgres', 'DROP USER MAPPING FOR CURRENT_USER SERVER partner');

# --- and in other clothes

# What a text may look like in an address, in JSON, in a header or a dump.
sub forms
{
	my ($text) = @_;
	my $url = $text =~ s/([^A-Za-z0-9._~-])/sprintf('%%%02X', ord($1))/ger;
	my $json = $text =~ s/(["\\\/])/\\$1/gr;
	my @base64 = map {
		# of the letters that hold nothing else
		my $offset = $_;
		my $all = encode_base64(' ' x $offset . $text, '');
		substr($all, int(($offset * 8 + 5) / 6), int(length($text) * 8 / 6) - 2);
	} 0 .. 2;
	return ($text, $url, $json, unpack('H*', $text), @base64, map { tr{+/}{-_}r } @base64);
}
my %hidden = (%secrets, %brought, key => $key);
my $pattern = join('|', map { quotemeta } map { forms($_) } values %hidden);
like('x' . encode_base64("ab $secrets{password}.", ''), qr/$pattern/, 'the search finds what it should');
ok(server_log() !~ /$pattern/, 'no form of any secret is in the log');
ok($seen !~ /$pattern/, 'nor on a terminal');
my %mine = map { $_ => 1 } split(/\n/, $node->safe_psql('postgres', q(
	CHECKPOINT;
	SELECT pg_relation_filepath(oid) FROM pg_class
	WHERE oid = 'pg_user_mapping'::regclass OR
		oid = (SELECT reltoastrelid FROM pg_class WHERE oid = 'pg_user_mapping'::regclass))));
append_to_file("$folder/patterns", join("\n", map { forms($_) } values %hidden) . "\n");
my @found = map { s/\n$//r } `cd @{[ $node->data_dir ]} && grep -rlaF -f $folder/patterns .`;
ok((grep { $mine{s/^\.\///r} } @found), 'the mappings have secrets');
@found = grep { !$mine{s/^\.\///r} && !m{^\./pg_wal/} } @found;
is("@found", '', 'and nothing else has in the data directory, but the log of their changes');

# --- what is kept of reports

my @kept = glob($node->data_dir . '/pinsight_fdw/*');
foreach my $kind (qw(snapshot job budget))
{
	ok(scalar(grep { /\.$kind$/ } @kept), "there are files of kind $kind");
}
check('the cache directory', join("\n", @kept, map { slurp_file($_) } @kept));

# --- statistics

my $statements = $node->safe_psql('postgres', 'SELECT query FROM pg_stat_statements');
like($statements, qr/SELECT count\(\*\) FROM usage/, 'statements are counted');
check('pg_stat_statements', $statements);

# --- what strangers can see in the catalogs

$node->safe_psql('postgres', 'CREATE ROLE stranger LOGIN');
$output = $node->safe_psql('postgres', q(
	SET ROLE stranger;
	SELECT * FROM pg_user_mappings;
	SELECT * FROM information_schema.user_mapping_options;
	SELECT * FROM pg_foreign_server));
check('catalogs', $output);
is($node->psql('postgres', 'SET ROLE stranger; SELECT * FROM pg_user_mapping'), 3,
	'the table of mappings is closed');

# --- what was sent where

my @log = $emulator->log;
my @blob = grep { $_->{kind} eq 'blob' } @log;
cmp_ok(scalar @blob, '>', 5, 'there were downloads');
ok(!(grep { $_->{has_authorization} || $_->{has_user_ticket} } @blob),
	'no token went there');
ok(!(grep { join(' ', %{ $_->{headers} }) =~ /hush|cookie/i } @blob),
	'nor anything else');
ok(!(grep { $_->{kind} ne 'login' && ($_->{body} || '') =~ /hush/ } @log),
	'secrets go to the sign-in service only');
ok(!(grep { "$_->{path} $_->{query}" =~ /hush/ } grep { $_->{kind} ne 'blob' } @log),
	'and in no address');
ok(!(grep { $_->{kind} eq 'login' && $_->{has_authorization} } @log),
	'which gets no token');

$node->stop;
$emulator->stop;
done_testing();
