# IMPORT FOREIGN SCHEMA: every dataset, every column, every value; and a service
# whose offer changes.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $emulator = PinsightEmulator->new(
	options => [ '--rows', 60, '--quota-execute-now', 1000 ]);
my $node = $emulator->node('import');

sub import_into
{
	my ($schema, $clauses, %args) = @_;
	my $program = $args{program} || 'mpn';
	return $node->psql('postgres', qq(
		CREATE SCHEMA IF NOT EXISTS $schema;
		IMPORT FOREIGN SCHEMA $program $clauses), on_error_stop => 1);
}

# Imports, and dies if that fails.  Returns what was said on the way.
sub import_well
{
	my ($rc, $out, $err) = import_into(@_);
	die $err if $rc != 0;
	return $err;
}

# The columns of an imported table: [local name, type, remote name, metric?]
sub columns_of
{
	my ($table) = @_;
	my $rows = $node->safe_psql('postgres', qq(
		SELECT attname, format_type(atttypid, atttypmod),
			(SELECT option_value FROM pg_options_to_table(attfdwoptions)
				WHERE option_name = 'column_name'),
			'metric=true' = ANY (attfdwoptions)
		FROM pg_attribute
		WHERE attrelid = '$table'::regclass AND attnum > 0 AND NOT attisdropped
		ORDER BY attnum));
	return map { [ split(/\|/, $_) ] } split(/\n/, $rows);
}

sub remote_names { return join(' ', map { $_->[2] } columns_of(@_)); }

# --- every dataset of both programs

import_well('mpn', 'FROM SERVER partner INTO mpn');
import_well('cmp', 'FROM SERVER partner INTO cmp', program => 'cmp');

my $catalog = $emulator->control('GET', '/catalog');
my %tables = map { (split(/\|/, $_))[ 1, 0 ] } split(/\n/, $node->safe_psql(
	'postgres', q(
	SELECT ftrelid::regclass, n.nspname || '/' ||
		(SELECT option_value FROM pg_options_to_table(ftoptions)
			WHERE option_name = 'dataset')
	FROM pg_foreign_table ft JOIN pg_class c ON c.oid = ftrelid
		JOIN pg_namespace n ON n.oid = c.relnamespace)));
is(join(' ', sort keys %tables),
	join(' ', sort map { "$_->{program}/$_->{name}" } @{ $catalog->{datasets} }),
	'a table for each dataset');

# Values of a column as text that both sides write alike.
sub sql_of
{
	my ($name, $type) = @_;
	return qq("$name"::int::text) if $type eq 'boolean';
	return qq(extract(epoch FROM "$name")::bigint::text) if $type =~ /^timestamp/;
	return qq(trim_scale("$name")::text) if $type eq 'numeric';
	return qq("$name"::text);
}

sub truth_of
{
	my ($name, $type) = @_;
	return qq(CASE WHEN "$name" IN ('1', 'Y', 'Yes', 'True') THEN '1'
		WHEN "$name" IS NOT NULL THEN '0' END) if $type eq 'boolean';
	return qq(CAST(strftime('%s', "$name") AS TEXT)) if $type =~ /^timestamp/;
	return qq("$name") if $type ne 'numeric';
	return qq(CASE WHEN instr("$name", '.') > 0
		THEN rtrim(rtrim("$name", '0'), '.') ELSE "$name" END);
}

# Rows of either side, sorted.  They end in \x02, for values have line ends.
sub normal { return join("\x02", sort split(/\x02\n?/, $_[0])); }

foreach my $dataset (@{ $catalog->{datasets} })
{
	my $key = "$dataset->{program}/$dataset->{name}";
	my $table = $tables{$key} or next;
	my @columns = columns_of($table);
	my %metric = map { $_->{name} => 1 } @{ $dataset->{metrics} };
	my %selected = map { lc($_) => 1 } @{ $dataset->{system_query}{columns} || [] };
	my @offered = (
		(map { $_->{name} } @{ $dataset->{columns} }),
		(grep { $selected{ lc $_ } } map { $_->{name} } @{ $dataset->{metrics} }));

	is(join(' ', map { $_->[2] } @columns), join(' ', @offered),
		"$key: its columns, and the metrics of its system query");

	# Without metrics: what they are computed from is the emulator's business.
	my @plain = grep { $_->[3] ne 't' } @columns;
	if (@plain < @columns)
	{
		is($node->safe_psql('postgres', "SELECT count(*) > 0 FROM $table"), 't',
			"$key: can be read with its metrics");
		$node->safe_psql('postgres', "ALTER FOREIGN TABLE $table "
			  . join(', ', map { qq(DROP COLUMN "$_->[0]") }
				  grep { $_->[3] eq 't' } @columns));
	}
	my $got = normal($node->safe_psql('postgres',
		'SELECT ' . join(' || chr(1) || ',
			map { 'coalesce(' . sql_of($_->[0], $_->[1]) . ", '~')" } @plain)
		  . " || chr(2) FROM $table"));
	my $want = normal($emulator->truth('SELECT ' . join(' || char(1) || ',
			map { 'coalesce(' . truth_of($_->[2], $_->[1]) . ", '~')" } @plain)
		  . " || char(2) FROM \"$dataset->{program}_$dataset->{name}\""));
	# A dataset without LIFETIME keeps old rows to itself.
	if (!grep { $_ eq 'LIFETIME' } @{ $dataset->{date_ranges} } and @{ $dataset->{date_ranges} })
	{
		my %there = map { $_ => 1 } split(/\x02/, $got);
		my ($time) = map { $_->[0] } grep { $_->[2] eq $dataset->{time_column} } @plain;
		my $start = $node->safe_psql('postgres', "SELECT min($time)::date FROM $table");
		is($emulator->truth("SELECT count(*) FROM \"$dataset->{program}_$dataset->{name}\""
				  . " WHERE date($dataset->{time_column}) >= '$start'"),
			$node->safe_psql('postgres', "SELECT count(*) FROM $table"),
			"$key: all rows since $start");
		$want = join("\x02", grep { $there{$_} } split(/\x02/, $want));
	}
	ok($got eq $want && length($want) > 100, "$key: every value is the emulator's")
	  or diag(substr($got, 0, 500), "\n", substr($want, 0, 500));
}

# --- dumped and restored

my $definitions = q(
	SELECT c.relname, ARRAY(SELECT unnest(ftoptions) ORDER BY 1),
		attnum, attname, format_type(atttypid, atttypmod), attnotnull,
		ARRAY(SELECT unnest(attfdwoptions) ORDER BY 1)
	FROM pg_foreign_table JOIN pg_class c ON c.oid = ftrelid
		JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
		JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'dumped'
	ORDER BY relname, attnum);
import_well('dumped', q(FROM SERVER partner INTO dumped
	OPTIONS (metrics 'true', not_null 'true', estimated_rows '7')));
my $before = $node->safe_psql('postgres', $definitions);
my $dump = "${PostgreSQL::Test::Utils::tmp_check}/dump.sql";
$node->command_ok([ 'pg_dump', '-f', $dump, '-n', 'dumped', '-d', $node->connstr('postgres') ],
	'pg_dump');
$node->safe_psql('postgres', 'DROP SCHEMA dumped CASCADE');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump,
	'-d', $node->connstr('postgres') ], 'restore');
is($node->safe_psql('postgres', $definitions), $before, 'gives the same tables');
cmp_ok(length($before), '>', 20_000, 'all of them');

# --- paging

$emulator->switches({ page_size => 4 });
import_well('paged', 'FROM SERVER partner INTO paged');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_class
		WHERE relnamespace = 'paged'::regnamespace)), 26, 'all pages are read');
$emulator->switches({ page_size => 3, relative_next_link => JSON::PP::true });
import_well('paged_more', 'FROM SERVER partner INTO paged_more');
is($node->safe_psql('postgres', q(SELECT count(*) FROM pg_class
		WHERE relnamespace = 'paged_more'::regnamespace)), 26, 'with relative links, too');
$emulator->switches({ page_size => 0, relative_next_link => JSON::PP::false });

# --- a service that changes

$emulator->alter(sub {
	my ($datasets) = @_;
	my $usage = $datasets->{AzureUsage};
	@{ $usage->{columns} } =
	  grep { $_->{name} !~ /^(?:ServiceName|CustomerName)$/ } @{ $usage->{columns} };
	$_->{name} =~ s/^CustomerMarket$/CUSTOMERMARKET/ foreach @{ $usage->{columns} };
	push @{ $usage->{columns} },
	  { name => 'LastRefreshDate', type => 'date' },
	  { name => 'EstimatedCharge(USD)', type => 'numeric' },
	  { name => 'LicenseCount', type => 'bigint' },
	  { name => 'IsPromoted', type => 'boolean', wire => 'Y/N' },
	  { name => 'TagId', type => 'uuid' },
	  { name => 'Remark', type => 'text' };
	$usage->{system_query} = undef;

	$datasets->{Profile}{name} = 'PartnerProfile';
	$datasets->{Profile}{system_query} = undef;

	$datasets->{Wide} = {
		program => 'mpn', name => 'Wide', metrics => [], date_ranges => [],
		columns => [ map { { name => "VeryLongPrefixOfColumnsThatHaveAlmostEqualNamesInTheEnd$_",
			type => 'bigint' } } 1 .. 500 ] };
	$datasets->{Odd} = {
		program => 'mpn', name => 'Odd', metrics => [], date_ranges => [],
		columns => [ map { { name => $_, type => 'text' } }
			  'Charge(CC)', 'ChargeCC', 'Offset', 'xmin', 'User' ] };
});

my ($rc, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM mpn.azure_usage');
isnt($rc, 0, 'a scan whose columns are gone fails');
like($err, qr/dataset "AzureUsage" has no columns "ServiceName", "CustomerName"$/m,
	'the error names them');
like($err, qr/IMPORT FOREIGN SCHEMA mpn LIMIT TO \(azure_usage\) FROM SERVER partner INTO mpn/,
	'and the remedy');
($rc, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM mpn.profile');
like($err, qr/does not offer dataset "Profile"$/m, 'a dataset that is gone');
unlike($err, qr/Perhaps you meant/, 'whose name was right');


# timespans: those that the service offers now
$node->safe_psql('postgres', q(
	CREATE FOREIGN TABLE spans (month date) SERVER partner
		OPTIONS (dataset 'AzureUsage', timespan 'LAST_7_MONTHS');
	CREATE FOREIGN TABLE narrow (month date) SERVER partner
		OPTIONS (dataset 'AzureUsage', timespan 'LAST_1_YEAR', fetch 'query');
	CREATE FOREIGN TABLE never ("PartnerName" text) SERVER partner
		OPTIONS (dataset 'PartnerProfile', timespan 'LIFETIME');
	CREATE FOREIGN TABLE misspelt (month date, custmer_market text) SERVER partner
		OPTIONS (dataset 'AzureUsage');
	CREATE FOREIGN TABLE elsewhere (month date) SERVER partner
		OPTIONS (dataset 'ISVUsage');));
foreach my $sql ('SELECT * FROM spans', q(SELECT pinsight_schedule('spans', '1 day')))
{
	($rc, $out, $err) = $node->psql('postgres', $sql);
	like($err, qr/ERROR:.*dataset "AzureUsage" offers no timespan "LAST_7_MONTHS"\nDETAIL:.*Invalid timespan$/m,
		"$sql: a timespan that the service does not offer");
	like($err, qr/^HINT:.*"timespan".*: "LAST_MONTH", .*"LIFETIME"\.$/m, 'those that it does');
}
$emulator->alter(sub {
	$_[0]->{AzureUsage}{date_ranges} = [ grep { $_ ne 'LAST_3_MONTHS' } @{ $_[0]->{AzureUsage}{date_ranges} } ];
});
($rc, $out, $err) = $node->psql('postgres', 'SELECT * FROM narrow WHERE month > now() - interval \'40 days\'');
like($err, qr/offers no timespan "LAST_3_MONTHS"$/m, 'one that we have chosen');
like($err, qr/^HINT:.*"fetch" to "table"/m, 'is not to be chosen');
($rc, $out, $err) = $node->psql('postgres', 'SELECT * FROM never');
like($err, qr/^HINT:.*drop the table's option "timespan"/m, 'a dataset without any');
($rc, $out, $err) = $node->psql('postgres', 'SELECT * FROM elsewhere');
like($err, qr/^HINT:.*dataset of program "cmp"/m, 'a dataset of the other program');
($rc, $out, $err) = $node->psql('postgres', 'SELECT * FROM misspelt');
like($err, qr/^HINT:  Perhaps you meant the column "CUSTOMERMARKET"\./m, 'a column that is misspelt');
$node->safe_psql('postgres', 'DROP FOREIGN TABLE misspelt, spans, narrow, never, elsewhere');

is( $node->safe_psql('postgres', q(SELECT foreign_table, dataset, gone, new
		FROM pinsight_check_tables('partner')
		WHERE foreign_table = 'mpn.azure_usage'::regclass)),
	'mpn.azure_usage|AzureUsage|{ServiceName,CustomerName}|'
	  . '{LastRefreshDate,EstimatedCharge(USD),LicenseCount,IsPromoted,TagId,Remark,'
	  . 'TotalACR,MonthlySubscriptionLevelACR}',
	'pinsight_check_tables lists columns gone and new');
is( $node->safe_psql('postgres', q(SELECT cardinality(gone), new
		FROM pinsight_check_tables('partner') WHERE foreign_table = 'mpn.profile'::regclass)),
	'9|{}', 'and all columns of a dataset that is gone');

import_well('changed', 'LIMIT TO (azure_usage, "PartnerProfile", wide, odd)
	FROM SERVER partner INTO changed');
my %type = map { $_->[0] => "$_->[1] $_->[2]" } columns_of('changed.azure_usage');
is($type{customermarket}, 'text CUSTOMERMARKET', 'the type of a recased column is known');
is($type{last_refresh_date}, 'date LastRefreshDate', 'of unknown ones: a date,');
is($type{estimated_charge_usd}, 'numeric EstimatedCharge(USD)', 'money,');
is($type{license_count}, 'bigint LicenseCount', 'a count,');
is($type{is_promoted}, 'boolean IsPromoted', 'a truth,');
is($type{tag_id}, 'text TagId', 'text otherwise');
ok(!exists $type{service_name}, 'what is not offered is left out');
is($node->safe_psql('postgres', q(SELECT count(*) > 0, count(estimated_charge_usd) > 0
	FROM changed.azure_usage)), 't|t', 'it can be read');
is($node->safe_psql('postgres', 'SELECT count(*) FROM changed.partner_profile'), 60,
	'so can a dataset of another name');

my @wide = columns_of('changed.wide');
my %local = map { $_->[0] => $_->[2] } @wide;
is(scalar(keys %local), 500, '500 columns have names of their own');
ok(!(grep { length($_) > 63 } keys %local), 'that fit');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT * FROM changed.wide) w'), 60,
	'and can be read');
is(join(' ', map { $_->[0] } columns_of('changed.odd')) =~ s/_[0-9a-f]{8}\b/_#/r,
	'charge_cc charge_cc_# offset xmin_ user', 'odd names');
is($node->safe_psql('postgres', 'SELECT count(xmin_) > 0 FROM changed.odd'), 't',
	'can be read');

# the same from the columns in another order
my %first = map { $_->[2] => $_->[0] } columns_of('changed.wide'), columns_of('changed.odd');
$emulator->alter(sub {
	my ($datasets) = @_;
	@{ $datasets->{$_}{columns} } = reverse @{ $datasets->{$_}{columns} } foreach qw(Wide Odd);
});
import_well('again', 'LIMIT TO (wide, odd) FROM SERVER partner INTO again');
my %second = map { $_->[2] => $_->[0] } columns_of('again.wide'), columns_of('again.odd');
is_deeply(\%second, \%first, 'names do not depend on the order');

# types from a sample of rows
$emulator->clear_log;
import_well('sampled', q(LIMIT TO (azure_usage, wide, odd, ms_learn) FROM SERVER partner
	INTO sampled OPTIONS (sample 'true')));
%type = map { $_->[0] => $_->[1] } columns_of('sampled.azure_usage');
is($type{tag_id}, 'uuid', 'a sample tells a uuid');
is($type{is_promoted}, 'boolean', 'and a boolean');
is((columns_of('sampled.wide'))[499][1], 'bigint', 'and 500 numbers');
ok(!(grep { $_->{query} =~ /MSLearn/ } $emulator->log(endpoint => 'test_query')),
	'nothing is asked about known columns');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT * FROM sampled.azure_usage) u'),
	$node->safe_psql('postgres', 'SELECT count(*) FROM changed.azure_usage'),
	'the types hold');
$emulator->fault({ endpoint => 'test_query', status => 400, body => '{"message":"no"}', times => 0 });
$err = import_well('unsampled', q(LIMIT TO (azure_usage) FROM SERVER partner
	INTO unsampled OPTIONS (sample 'true')));
like($err, qr/WARNING:  dataset "AzureUsage" could not be sampled/, 'a sample that fails is a warning');
is({ map { $_->[0] => $_->[1] } columns_of('unsampled.azure_usage') }->{tag_id}, 'text',
	'and types come from names');
$emulator->control('DELETE', '/faults');

# datasets and columns that cannot be tables
$emulator->alter(sub {
	my ($datasets) = @_;
	push @{ $datasets->{Odd}{columns} }, { name => 'From', type => 'text' };
});
$err = import_well('odder', 'LIMIT TO (odd) FROM SERVER partner INTO odder');
like($err, qr/WARNING.*a column of dataset "Odd" is left out/, 'a column that is a keyword');
$emulator->fault({ endpoint => 'datasets', body => '{"value":[{"datasetName":"Empty",'
	  . '"selectableColumns":[],"availableMetrics":[],"availableDateRanges":[]},'
	  . '{"datasetName":"a b; DROP TABLE x","selectableColumns":["A"]},'
	  . '{"datasetName":"Bare","selectableColumns":["A","a","IsB"]}],'
	  . '"statusCode":200,"totalCount":3}', status => 200 });
$err = import_well('bare', 'FROM SERVER partner INTO bare');
like($err, qr/NOTICE:.*dataset "Empty" offers no columns/, 'a dataset without columns');
like($err, qr/WARNING:.*its name cannot be used/, 'a dataset without a usable name');
is(remote_names('bare.bare'), 'A IsB', 'columns that occur twice');
is($node->safe_psql('postgres',
		q(SELECT count(*) FROM pg_class WHERE relnamespace = 'bare'::regnamespace)), 1,
	'and nothing else');

# --- failures are whole, and clear

$node->safe_psql('postgres', 'CREATE SCHEMA clash; CREATE VIEW clash.wide AS SELECT 1 AS x');
($rc, $out, $err) = import_into('clash', 'FROM SERVER partner INTO clash');
like($err, qr/relation "wide" already exists/, 'a clash');
is($node->safe_psql('postgres',
		q(SELECT count(*) FROM pg_class WHERE relnamespace = 'clash'::regnamespace)), 1,
	'imports nothing');
$emulator->fault({ endpoint => 'datasets', status => 403, body => '{"message":"no role"}' });
($rc, $out, $err) = import_into('refused', 'FROM SERVER partner INTO refused');
like($err, qr/ERROR:.*server "partner"/, 'a refusal');
$emulator->fault({ endpoint => 'datasets', hang_ms => 20_000 });
($rc, $out, $err) = $node->psql('postgres', q(SET statement_timeout = '300ms';
	IMPORT FOREIGN SCHEMA mpn FROM SERVER partner INTO refused));
like($err, qr/canceling statement due to statement timeout/, 'a timeout ends the wait');

# --- nothing is left of imports that were cancelled or failed

$emulator->reset;
my $held = q(SELECT (SELECT count(*) FROM pg_ls_dir('/proc/self/fd')),
	(SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'pinsight%'););
my $import = 'IMPORT FOREIGN SCHEMA mpn LIMIT TO (profile) FROM SERVER partner INTO held;';
# Each name is compared with those before it.
$emulator->fault({ endpoint => 'datasets', body => { value => [ { datasetName => 'Wide',
			selectableColumns => [ map { "column_$_" } 1 .. 20_000 ] } ] } });
my $began = time();
($rc, $out, $err) = $node->psql('postgres', q(SET statement_timeout = '300ms';
	IMPORT FOREIGN SCHEMA mpn FROM SERVER partner INTO public));
like($err, qr/canceling statement due to statement timeout/, 'while very many columns are read, too');
cmp_ok(time() - $began, '<', 5, '... soon');

$emulator->fault([
	{ endpoint => 'datasets', nth => 2, times => 15, hang_ms => 10_000 },
	{ endpoint => 'datasets', nth => 17, times => 0, status => 404, body => '{}' } ]);
($rc, $out, $err) = $node->psql('postgres', "CREATE SCHEMA held; $import $held
	SET statement_timeout = '50ms';" . $import x 30 . $held,
	on_error_stop => 0);
my @held = split(/\n/, $out);
is(scalar(@held), 2, 'thirty imports fail');
is(() = $err =~ /canceling statement/g, 15, 'half of them cancelled');
is($held[1], $held[0], 'and leave neither descriptors nor memory');

# --- estimates outlive a session, and a restart

$emulator->reset;
$node->safe_psql('postgres', 'SELECT count(*) FROM cmp.isv_customer');
$node->restart;
like($node->safe_psql('postgres', 'EXPLAIN SELECT * FROM cmp.isv_customer'), qr/rows=60 /,
	'the number of rows is remembered');
my $folder = $node->data_dir . '/pinsight_fdw';
is(sprintf('%o', (stat $folder)[2] & 07777), '700', 'in a folder of its own');
ok(!(grep { (stat)[2] & 077 } glob("$folder/*")), 'that nobody else can read');
$node->safe_psql('postgres', q(DROP SCHEMA cmp CASCADE;
	IMPORT FOREIGN SCHEMA cmp LIMIT TO (isv_customer) FROM SERVER partner INTO bare;
	SELECT count(*) FROM bare.isv_customer));
my $orphans = $node->safe_psql('postgres', q(SELECT count(*) FROM pg_ls_dir('pinsight_fdw') f
	WHERE f LIKE '%.rows' AND split_part(f, '.', 2) NOT IN (SELECT ftrelid::text FROM pg_foreign_table)));
is($orphans, 0, 'files of dropped tables go');
ok(scalar(my @kept = glob("$folder/*.$_")), "but not all: $_") foreach qw(rows snapshot budget);
foreach my $file (glob("$folder/*"))
{
	open(my $handle, '>', $file) or die "$file: $!\n";
	print $handle "\x00garbage\n" x 100;
	close($handle);
}
like($node->safe_psql('postgres', 'EXPLAIN SELECT * FROM bare.isv_customer'), qr/rows=100000 /,
	'garbage is ignored');
is($node->safe_psql('postgres', q(SET pinsight_fdw.max_age = '1 hour';
	SELECT count(*) FROM bare.isv_customer)), 60, 'instead of rows, too');

$node->stop;
$emulator->stop;
done_testing();
