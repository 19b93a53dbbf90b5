# Every type and every spelling, through real scans: the emulator's own rows in
# all the ways it can write them, and cells made up here.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 200, '--report-delay', '0' ]);
my $node = $emulator->node('types', server => "poll_interval '20 ms', max_reports_per_hour '1000'");
my $session = PinsightSession->new($node);

# --- the same rows, however the file is written

my $columns = q(subscription_id uuid, month date, month_text text OPTIONS (column_name 'CustomerName'),
	quantity numeric OPTIONS (column_name 'UsageQuantity'),
	quantity_float double precision OPTIONS (column_name 'TotalACR'),
	duplicate boolean OPTIONS (column_name 'IsACRDuplicateAtPGALevel'),
	market varchar(60) OPTIONS (column_name 'CustomerMarket'));
foreach my $format (qw(csv tsv))
{
	$emulator->create_table($node, $format, $columns,
		qq(dataset 'AzureUsage', timespan 'LIFETIME', format '$format'));
}

sub rows_of
{
	my ($table) = @_;
	return $session->rows("SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text))
		FROM $table t");
}

my $right = rows_of('csv');
like($right, qr/^200\|\w{32}$/, 'there are rows');
is($session->rows(q(SELECT count(*) > 0, count(DISTINCT duplicate), min(month) > '2020-01-01'
	FROM csv)), 't|2|t', 'with different values');
$session->rows('BEGIN; CREATE TABLE kept AS TABLE csv; COMMIT');

my @writings = (
	map({ { date_format => $_ } } qw(date datetime datetime_z us)),
	map({ { bool_format => $_ } } qw(catalog 01 yn yesno truefalse)),
	map({ { $_ => \1 } } qw(csv_bom csv_crlf csv_quote_all csv_no_final_newline
		  csv_header_lower csv_shuffle_columns csv_extra_column)),
	{ gzip => 'off' }, { gzip => 'off', content_length => \0 },
	{ gzip => 'off', content_length => \0, content_md5 => \0 },
	{ content_encoding => \0 }, { content_md5 => \0 }, { content_length => \0 },
	{ gzip => 'off', content_encoding => \0, csv_no_final_newline => \1 }, {
		csv_bom => \1, csv_crlf => \1, csv_quote_all => \1, csv_header_lower => \1,
		csv_shuffle_columns => \1, csv_extra_column => \1, date_format => 'us',
		bool_format => 'yn', content_encoding => \0, content_md5 => \0
	});
foreach my $writing (@writings)
{
	my $name = join(', ',
		map { "$_ " . (ref $writing->{$_} ? ${ $writing->{$_} } : $writing->{$_}) }
		  sort keys %$writing);

	$emulator->reset;
	$emulator->switches({ quota_execute_now => 1000, %$writing });
	is(rows_of('csv'), $right, "csv, $name");
	is(rows_of('tsv'), $right, "tsv, $name");
}
$emulator->reset;

# --- cells: a file with one column, made up

my $tables = 0;

# The file to come.
sub serve
{
	my ($body) = @_;
	$emulator->control('DELETE', '/faults');
	$emulator->fault({ endpoint => 'download', times => 0, body => $body });
	return;
}

# A table of one column of that type.
sub table_of
{
	my ($type, $options) = @_;
	my $table = 'cells_' . ++$tables;

	$emulator->create_table($node, $table,
		"x $type OPTIONS (column_name 'CustomerName')",
		"dataset 'AzureUsage'" . ($options ? ", $options" : ''));
	return $table;
}

sub quoted { my ($cell) = @_; return '"' . $cell =~ s/"/""/gr . '"'; }

$node->safe_psql('postgres', q(
	CREATE TYPE color AS ENUM ('red', 'green');
	CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
	CREATE DOMAIN day AS date));

# Nobody could tell a line with nothing on it from the end of the file.
my $alone = table_of('text');
like($node->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) SELECT x FROM $alone"),
	qr/Report Query: SELECT CustomerName, IsACRDuplicateAtPGALevel FROM/,
	'another column goes with one that is alone');
$node->safe_psql('postgres', "ALTER FOREIGN TABLE $alone ALTER x SET NOT NULL");
like($node->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) SELECT x FROM $alone"),
	qr/Report Query: SELECT CustomerName FROM/, 'unless it is never null');

# type: pairs of a cell as it is in the file, and what psql shows of it; undef
# stands for NULL.
my @good = (
	[ text => 'a' => 'a', '""' => '', '' => undef, '" a "' => ' a ', ' b ' => ' b ',
		'"a""b"' => 'a"b', '"a,b"' => 'a,b', '"a' . "\n" . 'b"' => "a\nb",
		"Gr\x{fc}\x{df}e" => "Gr\xc3\xbc\xc3\x9fe", "\x{1f600}" => "\xf0\x9f\x98\x80",
		'NULL' => 'NULL', '\N' => '\N', '\.' => '\.' ],
	[ 'varchar(3)' => 'abc' => 'abc', '""' => '', '' => undef, 'abc  ' => 'abc' ],
	[ 'char(3)' => 'a' => 'a', '"a  "' => 'a', '' => undef ],
	[ name => 'abc' => 'abc' ],
	[ uuid => '86B13BED-75fe-4cf6-aa78-64de18b75bd2' => '86b13bed-75fe-4cf6-aa78-64de18b75bd2',
		'""' => undef, '' => undef ],
	[ date => '2026-03-01' => '2026-03-01', '2026-03-01T23:59:59' => '2026-03-01',
		'2026-03-01T23:59:59Z' => '2026-03-01', '3/1/2026 12:00:00 AM' => '2026-03-01',
		'3/1/2026' => '2026-03-01', '12/31/2026 11:59:59 PM' => '2026-12-31',
		'20260301' => '2026-03-01', '2024-02-29' => '2024-02-29', '' => undef,
		'""' => undef, ' 2026-03-01 ' => '2026-03-01', '2026-03' => '2026-03-01' ],
	[ 'timestamp' => '2026-03-01' => '2026-03-01 00:00:00',
		'2026-03-01T10:11:12' => '2026-03-01 10:11:12',
		'2026-03-01T10:11:12.1234567Z' => '2026-03-01 10:11:12.123457',
		'3/1/2026 12:00:00 AM' => '2026-03-01 00:00:00',
		'3/1/2026 12:30:00 PM' => '2026-03-01 12:30:00',
		'2026-03-01 10:11:12+05:30' => '2026-03-01 04:41:12' ],
	[ 'timestamp(0)' => '2026-03-01T10:11:12.9' => '2026-03-01 10:11:13' ],
	[ timestamptz => '2026-03-01' => '2026-03-01 00:00:00+00',
		'2026-03-01T10:11:12Z' => '2026-03-01 10:11:12+00',
		'3/1/2026 1:00:00 PM' => '2026-03-01 13:00:00+00' ],
	[ smallint => '-32768' => -32768, '32767' => 32767, '7.0' => 7, '' => undef ],
	[ integer => '-2147483648' => -2147483648, '+5' => 5, ' 6 ' => 6, '0012' => 12 ],
	[ bigint => '-9223372036854775808' => '-9223372036854775808',
		'9223372036854775807' => '9223372036854775807', '1.000' => 1 ],
	[ numeric => '12345678901234567890.123456789' => '12345678901234567890.123456789',
		'-0.5' => '-0.5', '1e3' => '1000', '' => undef ],
	[ 'numeric(10,2)' => '1.005' => '1.01' ],
	[ real => '1.5' => '1.5', '-1e10' => '-1e+10' ],
	[ 'double precision' => '0.1' => '0.1', '1E308' => '1e+308' ],
	[ boolean => map({ $_ => 'true' } qw(1 Y y Yes YES True TRUE true)),
		map({ $_ => 'false' } qw(0 N n No NO False FALSE false)), '' => undef, '""' => undef ],
	[ jsonb => quoted('{"b": [1, 2],  "a": "x"}') => '{"a": "x", "b": [1, 2]}',
		'12' => '12', '' => undef ],
	[ json => quoted('{"b":1}') => '{"b":1}' ],
	[ inet => '10.0.0.1' => '10.0.0.1/32' ],
	[ interval => '1 day' => '1 day' ],
	[ 'text[]' => quoted('{a,"b c"}') => '{a,"b c"}' ],
	[ color => 'green' => 'green' ],
	[ positive => '5' => 5, '' => undef ],
	[ day => '3/1/2026' => '2026-03-01' ],
	[ bytea => '\x00ff' => '\x00ff', '" a "' => '\x206120', ' ' => '\x20', '""' => '\x', '' => undef ],
	[ '"char"' => 'a' => 'a', '" "' => ' ', '' => undef ]);

foreach my $case (@good)
{
	my ($type, @pairs) = @$case;
	my $table = table_of($type);
	my (@cells, @values);

	while (@pairs)
	{
		my ($cell, $value) = splice(@pairs, 0, 2);
		# a line of nothing would be no record
		push @cells, $cell;
		push @values, $value;
	}
	# A second column keeps lines with an empty cell from being empty.
	serve(join("\n", 'CustomerName,Other', map { "$_,-" } @cells) . "\n");
	my @shown = split(/\x1e/, $session->rows(qq(
		SET datestyle = 'ISO'; SET timezone = 'UTC';
		SELECT string_agg(coalesce(x::text, '(null)'), E'\\x1e') FROM $table)));
	is_deeply(\@shown, [ map { defined $_ ? $_ : '(null)' } @values ], "cells of $type")
	  or diag(explain(\@shown));
}

# Whatever the session thinks of dates and numbers.
my $moments = table_of('timestamptz');
my $days = table_of('date');
serve("CustomerName\n3/1/2026 1:02:03 AM\n2026-03-04T05:06:07\n");
foreach my $settings (
	[ 'ISO, MDY', 'UTC' ], [ 'SQL, DMY', 'Asia/Tokyo' ],
	[ 'German, DMY', 'America/New_York' ], [ 'Postgres, YMD', '+05:30' ])
{
	$session->rows("SET datestyle = '$settings->[0]'; SET timezone = '$settings->[1]'");
	is($session->rows("SELECT string_agg(extract(epoch FROM x)::bigint::text, ' ') FROM $moments"),
		'1772326923 1772600767', "moments under @$settings");
	is($session->rows("SELECT string_agg((x - date '2026-01-01')::text, ' ') FROM $days"),
		'59 62', "days under @$settings");
}
$session->rows('RESET datestyle; RESET timezone');

# --- cells that are no values

my @bad = (
	[ uuid => '22P02', 'no-uuid' ],
	[ date => '22007', 'soon', '2026-3-1x', '13.01.2026' ],
	[ date => '22008', '2026-02-30', '13/1/2026', '2026-13-01' ],
	[ 'timestamp' => '22007', '2026-03', 'now', 'infinity', 'yesterday' ],
	[ timestamptz => '22008', '2026-03-01T24:00:01' ],
	[ smallint => '22003', '32768', '-32769' ],
	[ integer => '22003', '2147483648', '99999999999999999999999' ],
	[ integer => '22P02', '12.5', 'x', '0x1f', '1,000', '--1' ],
	[ bigint => '22003', '9223372036854775808', '-9223372036854775809' ],
	[ numeric => '22P02', '1,5', 'x' ],
	[ 'numeric(3,1)' => '22003', '100' ],
	[ 'double precision' => '22003', '1e400' ],
	[ 'double precision' => '22P02', 'x' ],
	[ boolean => '22P02', 'maybe', '2', 'on', 't' ],
	[ jsonb => '22P02', '{' ],
	[ 'varchar(3)' => '22001', 'abcd' ],
	[ color => '22P02', 'blue' ],
	[ positive => '23514', '0' ]);
foreach my $case (@bad)
{
	my ($type, $sqlstate, @cells) = @$case;
	my $table = table_of($type);

	foreach my $cell (@cells)
	{
		# the bad one is on line 5 of the file: one value has two lines
		serve("CustomerName,Other\n,-\n,\"two\nlines\"\n" . quoted($cell) . ",-\n");
		my $error = $session->error("SELECT x FROM $table");
		is($error->{sqlstate}, $sqlstate, "$type: $cell") or diag($error->{text});
		like($error->{text}, qr/line 5\b/, "$type: $cell: its line");
		like($error->{text}, qr/column "x"|"CustomerName"/, "$type: $cell: its column");
		like($error->{text}, qr/\Q$cell\E/, "$type: $cell: the value");
		is($session->rows("SELECT count(*) FROM $table"), 3,
			"$type: $cell: does not matter where nobody reads it");
	}

	# the same, where the table says so, is NULL
	my $lenient = table_of($type, "on_error 'set_null'");
	serve(join("\n", 'CustomerName,Other', map { quoted($_) . ',-' } @cells) . "\n");
	is($session->rows("SELECT count(*), count(x) FROM $lenient"), @cells . '|0',
		"$type: set_null");
	like($session->said, qr/^WARNING:  .*\b@{[ scalar @cells ]}\b/m,
		"$type: set_null counts") or diag($session->said);
}

# A value that is long is not repeated whole.
my $table = table_of('integer');
serve("CustomerName\n" . 'x' x 100_000 . "\n");
my $error = $session->error("SELECT * FROM $table");
is($error->{sqlstate}, '22P02', 'a long cell that is no number');
cmp_ok(length($error->{text}), '<', 1500, 'is shown in part');

# --- texts that are not what they should be

$table = table_of('text');
serve("CustomerName\n" . "long " x 200_000 . "\n");
is($session->rows("SELECT length(x) FROM $table"), 1_000_000, 'a long text');
serve("Month\n2026-01-01\n");
$error = $session->error("SELECT x FROM $table");
is($error->{sqlstate}, 'HV005', 'a file without the column');
like($error->{text}, qr/CustomerName/, 'is named');
serve("CustomerName,CustomerName\na,b\n");
my ($out, $err) = $session->both("SELECT x FROM $table");
like("$out$err", qr/^a$|ERROR/m, 'a column twice is the first, or an error');
serve("CUSTOMERNAME\na\n");
is($session->rows("SELECT x FROM $table"), 'a', 'names are matched without case');
serve("CustomerName\n");
is($session->rows("SELECT count(*) FROM $table"), 0, 'a header alone is no row');
serve("CustomerName,Month\na\n");
$error = $session->error("SELECT x FROM $table");
is($error->{sqlstate}, 'HV004', 'a record with too few fields');
serve("CustomerName,Month\na,b,c\n");
$error = $session->error("SELECT x FROM $table");
is($error->{sqlstate}, 'HV004', 'a record with too many');
serve("CustomerName\n\"a\n");
$error = $session->error("SELECT x FROM $table");
is($error->{sqlstate}, 'HV00M', 'a quote that is not closed');

# --- a bad cell is an error of its row, whatever is read ahead of it

serve("CustomerName\n" . join('', map { $_ == 30 ? "x\n" : "$_\n" } 1 .. 50));
$table = table_of('integer');
$error = $session->error("SELECT x FROM $table");
is($error->{sqlstate}, '22P02', 'a bad cell among good ones');
like($error->{text}, qr/line 31, .*: "x"/, 'its line and what it holds');
foreach my $rows (1, 2, 5, 29)
{
	is($session->rows("SELECT max(x), count(*) FROM (SELECT x FROM $table LIMIT $rows) t"),
		"$rows|$rows", "$rows rows before it");
}
is($session->error("SELECT count(x) FROM (SELECT x FROM $table LIMIT 30) t")->{sqlstate},
	'22P02', 'and with it');
$table = table_of('integer', "on_error 'set_null'");
is($session->rows("SELECT count(*), count(x), sum(x) FROM $table"), '50|49|1245', 'set_null: it alone');

# --- more columns than a word has bits, all of one field, which is taken once

$emulator->create_table($node, 'wide', join(', ',
	map { "x$_ text OPTIONS (column_name 'CustomerName')" } 1 .. 130), "dataset 'AzureUsage'");
serve("CustomerName\n" . join('', map { $_ % 3 ? "v$_\n" : quoted("\"$_") . "\n" } 1 .. 40));
is($session->rows(q(SELECT count(*), count(DISTINCT x1), count(DISTINCT v), min(n), max(n) FROM
	(SELECT x1, count(*) AS n, min(value) AS v FROM wide, jsonb_each_text(to_jsonb(wide))
		GROUP BY x1, value) t WHERE x1 = v)), '40|40|40|130|130', 'each has the value');

# --- a database in another encoding

$node->safe_psql('postgres', q(
	CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0));
my $url = $emulator->api_url;
$node->safe_psql('latin', qq(
	CREATE EXTENSION pinsight_fdw;
	CREATE SERVER partner FOREIGN DATA WRAPPER pinsight_fdw
		OPTIONS (tenant 'contoso.onmicrosoft.com', poll_interval '20 ms', max_reports_per_hour '1000',
			api_url '$url', login_url '$url');
	CREATE USER MAPPING FOR PUBLIC SERVER partner
		OPTIONS (client_id '$PinsightEmulator::client_id',
			client_secret '$PinsightEmulator::client_secret');
	CREATE FOREIGN TABLE strict (x text OPTIONS (column_name 'CustomerName')) SERVER partner
		OPTIONS (dataset 'AzureUsage');
	CREATE FOREIGN TABLE lenient (x text OPTIONS (column_name 'CustomerName')) SERVER partner
		OPTIONS (dataset 'AzureUsage', on_error 'set_null');));
my $latin = PinsightSession->new($node, 'latin');
$latin->rows(q(SET client_encoding = 'UTF8'));
serve("CustomerName\nGr\x{fc}\x{df}e\n");
is($latin->rows('SELECT x, length(x), octet_length(x) FROM strict'),
	"Gr\xc3\xbc\xc3\x9fe|5|5", 'LATIN1: characters it has');
is($latin->rows(q(SELECT count(*) FROM strict WHERE x = 'Grüße')), 1, 'LATIN1: compare');
serve("CustomerName\nGr\x{fc}\x{df}e\n\x{65e5}\x{672c}\n");
$error = $latin->error('SELECT x FROM strict');
is($error->{sqlstate}, '22P05', 'LATIN1: a character it has not');
like($error->{text}, qr/line 3/, 'LATIN1: its line');
is($latin->rows('SELECT count(*), count(x) FROM lenient'), '2|1', 'LATIN1: set_null');
like($latin->said, qr/WARNING/, 'LATIN1: with a warning');
$latin->quit;

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
