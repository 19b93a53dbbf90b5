# The CSV reader beside COPY's parser: of every file both make the same rows, or
# neither makes any.  Files are the inputs of the reader's fuzz target, and others
# that are made up here and are more often in order.
#
# PINSIGHT_TEST_FILES sets how many there are of each: 300, but 100000 are fine.

use strict;
use warnings;

use FindBin;

use Cwd qw(abs_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $wanted = $ENV{PINSIGHT_TEST_FILES} || 300;
my $top = abs_path("$FindBin::RealBin/..");
my $folder = PostgreSQL::Test::Utils::tempdir();
my $compiler = $ENV{CC} || 'cc';

plan skip_all => "there is no $compiler" if system("$compiler --version >/dev/null 2>&1") != 0;

sub compile
{
	my ($name, @sources) = @_;
	my @command = ($compiler, '-std=gnu11', '-D_GNU_SOURCE', '-DFUZZ_STANDALONE', '-O1', '-w',
		map({ "-I$top/$_" } qw(src fuzz .)), '-o', "$folder/$name", map { "$top/$_" } @sources);
	system(@command) == 0 or die "@command\n";
	return "$folder/$name";
}

my @reader = qw(src/reader/csv.c src/reader/field_map.c src/error.c);
my $fuzz = compile('fuzz', 'fuzz/csv.c', @reader);
my $csv_rows = compile('csv_rows', 'tools/csv_rows.c', @reader);

sub slurp { my ($name) = @_; open(my $in, '<:raw', $name) or die "$name: $!\n"; local $/; return scalar <$in> // ''; }
sub spew { my ($name, $text) = @_; open(my $out, '>:raw', $name) or die "$name: $!\n"; print $out $text; close $out; return; }
sub pick { return $_[ int rand @_ ]; }

# What is different by intent.  First what COPY is given otherwise:
#
#	byte order mark	COPY takes it for a part of the first field
#	line ends		COPY wants them all to be alike; here both kinds may be mixed
#
# Then files that are not compared; what the reader makes of them is told by
# unit/csv.c:
#
#	quotes			within a field without quotes they are characters here, in
#					COPY they open and close; behind a closing one COPY goes on
#					with the field, here that is an error
#	carriage return	one that is outside quotes and no line end is a character here,
#					a line end or an error in COPY
#	end marker		\. on a line of its own ends COPY's input
#	too wide		a table has no more than 1600 columns
sub for_copy
{
	my ($text) = @_;
	$text =~ s/^\xEF\xBB\xBF//;
	$text =~ s/("(?:[^"]|"")*(?:"|\z))|\r\n/defined $1 ? $1 : "\n"/ge;
	return $text;
}

sub difference
{
	my ($text, $delimiter) = @_;    # as for_copy has it
	my $quoted = qr/"(?:[^"]|"")*"(?=[\n$delimiter]|\z)/;
	my $plain = qr/(?!")[^"\n$delimiter]*+(?!")/;
	my $unclosed = qr/"(?:[^"]|"")*/;

	return 'quotes' if $text !~ /\A(?:(?:$quoted|$plain)[\n$delimiter])*+(?:$quoted|$plain|$unclosed)?\z/;
	$text =~ s/$quoted/q/g;
	return 'carriage return' if $text =~ s/"(?:[^"]|"")*\z//r =~ /\r/;
	return 'end marker' if $text =~ /^\\\.$/m;
	my ($first) = $text =~ /^([^\n]*)/;
	return 'too wide' if ($first =~ s/$delimiter//g) >= 1600;
	return;
}

sub made_up
{
	my ($delimiter) = @_;
	my $width = pick(1, 2, 3, 5, 40);
	my @cells = ('', '', 'a', 'plain', 'x' x 70, '""', '"a"', '"a""b"', '""""', "\"a\nb\"", "\"a\r\nb\"",
		"\"a${delimiter}b\"", '\\', '\\N', ' b ', '0', "K\xC3\xB6ln", "\xC3", '"' . ("y" x 130) . '"', '"""quoted"""');
	my $line = sub { return join($delimiter, map { pick(@cells) } 1 .. $_[0]); };
	my $text = join('', map { $line->(rand() < 0.003 ? $width + 1 : $width) . pick("\n", "\n", "\r\n") } 1 .. 1 + int rand pick(3, 30));
	$text =~ s/\r?\n\z// if rand() < 0.1;
	return (rand() < 0.1 ? "\xEF\xBB\xBF" : '') . $text;
}

srand(20260525);
mkdir "$folder/inputs";
system("$fuzz $wanted $folder/inputs >/dev/null") == 0 or die "no inputs\n";

my (@files, %left_out);
for my $i (0 .. 2 * $wanted - 1)
{
	my ($delimiter, $text);
	if ($i < $wanted)
	{
		my $input = slurp("$folder/inputs/$i");
		next if length $input < 2;
		$delimiter = ord($input) % 2 ? "\t" : ',';
		$text = substr($input, 2);
	}
	else
	{
		$delimiter = pick(',', ',', "\t");
		$text = made_up($delimiter);
	}
	my $copied = for_copy($text);
	if (my $why = difference($copied, $delimiter))
	{
		$left_out{$why}++;
		next;
	}
	my $name = "$folder/$i." . ($delimiter eq ',' ? 'csv' : 'tsv');
	spew($name, $text);
	spew("$name.copied", $copied);
	push @files, { name => $name, delimiter => $delimiter, text => $copied };
}
note("left out: " . join(', ', map { "$_: $left_out{$_}" } sort keys %left_out));
for (my @names = map { $_->{name} } @files; @names;)
{
	system($csv_rows, splice(@names, 0, 500)) == 0 or die "the reader failed\n";
}

# --- the same by COPY, where bytes are taken as they are

my $node = PostgreSQL::Test::Cluster->new('copy');
$node->init;
$node->start;
$node->safe_psql('postgres',
	q(CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0));
my $script = "\\set QUIET on\n\\set VERBOSITY terse\nSET client_min_messages = fatal;\n";
my %tables;
foreach my $file (@files)
{
	my $rows = slurp("$file->{name}.rows");
	my ($first) = ($rows eq "ERROR\n" ? $file->{text} =~ s/"(?:[^"]|"")*"/q/gr : $rows) =~ /^([^\n]*)/;
	my $between = $rows eq "ERROR\n" ? $file->{delimiter} : "\t";
	my $width = 1 + ($first =~ s/\Q$between\E//g);
	$file->{rows} = $rows;
	$script .= "CREATE UNLOGGED TABLE t$width (" . join(', ', map { "c$_ text" } 1 .. $width) . ");\n"
	  if !$tables{$width}++;
	my $option = $file->{delimiter} eq ',' ? q(',') : q(E'\\t');
	$script .= "\\o /dev/null\nBEGIN;\nTRUNCATE t$width;\nCOPY t$width FROM '$file->{name}.copied' (FORMAT csv, DELIMITER $option);\n"
	  . "\\if :ERROR\n\\echo ERROR\n\\else\n\\o\nCOPY t$width TO STDOUT;\n\\endif\nROLLBACK;\n\\echo '\\\\-'\n";
}
spew("$folder/script.sql", $script);
my $answers = "$folder/answers";
system($node->installed_command('psql') . " -XAtq -d '" . $node->connstr('bytes') . "' -f $folder/script.sql >$answers 2>$folder/errors");
my @answers = split(/^\\-\n/m, slurp($answers));
is(scalar @answers, scalar @files, 'an answer for each file');

my ($errors, @wrong) = 0;
foreach my $i (0 .. $#files)
{
	$errors++ if $files[$i]{rows} eq "ERROR\n";
	push @wrong, $i if ($answers[$i] // '') ne $files[$i]{rows};
}
is(scalar @wrong, 0, 'both make the same of ' . @files . ' files');
foreach my $i (grep { defined } @wrong[ 0 .. 4 ])
{
	diag("$files[$i]{name}:\n$files[$i]{text}\nreader:\n$files[$i]{rows}\nCOPY:\n", $answers[$i] // 'nothing');
}
cmp_ok($errors, '>', 20, "$errors have errors");
cmp_ok(@files - $errors, '>', $wanted / 3, 'others have none');
$node->stop;
done_testing();
