#!/usr/bin/perl
# Makes a table and a picture of what was measured, and holds it against the goals.
#
# usage: bench/report.pl [--check] RAW TABLE PICTURE
#
# RAW has lines of tab separated words:
#	variant NAME ROWS COLUMNS BYTES
#	run VARIANT ROUND QUERY PEER MS BACKEND-MS KB SENT ANSWER
#	limit VARIANT ROUND WHAT MS
# Round 0 is there for its answers only.  A ratio is the median of the rounds' own
# ratios; where two peers do not answer alike, to the last digit, there is none.

use strict;
use warnings;

use FindBin;
use Getopt::Long;
use List::Util qw(max min);

my $check;
GetOptions('check' => \$check) && @ARGV == 3 or die "usage: bench/report.pl [--check] RAW TABLE PICTURE\n";
my ($raw, $table_file, $picture_file) = @ARGV;

# --- what was measured

my (@variants, %variant, %order, %ms, %processor, %answers, %peak, %sent, %limit);

sub remember
{
	my ($kind, $name) = @_;
	my $known = $order{$kind} //= [];
	push @$known, $name if !grep { $_ eq $name } @$known;
	return;
}

sub take_run
{
	my ($variant, $round, $query, $peer, $ms, $processor, $kb, $sent, $answer) = @_;
	my $key = "$variant $query $peer";
	remember("queries $variant", $query);
	remember("peers $variant", $peer);
	$answers{$key}{ $answer // '' }++;
	return if $round == 0;
	push @{ $ms{$key} }, $ms;
	push @{ $processor{$key} }, $processor;
	foreach ([ \%peak, "$variant $peer", $kb / 1024 ], [ \%sent, $key, $sent ])
	{
		my ($most, $of, $value) = @$_;
		$most->{$of} = $value if $value > ($most->{$of} // -1);
	}
	return;
}

open(my $in, '<', $raw) or die "$raw: $!\n";
while (my $line = <$in>)
{
	chomp $line;
	my ($what, @rest) = split /\t/, $line;
	if ($what eq 'run') { take_run(@rest); }
	elsif ($what eq 'limit') { push @{ $limit{"$rest[0] $rest[2]"} }, $rest[3] if $rest[1] > 0; }
	else { push @variants, $rest[0]; $variant{ $rest[0] } = [@rest[ 1 .. 3 ]]; }
}
close $in;

sub median
{
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[ $#sorted / 2 ] : ($sorted[ @sorted / 2 - 1 ] + $sorted[ @sorted / 2 ]) / 2;
}

# Without the zeros that DuckDB writes behind a number, whose scale is fixed there.
sub without_zeros
{
	my ($answer) = @_;
	$answer =~ s/((?:^|\||; )-?\d+)(\.\d*?)0*(?=\||;|$)/$1 . ($2 eq '.' ? '' : $2)/ge;
	return $answer;
}

sub same
{
	my @keys = @_;
	my @all = map { keys %{ $answers{$_} } } @keys;
	@all = map { without_zeros($_) } @all if grep { / duckdb$/ } @keys;
	my %all = map { $_ => 1 } @all;
	return keys %all == 1;
}

# Of what took so long; undef if there is none.  "floor" has rows of its own, and so
# no answer to compare.
sub ratio
{
	my ($took, $variant, $query, $peer, $base) = @_;
	my ($x, $y) = map { "$variant $query $_" } $peer, $base;
	return if !$took->{$x} || !$took->{$y} || !($peer eq 'floor' || same($x, $y));
	my $rounds = min(scalar @{ $took->{$x} }, scalar @{ $took->{$y} });
	return median(map { $took->{$x}[$_] / max($took->{$y}[$_], 0.01) } 0 .. $rounds - 1);
}

# --- the table

my @out;

sub line { push @out, sprintf(shift, @_); return; }

sub row
{
	my ($name, @cells) = @_;
	line('%-11s' . ' %9s' x @cells, $name, @cells);
	return;
}

sub shown
{
	my ($took, $variant, $query, $peer, $base) = @_;
	my $r = ratio($took, $variant, $query, $peer, $base);
	return sprintf('%.2f', $r) if defined $r;
	return $took->{"$variant $query $peer"} && $took->{"$variant $query $base"} ? 'differs' : '-';
}

# What took how long, and relative to some of the peers.
sub comparison
{
	my ($title, $took, $variant, @bases) = @_;
	my @peers = @{ $order{"peers $variant"} };
	my @queries = @{ $order{"queries $variant"} };

	row($title, @peers);
	foreach my $query (@queries)
	{
		row($query, map { my $t = $took->{"$variant $query $_"}; $t ? sprintf('%.1f', median(@$t)) : $_ eq 'curl' ? 'fails' : '' } @peers);
	}
	line('');
	foreach my $base (grep { my $b = $_; grep { $_ eq $b } @peers } @bases)
	{
		row("to $base", @peers);
		foreach my $query (@queries)
		{
			row($query, map { shown($took, $variant, $query, $_, $base) } @peers);
		}
		line('');
	}
	return;
}

sub table
{
	my ($variant) = @_;
	my @peers = @{ $order{"peers $variant"} };
	my ($rows, $columns, $bytes) = @{ $variant{$variant} };

	line('%s: %d rows of %d columns, %.1f MB', $variant, $rows, $columns, $bytes / 1e6);
	line('');
	comparison('ms', \%ms, $variant, qw(heap curl));
	comparison('backend ms', \%processor, $variant, qw(heap));
	row('anon, MB', map { sprintf '%.1f', $peak{"$variant $_"} } @peers);
	line('');
	line('the bytes alone: %s', join ', ',
		map { sprintf '%s %.1f ms', $_, median(@{ $limit{"$variant $_"} }) } grep { $limit{"$variant $_"} } qw(curl read memchr));
	line('');
	return;
}

# --- the goals

# What a goal is about: number, and how it is written; undef if it was not measured.
sub measured
{
	my ($kind, @of) = @_;
	if ($kind eq 'time') { return ratio(\%ms, @of); }
	if ($kind eq 'memory') { return $peak{"@of"}; }
	if ($kind eq 'sent') { return $sent{"@of"}; }
	my ($from, $to, $peer) = @of;
	my ($low, $high) = map { $peak{"$_ $peer"} } $from, $to;
	return defined $low && defined $high ? $high - $low : undef;
}

# Returns how many goals are not met, or are about what was not measured.
sub goals
{
	my $missed = 0;
	open(my $goals, '<', "$FindBin::RealBin/goals") or die "goals: $!\n";
	line('%-50s %9s %10s', 'goals', 'at most', 'is');
	while (my $goal = <$goals>)
	{
		next if $goal =~ /^\s*(#|$)/;
		$goal =~ s/#.*//;
		my ($kind, @of) = split ' ', $goal;
		my $most = pop @of;
		my $is = measured($kind, @of);
		my $met = defined $is && $is <= $most;
		$missed += !$met;
		line('%-50s %9s %10s  %s', "$kind @of", $most, defined $is ? sprintf($kind eq 'sent' ? '%d' : '%.2f', $is) : '-',
			$met ? 'holds' : defined $is ? 'DOES NOT HOLD' : 'NOT MEASURED');
	}
	close $goals;
	line('');
	return $missed;
}

# --- the picture: for each query a bar a peer, relative to the heap

my %colours = (heap => '#777777', snapshot => '#1b6ca8', first => '#63a4d4', new => '#7fb069', https => '#a3cbe8', curl => '#c0392b',
	local => '#e08e79', heap2 => '#aaaaaa', snapshot2 => '#0b3c5d', duckdb => '#d4a017', floor => '#dddddd');

sub bar
{
	my ($svg, $y, $peer, $ratio, $scale) = @_;
	my $shown = min($ratio * $scale, 560);
	printf $svg qq(<rect x="170" y="%d" width="%.1f" height="10" fill="%s"/>), $y, $shown, $colours{$peer};
	printf $svg qq(<text x="100" y="%d">%s</text>), $y + 9, $peer;
	printf $svg qq(<text x="%.1f" y="%d">%s</text>\n), 176 + $shown, $y + 9, sprintf('%.2f', $ratio);
	return;
}

# The peers that a query can be shown of, each with its ratio.
sub bars
{
	my ($variant, $query) = @_;
	my @bars = map { [ $_, scalar ratio(\%ms, $variant, $query, $_, 'heap') ] } @{ $order{"peers $variant"} };
	return grep { defined $_->[1] } @bars;
}

sub picture
{
	my ($variant) = @_;
	my @queries = @{ $order{"queries $variant"} };
	my ($width, $scale, $y) = (900, 110, 40);
	my $height = $y + 20;
	$height += 16 + 12 * bars($variant, $_) foreach @queries;
	open(my $svg, '>', $picture_file) or die "$picture_file: $!\n";
	print $svg qq(<svg xmlns="http://www.w3.org/2000/svg" width="$width" height="$height" font-family="sans-serif" font-size="11">\n);
	print $svg qq(<rect width="$width" height="$height" fill="white"/>\n);
	printf $svg qq(<text x="10" y="20" font-size="14">time relative to an ordinary table, %d rows of %d columns (shorter is better; the line is 1)</text>\n),
	  @{ $variant{$variant} }[ 0, 1 ];
	foreach my $query (@queries)
	{
		printf $svg qq(<text x="10" y="%d" font-weight="bold">%s</text>\n), $y + 10, $query;
		foreach my $bar (bars($variant, $query))
		{
			bar($svg, $y, @$bar, $scale);
			$y += 12;
		}
		$y += 16;
	}
	printf $svg qq(<line x1="%d" y1="36" x2="%d" y2="%d" stroke="black" stroke-dasharray="3"/>\n</svg>\n),
	  170 + $scale, 170 + $scale, $height - 10;
	close $svg;
	return;
}

# --- all of it

my @different;
foreach my $variant (@variants)
{
	table($variant);
	foreach my $query (@{ $order{"queries $variant"} })
	{
		my @keys = grep { $answers{$_} } map { "$variant $query $_" } grep { $_ ne 'floor' } @{ $order{"peers $variant"} };
		my @exact = grep { !/ duckdb$/ } @keys;
		push @different, "$variant $query" if !same(@keys) || !same(@exact);
	}
}
my $missed = $check ? goals() : 0;
line('answers differ: %s', join ', ', @different) if @different;
picture($variants[0]);
open(my $table, '>', $table_file) or die "$table_file: $!\n";
print { $_ } join("\n", @out), "\n" foreach $table, \*STDOUT;
close $table;
exit(@different || $missed ? 1 : 0);
