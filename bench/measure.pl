#!/usr/bin/perl
# Runs every query with every peer, in turn, and says how they compare.
#
# usage: bench/measure.pl --work DIR --rows N [--rounds N] [--peers A,B]
#                         [--queries A,B] [--format csv|tsv]
#
# Run by bench/run, beside a PostgreSQL and an emulator.

use strict;
use warnings;

use Getopt::Long;
use HTTP::Tiny;
use IPC::Open2;
use JSON::PP;
use Time::HiRes qw(sleep time);

my ($work, $rows, $rounds, $only_peers, $only_queries, $format) = ('', 0, 3, '', '', 'csv');
GetOptions('work=s' => \$work, 'rows=i' => \$rows, 'rounds=i' => \$rounds,
	'peers=s' => \$only_peers, 'queries=s' => \$only_queries, 'format=s' => \$format)
  or exit 2;

my $dataset = 'AzureUsage';
my @columns = qw(PGAMpnId:text SubscriptionId:uuid SubscriptionStartDate:date
  SubscriptionEndDate:date FirstUseDate:date SubscriptionState:text Month:date
  ServiceName:text MeterCategory:text UsageUnits:text UsageQuantity:numeric
  CustomerName:text CustomerTenantId:uuid CustomerTpid:text CustomerSegment:text
  CustomerMarket:text MpnId:text PartnerName:text PartnerLocationID:text
  PartnerAttributionType:text SalesChannel:text EnrollmentNumber:text
  IsACRDuplicateAtPGALevel:boolean ResellerID:text ResellerName:text
  PartnerLocation:text MonthlySubscriptionLevelACR:numeric);
my @names = map { (split /:/)[0] } @columns;

# --- queries: name => SQL over %s; "quiet" ones send all rows to a client that
# drops them

my $filter = q("CustomerMarket" = 'Germany' AND NOT "IsACRDuplicateAtPGALevel");
my @queries = (
	[ count1 => 'SELECT count("IsACRDuplicateAtPGALevel") FROM %s' ],
	[ sum => 'SELECT sum("MonthlySubscriptionLevelACR") FROM %s' ],
	[ group => 'SELECT "CustomerMarket", sum("MonthlySubscriptionLevelACR") FROM %s GROUP BY 1 ORDER BY 1' ],
	[ filter => qq(SELECT count(*), min("CustomerName"), sum("MonthlySubscriptionLevelACR") FROM %s WHERE $filter) ],
	[ filterall => 'SELECT ' . join(', ', map { qq(count("$_")) } @names) . qq( FROM %s WHERE $filter) ],
	[ all27 => 'SELECT ' . join(', ', map { qq(count("$_")) } @names) . ' FROM %s' ],
	[ count => 'SELECT count(*) FROM %s' ],
	[ limit1 => 'SELECT count(*) FROM (SELECT * FROM %s LIMIT 1) one' ],
	[ star => 'SELECT * FROM %s', 'quiet' ]);

# --- the service, its report, and the file for the peers

my $http = HTTP::Tiny->new(timeout => 600);
my $api = $ENV{PINSIGHT_API_URL};

sub ask
{
	my ($method, $url, %more) = @_;
	my $reply = $http->request($method, $url, \%more);
	die "$method $url: $reply->{status} $reply->{content}\n" if !$reply->{success};
	return $reply->{content} eq '' ? undef : decode_json($reply->{content});
}

# A fresh secure link to the latest execution of a report.
sub secure_link
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
	my $reply = ask('GET', "$api/insights/v1/mpn/ScheduledReport/execution/$report",
		headers => { Authorization => "Bearer $token" });
	return $reply->{value}[-1]{reportAccessSecureLink};
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

sub psql_session
{
	my ($settings) = @_;
	my $session = start(qw(psql -XAtq -v ON_ERROR_STOP=1));
	print { $session->{in} } "SET client_min_messages = error; $settings\n",
	  "SELECT pg_backend_pid();\n\\echo END\n";
	$session->{measured} = (split /\n/, answer($session))[-1];
	return $session;
}

sub psql
{
	my ($session, $sql) = @_;
	print { $session->{in} } "$sql\n\\echo END\n";
	return answer($session);
}

# --- peers: name, table or file, what is done before each query

sub definition { return '(' . join(', ', map { my ($n, $t) = split /:/; qq("$n" $t) } @columns) . ')'; }

my $admin = psql_session('');
my $delimiter = $format eq 'tsv' ? q(E'\t') : q(',');
psql($admin, <<SQL);
CREATE EXTENSION pinsight_fdw;
CREATE EXTENSION file_fdw;
CREATE SERVER partner FOREIGN DATA WRAPPER pinsight_fdw
	OPTIONS (tenant 'contoso.onmicrosoft.com', api_url '$api', login_url '$api',
			 wait_timeout '1 hour', poll_interval '50 ms');
CREATE USER MAPPING FOR PUBLIC SERVER partner
	OPTIONS (client_id '22222222-2222-2222-2222-222222222222',
			 client_secret 'emulator-secret', refresh_token 'emulator-refresh-token');
CREATE SERVER file FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE ours @{[definition()]} SERVER partner
	OPTIONS (dataset '$dataset', timespan 'LIFETIME', format '$format');
SQL
print "making the report\n";
my $report = psql($admin, "SELECT pinsight_schedule('ours', '24 hours');");
ask('POST', "$ENV{PINSIGHT_CONTROL_URL}/clock", content => '{"advance_seconds": 20000}');
psql($admin, 'SELECT count(*) FROM ours;');
my $file = "$work/report.$format";
system('curl', '-sf', '--compressed', '-o', $file, secure_link($report)) == 0 or die "no file\n";
my $options = "format 'csv', header 'true', delimiter $delimiter";
my $unescaped = $delimiter eq q(',') ? "','" : "E'\\t'";
psql($admin, <<SQL);
CREATE FOREIGN TABLE local @{[definition()]} SERVER file OPTIONS (filename '$file', $options);
CREATE FOREIGN TABLE curl @{[definition()]} SERVER file OPTIONS (program 'false', $options);
CREATE UNLOGGED TABLE heap @{[definition()]};
COPY heap FROM '$file' (FORMAT csv, HEADER, DELIMITER $unescaped);
VACUUM (FREEZE, ANALYZE) heap;
ANALYZE ours;
SQL
printf "%s rows, %.1f MB\n", psql($admin, 'SELECT count(*) FROM heap;'), (-s $file) / 1e6;

my @peers = (
	{ name => 'heap', table => 'heap' },
	{ name => 'snapshot', table => 'ours' },
	{ name => 'first', table => 'ours', before => sub { psql($admin, "SELECT pinsight_forget('ours');") } },
	{
		name => 'curl',
		table => 'curl',
		before => sub {
			my $link = secure_link($report) =~ s/'/''/gr;
			psql($admin, "ALTER FOREIGN TABLE curl OPTIONS (SET program 'curl -sf --compressed ''$link''');"
				  =~ s/''(http[^']*)''/"''$1''"/er);
		}
	},
	{ name => 'local', table => 'local' },
	{ name => 'heap2', table => 'heap', settings => parallel() },
	{ name => 'snapshot2', table => 'ours', settings => parallel() },
	$ENV{BENCH_DUCKDB} ? { name => 'duckdb', duck => 1 } : ());

sub parallel
{
	return 'SET max_parallel_workers_per_gather = 1; SET parallel_setup_cost = 0; '
	  . 'SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;';
}

@peers = grep { my $p = $_; grep { $_ eq $p->{name} } 'heap', split /,/, $only_peers } @peers if $only_peers;
@queries = grep { my $q = $_; grep { $_ eq $q->[0] } split /,/, $only_queries } @queries if $only_queries;

sub duck_table
{
	my %types = (text => 'VARCHAR', uuid => 'UUID', date => 'DATE', numeric => 'DECIMAL(38,10)', boolean => 'BOOLEAN');
	my $columns = join ', ', map { my ($n, $t) = split /:/; "'$n': '$types{$t}'" } @columns;
	my $delim = $format eq 'tsv' ? "'\\t'" : "','";
	return "read_csv('$file', header=true, delim=$delim, quote='\"', escape='\"', auto_detect=false, nullstr='', allow_quoted_nulls=false, columns={$columns})";
}

foreach my $peer (@peers)
{
	next if !$peer->{duck};
	$peer->{session} = start('env', "NODE_PATH=$work/node_modules", 'node', "$work/duck.js");
	$peer->{session}{measured} = $peer->{session}{pid};
	print { $peer->{session}{in} } encode_json({ sql => 'SET threads = 1' }), "\n";
	answer($peer->{session});
}

sub anonymous
{
	my ($pid) = @_;
	open(my $in, '<', "/proc/$pid/status") or return 0;
	while (my $line = <$in>) { return $1 if $line =~ /^RssAnon:\s*(\d+)/; }
	return 0;
}

# The highest anonymous memory of a process until a flag file is gone, as a child
# that prints it.
sub watch
{
	my ($pid) = @_;
	my $child = open(my $out, '-|') // die "fork: $!\n";
	if ($child == 0)
	{
		my $peak = 0;
		local $SIG{TERM} = sub { syswrite(STDOUT, "$peak\n"); require POSIX; POSIX::_exit(0); };
		while (1)
		{
			my $now = anonymous($pid);
			$peak = $now if $now > $peak;
			sleep 0.01;
		}
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

# Runs a query: milliseconds, answer, peak memory in kB.
sub run
{
	my ($peer, $query) = @_;
	my (undef, $sql, $quiet) = @$query;
	$peer->{before}->() if $peer->{before};

	# a backend of its own each time: a change of the table is not paid for here
	my $session = $peer->{session} || psql_session($peer->{settings} || '');
	my $line;
	if ($peer->{duck})
	{
		$line = encode_json({ sql => sprintf($sql, duck_table()), quiet => $quiet ? \1 : \0 }) . "\n";
	}
	else
	{
		my $text = sprintf($sql, $peer->{table});
		$line = $quiet ? "\\copy ($text) TO '$work/null'\n\\echo END\n" : "$text;\n\\echo END\n";
		psql($session, sprintf('EXPLAIN ' . $sql . ';', $peer->{table}));
	}
	my $watch = watch($session->{measured});
	my $started = time;
	print { $session->{in} } $line;
	my $answer = answer($session);
	my $ms = 1000 * (time - $started);
	my $peak = watched($watch);
	if (!$peer->{session})
	{
		close $session->{in};
		close $session->{out};
		waitpid $session->{pid}, 0;
		@started = grep { $_ != $session->{pid} } @started;
	}
	$answer = '' if $quiet;
	$answer =~ s/(\.\d*?)0+(?=\||$)/$1/gm;    # DuckDB's scale is fixed
	$answer =~ s/\.(?=\||$)//gm;
	return ($ms, $answer, $peak);
}

sub limit
{
	my (@command) = @_;
	my $started = time;
	system("@command > /dev/null") == 0 or die "@command\n";
	return 1000 * (time - $started);
}

symlink '/dev/null', "$work/null";
my (%ms, %answers, %peak);
open(my $raw, '>', "$work/raw.txt") or die "raw.txt: $!\n";
for my $round (0 .. $rounds)
{
	foreach my $query (@queries)
	{
		foreach my $peer (@peers)
		{
			# curl cannot write to a pipe that nobody reads any more
			next if $peer->{name} eq 'curl' && $query->[0] eq 'limit1';
			my ($ms, $answer, $peak) = run($peer, $query);
			my $key = "$query->[0] $peer->{name}";
			$answers{$key}{$answer}++;
			next if $round == 0;    # warms up
			push @{ $ms{$key} }, $ms;
			$peak{ $peer->{name} } = $peak if $peak > ($peak{ $peer->{name} } // 0);
			printf $raw "%d %s %.1f %d\n", $round, $key, $ms, $peak;
		}
	}
	next if $round == 0;
	push @{ $ms{'limit curl'} }, limit("curl -sf --compressed '" . secure_link($report) . "'");
	push @{ $ms{'limit read'} }, limit("$work/limit read $file");
	push @{ $ms{'limit memchr'} }, limit("$work/limit memchr $file");
	print "round $round of $rounds\n";
}
foreach my $key (sort keys %answers)
{
	print $raw "$key: $_\n" foreach map { s/\n/; /gr } keys %{ $answers{$key} };
}
close $raw;

# --- what came out

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[ $#sorted / 2 ] : ($sorted[ @sorted / 2 - 1 ] + $sorted[ @sorted / 2 ]) / 2;
}

sub same
{
	my (@keys) = @_;
	my %all = map { $_ => 1 } map { keys %{ $answers{$_} || {} } } @keys;
	return keys %all == 1;
}

# Median of the rounds' own ratios; undef if the answers differ.
sub ratio
{
	my ($query, $peer, $base) = @_;
	my ($x, $y) = ("$query $peer", "$query $base");
	return if !$ms{$x} || !$ms{$y} || !same($x, $y);
	return median(map { $ms{$x}[$_] / $ms{$y}[$_] } 0 .. $rounds - 1);
}

my @names_of_peers = map { $_->{name} } @peers;
my @bases = grep { my $b = $_; grep { $_ eq $b } @names_of_peers } qw(heap curl);
my @out;

sub line { push @out, sprintf(shift, @_); return; }

line("%-10s" . ' %10s' x @peers, 'ms', @names_of_peers);
foreach my $query (map { $_->[0] } @queries)
{
	line("%-10s" . ' %10s' x @peers, $query,
		map { my $t = $ms{"$query $_"}; $t ? sprintf('%.1f', median(@$t)) : 'fails' } @names_of_peers);
}
foreach my $base (@bases)
{
	line('');
	line("%-10s" . ' %10s' x @peers, "to $base", @names_of_peers);
	foreach my $query (map { $_->[0] } @queries)
	{
		line("%-10s" . ' %10s' x @peers, $query,
			map { my $r = ratio($query, $_, $base); defined $r ? sprintf('%.2f', $r) : $ms{"$query $_"} && $ms{"$query $base"} ? 'differs' : '-' } @names_of_peers);
	}
}
line('');
line("%-10s" . ' %10.1f' x @peers, 'anon, MB', map { $peak{$_} / 1024 } @names_of_peers);
line('');
line("%-10s %10.1f ms", $_, median(@{ $ms{"limit $_"} })) foreach qw(curl read memchr);

open(my $table, '>', "$work/table.txt") or die "table.txt: $!\n";
print { $_ } join("\n", @out), "\n" foreach $table, \*STDOUT;
close $table;

# --- the picture: for each query a bar a peer, relative to the heap

my @colours = map { "#$_" } qw(777777 1b6ca8 63a4d4 c0392b e08e79 aaaaaa 0b3c5d d4a017);
my ($width, $bar, $gap) = (900, 12, 16);
my $height = 40 + @queries * (@peers * $bar + $gap) + 20;
open(my $svg, '>', "$work/ratios.svg") or die "ratios.svg: $!\n";
print $svg qq(<svg xmlns="http://www.w3.org/2000/svg" width="$width" height="$height" font-family="sans-serif" font-size="11">\n);
print $svg qq(<rect width="$width" height="$height" fill="white"/>\n);
printf $svg qq(<text x="10" y="20" font-size="14">time relative to a native table, %d rows of %d columns (shorter is better; the line is 1)</text>\n), $rows, scalar @columns;
my $y = 40;
my $scale = 110;
foreach my $query (map { $_->[0] } @queries)
{
	printf $svg qq(<text x="10" y="%d" font-weight="bold">%s</text>\n), $y + 10, $query;
	for my $i (0 .. $#peers)
	{
		my $r = ratio($query, $names_of_peers[$i], 'heap');
		my $length = defined $r ? $r * $scale : 0;
		my $shown = $length > 560 ? 560 : $length;
		printf $svg qq(<rect x="170" y="%d" width="%.1f" height="%d" fill="%s"/>), $y, $shown, $bar - 2, $colours[ $i % @colours ];
		printf $svg qq(<text x="100" y="%d">%s</text>), $y + 9, $names_of_peers[$i];
		printf $svg qq(<text x="%.1f" y="%d">%s</text>\n), 176 + $shown, $y + 9, defined $r ? sprintf('%.2f', $r) : 'answers differ';
		$y += $bar;
	}
	$y += $gap;
}
printf $svg qq(<line x1="%d" y1="36" x2="%d" y2="%d" stroke="black" stroke-dasharray="3"/>\n</svg>\n), 170 + $scale, 170 + $scale, $height - 10;
close $svg;

my @different = grep { my $q = $_; !same(map { "$q $_" } @names_of_peers) } map { $_->[0] } @queries;
print "answers differ: @different\n" if @different;
exit(@different ? 1 : 0);
