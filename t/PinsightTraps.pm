# PinsightTraps: rows full of traps, the same in three places.
#
#	my $today = PinsightTraps::today();
#	my $emulator = PinsightTraps::emulator($today);
#	my $node = PinsightTraps::node($emulator, 'traps');
#	PinsightTraps->new($seed, $today)->fill($emulator, $node, 'seed_1');
#
# makes a database with the tables of @tables in four schemas:
#
#	part		foreign tables with fetch 'query'
#	whole		foreign tables with fetch 'table'
#	inclusive	local tables with the rows that the foreign ones must have
#	exclusive	the same for a service that leaves out the last day of a window
#
# The local tables come from the very statements that fill the emulator's
# database, not from the extension.  Beside them is "probes", in the schema
# "common": values to compare with.

package PinsightTraps;

use strict;
use warnings;
use utf8;

use PinsightEmulator;
use POSIX qw(strftime);

# Case variants, blanks, everything that means something to somebody's parser,
# letters whose case or form is in doubt, and texts that look like no text.
my @words = (
	'Contoso', 'contoso', 'CONTOSO', 'Contoso ', ' Contoso', "Contoso\t", 'Con toso',
	'Con  toso', 'Contoso, Ltd.', "O'Brien", "O''Brien", "o'brien", "'", "''", '"quoted"', '"',
	'100%', '100 percent', '%', '_', '%%', 'a_b', 'aXb', 'a%b', 'a\\b', 'a\\\\b', 'a\\_b', '\\',
	'\\%', 'semi;colon', ';', 'a,b', 'a|b', '[a]', '[ab]', '(a)', '(', '*', '?', '{a}', '-- comment',
	'/* comment */', "x' OR 'x'='x", 'x) OR (1=1', 'SELECT', 'NOT', 'LIKE', 'Å', 'å', "A\x{30a}",
	'Århus', 'århus', 'ÅRHUS', 'Arhus', 'straße', 'Straße', 'STRASSE', 'strasse', 'STRAẞE',
	'İstanbul', 'istanbul', 'ISTANBUL', 'ıstanbul', 'Σίσυφος', 'ΣΊΣΥΦΟΣ', 'é', 'É', 'e', 'E',
	"e\x{301}", 'ñ', 'Ñ', 'ﬁn', 'fin', 'Ǆ', 'ǆ', '日本語', "\x{1d4b3}", "\x{1f600}", '', ' ', '  ',
	"\x{a0}", 'a b', "a\x{a0}b", "a\tb", "a\nb", "a\r\nb", "\n", "\x{feff}bom", "zero\x{200b}width",
	'NULL', 'null', 'Null', 'N/A', 'None', '\\N', '0', '00', '1', '01', '1.0', '-1', '1e3', '+1',
	'10', '9', 'true', 'True', 'TRUE', 'Yes', 'yes', 'Y', '2026-03-01', '3/1/2026', 'Infinity', 'NaN',
	'z' x 300, 'Z' x 300, 'a' . ' ' x 40 . 'b');

# As they are stored, so exactly the digits of a report.
my @integers = (
	0, 0, 1, 1, -1, 2, 2, 3, 5, 7, 10, 10, 11, 99, 100, 101, 1000, 32767, 32768, -32769,
	2147483647, 2147483648, -2147483648, -2147483649, 16777217, 9007199254740992,
	9007199254740993, 9223372036854775806, 9223372036854775807, -9223372036854775807,
	'-9223372036854775808');
my @numbers = (
	'0', '0', '1', '1', '1.0', '1.00', '-1', '2', '10', '9', '0.1', '0.10', '-0.1', '0.5', '1.5', '2.5',
	'1.05', '1.04', '1.005', '99.95', '100', '0.3', '0.30000000000000004', '0.1000000000000000055',
	'3.4', '16777217', '9007199254740993', '9007199254740993.5', '123456789012345678901234567890',
	'123456789012345678901234567890.123456789', '-99999999999999999999', '0.00000000000000000001');
my @small_numbers = ('0', '1', '1.0', '2', '0.1', '0.10', '1.5', '-1', '10', '100', '3.33');

sub new
{
	my ($class, $seed, $today) = @_;
	my $self = bless { today => $today }, $class;

	srand($seed);
	$self->{days} = [ $self->days ];
	$self->{months} = [ map { $self->month_start($_) } 0 .. 14 ];
	return $self;
}

# Days since 1970.  The emulator's today and ours are the same, even at midnight.
sub today { return int(time() / 86400); }

sub emulator
{
	my ($today) = @_;
	return PinsightEmulator->new(options => [
		'--rows', 1, '--report-delay', 0, '--today', strftime('%Y-%m-%d', gmtime($today * 86400)),
		map { ("--quota-$_", 1_000_000) } qw(queries reports execute-now) ]);
}

sub node
{
	my ($emulator, $name) = @_;
	return $emulator->node($name, server => "poll_interval '10 ms'",
		conf => "pinsight_fdw.max_age = ''\nmax_connections = 20\nautovacuum = off\njit = off\n");
}

# A day, counted from today, as it is written.
sub day
{
	my ($self, $from_today) = @_;
	return strftime('%Y-%m-%d', gmtime(($self->{today} + $from_today) * 86400));
}

sub month_start
{
	my ($self, $back) = @_;
	my ($year, $month) = $self->day(0) =~ /^(\d+)-(\d+)/;
	my $count = $year * 12 + $month - 1 - $back;

	return sprintf('%04d-%02d-01', int($count / 12), $count % 12 + 1);
}

# Days at the edges of months, of windows, of the calendar.
sub days
{
	my ($self) = @_;
	my @days = map { $self->day($_) }
	  (-366, -365, -91, -90, -89, -31, -30, -29, -8, -7, -2, -1, 0, 0, 1, 2, 31);

	foreach my $back (-1 .. 13)
	{
		my $first = $self->month_start($back);
		my ($year, $month) = $first =~ /^(\d+)-(\d+)/;
		my $seconds = POSIX::mktime(0, 0, 12, 1, $month - 1, $year - 1900);

		push @days, $first, strftime('%Y-%m-%d', localtime($seconds - 86400));
	}
	return (@days, qw(0001-01-01 1969-12-31 1970-01-01 2000-02-29 2024-02-29 9999-12-31));
}

sub one_of { return $_[int(rand(@_))]; }

# Some of a list, so that a column repeats itself.
sub some_of
{
	my ($n, @list) = @_;
	return map { one_of(@list) } 1 .. $n;
}

sub uuid
{
	return join('-', map { sprintf('%0*x', $_, int(rand(16**($_ > 6 ? 6 : $_)))) } 8, 4, 4, 4, 12);
}

# Another text that somebody might take for the same.
sub variant
{
	my ($word) = @_;
	return one_of(uc $word, lc $word, ucfirst lc $word, uc $word, lc $word, "$word ", one_of(@words));
}

my %makers = (
	text => sub { return map { my $word = one_of(@words); ($word, variant($word)) } 1 .. 8; },
	number => sub { return some_of(16, @numbers); },
	small_number => sub { return @small_numbers; },
	integer => sub { return some_of(16, @integers); },
	small_integer => sub { return (0, 0, 1, 2, 3, 5, 10, 11, 100, -1, -7, 2147483647, -2147483648, 2147483648); },
	small_text => sub { return some_of(4, @words); },
	# A window that is open to the future ends with the last day there is, which
	# may not belong to it.
	time => sub { my ($self) = @_; return some_of(24, map { s/^9999/9998/r } @{ $self->{days} }); },
	month => sub { my ($self) = @_; return (@{ $self->{months} }[ 0 .. 13 ], some_of(4, map { s/^9999/9998/r } @{ $self->{days} })); },
	day => sub { my ($self) = @_; return some_of(24, @{ $self->{days} }); },
	month_key => sub {
		my ($self) = @_;
		return map { my $m = $_; $m =~ s/-//g; substr($m, 0, 6) } @{ $self->{months} };
	},
	moment => sub {
		my ($self) = @_;
		return map { one_of(@{ $self->{days} })
			  . one_of('T00:00:00Z', 'T00:00:00Z', 'T00:00:01Z', 'T12:34:56Z', 'T18:30:00Z', 'T23:59:59Z') }
		  1 .. 24;
	},
	uuid => sub { my @ids = map { uuid() } 1 .. 8; return (@ids, map { uc } @ids[ 0 .. 2 ]); },
	'Yes/No' => sub { return qw(Yes No No); },
	'0/1' => sub { return qw(0 1 1); },
	'True/False' => sub { return qw(True False); });

# What is stored: program, dataset, and of each column what it holds.  A key is
# another text, or number, in every row.
my %datasets = (
	ISVOrder => {
		program => 'cmp', rows => 260,
		columns => {
			OrderId => 'key', MonthStartDate => 'month', MarketplaceSubscriptionId => 'uuid',
			CustomerCompanyName => 'text', OrderStatus => 'text', Sku => 'text', OfferName => 'text',
			IsPreviewSKU => 'Yes/No', IsPrivateOffer => '0/1', HasTrial => 'True/False',
			Quantity => 'number', BilledRevenue => 'number', OrderQuantity => 'small_number',
			OrderCancelDate => 'day', EventTimestamp => 'moment', OrderVersion => 'integer'
		}
	},
	CustomersAndTenants => {
		program => 'mpn', rows => 220,
		columns => {
			ProductPartNumber => 'key', Month => 'time', CustomerTenantId => 'uuid', CustomerName => 'text',
			CustomerMarket => 'text', IsDuplicateRowForPGA => '0/1', AvailableSeats => 'integer',
			BilledRevenueUSD => 'number'
		}
	},
	ISVQualityOfService => {
		program => 'cmp', rows => 200,
		columns => {
			ResourceUri => 'key', StartTime => 'moment', EndTime => 'moment', ErrorCode => 'text',
			CustomerName => 'text', SubscriptionId => 'uuid', ResourceType => 'always deployment',
			DeploymentDurationInMilliSeconds => 'number_key'
		}
	},
	TeamsUsageWorkload => {
		program => 'mpn', rows => 150,
		columns => {
			CustomerId => 'key', MonthKey => 'month_key', SubWorkload => 'text', WebUsers => 'integer'
		}
	},
	AzureUsage => {
		program => 'mpn', rows => 240,
		columns => {
			Month => 'month', CustomerName => 'text', ServiceName => 'text', UsageQuantity => 'number',
			IsACRDuplicateAtPGALevel => '0/1', TotalACR => 'small_number'
		}
	},
	ISVLicense => {
		program => 'cmp', rows => 240, never_null => qr/^(ActivationDate|LicensesProvisioned)$/,
		columns => {
			ServiceId => 'key', SKUName => 'always license', ActivationDate => 'time', LicensesProvisioned => 'small_integer',
			LicensesAssigned => 'small_integer', LicenseState => 'text', TenantId => 'uuid'
		}
	},
	DynamicsUsage => {
		program => 'mpn', rows => 240,
		columns => {
			SubscriptionId => 'subscription', Month => 'subscription_month', CustomerMarket => 'text',
			FreeVsPaidSKU => 'small_text', CustomerTenantId => 'uuid', AssignedSeats => 'small_integer',
			CustomerName => 'text'
		}
	});

# What a user sees: of each column its name, remote name, type, and how its
# rows follow from what is stored where that is more than a cast.  Kinds steer
# the conditions (see PinsightQueries).  "odd" tables have columns of types
# that are not the dataset's.
our @tables = (
	{
		name => 'orders', dataset => 'ISVOrder', timespan => 'LIFETIME', key => 'order_id',
		columns => [
			[ 'order_id', 'OrderId', 'text' ], [ 'month', 'MonthStartDate', 'date' ],
			[ 'subscription', 'MarketplaceSubscriptionId', 'uuid' ],
			[ 'company', 'CustomerCompanyName', 'text' ], [ 'status', 'OrderStatus', 'text' ],
			[ 'preview', 'IsPreviewSKU', 'boolean' ], [ 'private', 'IsPrivateOffer', 'boolean' ],
			[ 'trial', 'HasTrial', 'boolean' ], [ 'quantity', 'Quantity', 'numeric' ],
			[ 'revenue', 'BilledRevenue', 'numeric' ], [ 'cancelled', 'OrderCancelDate', 'date' ],
			[ 'event', 'EventTimestamp', 'timestamptz' ], [ 'version', 'OrderVersion', 'bigint' ]
		]
	}, {
		name => 'odd_orders', dataset => 'ISVOrder', timespan => 'LAST_6_MONTHS', key => 'order_id',
		options => "on_error 'set_null'",
		columns => [
			[ 'order_id', 'OrderId', 'varchar(20)' ], [ 'month', 'MonthStartDate', 'text' ],
			[ 'subscription', 'MarketplaceSubscriptionId', 'text' ],
			[ 'company', 'CustomerCompanyName', 'char(60)', 'CASE WHEN length(rtrim(%s, \' \')) <= 60 THEN %s::char(60) END' ],
			[ 'status', 'OrderStatus', 'text COLLATE common.nocase', '%s' ],
			[ 'sku', 'Sku', 'text COLLATE "C"', '%s' ], [ 'offer', 'OfferName', 'common.any_text' ],
			[ 'short', 'OrderStatus', 'varchar(7)', 'CASE WHEN length(rtrim(%s, \' \')) <= 7 THEN %s::varchar(7) END' ],
			[ 'preview', 'IsPreviewSKU', 'text' ], [ 'private', 'IsPrivateOffer', 'integer' ],
			[ 'quantity', 'Quantity', 'double precision' ],
			[ 'revenue', 'BilledRevenue', 'numeric(12,1)', 'CASE WHEN abs(%s::numeric) < 1e10 THEN %s::numeric(12,1) END' ],
			[ 'small_quantity', 'OrderQuantity', 'real' ],
			[ 'cancelled', 'OrderCancelDate', 'timestamptz', '(%s || \'T00:00:00Z\')::timestamptz' ],
			[ 'event', 'EventTimestamp', 'date', 'left(%s, 10)::date' ],
			[ 'version', 'OrderVersion', 'integer', 'CASE WHEN %s::numeric BETWEEN -2147483648 AND 2147483647 THEN %s::integer END' ]
		]
	}, {
		name => 'tenants', dataset => 'CustomersAndTenants', timespan => 'LAST_6_MONTHS', key => 'part',
		columns => [
			[ 'part', 'ProductPartNumber', 'text' ], [ 'month', 'Month', 'date' ],
			[ 'tenant', 'CustomerTenantId', 'uuid' ], [ 'customer_name', 'CustomerName', 'text' ],
			[ 'market', 'CustomerMarket', 'text' ], [ 'duplicate', 'IsDuplicateRowForPGA', 'boolean' ],
			[ 'seats', 'AvailableSeats', 'bigint' ], [ 'revenue', 'BilledRevenueUSD', 'numeric' ]
		]
	}, {
		name => 'deployments', dataset => 'ISVQualityOfService', timespan => 'LAST_3_MONTHS', key => 'uri',
		columns => [
			[ 'uri', 'ResourceUri', 'text' ], [ 'started', 'StartTime', 'timestamptz' ],
			[ 'ended', 'EndTime', 'timestamptz' ], [ 'code', 'ErrorCode', 'text' ],
			[ 'customer_name', 'CustomerName', 'text' ], [ 'subscription', 'SubscriptionId', 'uuid' ],
			[ 'duration', 'DeploymentDurationInMilliSeconds', 'bigint' ]
		]
	}, {
		name => 'odd_deployments', dataset => 'ISVQualityOfService', timespan => 'LAST_6_MONTHS', key => 'uri',
		columns => [
			[ 'uri', 'ResourceUri', 'text' ], [ 'started', 'StartTime', 'date', 'left(%s, 10)::date' ],
			[ 'ended', 'EndTime', 'timestamp', '(%s::timestamptz AT TIME ZONE \'UTC\')' ],
			[ 'customer_name', 'CustomerName', 'varchar' ],
			[ 'duration', 'DeploymentDurationInMilliSeconds', 'numeric' ]
		]
	}, {
		name => 'teams', dataset => 'TeamsUsageWorkload', timespan => 'LAST_6_MONTHS', key => 'customer',
		columns => [
			[ 'customer', 'CustomerId', 'text' ], [ 'month', 'MonthKey', 'date', '(%s || \'01\')::date' ],
			[ 'workload', 'SubWorkload', 'text' ], [ 'users', 'WebUsers', 'bigint' ]
		]
	}, {
		name => 'usage', dataset => 'AzureUsage', timespan => 'LIFETIME', metrics => ['acr'],
		columns => [
			[ 'month', 'Month', 'date' ], [ 'customer_name', 'CustomerName', 'text' ],
			[ 'service', 'ServiceName', 'text' ], [ 'quantity', 'UsageQuantity', 'numeric' ],
			[ 'duplicate', 'IsACRDuplicateAtPGALevel', 'boolean' ], [ 'acr', 'TotalACR', 'numeric' ]
		]
	}, {
		name => 'licenses', dataset => 'ISVLicense', timespan => 'LIFETIME', key => 'service', never_null => 1,
		columns => [
			[ 'service', 'ServiceId', 'text' ], [ 'activated', 'ActivationDate', 'date NOT NULL' ],
			[ 'provisioned', 'LicensesProvisioned', 'bigint NOT NULL' ], [ 'assigned', 'LicensesAssigned', 'bigint' ],
			[ 'state', 'LicenseState', 'text' ], [ 'tenant', 'TenantId', 'uuid' ]
		]
	}, {
		name => 'sums', dataset => 'AzureUsage', timespan => 'LAST_6_MONTHS', metrics => ['acr'],
		metric_options => { acr => "sum_of 'UsageQuantity'" },
		columns => [
			[ 'month', 'Month', 'date' ], [ 'customer_name', 'CustomerName', 'text' ],
			[ 'service', 'ServiceName', 'text' ], [ 'duplicate', 'IsACRDuplicateAtPGALevel', 'boolean' ],
			[ 'acr', 'TotalACR', 'numeric' ]
		]
	}, {
		name => 'seats', dataset => 'DynamicsUsage', timespan => 'LIFETIME', metrics => [qw(subscriptions assigned)],
		counted => 'subscription',
		metric_options => { subscriptions => "count_of 'SubscriptionId'", assigned => "sum_of 'AssignedSeats'" },
		columns => [
			[ 'subscription', 'SubscriptionId', 'uuid' ], [ 'month', 'Month', 'date' ],
			[ 'market', 'CustomerMarket', 'text' ], [ 'paid', 'FreeVsPaidSKU', 'text' ],
			[ 'tenant', 'CustomerTenantId', 'uuid' ],
			[ 'subscriptions', 'SubscriptionCount', 'bigint', 'count(DISTINCT "SubscriptionId")' ],
			[ 'assigned', 'TotalAssignedSeats', 'bigint', 'sum("AssignedSeats"::bigint)::bigint' ]
		]
	});

# First day of a timespan, and the time column of a dataset.
my %months_back = (LAST_6_MONTHS => 6, LAST_3_MONTHS => 3);
my %time_columns = (
	ISVOrder => 'MonthStartDate', CustomersAndTenants => 'Month', ISVQualityOfService => 'StartTime',
	TeamsUsageWorkload => 'MonthKey', AzureUsage => 'Month', ISVLicense => 'ActivationDate', DynamicsUsage => 'Month');

sub quote
{
	my ($value) = @_;
	return 'NULL' if !defined $value;
	$value =~ s/'/''/g;
	return "'$value'";
}

# The names of a dataset's columns and its rows.
sub make_rows
{
	my ($self, $dataset) = @_;
	my $spec = $datasets{$dataset};
	my @names = sort keys %{ $spec->{columns} };
	my %pools;
	my @rows;

	foreach my $name (@names)
	{
		my $maker = $makers{ $spec->{columns}{$name} };
		$pools{$name} = [ $maker->($self) ] if $maker;
	}
	foreach my $i (1 .. $spec->{rows})
	{
		# now and then one that was there before, but for its key
		my @values = @rows && rand() < 0.06 ? @{ one_of(@rows) }
		  : map { $pools{$_} && (rand() > 0.08 || ($spec->{never_null} && $_ =~ $spec->{never_null}))
			  ? one_of(@{ $pools{$_} }) : undef } @names;

		foreach my $c (0 .. $#names)
		{
			my $what = $spec->{columns}{ $names[$c] };
			$values[$c] = $1 if $what =~ /^always (.*)/;
			$values[$c] = sprintf('K%04d', $i) if $what eq 'key';
			$values[$c] = $i * 37 % 211 * ($i % 5 ? 1 : -1_000_000_007) if $what eq 'number_key';

			# together they are a key, as in all data of the emulator
			$values[$c] = $self->{months}[ $i % 8 ] if $what eq 'subscription_month';
			$values[$c] = $i < 9 ? undef : sprintf('0000%04d-ab12-4cde-8f00-123456789abc', $i / 8) if $what eq 'subscription';
		}
		push @rows, \@values;
	}
	return { names => \@names, rows => \@rows };
}

# All rows as statements that SQLite and PostgreSQL both understand, but for the
# function that makes a carriage return: SQLite's program drops those it reads.
sub insert
{
	my ($self, $function) = @_;
	my $sql = '';

	foreach my $dataset (sort keys %datasets)
	{
		my $made = $self->{made}{$dataset} ||= $self->make_rows($dataset);
		my @rows = map { '(' . join(', ', map { quote($_) } @$_) . ')' } @{ $made->{rows} };
		my $columns = join(', ', map { "\"$_\"" } @{ $made->{names} });

		$sql .= "INSERT INTO \"$datasets{$dataset}{program}_$dataset\" ($columns) VALUES\n"
		  . join(",\n", @rows) . ";\n";
	}
	return $sql =~ s/\r/' || $function(13) || '/gr;
}

sub create_raw
{
	my ($dataset) = @_;
	my $spec = $datasets{$dataset};
	return "CREATE TABLE raw.\"$spec->{program}_$dataset\" ("
	  . join(', ', map { "\"$_\" text" } sort keys %{ $spec->{columns} }) . ");\n";
}

sub create_foreign
{
	my ($schema, $table) = @_;
	my $spec = $datasets{ $table->{dataset} };
	my @columns = map {
		my ($name, $remote, $type) = @$_;
		my $metric = ($table->{metric_options} || {})->{$name};
		my $more = $metric ? ", $metric" : '';
		my ($bare, $rest) = $type =~ /^(.*?)( COLLATE .*| NOT NULL)?$/;
		"$name $bare OPTIONS (column_name '$remote'$more)" . ($rest // '')
	} @{ $table->{columns} };
	my $columns = join(', ', @columns);
	my $options = $table->{options} ? ", $table->{options}" : '';

	return "CREATE FOREIGN TABLE $schema.$table->{name} ($columns) SERVER $schema OPTIONS ("
	  . "dataset '$table->{dataset}', program '$spec->{program}', timespan '$table->{timespan}'$options);\n";
}

sub is_metric
{
	my ($table, $name) = @_;
	return scalar grep { $_ eq $name } @{ $table->{metrics} || [] };
}

# The rows of the report, by their definition.
sub create_local
{
	my ($self, $schema, $table) = @_;
	my $spec = $datasets{ $table->{dataset} };
	my $time = "\"$time_columns{ $table->{dataset} }\"";
	my $back = $months_back{ $table->{timespan} };
	my $last = $schema eq 'exclusive' ? '<' : '<=';
	my $where = '';
	my $group = '';
	my @columns;

	foreach my $column (@{ $table->{columns} })
	{
		my ($name, $remote, $type, $expression) = @$column;
		my $value = is_metric($table, $name) ? "trim_scale(sum(\"$remote\"::numeric))" : "\"$remote\"";
		my $bare = $type =~ s/ COLLATE.*| NOT NULL//r;

		$expression ||= "%s::$bare";
		push @columns, ($expression =~ s/%s/$value/gr) . " AS $name";
	}
	if ($back)
	{
		my $first = $self->month_start($back);
		my $today = $self->day(0);
		my $day = $table->{dataset} eq 'TeamsUsageWorkload'
		  ? "to_char(($time || '01')::date, 'YYYY-MM-DD')" : "left($time, 10)";
		$where = "WHERE $day COLLATE \"C\" >= '$first' AND $day COLLATE \"C\" $last '$today'";
	}
	if ($table->{metrics})
	{
		$group = 'GROUP BY ' . join(', ', map { "\"$_->[1]\"" }
			  grep { !is_metric($table, $_->[0]) } @{ $table->{columns} });
	}
	my $definition = join(', ', map { "$_->[0] $_->[2]" } @{ $table->{columns} });
	return "CREATE TABLE $schema.$table->{name} ($definition);\n"
	  . "INSERT INTO $schema.$table->{name} SELECT " . join(', ', @columns)
	  . " FROM raw.\"$spec->{program}_$table->{dataset}\" $where $group;\n"
	  . "ANALYZE $schema.$table->{name};\n";
}

# Some of everything that is stored, and as much that is not.
sub create_probes
{
	my ($self) = @_;
	my @rows = map {
		[ $_, quote(one_of(@words)), one_of(@integers), one_of(@numbers),
			"DATE '" . one_of(@{ $self->{days} }) . "'",
			"TIMESTAMPTZ '" . one_of(@{ $self->{days} }) . one_of('T00:00:00Z', 'T12:34:56Z') . "'",
			one_of('true', 'false') ]
	} 1 .. 60;

	$rows[ 10 * $_ ] = [ 10 * $_ + 1, ('NULL') x 6 ] foreach 1 .. 3;
	return "CREATE TABLE common.probes (id integer, t text, i bigint, n numeric, d date, m timestamptz, b boolean);\n"
	  . "INSERT INTO common.probes VALUES\n"
	  . join(",\n", map { '(' . join(', ', @$_) . ')' } @rows) . ";\nANALYZE common.probes;\n";
}

sub run_sql
{
	my ($command, $sql) = @_;
	open(my $out, '|-:encoding(UTF-8)', @$command) or die "@$command: $!\n";
	print $out $sql;
	close($out) or die "@$command failed\n";
	return;
}

# psql on a database of the node, as a command with arguments.
sub psql
{
	my ($node, $database, @arguments) = @_;
	return ($node->installed_command('psql'), '-XAtq', '-d', $node->connstr($database), @arguments);
}

# Makes everything in a new database; the emulator's rows take the place of
# those it made itself.
sub fill
{
	my ($self, $emulator, $node, $database) = @_;
	my @names = sort keys %datasets;
	my $server = "tenant '$PinsightEmulator::tenant', api_url '$emulator->{api}',"
	  . " login_url '$emulator->{api}', poll_interval '10 ms', max_reports_per_hour '1000'";
	my $sql = "SET client_min_messages = error; SET datestyle = 'ISO, MDY'; SET timezone = 'UTC';\n"
	  . "CREATE EXTENSION pinsight_fdw;\n";

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$sql .= "CREATE SCHEMA $_;\n" foreach qw(common raw part whole inclusive exclusive);
	$sql .= "CREATE COLLATION common.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);\n"
	  . "CREATE DOMAIN common.any_text AS text;\n";
	foreach my $schema (qw(part whole))
	{
		$sql .= "CREATE SERVER $schema FOREIGN DATA WRAPPER pinsight_fdw OPTIONS ($server,"
		  . ' fetch \'' . ($schema eq 'part' ? 'query' : 'table') . "');\n"
		  . "CREATE USER MAPPING FOR PUBLIC SERVER $schema OPTIONS (client_id '$PinsightEmulator::client_id',"
		  . " client_secret '$PinsightEmulator::client_secret',"
		  . " refresh_token '$PinsightEmulator::refresh_token');\n";
		$sql .= create_foreign($schema, $_) foreach @tables;
	}
	$sql .= $self->create_probes;
	$sql .= create_raw($_) foreach @names;
	$sql .= "SET search_path = raw;\n" . $self->insert('chr') . "\nRESET search_path;\n";
	foreach my $schema (qw(inclusive exclusive))
	{
		$sql .= $self->create_local($schema, $_) foreach @tables;
	}

	# Ask once for each dataset, so that the emulator has its table.
	my %seen;
	$sql .= "SELECT count(*) FROM whole.$_->{name};\nSELECT pinsight_forget('whole.$_->{name}');\n"
	  foreach grep { !$seen{ $_->{dataset} }++ } @tables;
	run_sql([ psql($node, $database, '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1') ], $sql);

	my $replace = join('', map { "DELETE FROM \"$datasets{$_}{program}_$_\";\n" } @names) . $self->insert('char');
	run_sql([ 'sqlite3', '-batch', '-bail', $emulator->database ],
		"PRAGMA synchronous = OFF;\nBEGIN;\n$replace\nCOMMIT;\n");
	return;
}

sub datasets { return sort keys %datasets; }

# How many rows a dataset has in the emulator's database.
sub stored
{
	my ($emulator, $dataset) = @_;
	return $emulator->truth("SELECT count(*) FROM \"$datasets{$dataset}{program}_$dataset\"");
}

sub raw_table { my ($dataset) = @_; return "raw.\"$datasets{$dataset}{program}_$dataset\""; }

1;
