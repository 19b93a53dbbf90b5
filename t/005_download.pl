# Downloads that go wrong, in each form a report file comes in: what SELECT
# returns are the right rows or an error, and never fewer rows.

use strict;
use warnings;

use FindBin;
use IPC::Run qw(start finish);
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# One emulator for each form, so that all forms can be tried side by side.
my @forms;
foreach my $coding (
	[ 'gzip', {} ],
	[ 'gzip untold', { content_encoding => \0 } ],
	[ 'plain', { gzip => 'off' } ])
{
	foreach my $md5 (1, 0)
	{
		foreach my $length (1, 0)
		{
			my $name = join(', ', $coding->[0], $md5 ? 'MD5' : (),
				$length ? 'length' : 'chunked');
			push @forms,
			  {
				name => $name,
				plain => $coding->[0] eq 'plain',
				md5 => $md5,
				switches => {
					%{ $coding->[1] },
					$md5 ? () : (content_md5 => \0),
					$length ? () : (content_length => \0)
				}
			  };
		}
	}
}
$_->{emulator} = PinsightEmulator->new(
	options => [ '--rows', 300, '--report-delay', '0' ])
  foreach @forms;

my $emulator = $forms[0]{emulator};
my $node = $emulator->node('download', server => "poll_interval '20 ms', max_reports_per_hour '1000'");

# --- the truth

my $columns = 'subscription_id uuid, month date, acr boolean'
  . q( OPTIONS (column_name 'IsACRDuplicateAtPGALevel'));
my $number = 0;
foreach my $form (@forms)
{
	my $url = $form->{emulator}->api_url;
	my $server = 'form_' . $number++;

	$form->{table} = "usage_$server";
	$node->safe_psql('postgres', qq(
		CREATE SERVER $server FOREIGN DATA WRAPPER pinsight_fdw OPTIONS
			(tenant '$PinsightEmulator::tenant', api_url '$url',
			 login_url '$url', poll_interval '20 ms', max_reports_per_hour '1000');
		CREATE USER MAPPING FOR PUBLIC SERVER $server OPTIONS
			(client_id '$PinsightEmulator::client_id',
			 client_secret '$PinsightEmulator::client_secret',
			 refresh_token '$PinsightEmulator::refresh_token');
		CREATE FOREIGN TABLE $form->{table} ($columns) SERVER $server
			OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME')));
	$form->{emulator}->switches($form->{switches});
}

# SELECTs in all forms at once; what each returned is in its rows and error.
sub select_all
{
	my ($what, @which) = @_;
	my @runs;

	foreach my $form (@which)
	{
		my @psql = (
			$node->installed_command('psql'), '-XAtq', '-d',
			$node->connstr('postgres'), '-v', 'VERBOSITY=verbose', '-c',
			"SELECT $what FROM $form->{table}");
		push @runs, start(\@psql, '<', \undef, '>', \$form->{rows}, '2>',
			\$form->{error}, IPC::Run::timeout(60));
	}
	finish($_) foreach @runs;
	return;
}

my $all = q(subscription_id::text || ',' || month || ',' || coalesce(acr::int::text, ''));
select_all($all, @forms);
my $lines = $forms[0]{rows};
my $truth = join("\n", sort split(/\n/, $emulator->truth(
	q(SELECT SubscriptionId || ',' || Month || ','
		|| coalesce(IsACRDuplicateAtPGALevel, '') FROM mpn_AzureUsage))));
is(join("\n", sort split(/\n/, $lines)), $truth, 'rows as the emulator has them');
foreach my $form (@forms)
{
	is($form->{rows}, $lines, "sound download: $form->{name}");
	$form->{stored} = ($form->{emulator}->log(endpoint => 'download'))[0]{bytes_sent};
}

# --- the matrix

# The plain file is the header line and the rows as they are.
my $header = "SubscriptionId,Month,IsACRDuplicateAtPGALevel\n";
my $first = length((split(/\n/, $lines))[0]) + 1;
my $plain_size = length($header) + length($lines);
is($forms[8]{stored}, $plain_size, 'the plain file is what we think it is');

# Offsets in a stored file of that size.
sub offsets
{
	my ($form) = @_;
	my $size = $form->{stored};

	return (
		[ 'the first byte' => 0 ],
		[ 'the second byte' => 1 ],
		[ 'a byte of the header' => 5 ],
		[ 'the first row' => $form->{plain} ? length($header) : 10 ],
		[ 'the second row' => $form->{plain} ? length($header) + $first : 60 ],
		[ 'the middle' => int($size / 2) ],
		[ 'the last byte' => $size - 1 ],
		[ 'the end' => $size ]);
}

# One case: a fault of the download, for each form its own.
my @cases = map { my $fault = $_->[1]; [ $_->[0], sub { $fault } ] } (
	[ 'empty' => { empty => \1 } ],
	[ 'header line only' => { header_only => \1 } ],
	[ 'garbled' => { garble => \1 } ],
	[ 'always empty' => { empty => \1, times => 0 } ],
	[ 'always the header line only' => { header_only => \1, times => 0 } ],
	[ 'always garbled' => { garble => \1, times => 0 } ]);
foreach my $i (0 .. scalar(my @places = offsets($forms[0])) - 1)
{
	push @cases,
	  [ "truncated before $places[$i][0]",
		sub { return { truncate => (offsets($_[0]))[$i][1] } } ],
	  [ "reset before $places[$i][0]",
		sub { return { reset_after => (offsets($_[0]))[$i][1], rst => \1 } } ];
}
push @cases, [ 'always truncated before the second row',
	sub { return { truncate => (offsets($_[0]))[4][1], times => 0 } } ],
  [ 'always reset',
	sub { return { reset_after => int($_[0]{stored} / 3), times => 0 } } ];

# What came of a form: the right rows, an error, or what must not be.
sub outcome
{
	my ($form) = @_;

	return $form->{error} =~ /^ERROR:  (\w+): /m ? $1
	  : $form->{error} ne '' ? $form->{error}
	  : $form->{rows} eq $lines ? 'right'
	  : sprintf('WRONG: %d of %d rows', $form->{rows} =~ tr/\n//, $lines =~ tr/\n//);
}

# Whatever befalls a download once is put right; what befalls it always is an
# error, of the file (HV00M) if not of its cells.
sub expected
{
	my ($form, $name) = @_;

	return qr/^(22P02|22007|HV004)$/
	  if $name =~ /garbled/ && $form->{plain} && !$form->{md5};
	return qr/^HV00M$/ if $name =~ /always (?!reset)/;
	return qr/^right$/;
}

my $last = '';
foreach my $case (@cases)
{
	my ($name, $fault) = @$case;

	foreach my $form (@forms)
	{
		$form->{emulator}->control('DELETE', '/faults') if $last =~ /always/;
		$form->{emulator}->fault({ endpoint => 'download', %{ $fault->($form) } });
	}
	$last = $name;
	select_all($all, @forms);
	like(outcome($_), expected($_, $name), "$name: $_->{name}") foreach @forms;
}
foreach my $form (@forms)
{
	ok(!(grep { $_->{has_authorization} } $form->{emulator}->log(kind => 'blob')),
		"no download has a token: $form->{name}");
}
$_->{emulator}->stop foreach @forms[ 1 .. $#forms ];

# --- what is sent after a failure

my $session = PinsightSession->new($node);
my $table = $forms[0]{table};

# A SELECT with these faults of the download; the requests for the file.
sub downloads_of
{
	my ($sql, @faults) = @_;

	$emulator->control('DELETE', '/faults');
	$emulator->fault([ map { { endpoint => 'download', %$_ } } @faults ])
	  if @faults;
	$emulator->clear_log;
	my $rows = $session->rows("SELECT $sql FROM $table");
	is($rows . "\n", $lines, 'the right rows') if $sql eq $all;
	return $emulator->log(endpoint => 'download');
}

sub statuses { return join(' ', map { $_->{status} // 'none' } @_); }
sub ranges { return join(' ', map { $_->{headers}{Range} // '-' } @_); }

# Times the service was asked for another link.
sub links
{
	my @after = $emulator->log;

	shift @after while @after && $after[0]{endpoint} ne 'download';
	return scalar(grep { $_->{endpoint} eq 'executions' } @after);
}

my @sent = downloads_of($all, { reset_after => 300 }, { reset_after => 500 });
is(statuses(@sent), '200 206 206', 'two resets: resumed twice');
is(ranges(@sent), '- bytes=300- bytes=800-', 'from where it broke off');
ok(!defined $sent[0]{headers}{'If-Match'}, 'the first is for any file');
like($sent[1]{headers}{'If-Match'} // '', qr/^"[^"]+"$/, 'the others for the same');
is($sent[2]{headers}{'If-Match'}, $sent[1]{headers}{'If-Match'}, 'and again');
is(links(), 0, 'the link is good for all');

@sent = downloads_of($all, { reset_after => 300 }, { status => 412 });
is(statuses(@sent), '200 412 200', 'another file: begun anew');
is(ranges(@sent), '- bytes=300- -', 'from the first byte');

@sent = downloads_of($all, { reset_after => 300 },
	{ status => 416, headers => { 'Content-Range' => 'bytes */299' } });
is(ranges(@sent), '- bytes=300- -', 'a shorter file: begun anew');
@sent = downloads_of($all, { reset_after => 300 }, { status => 416 });
is(ranges(@sent), '- bytes=300- -', 'or a short one: begun anew');
$emulator->switches({ content_length => \0 });
@sent = downloads_of($all, { reset_after => $forms[0]{stored} });
is(statuses(@sent), '200 416', 'broken off behind the last byte: nothing is missing');
$emulator->switches({ content_length => \1 });

@sent = downloads_of($all, { reset_after => 300 },
	{ status => 200, body => $header });
is(ranges(@sent), '- bytes=300- -', 'the range is not heeded: begun anew');

@sent = downloads_of($all, { reset_after => 300 }, { expired_link => \1 });
is(statuses(@sent), '200 403 206', 'the link expires on the way');
is(ranges(@sent), '- bytes=300- bytes=300-', 'goes on where it was');
is(links(), 1, 'with a fresh link, asked for once');

@sent = downloads_of($all,
	{ status => 503, headers => { 'Retry-After' => '0' } }, { status => 429 });
is(statuses(@sent), '503 429 200', 'a busy store is asked again');

@sent = downloads_of($all, { stall_after => 300, hang_ms => 300 });
is(statuses(@sent), '200', 'silence for a while is no failure');
$node->safe_psql('postgres', q(
	ALTER SERVER form_0 OPTIONS (ADD request_timeout '1 s')));
@sent = downloads_of($all, { stall_after => 300, hang_ms => 20000 });
is(ranges(@sent), '- bytes=300-', 'longer silence is one');
$node->safe_psql('postgres', q(
	ALTER SERVER form_0 OPTIONS (DROP request_timeout)));

# Without a digest the end is asked for.
$emulator->switches({ content_md5 => \0 });
@sent = downloads_of($all);
is(statuses(@sent), '200 416', 'no digest: nothing follows the end');
$emulator->switches({ content_md5 => \0, gzip => 'off', csv_no_final_newline => \1 });
@sent = downloads_of($all);
is(statuses(@sent), '200 416', 'which proves a file without a final newline, too');
is(ranges(@sent), '- bytes=' . ($plain_size - 1) . '-', 'by all its bytes');

# A reply was cut and made to fit; of the rest only the proof of its end is lost.
$emulator->switches({ content_length => \0, csv_no_final_newline => \0 });
@sent = downloads_of($all, { truncate => $plain_size - 300 }, { reset_after => 300 });
is(statuses(@sent), '200 206 416', 'broken off behind the end, where there was another');
is(ranges(@sent), "- bytes=@{[ $plain_size - 300 ]}- bytes=$plain_size-", 'which is not the end');
$emulator->switches({ content_length => \1, content_md5 => \1 });

# The store forgets what length it has told.
$emulator->switches({ content_md5 => \0 });
@sent = downloads_of($all, { reset_after => $plain_size - 10 }, { status => 416 });
is(statuses(@sent), '200 416 200 416', 'nothing is said to follow where something has to: begun anew');
$emulator->switches({ content_md5 => \1 });

# Errors.
sub error_of
{
	my (@faults) = @_;

	$emulator->control('DELETE', '/faults');
	$emulator->fault([ map { { endpoint => 'download', %$_ } } @faults ]);
	$emulator->clear_log;
	return $session->error("SELECT count(*) FROM $table");
}

my $error = error_of({ expired_link => \1, times => 0 });
like($error->{message}, qr/HTTP status 403/, 'no link is good');
cmp_ok(links(), '<=', 2, 'only some are asked for');
$error = error_of({ redirect => $emulator->blob_url . '/reports/elsewhere' });
like($error->{message}, qr/HTTP status 302/, 'a redirect is an error');
is(scalar(my @redirected = $emulator->log(kind => 'blob')), 1, 'and not followed');

@sent = do {
	$emulator->control('DELETE', '/faults');
	$emulator->clear_log;
	$emulator->fault({ endpoint => 'executions', expired_link => \1, times => 0 });
	$emulator->fault({ endpoint => 'download', nth => 2, status => 500 });
	$session->error("SELECT count(*) FROM $table");
	$emulator->log(endpoint => 'download');
};
like(statuses(@sent), qr/^403 /, 'links that are born expired are refused');

# --- forms of the file

my $many = PinsightEmulator->new(options => [ '--rows', 2500, '--report-delay', '0' ]);
$node->safe_psql('postgres', "ALTER SERVER form_1 OPTIONS (SET api_url '"
	. $many->api_url . "', SET login_url '" . $many->api_url . "')");
$emulator->control('DELETE', '/faults');
my @texts = qw(CustomerName CustomerMarket PartnerName Product CustomerTenantName);
my $list = join(', ', map { "$_ text OPTIONS (column_name '$_')" } map { lc } @texts);
$node->safe_psql('postgres', qq(
	CREATE FOREIGN TABLE texts ($list) SERVER form_1
		OPTIONS (dataset 'CustomersAndTenants', timespan 'LIFETIME');
	CREATE FOREIGN TABLE tabbed ($list) SERVER form_1
		OPTIONS (dataset 'CustomersAndTenants', timespan 'LIFETIME', format 'tsv')));
sub hex_of
{
	my ($from, $null) = @_;

	return join("\n", sort split(/\n/, $session->rows(
		"SELECT encode(convert_to(concat_ws('|', "
		. join(', ', map { "coalesce($_, '$null')" } map { lc } @texts)
		. "), 'UTF8'), 'hex') FROM $from")));
}

sub hex_truth
{
	my ($null) = @_;

	return join("\n", sort split(/\n/, $many->truth(
		'SELECT lower(hex('
		. join(q( || '|' || ), map { "coalesce($_, '$null')" } @texts)
		. ')) FROM mpn_CustomersAndTenants')));
}

my $rows = hex_of('texts', '~');
my $hex = hex_truth('~');
ok(scalar($hex =~ qr/0a/), 'there are line ends in texts');
ok(scalar($hex =~ qr/22/), 'and quotes');
ok(scalar($hex =~ qr/[cd][0-9a-f][89ab]/), 'and letters beyond ASCII');
ok($rows eq $hex, 'all kinds of texts');

my @switches = qw(csv_bom csv_crlf csv_no_final_newline csv_header_lower
  csv_shuffle_columns csv_extra_column);
foreach my $switch ('none', @switches, 'all')
{
	$many->switches({ map { $_ => $_ eq $switch || $switch eq 'all' ? \1 : \0 } @switches });
	ok(hex_of('texts', '~') eq $hex, "$switch: CSV");
	ok(hex_of('tabbed', '~') eq $hex, "$switch: TSV");
}
$many->switches({ (map { $_ => \0 } @switches), csv_quote_all => \1 });
ok(hex_of('texts', '') eq hex_truth(''), 'csv_quote_all, where no text is NULL');
$many->stop;
$emulator->switches({ gzip => 'stored' });

# --- files of our own

# Lets the next download be this text.
sub serve
{
	my ($text, %more) = @_;

	$emulator->control('DELETE', '/faults');
	$emulator->fault({ endpoint => 'download', status => 200, body => $text, %more });
	return;
}

$node->safe_psql('postgres', q(
	CREATE FOREIGN TABLE small (a text OPTIONS (column_name 'ServiceName'),
		n integer OPTIONS (column_name 'UsageQuantity'),
		d date OPTIONS (column_name 'Month'))
	SERVER form_0 OPTIONS (dataset 'AzureUsage', timespan 'LIFETIME')));

serve("ServiceName\nx\n", times => 0);
$error = $session->error('SELECT * FROM small');
is($error->{message},
	'server "form_0": report file lacks column "UsageQuantity", "Month"',
	'missing columns are named');

serve("ServiceName,UsageQuantity,Month\na,1,2026-01-01\n\"b\nc\",2,2026-02-30\n");
$error = $session->error('SELECT * FROM small');
like($error->{message}, qr/"2026-02-30"/, 'a bad cell: its text');
is($error->{sqlstate}, '22008', 'as the type says it');
like($error->{context}, qr/line 3, field "Month", column "d" of foreign table "small"/,
	'line, field, column and table');

serve("ServiceName,UsageQuantity,Month\na,1,2026-01-01,\n");
$error = $session->error('SELECT count(*) FROM small');
like($error->{message}, qr/4 fields where its header has 3/, 'a field too many');
serve("ServiceName,UsageQuantity,Month\na,1\n");
$error = $session->error('SELECT count(*) FROM small');
like($error->{message}, qr/2 fields where its header has 3/, 'a field too few');
serve("ServiceName,UsageQuantity,Month\n\"a,1,2026-01-01\n", times => 0);
$error = $session->error('SELECT count(*) FROM small');
like($error->{message}, qr/unterminated quoted field in record at line 2/, 'an open quote');

serve("ServiceName,UsageQuantity,Month\n");
is($session->rows('SELECT * FROM small'), '', 'no rows but a header');
serve('', headers => { 'Content-MD5' => '1B2M2Y8AsgTpgAmY7PhCfg==' });
is($session->rows('SELECT * FROM small'), '', 'no byte at all, and a digest that says so');
serve(qq(ServiceName,UsageQuantity,Month\n"",1,2026-01-01\n,2,\n"x ""y""\nz",,2026-02-01\n));
is($session->rows(q(SELECT coalesce(a, '~'), n, d FROM small)),
	"|1|2026-01-01\n~|2|\nx \"y\"\nz||2026-02-01",
	'empty is NULL, but not in quotes for a text');

# --- on_error 'set_null'

my $rotten = "ServiceName,UsageQuantity,Month\na,x,2026-13-01\nb,2,2026-02-01\nc,3,oops\n";
my $said = qr/^WARNING:  \w+: 3 cells of foreign table "small" could not be read and were set to null\nDETAIL:  The first: invalid input syntax for type integer: "x" \(line 2, field "UsageQuantity"\)\.$/m;
$node->safe_psql('postgres', q(ALTER FOREIGN TABLE small OPTIONS (ADD on_error 'set_null')));

# Rows and the number of warnings.
sub lenient
{
	my ($what, $sql, $rows, $warning) = @_;

	serve($rotten);
	is($session->rows($sql), $rows, "set_null: $what");
	like($session->said, $warning, '... warns');
	is(scalar(my @warnings = $session->said =~ /^WARNING/mg), 1, '... once');
	return;
}

lenient('a scan', 'SELECT * FROM small', "a||\nb|2|2026-02-01\nc|3|", $said);
lenient('LIMIT', 'SELECT * FROM (SELECT * FROM small OFFSET 0) s LIMIT 1', 'a||', qr/WARNING:  \w+: 2 cells/);
$session->rows(q(SET enable_material = off; SET enable_memoize = off));
lenient('a rescan', 'SELECT i, (SELECT count(*) FROM small WHERE n + i > 0 OR d IS NULL)'
	. ' FROM generate_series(1, 3) i', "1|3\n2|3\n3|3", $said);
lenient('a cursor', 'BEGIN; DECLARE c CURSOR FOR SELECT * FROM small;'
	. ' FETCH 1 FROM c; FETCH 1 FROM c; COMMIT', "a||\nb|2|2026-02-01",
	qr/WARNING:  \w+: 2 cells/);
lenient('in an exception block',
	'DO $$ BEGIN PERFORM * FROM small; EXCEPTION WHEN division_by_zero THEN NULL; END $$',
	'', $said);
serve("ServiceName,UsageQuantity,Month\na,1,2026-01-01\nb,2\n");
$error = $session->error('SELECT * FROM small');
like($error->{message}, qr/2 fields where/, 'a broken line is an error all the same');
$session->quit;

# --- a database in another encoding

$node->safe_psql('postgres', q(
	CREATE DATABASE latin1 ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'));
$node->safe_psql('latin1', $node->safe_psql('postgres', qq(
	SELECT 'CREATE EXTENSION pinsight_fdw;
		CREATE SERVER partner FOREIGN DATA WRAPPER pinsight_fdw OPTIONS
			(tenant ''$PinsightEmulator::tenant'', api_url ''${\ $emulator->api_url}'',
			 login_url ''${\ $emulator->api_url}'', max_reports_per_hour ''1000'');
		CREATE USER MAPPING FOR PUBLIC SERVER partner OPTIONS
			(client_id ''$PinsightEmulator::client_id'',
			 client_secret ''$PinsightEmulator::client_secret'',
			 refresh_token ''$PinsightEmulator::refresh_token'');
		CREATE FOREIGN TABLE t (name text OPTIONS (column_name ''CustomerName''),
			n int OPTIONS (column_name ''UsageQuantity''))
		SERVER partner OPTIONS (dataset ''AzureUsage'', timespan ''LIFETIME'')')));
$session = PinsightSession->new($node, 'latin1');
$session->rows(q(SET client_encoding = 'LATIN1'));
serve("CustomerName,UsageQuantity\nK\x{f6}ln,1\n");
is($session->rows(q(SELECT encode(name::bytea, 'escape'), n FROM t)), 'K\366ln|1',
	'LATIN1: text that it can express');
serve("CustomerName,UsageQuantity\n\x{20ac}uro,1\n");
$error = $session->error('SELECT * FROM t');
is($error->{sqlstate}, '22P05', 'LATIN1: text that it cannot');
like($error->{context}, qr/line 2, field "CustomerName", column "name"/, 'and where it is');
serve("CustomerName,UsageQuantity\n\x{20ac}uro,1\n");
is($session->rows('SELECT n FROM t'), '1', 'which does not matter to other columns');
serve("CustomerName,UsageQuantity\nx,\x{20ac}5\n");
like($session->error('SELECT n FROM t')->{text}, qr/line 2, field "UsageQuantity"/,
	'a bad cell that it cannot express');
$session->quit;

$node->stop;
$emulator->stop;
done_testing();
