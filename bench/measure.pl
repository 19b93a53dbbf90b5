#!/usr/bin/perl
# Runs every query with every peer, in turn, and notes what each took.
#
# usage: bench/measure.pl --work DIR --rows N --raw FILE [--rounds N]
#                         [--variants A,B] [--peers A,B] [--queries A,B] [--columns]
#
# Run by bench/run, beside a PostgreSQL and an emulator.  Appends to FILE; what
# is in it is told in report.pl, which makes tables of it.

use strict;
use warnings;

use FindBin;
use Getopt::Long;
use HTTP::Tiny;
use IPC::Open2;
use JSON::PP;
use POSIX ();
use Time::HiRes qw(sleep time);

my %o = (rounds => 3, variants => 'csv', peers => '', queries => '');
GetOptions(\%o, 'work=s', 'raw=s', 'rows=i', 'rounds=i', 'variants=s', 'peers=s', 'queries=s',
	'columns')
  or exit 2;
my $work = $o{work};

# --- variants: a report, and what is asked of it

my @usage = qw(PGAMpnId:text SubscriptionId:uuid SubscriptionStartDate:date
  SubscriptionEndDate:date FirstUseDate:date SubscriptionState:text Month:date
  ServiceName:text MeterCategory:text UsageUnits:text UsageQuantity:numeric
  CustomerName:text CustomerTenantId:uuid CustomerTpid:text CustomerSegment:text
  CustomerMarket:text MpnId:text PartnerName:text PartnerLocationID:text
  PartnerAttributionType:text SalesChannel:text EnrollmentNumber:text
  IsACRDuplicateAtPGALevel:boolean ResellerID:text ResellerName:text
  PartnerLocation:text MonthlySubscriptionLevelACR:numeric);
my %usage = (
	dataset => 'AzureUsage', timespan => 'LIFETIME', columns => \@usage,
	count1 => 'IsACRDuplicateAtPGALevel', amount => 'MonthlySubscriptionLevelACR',
	group => 'CustomerMarket', name => 'CustomerName',
	filter => q("CustomerMarket" = 'Germany' AND NOT "IsACRDuplicateAtPGALevel"));
my %variants = (
	csv => {%usage},
	large => {%usage},
	gzip => { %usage, gzip => 1 },
	tsv => { %usage, format => 'tsv' },
	narrow => {
		%usage,
		columns => [qw(ServiceName:text CustomerName:text CustomerMarket:text PartnerName:text)],
		count1 => 'PartnerName', amount => undef, filter => q("CustomerMarket" = 'Germany')
	},
	wide => {
		dataset => 'CLASAzurePropensity', columns => [ columns_of('CLASAzurePropensity') ],
		count1 => 'AzureUpsellCustomer', amount => 'NumberofRecommendedWorkloads',
		group => 'Country', name => 'AccountName', filter => q("Country" = 'Germany')
	});

# The columns of a dataset of the catalogue.
sub columns_of
{
	my ($name) = @_;
	open(my $in, '<', "$FindBin::RealBin/../catalog/datasets.json") or die "catalogue: $!\n";
	my ($dataset) = grep { $_->{name} eq $name } @{ decode_json(join '', <$in>)->{datasets} };
	return map { "$_->{name}:$_->{type}" } @{ $dataset->{columns} };
}

# A column as [name here, type, name there]: names there may be too long for here.
sub column_names
{
	my ($variant) = @_;
	my $n = 0;
	return map {
		my ($name, $type) = split /:/;
		$n++;
		[ length $name < 64 ? $name : "column$n", $type, $name ]
	} @{ $variant->{columns} };
}

# name => SQL over %s; "quiet" ones send all rows to a client that drops them
sub queries_of
{
	my ($v) = @_;
	my $counts = join ', ', map { qq(count("$_->[0]")) } column_names($v);
	my $amount = $v->{amount} ? qq(sum("$v->{amount}")) : 'count(*)';
	my @queries = (
		[ count => 'SELECT count(*) FROM %s' ],
		[ count1 => qq(SELECT count("$v->{count1}") FROM %s) ],
		[ sum => "SELECT $amount FROM %s" ],
		[ group => qq(SELECT "$v->{group}", $amount FROM %s GROUP BY 1 ORDER BY 1) ],
		[ filter => qq(SELECT count(*), min("$v->{name}"), $amount FROM %s WHERE $v->{filter}) ],
		[ filterall => "SELECT $counts FROM %s WHERE $v->{filter}" ],
		[ limit1 => 'SELECT * FROM %s LIMIT 1' ],
		[ all => "SELECT $counts FROM %s" ],
		[ star => 'SELECT * FROM %s', 'quiet' ]);
	@queries = grep { $_->[0] ne 'sum' } @queries if !$v->{amount};
	return chosen($o{queries}, sub { $_[0][0] }, @queries);
}

# Those whose names are in a list; all, if it is empty.
sub chosen
{
	my ($list, $name, @all) = @_;
	my %wanted = map { $_ => 1 } split /,/, $list;
	return %wanted ? grep { $wanted{ $name->($_) } } @all : @all;
}

# --- sessions: each a process that answers until a line says END

my @started;

END
{
	my $status = $?;
	kill 'TERM', @started if @started;
	$? = $status;
}

sub start
{
	my (@command) = @_;
	my $pid = open2(my $out, my $in, @command);
	push @started, $pid;
	$in->autoflush(1);
	return { pid => $pid, in => $in, out => $out };
}

sub answer
{
	my ($session) = @_;
	my @lines;
	while (defined(my $line = readline $session->{out}))
	{
		chomp $line;
		return join("\n", @lines) if $line eq 'END';
		push @lines, $line;
	}
	die "a peer has ended: @lines\n";
}

sub end_session
{
	my ($session) = @_;
	close $session->{in};
	close $session->{out};
	waitpid $session->{pid}, 0;
	@started = grep { $_ != $session->{pid} } @started;
	return;
}

sub psql_session
{
	my ($settings) = @_;
	my $session = start(qw(psql -XAtq -v ON_ERROR_STOP=1));
	$session->{measured} = psql($session,
		"SET client_min_messages = error; $settings SELECT pg_backend_pid();");
	return $session;
}

sub psql
{
	my ($session, $sql) = @_;
	print { $session->{in} } "$sql\n\\echo END\n";
	return answer($session);
}

# --- the service, and a plain web server for the report, if there is nginx

my $http = HTTP::Tiny->new(timeout => 600);
my $api = $ENV{PINSIGHT_API_URL};
my $control = $ENV{PINSIGHT_CONTROL_URL};
my $www = $ENV{BENCH_WWW} // '';           # its folder, or ''

sub ask
{
	my ($method, $url, %more) = @_;
	my $reply = $http->request($method, $url, \%more);
	die "$method $url: $reply->{status} $reply->{content}\n" if !$reply->{success};
	return $reply->{content} eq '' ? undef : decode_json($reply->{content});
}

sub command
{
	my ($method, $path, $content) = @_;
	return ask($method, "$control/$path", content => encode_json($content // {}));
}

# What the service says of a report: its executions, each with a secure link.
sub executions
{
	my ($report) = @_;
	my $token = ask('POST', "$api/contoso.onmicrosoft.com/oauth2/token",
		headers => { 'Content-Type' => 'application/x-www-form-urlencoded' },
		content => $http->www_form_urlencode({
				grant_type => 'refresh_token',
				refresh_token => 'emulator-refresh-token',
				client_id => '22222222-2222-2222-2222-222222222222',
				client_secret => 'emulator-secret',
				resource => 'https://api.partnercenter.microsoft.com'
			}))->{access_token};
	return ask('GET', "$api/insights/v1/mpn/ScheduledReport/execution/$report",
		headers => { Authorization => "Bearer $token" });
}

# Has the service tell another link to a report.
sub tell_link
{
	my ($variant, $link) = @_;
	my $reply = executions($variant->{report});
	$_->{reportAccessSecureLink} = $link foreach @{ $reply->{value} };
	command('POST', 'faults',
		{ endpoint => 'executions', times => 0, status => 200, body => $reply,
			headers => { 'Content-Type' => 'application/json' } });
	return;
}

# Sees to it that the next scan has to get the report, by the given scheme, and
# returns where it is.
sub offer_report
{
	my ($variant, $scheme) = @_;
	command('DELETE', 'faults');
	psql($variant->{admin}, "SELECT pinsight_forget('ours');") if !$variant->{kept};
	return executions($variant->{report})->{value}[-1]{reportAccessSecureLink} if $www eq '';
	my $link = $ENV{ $scheme eq 'https' ? 'BENCH_HTTPS' : 'BENCH_HTTP' } . "/$variant->{folder}/report";
	tell_link($variant, $link);
	return $link;
}

# Bytes of reports sent since the last time.
my $sent_log;

sub bytes_sent
{
	my $sum = 0;
	if ($www ne '')
	{
		open($sent_log, '<', "$www/sent.log") or die "sent.log: $!\n" if !$sent_log;
		seek $sent_log, 0, 1;
		while (my $line = readline $sent_log) { $sum += $line; }
	}
	$sum += $_->{bytes_sent} // 0 foreach grep { $_->{endpoint} eq 'download' } @{ ask('GET', "$control/log") };
	command('DELETE', 'log');
	return $sum;
}

# --- tables

sub definition
{
	my ($variant, $remote) = @_;
	return '('
	  . join(', ', map { qq("$_->[0]" $_->[1]) . ($remote && $_->[0] ne $_->[2] ? " OPTIONS (column_name '$_->[2]')" : '') }
		  column_names($variant)) . ')';
}

sub create_servers
{
	my ($admin) = @_;
	my $authority = $www eq '' ? '' : "ca_file '$www/server.pem',";
	psql($admin, <<SQL);
CREATE EXTENSION pinsight_fdw;
CREATE EXTENSION file_fdw;
CREATE SERVER partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url '$api', login_url '$api', $authority
			 wait_timeout '1 hour', poll_interval '50 ms', max_reports_per_hour '1000');
CREATE USER MAPPING FOR PUBLIC SERVER partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret', refresh_token 'emulator-refresh-token');
CREATE SERVER file FOREIGN DATA WRAPPER file_fdw;
CREATE FUNCTION floor_handler() RETURNS fdw_handler AS '$work/floor' LANGUAGE C;
CREATE FOREIGN DATA WRAPPER floor HANDLER floor_handler;
CREATE SERVER floor FOREIGN DATA WRAPPER floor;
SQL
	return;
}

# Has the report made, and saves it as a file of its own.
sub make_report
{
	my ($variant) = @_;
	my ($admin, $format) = ($variant->{admin}, $variant->{format});
	my $timespan = $variant->{timespan} ? "timespan '$variant->{timespan}'," : '';
	my $gzip = $variant->{gzip} ? 'stored' : 'off';
	command('POST', 'reset');
	command('PUT', 'switches', { gzip => $gzip, content_encoding => $variant->{gzip} ? JSON::PP::true : JSON::PP::false });
	psql($admin, <<SQL);
DROP FOREIGN TABLE IF EXISTS ours, new;
CREATE FOREIGN TABLE ours @{[ definition($variant, 'remote') ]} SERVER partner
	OPTIONS ($timespan dataset '$variant->{dataset}', format '$format');
CREATE FOREIGN TABLE new @{[ definition($variant, 'remote') ]} SERVER partner
	OPTIONS ($timespan dataset '$variant->{dataset}', format '$format');
SQL
	$variant->{report} = psql($admin, "SELECT pinsight_schedule('ours', '24 hours');");
	command('POST', 'clock', { advance_seconds => 20000 });
	psql($admin, 'SELECT count(*) FROM ours;');
	psql($admin, 'ANALYZE ours;');
	my $link = executions($variant->{report})->{value}[-1]{reportAccessSecureLink};
	$variant->{file} = "$work/report.$format";
	unlink $variant->{file};
	system('curl', '-sf', '--compressed', '-o', $variant->{file}, $link) == 0 or die "no file\n";
	return if $www eq '';
	$variant->{folder} = $variant->{gzip} ? 'gzip' : 'plain';
	my $copy = "$www/$variant->{folder}/report";
	mkdir "$www/$variant->{folder}";
	unlink $copy;
	return if !$variant->{gzip} && link($variant->{file}, $copy);
	system('curl', '-sf', '-o', $copy, $link) == 0 or die "no file\n";
	return;
}

sub create_tables
{
	my ($variant, %with) = @_;
	my ($admin, $file) = @$variant{qw(admin file)};
	my $definition = definition($variant);
	my $delimiter = $variant->{format} eq 'tsv' ? q(E'\t') : q(',');
	my $options = "format 'csv', header 'true', delimiter $delimiter";
	psql($admin, <<SQL);
DROP FOREIGN TABLE IF EXISTS local, curl, floor;
DROP TABLE IF EXISTS heap;
CREATE FOREIGN TABLE local $definition SERVER file OPTIONS (filename '$file', $options);
CREATE FOREIGN TABLE curl $definition SERVER file OPTIONS (program 'false', $options);
CREATE UNLOGGED TABLE heap $definition;
CREATE FOREIGN TABLE floor $definition SERVER floor OPTIONS (source 'heap', rows '$variant->{rows}');
SQL
	psql($admin, "COPY heap FROM '$file' (FORMAT csv, HEADER, DELIMITER $delimiter); VACUUM (FREEZE, ANALYZE) heap;")
	  if $with{heap};
	return;
}

# --- peers: name, table or file, settings, what is done before each query

my $parallel = 'SET max_parallel_workers_per_gather = 1; SET parallel_setup_cost = 0; '
  . 'SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;';

sub point_curl_at
{
	my ($variant) = @_;
	my $link = offer_report({ %$variant, kept => 1 }, 'http');
	psql($variant->{admin}, qq(ALTER FOREIGN TABLE curl OPTIONS (SET program 'curl -sf --compressed "$link"');));
	return;
}

# Sees to it that the report is here: some scans before may have taken its first
# rows only.
sub keep_report
{
	my ($variant) = @_;
	psql($variant->{admin}, 'SELECT count(*) FROM ours;');
	return;
}

# Has nothing at hand of what a table without a scheduled report shows.
sub forget_new
{
	my ($variant) = @_;
	command('DELETE', 'faults');
	psql($variant->{admin}, "SELECT pinsight_forget('new');");
	return;
}

sub peers_of
{
	my ($variant) = @_;
	my @peers = (
		{ name => 'heap', table => 'heap' },
		{ name => 'snapshot', table => 'ours', before => sub { keep_report($variant) } },
		{ name => 'first', table => 'ours', before => sub { offer_report($variant, 'http') } },
		$www ne '' ? { name => 'https', table => 'ours', before => sub { offer_report($variant, 'https') } } : (),
		{ name => 'new', table => 'new', only => qr/LIMIT/, before => sub { forget_new($variant) } },
		{ name => 'curl', table => 'curl', before => sub { point_curl_at($variant) } },
		{ name => 'local', table => 'local' },
		{ name => 'heap2', table => 'heap', settings => $parallel },
		{ name => 'snapshot2', table => 'ours', settings => $parallel, before => sub { keep_report($variant) } },
		$ENV{BENCH_DUCKDB} ? { name => 'duckdb', duck => 1 } : (),
		{ name => 'floor', table => 'floor' });
	return chosen($o{peers}, sub { $_[0]{name} }, @peers);
}

# DuckDB's decimals of 18 digits are several times faster, but too short for the data.
sub duck_table
{
	my ($variant) = @_;
	my %types = (text => 'VARCHAR', uuid => 'UUID', date => 'DATE', numeric => 'DECIMAL(38,10)',
		boolean => 'BOOLEAN', bigint => 'BIGINT');
	my $columns = join ', ', map { "'$_->[0]': '$types{$_->[1]}'" } column_names($variant);
	my $delim = $variant->{format} eq 'tsv' ? "'\\t'" : "','";
	return "read_csv('$variant->{file}', header=true, delim=$delim, quote='\"', escape='\"', auto_detect=false, "
	  . "nullstr='', allow_quoted_nulls=false, columns={$columns})";
}

my $duck;

sub duck_session
{
	return $duck if $duck;
	$duck = start('env', "NODE_PATH=$work/node_modules", 'node', "$work/duck.js");
	$duck->{measured} = $duck->{pid};
	print { $duck->{in} } encode_json({ sql => 'SET threads = 1' }), "\n";
	answer($duck);
	return $duck;
}

# --- memory: the highest that a process has of its own, from a child that looks

sub anonymous
{
	my ($pid) = @_;
	open(my $in, '<', "/proc/$pid/status") or return;
	while (my $line = <$in>) { return $1 if $line =~ /^RssAnon:\s*(\d+)/; }
	return;
}

# Processor time that a process has used, in ms.
sub processor
{
	my ($pid) = @_;
	open(my $in, '<', "/proc/$pid/schedstat") or return 0;
	return (split ' ', <$in>)[0] / 1e6;
}

sub watch
{
	my ($pid) = @_;
	my $child = open(my $out, '-|') // die "fork: $!\n";
	if ($child == 0)
	{
		my $peak = 0;
		local $SIG{TERM} = sub { syswrite(STDOUT, "$peak\n"); POSIX::_exit(0); };
		while (defined(my $now = anonymous($pid)))
		{
			$peak = $now if $now > $peak;
			sleep 0.01;
		}
		POSIX::_exit(1);
	}
	push @started, $child;
	return { pid => $child, out => $out };
}

sub watched
{
	my ($watch) = @_;
	sleep 0.015;
	kill 'TERM', $watch->{pid};
	my $peak = readline $watch->{out};
	close $watch->{out};
	pop @started;
	return 0 + ($peak // 0);
}

# --- rounds

# Runs a query: milliseconds that it took, and of the processor's in the backend;
# peak memory in kB, bytes sent, answer.
sub run
{
	my ($variant, $peer, $query) = @_;
	my (undef, $sql, $quiet) = @$query;
	$peer->{before}->() if $peer->{before};

	# a backend of its own each time: a change of the table is not paid for here
	my $session = $peer->{duck} ? duck_session() : psql_session($peer->{settings} || '');
	my $line;
	if ($peer->{duck})
	{
		$line = encode_json({ sql => sprintf($sql, duck_table($variant)), quiet => $quiet ? \1 : \0 }) . "\n";
	}
	else
	{
		my $text = sprintf($sql, $peer->{table});
		$line = $quiet ? "\\copy ($text) TO '$work/null'\n\\echo END\n" : "$text;\n\\echo END\n";
		psql($session, "EXPLAIN $text;");
	}
	bytes_sent();
	my $watch = watch($session->{measured});
	my $used = processor($session->{measured});
	my $started = time;
	print { $session->{in} } $line;
	my $answer = answer($session);
	my $ms = 1000 * (time - $started);
	$used = processor($session->{measured}) - $used;
	my $peak = watched($watch);
	end_session($session) if !$peer->{duck};
	return ($ms, $used, $peak, bytes_sent(), $quiet ? '' : $answer =~ s/\n/; /gr);
}

sub limit
{
	my (@command) = @_;
	my $started = time;
	system("@command > /dev/null") == 0 or die "@command\n";
	return 1000 * (time - $started);
}

open(my $raw, '>>', $o{raw}) or die "$o{raw}: $!\n";
$raw->autoflush(1);

sub note
{
	print $raw join("\t", @_), "\n";
	return;
}

sub measure
{
	my ($name, $variant) = @_;
	my @peers = peers_of($variant);
	my @queries = queries_of($variant);
	my $link;
	for my $round (0 .. $o{rounds})
	{
		foreach my $query (@queries)
		{
			foreach my $peer (@peers)
			{
				# curl cannot write to a pipe that nobody reads any more
				next if $peer->{name} eq 'curl' && $query->[1] =~ /LIMIT/;
				next if $peer->{only} && $query->[1] !~ $peer->{only};
				my ($ms, @rest) = run($variant, $peer, $query);
				note('run', $name, $round, $query->[0], $peer->{name}, sprintf('%.2f', $ms), @rest);
			}
		}
		my $link = offer_report({ %$variant, kept => 1 }, 'http');
		note('limit', $name, $round, 'curl', limit("curl -sf '$link'"));
		note('limit', $name, $round, $_, limit("$work/limit $_ $variant->{file}")) foreach qw(read memchr);
		print "$name: round $round of $o{rounds}\n";
	}
	return;
}

symlink '/dev/null', "$work/null";
my $admin = psql_session('');
create_servers($admin);
foreach my $name (split /,/, $o{variants})
{
	my $variant = $variants{$name} or die "there is no variant \"$name\"\n";
	$variant->{admin} = $admin;
	$variant->{format} //= 'csv';
	$variant->{rows} = $o{rows};
	print "$name: making the report\n";
	make_report($variant);
	create_tables($variant, heap => scalar grep { $_->{name} =~ /^(heap|floor)/ } peers_of($variant));
	my ($bytes, $columns) = (-s $variant->{file}, scalar @{ $variant->{columns} });
	note('variant', $name, $o{rows}, $columns, $bytes);
	measure($name, $variant);
	command('DELETE', 'faults');
	psql($admin, "SELECT pinsight_unschedule('ours'), pinsight_forget('ours'), pinsight_forget('new');");
	system("$work/columns", $variant->{file}, "$work/columns.data", @{ $variant->{columns} })
	  if $o{columns} && $name eq 'csv';
}
