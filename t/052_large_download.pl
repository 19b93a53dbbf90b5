# A report file many times as large as the window it passes through: in whatever
# pieces its bytes come, and wherever they cease, the rows are the same.

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

my $window = 1024 * 1024;
my $emulator = PinsightEmulator->new(options => [ '--rows', 15000, '--report-delay', '0.05' ]);
my $node = $emulator->node('large', conf => "pinsight_fdw.max_age = ''",
	server => "poll_interval '20 ms'");

$emulator->create_table($node, 'usage', join(', ', map { "$_ text" } qw(
		subscription_id subscription_start_date subscription_end_date first_use_date
		subscription_state month service_name meter_category usage_units usage_quantity
		customer_name customer_tenant_id customer_tpid customer_segment customer_market
		mpn_id partner_name partner_attribution_type sales_channel enrollment_number
		reseller_id reseller_name partner_location)),
	"dataset 'AzureUsage', timespan 'LIFETIME'");

# All rows and what they hold, in any order.
my $scan = 'SELECT count(*), sum(hashtextextended(u::text, 0)) FROM usage u';
my ($all, $size);

sub begin
{
	my ($switches, @faults) = @_;
	$emulator->reset;
	$emulator->forget($node);
	$emulator->clear_log;
	$emulator->switches($switches);
	$emulator->fault(\@faults) if @faults;
	return;
}

# Bytes of a file, and of disk that it takes, also for what is not in it.
sub size_and_disk { my @stat = stat($_[0]); return ($stat[7], 512 * $stat[12]); }

sub downloads { return $emulator->log(endpoint => 'download'); }

my %text = (gzip => 'off', content_encoding => \0);

# --- undisturbed

begin({%text});
$all = $node->safe_psql('postgres', $scan);
like($all, qr/^15000\|/, 'all rows are there');
$size = (downloads())[0]{bytes_sent};
cmp_ok($size, '>', 3 * $window, 'the file is larger than several windows');
my ($whole, $taken) = size_and_disk(glob($node->data_dir . '/pinsight_fdw/*.snapshot'));
cmp_ok($taken, '<', $whole + 65536, 'and takes no more of the disk in the end');

my $truth = $emulator->truth('SELECT count(*), count(DISTINCT SubscriptionId), count(DISTINCT CustomerName),'
	  . ' min(ServiceName), max(ResellerName) FROM mpn_AzureUsage');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT subscription_id), count(DISTINCT customer_name),'
		  . ' min(service_name COLLATE "C"), max(reseller_name COLLATE "C") FROM usage'),
	$truth, 'and hold what they should');

# --- in other pieces

foreach my $case (
	[ 'no digest', { content_md5 => \0 } ],
	[ 'no length', { content_length => \0 } ],
	[ 'neither', { content_md5 => \0, content_length => \0 } ],
	[ 'gzip', { gzip => 'stored', content_encoding => \1 } ],
	[ 'in small pieces', {}, { rate => 8000000 } ],
	[ 'broken off in the first window', {}, { reset_after => 1000 } ],
	[ 'broken off where one ends', {}, { reset_after => $window } ],
	[ 'broken off twice, no digest', { content_md5 => \0 },
		{ reset_after => int(2.5 * $window) }, { reset_after => $window + 1 } ],
	[ 'altered on the way', {}, { garble => \1 } ])
{
	my ($name, $switches, @faults) = @$case;

	begin({ %text, %$switches },
		map { { endpoint => 'download', nth => $_ + 1, %{ $faults[$_] } } } 0 .. $#faults);
	is($node->safe_psql('postgres', $scan), $all, "$name: the same rows");

	my $at = 0;
	my @offsets = map { $at += $_->{reset_after} // 0 } @faults;
	my @asked = map { ($_->{headers}{Range} // '') =~ /^bytes=(\d+)-$/ ? $1 : () } downloads();
	pop @asked if @asked && $asked[-1] == $size;    # does anything follow?
	is_deeply(\@asked, [ grep { $_ > 0 } @offsets ], "$name: it went on where it was");
}

# --- left while it arrives

begin({%text}, { endpoint => 'download', rate => $window });
my $left = PinsightBackground->start($node, $scan);
ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pinsight_jobs() WHERE downloaded > $window)"),
	'more than a window has arrived');
my ($part) = glob($node->data_dir . '/pinsight_fdw/*.part');
my ($arrived, $disk) = size_and_disk($part);
cmp_ok($disk, '<', 2 * $arrived + $window / 2, 'it takes no more of the disk than twice that');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $left->backend . ')');
$left->finish;
is_deeply([ glob($node->data_dir . '/pinsight_fdw/*.part') ], [], 'a scan that is cancelled leaves nothing of it');
$emulator->control('DELETE', '/faults');

# Where the next one writes to, a process with its number has left a longer file.
my $next = PinsightSession->new($node);
my $number = $next->rows('SELECT pg_backend_pid()');
$part =~ s/\.\d+\.part$/.$number.part/ or die "no file under way\n";
append_to_file($part, 'x' x (2 * $size));
chmod(0600, $part);
is($next->rows($scan), $all, 'the next one has all rows');
is($emulator->count(endpoint => 'create_report'), 1, 'of the same report');

# --- a disk that takes no more of it: to this session no file can be longer

begin({%text});
SKIP:
{
	skip 'prlimit is needed', 5
	  if system('prlimit', '--pid', $number, '--fsize=' . 2 * $window . ':unlimited') != 0;
	like($next->error($scan)->{message}, qr/could not write snapshot ".*": File too large/,
		'a file that cannot be written whole');
	is(scalar(downloads()), 1, 'is not asked for again');
	is_deeply([ glob($node->data_dir . '/pinsight_fdw/*.part') ], [], 'and leaves nothing');
	system('prlimit', '--pid', $number, '--fsize=unlimited:unlimited');
	is($next->rows($scan), $all, 'where there is room again all rows come');
	is($emulator->count(endpoint => 'create_report'), 1, 'of the same report');
}
$next->quit;

$node->stop;
done_testing();
