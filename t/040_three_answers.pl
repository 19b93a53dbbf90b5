# Queries made up at random, over rows full of traps, have the same answer from
# a table with fetch 'query', from one with fetch 'table', and from a local
# table, whatever the service does with case, NULL, "_" in LIKE and the last day
# of a window.
#
# There are two runs: one always with the same rows and queries, and one whose
# seed is printed.  PINSIGHT_SEED is that seed, PINSIGHT_QUERIES how many
# queries there are altogether.

use strict;
use warnings;
use utf8;

use FindBin;
use lib $FindBin::RealBin;

use File::Temp qw(tempdir);
use JSON::PP;
use PinsightEmulator;
use PinsightQueries;
use PinsightTraps;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my @seeds = (20260301, $ENV{PINSIGHT_SEED} || 1 + int(rand(1_000_000_000)));
my $queries = $ENV{PINSIGHT_QUERIES} || 2048;
my @switches = qw(case_sensitive nulls_first like_underscore window_end_exclusive);
my $positions = 2**@switches;
my $per_position = POSIX::ceil($queries / @seeds / $positions);

# A credential may order a thousand reports in an hour, and one query needs a
# few, so the count starts anew now and then.
my $chunk = 100;

# What a session has set must not matter.
my @sessions = (
	[ 'UTC', 'ISO, MDY' ], [ 'America/New_York', 'SQL, DMY' ], [ 'Asia/Kolkata', 'German' ],
	[ 'Pacific/Kiritimati', 'ISO, DMY' ], [ 'Pacific/Pago_Pago', 'Postgres, MDY' ],
	[ '<+150>-150', 'ISO, MDY' ], [ '<-150>+150', 'ISO, MDY' ]);

note "PINSIGHT_SEED=$seeds[1] PINSIGHT_QUERIES=$queries";
my $folder = tempdir(CLEANUP => 1);
my $today = PinsightTraps::today();
my @emulators = map { PinsightTraps::emulator($today) } @seeds;
my $node = PinsightTraps::node($emulators[0], 'three_answers');
my $cache = $node->data_dir . '/pinsight_fdw';

# ---------------------------------------------------------------------------
# Sessions: a script for psql, and what it printed
# ---------------------------------------------------------------------------

# Runs a script; returns what follows each of its marks, and all errors.
sub run_script
{
	my ($name, $database, $sql) = @_;
	my $file = "$folder/$name";

	open(my $script, '>:encoding(UTF-8)', "$file.sql") or die "$file.sql: $!\n";
	print $script q(\set QUIET on
\pset fieldsep '\037'
\pset recordsep '\036'
\pset null '\001'
SET client_min_messages = error;
SET extra_float_digits = 3;
), $sql;
	close($script);

	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0)
	{
		open(STDOUT, '>', "$file.out") or POSIX::_exit(2);
		open(STDERR, '>', "$file.err") or POSIX::_exit(2);
		exec(PinsightTraps::psql($node, $database, '-f', "$file.sql")) or POSIX::_exit(2);
	}
	waitpid($pid, 0);

	my ($out, $err) = map { slurp_text("$file.$_") } qw(out err);
	my %answers;
	while ($out =~ /\G(.*?)\@\@\@ (\w+) (\w+)\n/gs)
	{
		$answers{$2} = { text => $1, sqlstate => $3 };
	}
	return (\%answers, $err);
}

sub slurp_text
{
	my ($path) = @_;
	open(my $in, '<:encoding(UTF-8)', $path) or die "$path: $!\n";
	local $/;
	return scalar(<$in>) // '';
}

# What asks one query in one schema.
sub ask
{
	my ($query, $schema, $name, $sql) = @_;
	my $mark = "\\echo '\@\@\@' ${schema}_$name :SQLSTATE\n";
	my $text = "SET LOCAL search_path = $schema;\n";

	return "$text$sql;\n$mark" if !@{ $query->{types} };
	$text .= "PREPARE q_${schema}_$name(" . join(', ', @{ $query->{types} }) . ") AS $sql;\n";
	$text .= "EXECUTE q_${schema}_$name(" . join(', ', @$_) . ");\n\\echo '\@\@+'\n" foreach @{ $query->{arguments} };
	return $text . $mark;
}

# All that is asked for one query; one transaction, so that now() is one moment.
sub ask_everywhere
{
	my ($query, $local, $name) = @_;
	my $text = "BEGIN;\n" . join('', map { "SET LOCAL $_;\n" } @{ $query->{settings} });

	$text .= ask($query, $local, $name, $query->{all} || $query->{sql});
	$text .= ask({ types => [] }, $local, "share_$name", $query->{share}) if $query->{share};
	$text .= ask($query, 'whole', $name, $query->{sql});
	$text .= "SET LOCAL pinsight_fdw.max_age = '$query->{max_age}';\n";
	$text .= ask($query, 'part', $name, $query->{sql});
	return $text . "COMMIT;\nDEALLOCATE ALL;\n";
}

# ---------------------------------------------------------------------------
# Comparing
# ---------------------------------------------------------------------------

# Rows of all its executions, the fields as they are to be compared.
sub rows_of
{
	my ($query, $text) = @_;
	my $kinds = $query->{kinds};
	my @rows = map { $_ eq '' ? () : $_ eq "\n" ? '' : split(/\x1e/, s/\n\z//r, -1) } split(/\@\@\+\n/, $text);

	return map {
		my @fields = split(/\x1f/, $_, -1);
		foreach my $i (0 .. $#fields)
		{
			$fields[$i] =~ s/(\.\d*?)0+$/$1 eq '.' ? '' : $1/e if ($kinds->[$i] // 'num') eq 'num';
		}
		join("\x1f", @fields);
	} @rows;
}

# What is wrong with an answer, as text; nothing if it is right.
sub difference
{
	my ($query, $local, $answer) = @_;
	my @expected = rows_of($query, $local->{text});
	my @got = rows_of($query, $answer->{text});
	my %surplus;

	return "ended with SQLSTATE $answer->{sqlstate}" if $answer->{sqlstate} ne '00000';
	if ($query->{compare} eq 'part')
	{
		my $n = @expected - $query->{offset};
		$n = $query->{limit} if $n > $query->{limit};
		$n = 0 if $n < 0;
		return 'has ' . @got . " rows, not $n" if @got != $n;
	}
	elsif ($query->{compare} eq 'list' && join("\x1e", @expected) eq join("\x1e", @got))
	{
		return '';
	}
	$surplus{$_}++ foreach @got;
	$surplus{$_}-- foreach @expected;
	my @extra = grep { $surplus{$_} > 0 } sort keys %surplus;
	my @missing = $query->{compare} eq 'part' ? () : grep { $surplus{$_} < 0 } sort keys %surplus;
	return 'has another order:' . shown(@got) . "\n    expected:" . shown(@expected)
	  if !@extra && !@missing && $query->{compare} eq 'list';
	return '' if !@extra && !@missing;
	return 'has ' . @got . ' rows for ' . @expected . '; too many:' . shown(@extra) . "\n    missing:" . shown(@missing);
}

# Some rows as text of one line each.
sub shown
{
	my @rows = @_;
	my $more = @rows > 8 ? "\n        ..." : '';

	splice(@rows, 8);
	return ' none' if !@rows;
	return join('', map {
			my $row = $_;
			$row =~ s/\x1f/ | /g;
			$row =~ s/\x01/NULL/g;
			$row =~ s/([\x00-\x1f\\])/sprintf('\\x%02x', ord($1))/ge;
			"\n        $row" } @rows) . $more;
}

# All there is to know about a query that went wrong, which is asked once more.
sub tell_all
{
	my ($run, $query, $local, $complaint) = @_;
	my $emulator = $run->{emulator};
	my $prologue = prologue($run);
	my $text = "$complaint\n  seed $run->{seed}, $run->{name}, query number $query->{number}\n";

	$emulator->clear_log;
	my (undef, $errors) = run_script("again_$run->{database}", $run->{database},
		"$prologue" . ask_everywhere({ %$query, max_age => '0', share => undef }, $local, 'again'));
	$text .= "  session: $prologue  query:\n"
	  . join('', map { "    SET $_;\n" } @{ $query->{settings} }, "pinsight_fdw.max_age = '$query->{max_age}'")
	  . ask($query, 'part', $local, $query->{sql}) =~ s/^/    /gmr;
	$text .= "  errors: $1\n" if $errors =~ /^(.*?)(?=^psql:[^\n]*(?:current transaction is aborted)|\z)/ms && $1 ne '';
	foreach my $request ($emulator->log(endpoint => 'create_query'), $emulator->log(endpoint => 'create_report'),
		$emulator->log(endpoint => 'test_query'))
	{
		$text .= "  sent: $request->{endpoint} " . JSON::PP->new->canonical->allow_nonref->encode($request->{body} // $request->{query}) . "\n";
	}
	return $text;
}

# ---------------------------------------------------------------------------
# Runs
# ---------------------------------------------------------------------------

sub prologue
{
	my ($run) = @_;
	my ($zone, $style) = @{ $run->{session} };
	return "SET timezone = '$zone'; SET datestyle = '$style';\n";
}

# Are the rows of the whole tables those that were stored?
sub check_rows
{
	my ($run, $local) = @_;
	my $query = { compare => 'set', kinds => ['text'] };
	my $sql = '';
	my @found;

	foreach my $table (@PinsightTraps::tables)
	{
		my $names = join(', ', map { $_->[2] =~ /^numeric/ ? "trim_scale($_->[0])" : "$_->[0]\::text" } @{ $table->{columns} });
		$sql .= "SELECT $names FROM $_.$table->{name};\n\\echo '\@\@\@' ${_}_$table->{name} :SQLSTATE\n"
		  foreach $local, 'whole', 'part';
	}
	my ($answers, $errors) = run_script($run->{database}, $run->{database}, $sql);
	foreach my $table (map { $_->{name} } @PinsightTraps::tables)
	{
		foreach my $schema (qw(whole part))
		{
			my $complaint = difference($query, $answers->{"${local}_$table"}, $answers->{"${schema}_$table"});
			push @found, "$schema.$table $complaint\n$errors" if $complaint;
		}
	}
	return @found;
}

# Lets the extension forget the reports of a schema's tables, and how many there
# were.
sub forget
{
	my ($run, $schema) = @_;
	unlink(glob("$cache/*.budget"));
	run_script($run->{database}, $run->{database},
		join('', map { "SELECT pinsight_forget('$schema.$_->{name}');\n" } @PinsightTraps::tables));
	return;
}

# Counts what was sent, by what there is in it.
sub count_sent
{
	my ($run, $sent) = @_;

	foreach my $request ($run->{emulator}->log)
	{
		my $endpoint = $request->{endpoint} // '';
		my $text = $request->{body} // '';
		my $status = $request->{status};

		# a scan that needs no more leaves a request before it has a status
		$sent->{ !defined $status ? 'left' : $status == 404 || $status < 400 ? 'answered' : 'refused' }++;
		$sent->{preview}++ if $endpoint eq 'test_query';
		$sent->{window}++ if $endpoint eq 'create_report' && $text =~ /StartTime/;
		next if $endpoint ne 'create_query';
		$sent->{queries}++;
		foreach my $words ('WHERE', 'LIKE', ' IN', 'ORDER BY', 'LIMIT', 'DISTINCT')
		{
			$sent->{ $words =~ s/^ //r }++ if $text =~ /$words /;
		}
	}
	return;
}

# Asks some queries and adds what came to the result.
sub run_chunk
{
	my ($run, $local, $result, $n) = @_;
	my @queries = map { $run->{queries}->next } 1 .. $n;
	my $script = prologue($run);

	foreach my $i (0 .. $#queries)
	{
		$queries[$i]{number} = $run->{number}++;

		# Mostly of a new report, at times of one that is kept.
		$queries[$i]{max_age} = rand() < 0.8 ? '0' : '';
		$script .= ask_everywhere($queries[$i], $local, $i);
	}
	$run->{emulator}->clear_log;
	my ($answers, $errors) = run_script($run->{database}, $run->{database}, $script);

	count_sent($run, $result->{sent} ||= {});
	foreach my $i (0 .. $#queries)
	{
		my $query = $queries[$i];
		my $expected = $answers->{"${local}_$i"} || { sqlstate => 'none', text => '' };
		my @complaints;

		$result->{queries}++;
		if ($expected->{sqlstate} ne '00000')
		{
			push @complaints, 'is no query for a local table';
		}
		else
		{
			my $share = $answers->{"${local}_share_$i"};
			if ($share && $share->{text} =~ /^(\d+)$/m)
			{
				my $all = @{ $query->{table}{rows} };
				$result->{ $1 == 0 ? 'none' : $1 == $all ? 'all' : 'some' }++;
			}
			foreach my $schema (qw(whole part))
			{
				my $complaint = difference($query, $expected, $answers->{"${schema}_$i"} || { sqlstate => 'none', text => '' });
				push @complaints, "$schema $complaint" if $complaint;
			}
		}
		next if !@complaints;
		$result->{wrong}++;
		push @{ $result->{complaints} }, tell_all($run, $query, $local, join("\n  ", @complaints))
		  if @{ $result->{complaints} } < 5;
	}
	return;
}

# One seed: all positions of the switches; a line of JSON for each.
sub run_seed
{
	my ($run, $out) = @_;
	my $json = JSON::PP->new->canonical->utf8;

	foreach my $position (0 .. $positions - 1)
	{
		my %on = map { $switches[$_] => ($position >> $_ & 1) } 0 .. $#switches;
		my $local = $on{window_end_exclusive} ? 'exclusive' : 'inclusive';
		my %result = (complaints => [], queries => 0, wrong => 0);
		my $started = time();

		$run->{name} = join(', ', map { "$_ " . ($on{$_} ? 'on' : 'off') } @switches);
		$run->{session} = $sessions[ $position % @sessions ];
		$run->{emulator}->switches({ map { $_ => $on{$_} ? JSON::PP::true : JSON::PP::false } @switches });
		forget($run, 'part');
		if (($run->{local} // '') ne $local)
		{
			$run->{local} = $local;
			forget($run, 'whole');
			push @{ $result{complaints} }, check_rows($run, $local);
		}
		for (my $left = $per_position; $left > 0; $left -= $chunk)
		{
			run_chunk($run, $local, \%result, $left < $chunk ? $left : $chunk);
			forget($run, 'part') if $left > $chunk;
		}
		$result{seconds} = time() - $started;
		$result{name} = "seed $run->{seed}: $run->{name}";
		print $out $json->encode(\%result), "\n";
	}
	return;
}

# The rows as psql prints them, by table.
sub rows_by_table
{
	my ($database) = @_;
	my %rows;
	my ($answers) = run_script("values_$database", $database, "SET timezone = 'UTC';\n" . join('', map {
		"SELECT * FROM inclusive.$_->{name};\n\\echo '\@\@\@' $_->{name} :SQLSTATE\n" } @PinsightTraps::tables));

	foreach my $table (@PinsightTraps::tables)
	{
		$rows{ $table->{name} } = [ map { [ map { $_ eq "\x01" ? undef : $_ } split(/\x1f/, $_, -1) ] }
			split(/\x1e/, $answers->{ $table->{name} }{text} =~ s/\n\z//r) ];
	}
	return \%rows;
}

my @children;
foreach my $i (0 .. $#seeds)
{
	my $run = { seed => $seeds[$i], database => "seed_$i", emulator => $emulators[$i], number => 1 };
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0)
	{
		my $ok = eval {
			open(my $out, '>', "$folder/result_$i") or die "result_$i: $!\n";
			$out->autoflush;
			PinsightTraps->new($run->{seed}, $today)->fill($run->{emulator}, $node, $run->{database});
			$run->{queries} = PinsightQueries->new($run->{seed}, rows_by_table($run->{database}));
			run_seed($run, $out);
			close($out) or die "result_$i: $!\n";
			1;
		};
		print STDERR "# seed $run->{seed}: $@" if !$ok;
		POSIX::_exit($ok ? 0 : 1);
	}
	push @children, $pid;
}

my %total;
foreach my $i (0 .. $#seeds)
{
	waitpid($children[$i], 0);
	is($?, 0, "seed $seeds[$i]: the run came to its end");
	open(my $in, '<', "$folder/result_$i") or next;
	while (my $line = <$in>)
	{
		my $result = decode_json($line);

		is($result->{wrong} + @{ $result->{complaints} }, 0, "$result->{name}: $result->{queries} queries")
		  or diag map { utf8::encode(my $text = "$_\n"); $text } @{ $result->{complaints} };
		$total{$_} += $result->{$_} // 0 foreach qw(queries seconds none some all);
		$total{"sent $_"} += $result->{sent}{$_} // 0 foreach keys %{ $result->{sent} };
	}
}

# A query that all rows pass, or none, proves little.
note join(', ', map { "$_: " . sprintf('%g', $total{$_}) } sort keys %total);
cmp_ok($total{queries}, '>=', $queries, "$total{queries} queries were asked");
cmp_ok($total{some}, '>', 0.5 * ($total{none} + $total{some} + $total{all}), 'most conditions choose between rows');
is($total{'sent refused'} // 0, 0, 'nothing was sent that the service refuses');
cmp_ok($total{'sent answered'} // 0, '>', 100 * ($total{'sent left'} // 0), 'nearly all was answered');
foreach my $dataset (PinsightTraps::datasets())
{
	is(PinsightTraps::stored($emulators[0], $dataset),
		$node->safe_psql('seed_0', 'SELECT count(*) FROM ' . PinsightTraps::raw_table($dataset)),
		"the local rows are all of $dataset");
}

done_testing();
