# Values that are read without the server's input functions are those that the
# input functions would make, to the last bit: many, made up, and every edge.
#
# PINSIGHT_TEST_VALUES sets how many rows there are: 2000, but a million is fine.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use List::Util qw(min);
use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $wanted = $ENV{PINSIGHT_TEST_VALUES} || 2000;
my $batch = 2000;
my $emulator = PinsightEmulator->new(options => [ '--rows', 1, '--report-delay', '0' ]);
my $node = $emulator->node('values', server => "poll_interval '20 ms'",
	conf => "timezone = 'UTC'\ndatestyle = 'ISO, MDY'\njit = off");
my $session = PinsightSession->new($node);

srand(20260301);

sub pick { return $_[ int rand @_ ]; }
sub digits { return join '', map { int rand 10 } 1 .. $_[0]; }

my @numbers = qw(0 -0 0.0 -0.00 00 1 -1 9999 10000 10001 99999999 100000000 0.0001 0.00001 0.9999
  0.99990 1.0000 100.0000 10000.0001 -10000 1234567890123456 12345678901234567
  0.1234567890123456 0.12345678901234567 9999999999999999.9999999999999999
  -1000000000000000.0000000000000001 0000000000000001.5 1e5 -1.5E-3 .5 5. +5 NaN Infinity
  100000000000000000000 0.00000000000000000001 1000000000000 10000000000000000);
my @texts = ('', 'a', 'x' x 125, 'x' x 126, 'x' x 127, 'x' x 300, "K\xc3\xb6ln", "\xe6\x9d\xb1" x 42,
	"\xf0\x9f\x98\x80" x 31, 'a "b" c', '"', "two\nlines", "\r\n", ' blank ', 'a,b', '\\N', 'NULL',
	"\t", "\xc3\xa9" x 63, "\xc3\xa9" x 64);

sub number
{
	return pick(@numbers) if rand() < 0.3;
	return pick('', '', '-') . digits(1 + int rand pick(4, 9, 16, 18))
	  . (rand() < 0.8 ? '.' . digits(1 + int rand pick(3, 8, 16, 18)) : '');
}

sub text
{
	return pick(@texts) if rand() < 0.4;
	return join ' ', map { pick(@texts[ 1 .. $#texts ], 'word', 'another') } 0 .. int rand 3;
}

sub day
{
	my $month = 1 + int rand 12;
	my $last = $month == 2 ? 28 : pick(30, 30, 30, 30);
	return sprintf('%04d-%02d-%02d', pick(1, 1582, 1999, 2000, 2024, 2026, 9999), $month, 1 + int rand $last)
	  if rand() < 0.5;
	return pick('2024-02-29', '2000-02-29', '0001-01-01', '9999-12-31', '1970-01-01', '1999-12-31');
}

sub us_day { my ($y, $m, $d) = split /-/, day(); return sprintf('%d/%d/%s', $m, $d, $y); }
sub clock { return sprintf('%02d:%02d:%02d', int rand 24, int rand 60, int rand 60); }

sub moment
{
	return day() if rand() < 0.2;
	return us_day() . ' ' . sprintf('%d:%02d:%02d %s', 1 + int rand 12, int rand 60, int rand 60, pick('AM', 'PM'))
	  if rand() < 0.2;
	return day() . pick('T', ' ') . clock() . (rand() < 0.5 ? '.' . digits(1 + int rand 9) : '') . pick('', 'Z');
}

sub whole
{
	my ($bits) = @_;
	my $most = { 16 => '32767', 32 => '2147483647', 64 => '9223372036854775807' }->{$bits};
	my $least = { 16 => '-32768', 32 => '-2147483648', 64 => '-9223372036854775808' }->{$bits};
	return pick($most, $least, '0', '-0', '+1', '007', '-1') if rand() < 0.5;
	return pick('', '-') . digits(1 + int rand(length($most) - 1));
}

sub uuid
{
	my $id = join '-', map { join '', map { pick(0 .. 9, 'a' .. 'f', 'A' .. 'F') } 1 .. $_ } 8, 4, 4, 4, 12;
	return rand() < 0.9 ? $id : rand() < 0.5 ? "{$id}" : $id =~ s/-//gr;
}

# name of the column, type, its maker, its binary form
my @columns = (
	[ n => 'numeric', \&number, 'numeric_send' ],
	[ t => 'text', \&text, 'textsend' ],
	[ v => 'varchar(1000)', \&text, 'varcharsend' ],
	[ u => 'uuid', \&uuid, 'uuid_send' ],
	[ d => 'date', sub { return rand() < 0.3 ? us_day() : day(); }, 'date_send' ],
	[ ts => 'timestamp', \&moment, 'timestamp_send' ],
	[ tz => 'timestamptz', \&moment, 'timestamptz_send' ],
	[ i2 => 'smallint', sub { return whole(16); }, 'int2send' ],
	[ i4 => 'integer', sub { return whole(32); }, 'int4send' ],
	[ i8 => 'bigint', sub { return whole(64); }, 'int8send' ],
	[ b => 'boolean', sub { return pick(qw(true false TRUE False yes no Y n 1 0)); }, 'boolsend' ],
	[ f => 'double precision', \&number, 'float8send' ]);

# For all but strings blanks around a value do not count, and quotes mean nothing.
sub cell
{
	my ($column) = @_;
	my $is_string = $column->[1] =~ /text|varchar/;
	return '' if rand() < 0.08;
	my $value = $column->[2]->();
	$value = pick('', ' ', "\t") . $value . pick('', ' ') if !$is_string && rand() < 0.05;
	return $value if $value !~ /[,"\n\r]/ && $value ne '' && rand() < 0.7;
	return '"' . $value =~ s/"/""/gr . '"';
}

my $names = join ', ', map { "\"$_->[0]\"" } @columns;
my @remote = qw(UsageQuantity CustomerName ServiceName SubscriptionId Month FirstUseDate
  SubscriptionStartDate MpnId ResellerID CustomerTpid IsACRDuplicateAtPGALevel TotalACR);
my $i = 0;
$emulator->create_table($node, 'remote', "id bigint OPTIONS (column_name 'PGAMpnId'), "
	  . join(', ', map { "$_->[0] $_->[1] OPTIONS (column_name '" . $remote[ $i++ ] . "')" } @columns),
	"dataset 'AzureUsage'");
$session->rows('CREATE TABLE truth (id bigint, ' . join(', ', map { "$_->[0] text" } @columns) . ');');

sub forms
{
	my ($cast) = @_;
	return join ', ', 'id', map {
		my ($name, $type, undef, $send) = @$_;
		$send . '(' . ($cast ? ($type =~ /text|varchar/ ? $name : "nullif(trim(E' \\t' from $name), '')") . "::$type" : $name) . ')'
	} @columns;
}

# One batch: how many rows differ, either way.
sub differing
{
	my ($rows) = @_;
	my $body = join(',', 'PGAMpnId', @remote) . "\n";
	my $copy = $body;
	foreach (1 .. $rows)
	{
		my $line = join(',', $_, map { cell($_) } @columns);
		$body .= $line . pick("\n", "\n", "\r\n");
		$copy .= "$line\n";    # COPY wants line ends to be alike
	}

	$emulator->control('DELETE', '/faults');
	utf8::decode($body);
	$emulator->fault({ endpoint => 'download', times => 0, body => $body });
	my $file = $node->basedir . '/truth.csv';
	open(my $out, '>:raw', $file) or die "$file: $!\n";
	print $out $copy;
	close($out);
	$session->rows("TRUNCATE truth; COPY truth FROM '$file' (FORMAT csv, HEADER);");
	$session->rows('DROP TABLE IF EXISTS got; CREATE TABLE got AS SELECT ' . forms(0) . ' FROM remote;');
	$session->rows('DROP TABLE IF EXISTS want; CREATE TABLE want AS SELECT ' . forms(1) . ' FROM truth;');
	return $session->rows('SELECT count(*) FROM got') . ' rows, '
	  . $session->rows('SELECT count(*) FROM (TABLE got EXCEPT ALL TABLE want) x') . ' wrong, '
	  . $session->rows('SELECT count(*) FROM (TABLE want EXCEPT ALL TABLE got) x') . ' missing';
}

for (my $left = $wanted; $left > 0; $left -= $batch)
{
	my $rows = min($left, $batch);
	is(differing($rows), "$rows rows, 0 wrong, 0 missing", "$left values of each type to go");
}

done_testing();
