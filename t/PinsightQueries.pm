# PinsightQueries: queries over the tables of PinsightTraps, made up at random.
#
#	my $queries = PinsightQueries->new($seed, \%rows);
#	my $query = $queries->next;
#
# The same seed makes the same queries.  %rows has the rows of each table, its
# values as text, undef for NULL: conditions are made so that a row that was
# picked passes most of them.  A query is a hash:
#
#	sql			a SELECT, with the tables' names but no schema
#	types		of its parameters; unless there are none, it is to be prepared
#	arguments	lists of expressions to execute it with, one after the other
#	settings	to be set before, e.g. "plan_cache_mode = force_generic_plan"
#	compare		'set': the rows count; 'list': their order, too; 'part': rows
#				are so many of those that "all" has
#	all			for 'part': the same SELECT without its limit
#	limit, offset	for 'part'
#	kinds		of its columns: 'num' if 1.0 is as good as 1.00
#	share		a SELECT that counts the rows its (last) WHERE lets pass

package PinsightQueries;

use strict;
use warnings;
use utf8;

use PinsightTraps;

sub chance { return rand() < $_[0]; }
sub one_of { return $_[int(rand(@_))]; }

# One of some subs by weight: weighted(3 => sub {...}, 1 => sub {...}).
sub weighted
{
	my @choices = @_;
	my $sum = 0;

	for (my $i = 0; $i < @choices; $i += 2) { $sum += $choices[$i]; }
	my $at = rand($sum);
	while (@choices > 2 && ($at -= $choices[0]) >= 0) { splice(@choices, 0, 2); }
	return $choices[1];
}

my %kind_of = (
	'text' => 'text', 'varchar' => 'text', 'common.any_text' => 'text', 'char' => 'char',
	'text COLLATE "C"' => 'text', 'text COLLATE common.nocase' => 'nocase', 'boolean' => 'bool',
	'integer' => 'int', 'bigint' => 'int', 'numeric' => 'num', 'double precision' => 'float',
	'real' => 'float', 'date' => 'date', 'timestamp' => 'moment', 'timestamptz' => 'moment',
	'uuid' => 'uuid');

# What a literal or parameter for a column of that kind may be declared as.
my %types_of = (
	text => [qw(text text text varchar)], char => [qw(text bpchar)], nocase => ['text'], bool => ['boolean'],
	int => [qw(bigint bigint numeric)], num => ['numeric'], float => [qw(float8 numeric)],
	date => [qw(date date timestamp timestamptz)], moment => [qw(timestamptz timestamp date)], uuid => ['uuid']);

# Its like in common.probes.
my %probe_of = (text => 't', char => 't', nocase => 't', int => 'i', num => 'n', float => 'n', date => 'd',
	moment => 'm', bool => 'b');

sub new
{
	my ($class, $seed, $rows) = @_;
	my @tables;

	srand($seed);
	foreach my $table (@PinsightTraps::tables)
	{
		my @columns = map { {
				name => "t.$_->[0]", type => $_->[2],
				kind => $kind_of{ $_->[2] =~ s/\(.*?\)| NOT NULL//gr }
			} } @{ $table->{columns} };
		push @tables, { %$table, columns => \@columns, rows => $rows->{ $table->{name} } };
	}
	return bless { tables => \@tables }, $class;
}

# ---------------------------------------------------------------------------
# Values
# ---------------------------------------------------------------------------

sub mutate_text
{
	my ($v) = @_;
	my $at = int(rand(length($v) + 1));
	return one_of(
		uc $v, lc $v, ucfirst lc $v, "$v ", " $v", $v =~ s/ +$//r, "$v'", "$v%", "$v\\", "$v;",
		substr($v, 0, $at) . one_of(' ', "'", '_', '%', '\\', '"', "\n") . substr($v, $at),
		substr($v, 0, $at), $v =~ s/ß/ss/r, $v =~ s/ss/ß/r, $v =~ s/Å/A\x{30a}/r, "$v' OR '1'='1", "$v\x{a0}",
		'', 'NULL');
}

sub mutate_number
{
	my ($v) = @_;
	return $v if $v !~ /^-?\d+(\.\d+)?$/;
	return one_of("-$v", $v . (length($v) > 15 ? '' : '0'), $1 ? "${v}0" : "$v.0", $1 ? "${v}1" : "$v.5", '0', '1')
	  =~ s/^--//r;
}

sub mutate_day
{
	my ($v) = @_;
	my ($y, $m) = $v =~ /^(\d+)-(\d+)/ or return $v;
	return one_of("$y-$m-01", "$y-$m-02", "$y-$m-28", "$y-01-01", "$y-12-31", 'infinity', '-infinity');
}

sub mutate
{
	my ($column, $v) = @_;
	my $kind = $column->{kind};

	return mutate_text($v) if $kind =~ /text|char|nocase/;
	return $kind eq 'int' ? int_or(mutate_number($v)) : mutate_number($v) if $kind =~ /int|num|float/;
	return mutate_day($v) if $kind eq 'date' || $kind eq 'moment';
	return one_of('true', 'false') if $kind eq 'bool';
	return $v =~ s/.$/0/r;
}

# A whole number that bigint has.
sub int_or
{
	my ($v) = @_;
	$v =~ s/\..*//;
	return length($v) > 18 ? one_of('9223372036854775807', '-9223372036854775808') : $v;
}

# A value to compare a column with: that of the picked row, another row's, or
# something near.
sub value
{
	my ($g, $column) = @_;
	my $row = chance(0.6) ? $g->{row} : one_of(@{ $g->{table}{rows} });
	my $v = $row->[ $column->{index} ];

	return undef if chance(0.03);
	$v = one_of(@{ $g->{table}{rows} })->[ $column->{index} ] if !defined $v;
	$v = '1' if !defined $v && $column->{kind} =~ /int|num|float/;
	return undef if !defined $v;
	return chance(0.15) ? mutate($column, $v) : $v;
}

sub quote { return PinsightTraps::quote($_[0]); }

# A value as an expression of a type, in one of the ways users and programs
# write it, or as a parameter.
sub expression
{
	my ($g, $type, $v, $other) = @_;
	my $typed;

	$v = int_or($v) if defined $v && $type eq 'bigint' && $v =~ /^-?\d/;
	$other = int_or($other) if defined $other && $type eq 'bigint' && $other =~ /^-?\d/;
	$typed = defined $v ? quote($v) . "::$type" : "NULL::$type";
	if ($g->{prepared} && chance(0.7))
	{
		push @{ $g->{types} }, $type;
		push @{ $g->{values} }, [ $typed, defined $other ? quote($other) . "::$type" : 'NULL' ];
		return '$' . scalar @{ $g->{types} };
	}
	return 'NULL' if !defined $v;
	return weighted(
		4 => sub { return $v =~ /^-?\d+(\.\d+)?$/ && $type =~ /int|num|float/ ? "($v)" : $typed; },
		3 => sub { return $type =~ /int/ ? $typed : quote($v); },
		3 => sub { return $typed; },
		0.5 => sub { return $type =~ /\[/ ? "(SELECT $typed)::$type" : "(SELECT $typed)"; },
		0.3 => sub { return "coalesce(NULL, $typed)"; },
		0.3 => sub { return "(CASE WHEN random() >= 0 THEN $typed END)"; })->();
}

# The same for a value of a column.
sub operand
{
	my ($g, $column) = @_;
	my $type = one_of(@{ $types_of{ $column->{kind} } });

	$type = 'bigint' if $g->{same_type} && $type eq 'numeric' && $column->{kind} eq 'int';
	return $g->expression($type, $g->value($column), $g->value($column));
}

sub array_text
{
	my (@values) = @_;
	return '{' . join(',', map { defined $_ ? '"' . (s/(["\\])/\\$1/gr) . '"' : 'NULL' } @values) . '}';
}

sub array_of
{
	my ($g, $column) = @_;
	my $type = $types_of{ $column->{kind} }[0];
	my @values = map { $g->value($column) } 1 .. 1 + int(rand(4));
	my @others = map { $g->value($column) } 0 .. int(rand(3));
	my $probe = $probe_of{ $column->{kind} };

	@values = map { defined $_ && /\d/ ? int_or($_) : $_ } @values if $type eq 'bigint';
	@others = map { defined $_ && /\d/ ? int_or($_) : $_ } @others if $type eq 'bigint';
	return $g->expression("$type\[]", array_text(@values), array_text(@others)) if chance(0.5);
	return 'ARRAY[' . join(', ', map { defined $_ ? quote($_) : 'NULL' } @values) . "]::$type\[]"
	  if chance(0.5) || !$probe;
	my $from = 1 + int(rand(40));
	return "ARRAY(SELECT $probe FROM common.probes WHERE id BETWEEN $from AND " . ($from + 6)
	  . ' UNION ALL SELECT ' . (defined $values[0] ? quote($values[0]) : 'NULL') . "::$type)";
}

# ---------------------------------------------------------------------------
# Conditions
# ---------------------------------------------------------------------------

# A pattern that the value matches, more or less.
sub pattern
{
	my ($v, $escape) = @_;
	my @chars = split(//, $v);
	my $from = chance(0.5) ? 0 : int(rand(@chars));
	my $to = chance(0.4) ? $#chars : $from + int(rand(@chars - $from + 0.5));

	@chars = map { /[%_\Q$escape\E]/ && chance(0.6) ? "$escape$_" : $_ } @chars[ $from .. $to ] if @chars;
	$chars[ int(rand(@chars)) ] = one_of('_', '%', '_%', '%%') if @chars && chance(0.3);
	my $pattern = ($from > 0 || chance(0.2) ? '%' : '') . join('', @chars)
	  . ($to < length($v) - 1 || chance(0.4) ? '%' : '');

	$pattern = mutate_text($pattern) if chance(0.12);
	my $dangling = length(($pattern =~ /(\Q$escape\E*)$/)[0]) % 2;
	return $dangling ? "$pattern$escape" : $pattern;
}

sub like
{
	my ($g, $column) = @_;
	my $escape = chance(0.1) ? '!' : '\\';
	my $like = one_of('LIKE', 'LIKE', 'LIKE', 'ILIKE', 'ILIKE', 'NOT LIKE', 'NOT ILIKE');
	my $p = pattern($g->value($column) // '', $escape);
	my $q = pattern($g->value($column) // '', $escape);

	$p = one_of(uc $p, lc $p) if $like =~ /ILIKE/ && chance(0.5);
	return "$column->{name} $like ANY (ARRAY[" . quote(pattern($g->value($column) // '', '\\')) . ', ' . quote(pattern('a', '\\')) . '])'
	  if chance(0.06) && $like !~ /NOT/;
	return "$column->{name} $like " . $g->expression('text', $p, $q) . ($escape eq '!' ? " ESCAPE '!'" : '');
}

# What is asked of a column of any kind.
sub common_condition
{
	my ($g, $column) = @_;
	my $c = $column->{name};
	my @alike = grep { $_->{type} eq $column->{type} && $_ != $column } @{ $g->{table}{columns} };
	my $count = 1 + int(rand(5));

	return weighted(
		7 => sub { return "$c = " . $g->operand($column); },
		1 => sub { return $g->operand($column) . " = $c"; },
		2 => sub { return "$c <> " . $g->operand($column); },
		4 => sub { return "$c " . one_of('<', '<=', '>', '>=') . ' ' . $g->operand($column); },
		1 => sub { return $g->operand($column) . ' ' . one_of('<', '<=', '>', '>=') . " $c"; },
		2 => sub { return "$c BETWEEN " . $g->operand($column) . ' AND ' . $g->operand($column); },
		4 => sub {
			local $g->{same_type} = 1;
			return "$c IN (" . join(', ', map { $g->operand($column) } 1 .. $count) . ')';
		},
		1 => sub {
			local $g->{same_type} = 1;
			return "$c NOT IN (" . join(', ', map { $g->operand($column) } 1 .. $count) . ')';
		},
		2 => sub { return "$c = ANY (" . $g->array_of($column) . ')'; },
		0.5 => sub { return "$c <> ALL (" . $g->array_of($column) . ')'; },
		0.5 => sub { return "$c " . one_of('<', '>=') . ' ANY (' . $g->array_of($column) . ')'; },
		1 => sub { return "$c IS NULL"; },
		1.5 => sub { return "$c IS NOT NULL"; },
		0.6 => sub { return "$c IS " . one_of('', 'NOT ') . 'DISTINCT FROM ' . $g->operand($column); },
		0.3 => sub { return "coalesce($c, " . $g->operand($column) . ') = ' . $g->operand($column); },
		0.3 => sub { return "$c = NULL"; },
		0.4 => sub { return @alike ? "$c " . one_of('=', '<>', '<') . ' ' . one_of(@alike)->{name} : "$c = $c"; },
		0.3 => sub { return "$c\::text = " . quote($g->{row}[ $column->{index} ]); })->();
}

# A date in one of the types that dates are compared with.
sub relative_day
{
	my $n = one_of(0, 1, 6, 7, 29, 30, 31, 60, 89, 90, 180, 365);
	return one_of(
		"current_date - $n", "current_date + $n", "now() - interval '$n days'", 'now()', 'current_date',
		"date_trunc('month', now())", "date_trunc('month', current_date - $n)::date", 'localtimestamp',
		"(current_date - interval '" . one_of(1, 2, 3, 5, 6) . " months')::date",
		"now() - interval '" . one_of(1, 2, 3, 5, 6) . " months'", "current_timestamp - interval '1 month'");
}

my %conditions = (
	text => sub {
		my ($g, $column) = @_;
		my $c = $column->{name};
		my $v = $g->{row}[ $column->{index} ] // '';

		return weighted(
			6 => sub { return like($g, $column); },
			0.4 => sub { return "$c = " . quote($v) . one_of('::bpchar', '::name', '::varchar', '::char(8)'); },
			0.5 => sub { return "lower($c) = " . quote(lc $v); },
			0.3 => sub { return "length($c) " . one_of('>', '<', '=') . ' ' . int(rand(9)); },
			0.3 => sub { return "starts_with($c, " . quote(substr($v, 0, 1 + int(rand(4)))) . ')'; },
			0.3 => sub { return "$c || '' = " . quote($v); },
			0.5 => sub { return "$c COLLATE \"C\" " . one_of('=', '<', '>=') . ' ' . quote($v); },
			0.3 => sub { return "$c COLLATE common.nocase " . one_of('=', '<>') . ' ' . quote($v); })->();
	},
	char => sub { return like(@_); },
	nocase => sub {
		my ($g, $column) = @_;
		return one_of(
			sub { return like($g, { %$column, name => "$column->{name} COLLATE \"C\"" }); },
			sub { return "$column->{name} = " . quote(mutate_text($g->{row}[ $column->{index} ] // '')); })->();
	},
	date => sub {
		my ($g, $column) = @_;
		my $c = $column->{name};

		return weighted(
			5 => sub { return "$c " . one_of('<', '<=', '>', '>=', '=') . ' ' . relative_day(); },
			1 => sub { return "$c BETWEEN " . relative_day() . ' AND ' . relative_day(); },
			2 => sub { return "$c >= " . $g->operand($column) . " AND $c < " . relative_day(); },
			0.5 => sub { return "extract(month FROM $c) = " . one_of(1 .. 12); },
			0.5 => sub { return "date_trunc('month', $c) = " . $g->operand($column); },
			0.3 => sub { return "$c - interval '1 month' < " . relative_day(); },
			0.3 => sub { return "$c\::timestamptz " . one_of('<', '>=') . ' ' . relative_day(); },
			0.3 => sub { return "$c > " . one_of("'infinity'", "'-infinity'", "date '4713-01-01 BC'", "date '12000-01-01'"); },
			0.5 => sub { return "$c >= date '$1' AND $c < date '$1' + interval '1 month'"
				  if ($g->{row}[ $column->{index} ] // '') =~ /^(\d{4}-\d\d-\d\d)/; return "$c IS NOT NULL"; })->();
	},
	int => sub {
		my ($g, $column) = @_;
		my $c = $column->{name};
		my $v = $g->{row}[ $column->{index} ] // 1;

		return one_of(
			"$c " . one_of('<', '>=', '=') . ' ' . one_of("($v.5)", "($v.0)", "'$v'::float8", "'$v'::real", "'NaN'::float8"),
			"$c " . one_of('<', '>') . ' ' . one_of("1e30", "(-1e30)", "9223372036854775808", "'Infinity'::numeric"),
			"$c % 2 = " . one_of(0, 1), "$c " . one_of('=', '>') . " '7'::smallint", "$c / 2 > 3");
	},
	num => sub {
		my ($g, $column) = @_;
		my $c = $column->{name};
		my $v = $g->{row}[ $column->{index} ] // 1;

		return one_of(
			"$c " . one_of('<', '>=', '=', '<>') . ' ' . one_of("'$v'::float8", "'NaN'", "'Infinity'", "'-Infinity'::numeric", "1e1", "'1e3'"),
			"$c = ${v}000" =~ s/ (\d+)000$/ $1.000/r, "round($c) = 1", "$c * 2 > 3", "-$c < 0", "$c " . one_of('=', '<') . ' 10',
			"$c IN (0.1, 1, 1.50, 100.000)");
	},
	float => sub {
		my ($g, $column) = @_;
		return $column->{name} . one_of(' = 0.1', ' < 0.1::real', " <> 'NaN'", " < 'Infinity'", " > '-0'", ' = 0.3',
			' = 9007199254740993', ' IN (0.1, 3.33, 100)', " >= '0.1'::real");
	},
	bool => sub {
		my ($g, $column) = @_;
		my $c = $column->{name};
		return one_of($c, $c, "NOT $c", "$c IS TRUE", "$c IS NOT TRUE", "$c IS FALSE", "$c IS NOT FALSE", "$c IS UNKNOWN",
			"$c IS NOT UNKNOWN", "$c = true", "$c = false", "$c <> true", "$c IS DISTINCT FROM true", "$c = (1 = 1)",
			"$c = 'yes'", "coalesce($c, false)", "$c < true", "$c\::int = 1", "$c IN (true, NULL)");
	},
	uuid => sub {
		my ($g, $column) = @_;
		my $v = $g->{row}[ $column->{index} ] // '00000000-0000-0000-0000-000000000000';
		return "$column->{name} " . one_of('=', '=', '<>', '>=') . " '" . one_of(uc $v, "{$v}", $v =~ s/-//gr) . "'";
	});
$conditions{moment} = $conditions{date};

sub atom
{
	my ($g) = @_;
	my $column = one_of(@{ $g->{table}{columns} });
	my ($a, $b) = map { one_of(grep { $_->{kind} !~ /nocase/ } @{ $g->{table}{columns} }) } 1, 2;

	return weighted(
		6 => sub { return $g->common_condition($column); },
		4 => sub { return $conditions{ $column->{kind} }->($g, $column); },
		0.3 => sub { return "($a->{name}, $b->{name}) " . one_of('=', '>', '<=', '<>') . ' ('
			  . $g->operand($a) . ', ' . $g->operand($b) . ')'; },
		0.6 => sub { return '(' . join(' OR ', map { "$column->{name} = " . $g->operand($column) } 0 .. 1 + int(rand(3))) . ')'; },
		0.15 => sub { return 'random() < 2'; },
		0.1 => sub { return one_of('true', 'false', 'NULL', '1 = 1'); },
		0.2 => sub { return "CASE WHEN $a->{name} IS NULL THEN " . $g->common_condition($b) . ' ELSE true END'; })->();
}

# Is the condition true for the picked row?  Nobody knows, but most are.
sub condition
{
	my ($g, $depth) = @_;
	return $g->atom if $depth > 2;
	return weighted(
		12 - 3 * $depth => sub { return $g->atom; },
		1.5 => sub { return '(' . join(' OR ', map { $g->condition($depth + 1) } 0 .. 1 + int(rand(2))) . ')'; },
		0.4 => sub { return '(' . $g->condition($depth + 1) . ' AND ' . $g->condition($depth + 1) . ')'; },
		1 => sub { return 'NOT (' . $g->condition($depth + 1) . ')'; },
		0.1 => sub { return '(' . $g->condition($depth + 1) . ') IS ' . one_of('NOT TRUE', 'UNKNOWN', 'TRUE', 'NOT FALSE'); }
	)->();
}

sub where
{
	my ($g) = @_;
	my $n = one_of(1, 1, 1, 1, 2, 2, 2, 3, 3, 4);
	return $g->{where} = '' if chance(0.04);
	return $g->{where} = ' WHERE ' . join(' AND ', map { my $c = $g->condition(0); $c =~ / OR | AND /i ? "($c)" : $c } 1 .. $n);
}

# What the service can do as exactly as PostgreSQL, if anything.
sub simple_where
{
	my ($g) = @_;
	my @conditions;

	foreach my $column ($g->columns(int(rand(3)), '^(int|bool|date|text)$'))
	{
		my $v = $g->value($column);
		if ($column->{kind} eq 'text')
		{
			push @conditions, "$column->{name} = " . quote($v) if defined $v && chance($v =~ /^\w+$/a ? 0.9 : 0.2);
			next;
		}
		$v = one_of(1, 10, 100, 1000) if $column->{kind} eq 'int' && (!defined $v || length($v) > 9 || chance(0.2));
		next if !defined $v;
		push @conditions, $column->{kind} eq 'bool' ? one_of('', 'NOT ') . $column->{name}
		  : "$column->{name} " . one_of('<', '<=', '>', '>=', '=', '<>') . ' ' . ($column->{kind} eq 'int' ? "($v)" : quote($v));
	}
	return $g->{where} = @conditions ? ' WHERE ' . join(' AND ', @conditions) : '';
}

# ---------------------------------------------------------------------------
# Queries
# ---------------------------------------------------------------------------

# Some different columns, as they are and, for aggregates, of certain kinds.
sub columns
{
	my ($g, $n, $kinds) = @_;
	my @columns = grep { $_->{kind} =~ /$kinds/ } @{ $g->{table}{columns} };
	my @chosen;

	push @chosen, splice(@columns, int(rand(@columns)), 1) while @columns && @chosen < $n;
	return @chosen;
}

sub names { return join(', ', map { $_->{name} } @_); }
sub kinds { return [ map { $_->{kind} } @_ ]; }

# Without those of which one of several equals may be shown.
my $plain = '^(?!nocase|float)';

sub from { my ($g) = @_; return " FROM $g->{table}{name} t"; }

sub order_by
{
	my (@columns) = @_;
	return ' ORDER BY '
	  . join(', ', map { $_->{name} . one_of('', '', ' DESC', ' ASC') . one_of('', '', ' NULLS FIRST', ' NULLS LAST') } @columns);
}

# LIMIT and OFFSET: their text and numbers.
sub limit
{
	my ($g) = @_;
	my $limit = one_of(0, 1, 1, 2, 3, 5, 10, 10, 20, 50, 100, 101, 1000);
	my $offset = chance(0.3) ? one_of(0, 1, 2, 5, 30, 200) : 0;
	my $text = ' LIMIT ' . (chance(0.1) ? "(SELECT $limit)" : $limit) . ($offset ? " OFFSET $offset" : '');

	$text = ($offset ? " OFFSET $offset" : '') . " FETCH FIRST $limit ROWS ONLY" if chance(0.1);
	return ($text, $limit, $offset);
}

sub aggregates
{
	my ($g) = @_;
	my @list;
	my @kinds;

	foreach (0 .. int(rand(3)))
	{
		my ($column) = $g->columns(1, '.');
		my $kind = $column->{kind};
		my @possible = ('count(*)', "count($column->{name})", "count(DISTINCT $column->{name})");

		push @possible, "sum($column->{name})", "sum($column->{name})" if $kind =~ /^(int|num)$/;
		push @possible, "min($column->{name})", "max($column->{name})" if $kind !~ /bool|uuid|nocase/;
		push @possible, "bool_and($column->{name})" if $kind eq 'bool';
		push @possible, "count(*) FILTER (WHERE " . $g->condition(1) . ')' if chance(0.3);
		push @list, one_of(@possible);
		push @kinds, 'num';
	}
	return (\@list, \@kinds);
}

# What metrics that declare what they are made of can be asked for.
sub metric_aggregates
{
	my ($g) = @_;
	my $table = $g->{table};
	my @possible = map { "sum(t.$_)" } grep { ($table->{metric_options}{$_} // '') =~ /^sum_of/ } @{ $table->{metrics} };
	my @chosen;

	push @possible, ("count(DISTINCT t.$table->{counted})") x 2 if $table->{counted};
	@chosen = map { one_of(@possible) } 0 .. int(rand(2));
	push @chosen, one_of('max(t.month)', 'count(DISTINCT t.month)', 'count(*)', 'min(t.paid)' x !!$table->{counted} || 'min(t.service)')
	  if chance(0.25);
	return @chosen;
}

# Groups, and what of them the service may have made.
sub metric_query
{
	my ($g) = @_;
	my @list = $g->metric_aggregates;
	my @columns = grep { $_->{name} !~ /subscription|acr|assigned/ } $g->columns(1 + int(rand(3)), '.');
	my @all = @{ $g->{table}{columns} };

	# mostly about what is grouped by
	local $g->{table}{columns} = @columns && chance(0.6) ? \@columns : \@all;
	my $where = chance(0.3) ? '' : $g->where;
	my $group = @columns ? ' GROUP BY ' . names(@columns) : '';
	my $having = $group && chance(0.2) ? " HAVING $list[0] " . one_of('> 1', '<> 2', '< 10', 'IS NOT NULL') : '';
	return { sql => 'SELECT ' . join(', ', (map { $_->{name} } @columns), @list) . $g->from . $where . $group . $having,
		kinds => [ @{ kinds(@columns) }, map { 'num' } @list ] };
}

# Of a subquery's columns some may be wanted by nobody.
sub some_of_query
{
	my ($query) = @_;
	my $n = @{ $query->{kinds} };
	my @wanted = grep { chance(0.5) } 1 .. $n;

	return undef if !@wanted;
	return { sql => 'SELECT ' . join(', ', map { "c$_" } @wanted) . " FROM ($query->{sql}) v ("
		  . join(', ', map { "c$_" } 1 .. $n) . ')', kinds => [ map { $query->{kinds}[ $_ - 1 ] } @wanted ] };
}

my @metric_shapes = (
	3 => \&metric_query,
	1 => sub { my ($g) = @_; return some_of_query($g->metric_query); });

# What the service can order and cut off, if it can do all else.
my $limited = sub {
	my ($g) = @_;
	my @sure = grep { $_->{type} =~ /NOT NULL/ } @{ $g->{table}{columns} };
	my @columns = @sure && chance(0.7) ? (grep { chance(0.8) } @sure) : $g->columns(2, '^(int|date|bool|num)$');
	my $where = $g->simple_where;
	my ($limit, $n, $offset) = $g->limit;

	@columns = $g->columns(1, '^(text|date)$') if !@columns;
	my $order = order_by(@columns);
	my $names = names(@columns);
	return { sql => "SELECT $names" . $g->from . "$where$order$limit", kinds => kinds(@columns), compare => 'list' } if chance(0.5);
	my @more = $g->columns(1 + int(rand(3)), $plain);
	my $sql = 'SELECT ' . join(', ', $names, names(@more)) . $g->from . $where;
	return { sql => $sql . one_of($order, '') . $limit, all => $sql, limit => $n, offset => $offset,
		kinds => kinds(@columns, @more), compare => 'part' };
};

my @shapes = (
	28 => sub {
		my ($g) = @_;
		my @columns = $g->columns(1 + int(rand(4)), '.');
		return { sql => 'SELECT ' . names(@columns) . $g->from . $g->where, kinds => kinds(@columns) };
	},
	3 => sub {
		my ($g) = @_;
		my $sure = !$g->{table}{metrics};
		return { sql => 'SELECT ' . ($sure ? one_of('*', 't') : 't.month') . $g->from . $g->where, kinds => [] };
	},
	7 => sub { my ($g) = @_; return { sql => 'SELECT count(*)' . $g->from . $g->where }; },
	8 => sub {
		my ($g) = @_;
		my @columns = $g->columns(1 + int(rand(3)), $plain);
		return { sql => 'SELECT DISTINCT ' . names(@columns) . $g->from . $g->where, kinds => kinds(@columns) };
	},
	11 => sub {
		my ($g) = @_;
		my @columns = $g->columns(1 + int(rand(2)), $plain);
		my ($list, $kinds) = $g->aggregates;
		my $having = chance(0.2) ? ' HAVING count(*) ' . one_of('> 1', '= 1', '< 10') : '';
		return { sql => 'SELECT ' . join(', ', names(@columns), @$list) . $g->from . $g->where . ' GROUP BY ' . names(@columns) . $having,
			kinds => [ @{ kinds(@columns) }, @$kinds ] };
	},
	5 => sub {
		my ($g) = @_;
		my ($list, $kinds) = $g->aggregates;
		return { sql => 'SELECT ' . join(', ', @$list) . $g->from . $g->where, kinds => $kinds };
	},
	10 => sub {
		my ($g) = @_;
		return undef if !$g->{table}{key};
		my @columns = $g->columns(1 + int(rand(3)), $plain);
		my ($limit) = $g->limit;
		my $key = "t.$g->{table}{key}";
		return { sql => "SELECT $key, " . names(@columns) . $g->from . $g->where . order_by(@columns) . ", $key$limit",
			kinds => [ 'text', @{ kinds(@columns) } ], compare => 'list' };
	},
	9 => sub {
		my ($g) = @_;
		my @columns = $g->columns(1 + int(rand(2)), $plain);
		my $distinct = chance(0.3) ? 'DISTINCT ' : '';
		my ($limit) = $g->limit;
		return { sql => "SELECT $distinct" . names(@columns) . $g->from . $g->where . order_by(@columns) . (chance(0.6) ? $limit : ''),
			kinds => kinds(@columns), compare => 'list' };
	},
	9 => sub {
		my ($g) = @_;
		my @columns = $g->columns(1 + int(rand(3)), $plain);
		my $distinct = chance(0.2) ? 'DISTINCT ' : '';
		my $order = !$distinct && chance(0.4) ? order_by($g->columns(1, $plain)) : '';
		my ($limit, $n, $offset) = $g->limit;
		my $sql = "SELECT $distinct" . names(@columns) . $g->from . (chance(0.3) ? '' : $g->where);
		return { sql => "$sql$order$limit", all => $sql, limit => $n, offset => $offset, kinds => kinds(@columns), compare => 'part' };
	},
	9 => $limited,
	2 => sub {
		my ($g) = @_;
		my ($limit) = $g->limit;
		return { sql => 'SELECT count(*) FROM (SELECT ' . names($g->columns(1, $plain)) . $g->from . $g->where . "$limit) v" };
	},
	1 => sub {
		my ($g) = @_;
		my ($column) = $g->columns(1, '^(int|num|date|text)$');
		my $n = one_of(1, 3, 7);
		return { sql => "SELECT $column->{name}" . $g->from . $g->where . order_by($column) . " FETCH FIRST $n ROWS WITH TIES",
			kinds => [ $column->{kind} ], compare => 'list' };
	},
	5 => sub {
		my ($g) = @_;
		my ($on) = $g->columns(1, '^(text|int|num|date|moment|bool)$');
		my ($other) = $g->columns(1, $plain);
		my $join = one_of('JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN');
		return { sql => "SELECT p.id, $on->{name}, $other->{name} FROM $g->{table}{name} t $join common.probes p ON $on->{name} = p.$probe_of{$on->{kind}}"
			  . $g->where, kinds => [ 'int', $on->{kind}, $other->{kind} ], join => 1 };
	},
	2 => sub {
		my ($g) = @_;
		my ($on) = $g->columns(1, '^(text|int|num|date|moment|bool)$');
		my $where = $g->where || ' WHERE true';
		return { sql => "SELECT p.id, (SELECT count(*) FROM $g->{table}{name} t$where AND $on->{name} "
			  . one_of('=', '=', '<', '>=') . " p.$probe_of{$on->{kind}}) FROM common.probes p WHERE p.id < " . one_of(3, 8, 20), join => 1 };
	},
	2 => sub {
		my ($g) = @_;
		my ($on) = $g->columns(1, '^(text|int|num|date|moment)$');
		my $from = 1 + int(rand(40));
		my $in = "SELECT p.$probe_of{$on->{kind}} FROM common.probes p WHERE p.id BETWEEN $from AND " . ($from + 15);
		my ($column) = $g->columns(1, $plain);
		my $where = $g->where || ' WHERE true';
		return { sql => "SELECT $column->{name}" . $g->from . $where . one_of(" AND $on->{name} IN ($in)", " AND $on->{name} NOT IN ($in)",
				" AND EXISTS ($in AND p.$probe_of{$on->{kind}} = $on->{name})", " AND $on->{name} = (SELECT max(x.$probe_of{$on->{kind}}) FROM ($in) x)"),
			kinds => [ $column->{kind} ], join => 1 };
	},
	1 => sub {
		my ($g) = @_;
		my ($on) = $g->columns(1, '^(text|int|num|date|moment)$');
		my ($column) = $g->columns(1, $plain);
		my $where = $g->where || ' WHERE true';
		return { sql => "SELECT p.id, l.* FROM common.probes p, LATERAL (SELECT $column->{name} AS x FROM $g->{table}{name} t$where AND $on->{name} "
			  . one_of('=', '>') . " p.$probe_of{$on->{kind}} ORDER BY 1 LIMIT 3) l WHERE p.id < 12", kinds => [ 'int', $column->{kind} ], join => 1 };
	},
	2 => sub {
		my ($g) = @_;
		my @columns = $g->columns(2, $plain);
		my $names = names(@columns);
		return { sql => "SELECT $names" . $g->from . $g->where . one_of(' UNION ALL ', ' UNION ALL ', ' UNION ', ' EXCEPT ', ' INTERSECT ')
			  . "SELECT $names" . $g->from . $g->where, kinds => kinds(@columns) };
	},
	2 => sub {
		my ($g) = @_;
		my @columns = $g->columns(2, '^(?!nocase)');
		my $names = names(@columns);
		my $outer = $columns[0]{name} =~ s/^t\.//r;
		return { sql => 'WITH v AS ' . one_of('', 'MATERIALIZED ', 'NOT MATERIALIZED ') . "(SELECT $names" . $g->from . $g->where
			  . ") SELECT * FROM v WHERE $outer " . one_of('IS NOT NULL', "= (SELECT max(v.$outer) FROM v)") =~ s/= \(SELECT max.*/IS NOT NULL/r,
			kinds => kinds(@columns) };
	},
	2 => sub {
		my ($g) = @_;
		return undef if !$g->{table}{key};
		my ($column) = $g->columns(1, $plain);
		my $key = "t.$g->{table}{key}";
		return { sql => "SELECT $key, row_number() OVER (PARTITION BY $column->{name} ORDER BY $key), count(*) OVER ()" . $g->from . $g->where };
	},
	1 => sub {
		my ($g) = @_;
		return undef if !$g->{table}{key};
		my ($column) = $g->columns(1, '^(text|int|date|bool|uuid)$');
		my $key = "t.$g->{table}{key}";
		return { sql => "SELECT DISTINCT ON ($column->{name}) $column->{name}, $key" . $g->from . $g->where . " ORDER BY $column->{name}, $key" };
	});

sub next
{
	my ($self) = @_;
	my $table = one_of(@{ $self->{tables} });
	my $g = bless { table => $table, types => [], values => [], prepared => chance(0.25) }, ref $self;
	my $query;
	my @settings;

	$table->{columns}[$_]{index} = $_ foreach 0 .. $#{ $table->{columns} };
	$g->{row} = one_of(@{ $table->{rows} });
	until ($query)
	{
		$g->{types} = [];
		$g->{values} = [];
		$g->{where} = '';
		$query = weighted($table->{metric_options} && chance(0.6) ? @metric_shapes
			: $table->{never_null} && chance(0.6) ? (1 => $limited) : @shapes)->($g);
	}
	push @settings, 'plan_cache_mode = ' . one_of('force_generic_plan', 'force_custom_plan', 'auto') if @{ $g->{types} };
	push @settings, map { "$_ = off" } one_of([], [], [qw(enable_hashjoin enable_mergejoin)], ['enable_nestloop'])->@* if $query->{join};
	push @settings, one_of('enable_hashagg', 'enable_sort') . ' = off' if $query->{sql} =~ /GROUP BY|DISTINCT/ && chance(0.3);
	$query->{compare} ||= 'set';
	$query->{kinds} = [ map { /^(num|float)$/ ? 'num' : $_ } @{ $query->{kinds} || [] } ];
	$query->{types} = $g->{types};
	$query->{settings} = \@settings;
	$query->{arguments} = [ [ map { $_->[0] } @{ $g->{values} } ] ];
	push @{ $query->{arguments} }, [ map { one_of(@$_) } @{ $g->{values} } ] if chance(0.7) && $query->{compare} ne 'part';
	$query->{table} = $table;
	$query->{share} = "SELECT count(*)" . $g->from . $g->{where} if $g->{where} && !@{ $g->{types} };
	return $query;
}

1;
