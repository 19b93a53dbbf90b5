# Snapshots as files: whose they are, what damage does to them, when they go.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightBackground;
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 200, '--report-delay', '0.1' ]);
my $node = $emulator->node('files',
	conf => "pinsight_fdw.max_age = ''\nrestart_after_crash = on",
	init => { allows_streaming => 1 });
my $cache = $node->data_dir . '/pinsight_fdw';
my $columns = "customer_name text, month date, subscription_id text";
my $options = "dataset 'AzureUsage', timespan 'LIFETIME'";
my $select = 'SELECT count(*), count(customer_name), min(subscription_id) FROM usage';

sub files
{
	my ($kind) = @_;
	my @found = sort glob("$cache/*.$kind");
	return @found;
}

sub clear
{
	unlink(files($_)) foreach qw(snapshot part new job lock);
	$emulator->clear_log;
	return;
}

sub reports { return $emulator->count(endpoint => 'create_report'); }

$emulator->create_table($node, 'usage', $columns, $options);
my $answer = $node->safe_psql('postgres', $select);
is($answer, $emulator->truth(
		'SELECT count(*), count(CustomerName), min(SubscriptionId) FROM mpn_AzureUsage'),
	'the rows are right');

# --- modes

is(sprintf('%04o', (stat($cache))[2] & 07777), '0700', 'the directory is the server\'s own');
foreach my $file (glob("$cache/*"))
{
	is(sprintf('%04o', (stat($file))[2] & 07777), '0600',
		'and so is ' . $file =~ s/.*\.//r);
}

# A directory that will not do: where it is, why, and the way out.
sub unfit
{
	my ($what, $why) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "SET pinsight_fdw.max_age = '0'; $select");
	like($err, qr/^psql:\S+ ERROR:  "pinsight_fdw" is not a directory of the server's user alone$/m,
		"$what is refused");
	like($err, $why, 'with the reason');
	like($err, qr/^HINT: .* 0700, or set "pinsight_fdw.cache_directory"/m, 'and a hint');
	return;
}

foreach my $mode (0750, 0)
{
	chmod($mode, $cache);
	unfit(sprintf('a directory of mode %04o', $mode), qr/^DETAIL:  .*@{[ sprintf('%04o', $mode) ]}/m);
}
chmod(0700, $cache);
rename($cache, "$cache.away");
append_to_file($cache, '');
unfit('a file in its place', qr/^DETAIL:  It is not a directory\.$/m);
unlink($cache);
rename("$cache.away", $cache);
my ($status, $out, $err);
is($node->safe_psql('postgres', $select), $answer, 'until that is put right');

# --- two credentials

$node->safe_psql('postgres', q(
	CREATE ROLE other LOGIN;
	GRANT USAGE ON FOREIGN SERVER partner TO other;
	GRANT SELECT ON usage TO other;
	CREATE USER MAPPING FOR other SERVER partner OPTIONS (
		client_id '22222222-2222-2222-2222-222222222222', client_secret 'emulator-secret',
		username 'analyst@contoso.onmicrosoft.com', password 'emulator-password');
	CREATE ROLE third LOGIN;
	GRANT USAGE ON FOREIGN SERVER partner TO third;
	GRANT SELECT ON usage TO third;));
clear();
$node->safe_psql('postgres', $select);
my ($mine) = files('snapshot');
is($node->safe_psql('postgres', $select, extra_params => [ '-U', 'other' ]), $answer,
	'another credential gets rows');
is(reports(), 2, 'of a report of its own');
is(scalar(files('snapshot')), 2, 'kept in a file of its own');
$node->safe_psql('postgres', $select, extra_params => [ '-U', 'third' ]);
is(reports(), 2, 'who signs in as the same shares');

# Which file is whose: remove one, and see who misses it.
my $before = reports();
unlink($mine);
$node->safe_psql('postgres', $select, extra_params => [ '-U', 'other' ]);
is(reports(), $before, 'one without the other\'s file');
$node->safe_psql('postgres', $select);
is(reports(), $before + 1, 'nor reads the first one the second\'s');

# No path through SQL leads to a file's rows for who is not a superuser.
foreach my $try ("pg_read_file('$mine')", "pg_read_file('pinsight_fdw/x')",
	"pg_ls_dir('pinsight_fdw')", "lo_import('$mine')")
{
	($status, $out, $err) = $node->psql('postgres', "SELECT $try",
		extra_params => [ '-U', 'other' ]);
	like($err, qr/permission denied/, "other: $try");
}
$node->safe_psql('postgres', 'GRANT pg_read_all_settings TO other');
($status, $out, $err) = $node->psql('postgres', q(
	SET pinsight_fdw.cache_directory = '/tmp/elsewhere';	-- before the library is loaded
	SELECT pinsight_fdw_version();
	SHOW pinsight_fdw.cache_directory;
	SET pinsight_fdw.cache_directory = '/tmp/elsewhere'),
	extra_params => [ '-U', 'other' ]);
like($out, qr/^pinsight_fdw$/m, 'nor can the directory be changed');
like($err, qr/cannot be changed now/, 'which is told');
$node->safe_psql('postgres', 'REVOKE pg_read_all_settings FROM other');

# A mapping that was changed: what was fetched before is nobody's any more.
$node->safe_psql('postgres', q(
	ALTER USER MAPPING FOR other SERVER partner OPTIONS (SET password 'wrong')));
($status, $out, $err) = $node->psql('postgres', $select, extra_params => [ '-U', 'other' ]);
like($err, qr/ERROR/, 'a changed mapping reads no old rows');
is($out, '', 'none at all');
$node->safe_psql('postgres', q(
	ALTER USER MAPPING FOR other SERVER partner OPTIONS (DROP username, DROP password,
		ADD refresh_token 'emulator-refresh-token')));
is($node->safe_psql('postgres', $select, extra_params => [ '-U', 'other' ]), $answer,
	'with a mapping that works');
is(scalar(files('snapshot')), 2, 'old rows are removed when new ones come');
$node->safe_psql('postgres', 'DROP USER MAPPING FOR other SERVER partner');
$node->safe_psql('postgres', "SET pinsight_fdw.max_age = '0'; $select");
is(scalar(files('snapshot')), 1, 'and so are those of a mapping that was dropped');

# Nor is anything kept for a database that was dropped, or spared at the service.
$node->safe_psql('postgres', 'CREATE DATABASE gone TEMPLATE postgres');
$node->safe_psql('gone', $select);
$emulator->switches({ report_delay => 5 });
$node->psql('gone', qq(ALTER FOREIGN TABLE usage OPTIONS (SET timespan 'LAST_MONTH');
	SET statement_timeout = '500ms'; $select));
$emulator->switches({ report_delay => 0.1 });
my $cleanup = q(SELECT kind FROM pinsight_cleanup('partner', '0') ORDER BY 1);
is($node->safe_psql('postgres', $cleanup), '', 'what another database waits for is spared');
is(scalar(files('job')), 1, 'as its job says');
$node->safe_psql('postgres', 'DROP DATABASE gone');
$node->safe_psql('postgres', "SET pinsight_fdw.max_age = '0'; $select");
is(scalar(files('snapshot')), 1, 'with a dropped database go its rows');
is_deeply([ files('job') ], [], 'and its job');
is($node->safe_psql('postgres', $cleanup), "query\nreport", 'so that what it waited for can be deleted');

# --- damage

sub rewrite
{
	my ($path, $change) = @_;
	open(my $in, '<:raw', $path) or die "$path: $!\n";
	my $bytes = do { local $/; <$in> };
	close($in);
	$bytes = $change->($bytes);
	open(my $file, '>:raw', $path) or die "$path: $!\n";
	print $file $bytes;
	close($file);
	return;
}

sub flip
{
	my ($at) = @_;
	return sub {
		my ($bytes) = @_;
		substr($bytes, $at, 1) = chr(ord(substr($bytes, $at, 1)) ^ 1);
		return $bytes;
	};
}

my %damages = (
	'cut in the rows' => sub { substr($_[0], 0, length($_[0]) - 1) },
	'cut in the head' => sub { substr($_[0], 0, 100) },
	'empty' => sub { '' },
	'longer' => sub { $_[0] . "x\n" },
	'wrong magic' => flip(3),
	'another checksum' => flip(9),
	'another length' => flip(16),
	'another age' => flip(24),
	'another scope' => flip(200),
	'another query' => sub { $_[0] =~ s/LIFETIME/LAST_WEEK/r },
	'another column' => sub { $_[0] =~ s/CustomerName/CustomerTpid/r },
	'zeroes' => sub { "\0" x length($_[0]) });
foreach my $damage (sort keys %damages)
{
	clear();
	$node->safe_psql('postgres', $select);
	my ($file) = files('snapshot');
	rewrite($file, $damages{$damage});
	is($node->safe_psql('postgres', $select), $answer, "$damage: the rows are right");
	is(reports(), 2, "$damage: of a new report");
	ok(!-e $file, "$damage: the damaged one is removed");
}

clear();
$node->safe_psql('postgres', $select);
my ($file) = files('snapshot');
chmod(0, $file);
is($node->safe_psql('postgres', $select), $answer, 'unreadable: the rows are right');
is(reports(), 2, 'unreadable: of a new report');
ok(!-e $file, 'unreadable: it is removed');

# A damaged job is no job; a damaged count counts nothing.
foreach my $kind (qw(job budget))
{
	clear();
	$emulator->switches({ report_delay => 1 });
	$node->psql('postgres', "SET statement_timeout = '500ms'; $select");
	my ($path) = files($kind);
	rewrite($path, sub { 'x' x length($_[0]) });
	is($node->safe_psql('postgres', $select), $answer, "damaged $kind: the rows are right");
	is(reports(), 1, "damaged $kind: of the same report");
	is_deeply([ $emulator->held ], [], "damaged $kind: nothing is left");
	$emulator->switches({ report_delay => 0.1 });
}

# --- a clock that was set back

sub crc32c
{
	my $crc = 0xFFFFFFFF;
	foreach my $byte (unpack('C*', $_[0]))
	{
		$crc ^= $byte;
		$crc = ($crc & 1 ? 0x82F63B78 : 0) ^ $crc >> 1 for 1 .. 8;
	}
	return $crc ^ 0xFFFFFFFF;
}

# Moves the times at an offset of a file by some seconds, and makes the checksum
# of its first bytes fit.
sub later
{
	my ($len, $at, $times, $seconds) = @_;
	return sub {
		my ($bytes) = @_;
		substr($bytes, $at, 8 * $times) =
		  pack('q*', map { $_ + $seconds * 1_000_000 } unpack('q*', substr($bytes, $at, 8 * $times)));
		substr($bytes, 8, 4) = pack('L', 0);
		substr($bytes, 8, 4) = pack('L', crc32c(substr($bytes, 0, $len->($bytes))));
		return $bytes;
	};
}

# as_of, written and keep_until
my $query = 'SELECT CustomerName, Month, SubscriptionId FROM AzureUsage TIMESPAN LIFETIME';
my $head = sub { index($_[0], $query) + length($query) };
foreach my $case ([ 30, 1 ], [ 86400, 2 ])
{
	my ($seconds, $reports) = @$case;
	clear();
	$node->safe_psql('postgres', $select);
	my ($ahead) = files('snapshot');
	rewrite($ahead, later($head, 32, 3, $seconds));
	is($node->safe_psql('postgres', $select), $answer, "rows of a time $seconds s from now: rows");
	is(reports(), $reports, '... ' . ($reports == 1 ? 'all the same' : 'of a new report'));
	is(-e $ahead ? 1 : 2, $reports, '... and the others ' . ($reports == 1 ? 'stay' : 'go'));
}

# begun, create_sent, not_before and saved: a create that never arrived
clear();
$emulator->fault({ endpoint => 'create_query', drop_before => JSON::PP::true, delay_ms => 2000 });
$node->psql('postgres', "SET statement_timeout = '500ms'; $select");
my ($job) = files('job');
rewrite($job, later(sub { length($_[0]) }, 384, 4, 86400));
$emulator->control('DELETE', '/faults');
is($node->safe_psql('postgres', "SET statement_timeout = '15s'; $select"), $answer,
	'a job of a time to come is taken up');
is(reports(), 1, '... with one report');
cmp_ok($emulator->count(endpoint => 'list_queries'), '<', 10, '... soon');

# And a report that was not ready then.
clear();
$emulator->switches({ report_delay => 1 });
$node->psql('postgres', "SET statement_timeout = '500ms'; $select");
rewrite((files('job'))[0], later(sub { length($_[0]) }, 384, 4, 86400));
is($node->safe_psql('postgres', $select), $answer, 'a report of a time to come is picked up');
is(reports(), 1, '... and no other made');
is($node->safe_psql('postgres', 'SELECT as_of < now() FROM pinsight_snapshots'),
	't', '... whose rows are no younger than they can be');
$emulator->switches({ report_delay => 0.1 });

# --- what a crash has left

clear();
foreach my $name ('00000000000000000000000000000000.1.part', '0.job.1.new', 'x.lock')
{
	open(my $left, '>', "$cache/$name") or die "$name: $!\n";
	close($left);
}
utime(time() - 10_000, time() - 10_000, "$cache/0.job.1.new");
$node->safe_psql('postgres', $select);
is_deeply([ files('part'), files('new'), files('lock') ], [], 'leftovers are swept');

# --- superseded, while another session reads

my $reader = PinsightSession->new($node);
$reader->rows('BEGIN; DECLARE c CURSOR FOR SELECT subscription_id FROM usage');
$reader->rows('FETCH 1 FROM c');
($file) = files('snapshot');
$node->safe_psql('postgres', "SET pinsight_fdw.max_age = '0'; $select");
ok(!-e $file, 'a newer snapshot replaces the older');
is(scalar(files('snapshot')), 1, 'one is left');
my @rest = split(/\n/, $reader->rows('FETCH ALL FROM c'), -1);
is(@rest + 1, (split(/\|/, $answer))[0], 'who reads the older one reads all of it');
$reader->rows('COMMIT');
$reader->quit;

# --- room and age

$emulator->create_table($node, $_, 'customer_name text, month date, x text OPTIONS (column_name \''
	  . { big_1 => 'MpnId', big_2 => 'ResellerID', big_3 => 'SalesChannel' }->{$_} . "')",
	$options) foreach qw(big_1 big_2 big_3);
$emulator->create_table($node, 'small', $columns, "dataset 'AzureUsage', timespan 'LAST_3_MONTHS'");
clear();
$node->safe_psql('postgres', "SELECT count(*) FROM $_") foreach qw(usage big_1 big_2);
is(scalar(files('snapshot')), 3, 'several snapshots');

# One megabyte is the least, so more rows are needed.
$node->append_conf('postgresql.conf', 'pinsight_fdw.cache_size = 1');
$node->reload;
$emulator->stop;
$emulator = PinsightEmulator->new(
	options => [ '--rows', 20000, '--report-delay', '0.1' ]);
$node->safe_psql('postgres', qq(
	ALTER SERVER partner OPTIONS (SET api_url '@{[ $emulator->api_url ]}',
		SET login_url '@{[ $emulator->api_url ]}')));
$node->safe_psql('postgres', "SELECT count(*) FROM $_") foreach qw(usage big_1);
is(scalar(files('snapshot')), 1, 'cache_size: the newest is kept alone');
cmp_ok(-s (files('snapshot'))[0], '>', 600_000, 'for it is large');
$node->safe_psql('postgres', 'SELECT count(*) FROM big_1');
is($emulator->count(endpoint => 'create_report'), 2, 'and is used');
$node->append_conf('postgresql.conf', 'pinsight_fdw.cache_size = 1000');
$node->reload;

# Past its time: the table's max_age, but for a minute those who wait may come.
$node->safe_psql('postgres', q(ALTER FOREIGN TABLE big_2 OPTIONS (ADD max_age '1 second')));
$node->safe_psql('postgres', 'SELECT count(*) FROM big_2; SELECT count(*) FROM big_3');
is(scalar(files('snapshot')), 3, 'a young snapshot is kept for those who wait for it');

# --- no room

# A limit of the backend's own.
clear();
my $small = PinsightSession->new($node);
my $pid = $small->rows('SELECT pg_backend_pid()');
SKIP:
{
	skip 'there is no prlimit', 3
	  if system("prlimit --pid $pid --fsize=100000 >/dev/null 2>&1") != 0;
	my $error = $small->error('SELECT count(*) FROM big_2');
	like($error->{message}, qr/could not write snapshot ".*": File too large/,
		'a file that must not grow: a clear error');
	is_deeply([ files('part'), files('new'), files('snapshot') ], [], 'and no file is left');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM big_2'), 20000,
		'another session goes on');
}
$small->quit;
is(reports(), 1, 'with the same report');

# What is written for others to see, once the rows are here, ends no scan.
clear();
$emulator->fault([ { endpoint => 'download', stall_after => 500, hang_ms => 500 },
		{ endpoint => 'delete_report', status => 503, headers => { 'Retry-After' => '0' } } ]);
my $scan = PinsightBackground->start($node, 'SELECT count(*) FROM big_2');
$pid = $scan->backend;
$emulator->await(endpoint => 'download');
my @taken = map { "$_.$pid.new" } files('job'), files('took');
mkdir($_) or die "$_: $!\n" foreach @taken;
is($scan->finish->{out}, 20000, 'neither job nor time can be written: the rows come');
is_deeply([ $emulator->held ], [], 'and nothing is left at the service');
is_deeply([ files('job') ], [], 'nor here');
rmdir($_) foreach @taken;

# A file system that is full, in a name space where we may mount one.
clear();
mkdir("$cache.full");
$node->append_conf('postgresql.conf', "pinsight_fdw.cache_directory = 'pinsight_fdw.full'");
$node->stop;
my $start = "mount -t tmpfs -o size=512k,mode=0700 none '$cache.full' && exec '"
  . $node->installed_command('pg_ctl') . "' -w -D '" . $node->data_dir
  . "' -l '" . $node->logfile . "' -o --cluster-name=files start";
SKIP:
{
	if (system('unshare', '-Um', '--map-current-user', '--keep-caps', 'sh', '-c', $start) != 0)
	{
		$node->start;
		skip 'no name space to mount a small file system in', 6;
	}
	$node->_update_pid(1);
	($status, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM big_2');
	like($err, qr/ERROR:.*could not write snapshot ".*": No space left on device/,
		'disk full: a clear error');
	like($err, qr/HINT:.*cache_directory/, 'with a hint');
	is($out, '', 'and no rows');
	is($node->safe_psql('postgres', "SELECT pg_ls_dir('pinsight_fdw.full') ~ 'part|new|snapshot' GROUP BY 1"),
		'f', 'no file is left');

	# what takes the room is a file that a crash has left
	$node->safe_psql('postgres', qq(
		COPY (SELECT repeat('x', 400000)) TO '$cache.full/00000000000000000000000000000000.1.part'));
	is($node->safe_psql('postgres', 'SELECT count(*) > 2000 FROM small'), 't',
		'disk full of what a crash has left: the rows come');
	is($node->safe_psql('postgres', 'SELECT size > 120000 FROM pinsight_snapshots'), 't',
		'for which there was no room');
}
$node->stop;
$node->append_conf('postgresql.conf', "pinsight_fdw.cache_directory = 'pinsight_fdw'");
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*) FROM big_2'), 20000,
	'where there is room the rows come');

# --- read-only

is($node->safe_psql('postgres', qq(
	BEGIN READ ONLY; SET LOCAL pinsight_fdw.max_age = '0';
	SELECT count(*) FROM big_3; COMMIT)), 20000, 'a read-only transaction orders a report');

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
my $copied = $standby->data_dir . '/pinsight_fdw';
$standby->append_conf('postgresql.conf', "pinsight_fdw.cache_directory = 'own_cache'");
$standby->start;
$emulator->clear_log;
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery(), count(*) FROM big_3'),
	't|20000', 'a hot standby reads');
is(reports(), 1, 'a report of its own');
is(scalar(my @own = glob($standby->data_dir . '/own_cache/*.snapshot')), 1,
	'kept in its own directory');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM big_3'), 20000, 'and again');
is(reports(), 1, 'without another');
is($standby->safe_psql('postgres', 'SELECT rows, hits FROM pinsight_snapshots'), '20000|1',
	'and knows what it has');

$standby->stop;
$node->stop;
$emulator->stop;
done_testing();
