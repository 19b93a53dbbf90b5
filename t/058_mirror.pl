# Ordinary tables that mirror foreign ones: made and refreshed by
# pinsight_mirror(), whole or by month, and never half of it.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use JSON::PP;
use PinsightBackground;
use PinsightEmulator;
use PinsightSession;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $kills = $ENV{PINSIGHT_KILLS} || 50;
my $seed = srand($ENV{PINSIGHT_SEED} || int(time()));
note("PINSIGHT_SEED=$seed");

# 25 months of 10 rows each, the last of them the month under way.
my $emulator = PinsightEmulator->new(
	options => [ '--rows', 250, '--report-delay', '0' ]);
my $node = $emulator->node('mirror', conf => "restart_after_crash = on\n",
	server => "poll_interval '10 ms'");
my $session = PinsightSession->new($node);
my $columns = 'month date, customer_name text, customer_segment text, usage_quantity numeric';

$session->rows('CREATE SCHEMA insights');
$session->rows('CREATE SCHEMA warehouse');
$emulator->create_table($node, "insights.usage_$_", $columns,
	"dataset 'AzureUsage', timespan 'LIFETIME', fetch '$_'") foreach qw(query table);

my $usage = q('insights.usage_query', 'warehouse.usage');
my $mpn = 'mpn_AzureUsage';

sub mirror { my ($args) = @_; return $session->rows("CALL pinsight_mirror($args)"); }
sub mirror_error { my ($args) = @_; return $session->error("CALL pinsight_mirror($args)"); }

# All rows of a table here, and what the service has of them.
sub rows_here
{
	my ($table, $where) = @_;
	return $session->rows(qq(SELECT month, customer_name, customer_segment, usage_quantity
		FROM $table WHERE @{[ $where || 'true' ]} ORDER BY 1, 2, 3, 4, ctid));
}

sub same_as_service
{
	my ($table, $where) = @_;
	my ($here, $there) = map { join("\n", sort split(/\n/, $_)) }
	  rows_here($table, $where), $emulator->truth(qq(SELECT Month, CustomerName, CustomerSegment,
		UsageQuantity FROM $mpn WHERE @{[ $where || 'true' ]}));
	return $here eq $there && $there ne '';
}

# The first day of the month so many before now.
sub month
{
	my ($ago) = @_;
	return $session->rows(qq(SELECT (date_trunc('month', now() AT TIME ZONE 'UTC')
		- make_interval(months => $ago))::date));
}
my @month = map { month($_) } 0 .. 25;

# The reports ordered since the log was cleared.
sub orders
{
	return map { ref $_->{body} ? $_->{body} : decode_json($_->{body}) }
	  $emulator->log(endpoint => 'create_report');
}

# --- made

mirror($usage);
like($session->said, qr/NOTICE: .*mirroring insights.usage_query into warehouse.usage: all rows\n/,
	'what is going on is told');
like($session->said, qr/NOTICE: .*mirrored 250 rows in place of 0 in \d+\.\d s\n/, 'and what came of it');
ok(same_as_service('warehouse.usage'), 'a mirror has all rows');
is($session->rows(q(SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = 'warehouse.usage'::regclass AND attnum > 0)), $columns,
	'and the columns');
is($session->rows(q(SELECT obj_description('warehouse.usage'::regclass))),
	'Mirror of insights.usage_query, made by pinsight_mirror.', 'and says what it is');
my @orders = orders();
is(scalar(@orders), 1, 'one report was ordered');
ok(!exists $orders[0]{QueryStartTime}, 'of all times');

# --- refreshed by month

$session->rows($_) foreach
	'CREATE ROLE reader LOGIN',
	'GRANT USAGE ON SCHEMA warehouse TO reader',
	'GRANT SELECT ON warehouse.usage TO reader',
	'CREATE INDEX usage_month ON warehouse.usage (month)',
	'CREATE TABLE fired (op text)',
	q(CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql
		AS 'BEGIN INSERT INTO public.fired VALUES (tg_op); RETURN NULL; END'),
	'CREATE TRIGGER fire AFTER INSERT OR DELETE ON warehouse.usage EXECUTE FUNCTION fire()';
my $kept = q(SELECT 'warehouse.usage'::regclass::oid, relacl, indexrelid, indisvalid, tgname
	FROM pg_class JOIN pg_index ON indrelid = pg_class.oid JOIN pg_trigger ON tgrelid = pg_class.oid
	WHERE pg_class.oid = 'warehouse.usage'::regclass);
my $before = $session->rows($kept);
my $older = rows_here('warehouse.usage', "month < '$month[2]'");

$emulator->change(qq(
	UPDATE $mpn SET CustomerSegment = 'restated', UsageQuantity = '1.5' WHERE Month >= '$month[1]';
	UPDATE $mpn SET CustomerSegment = 'too late' WHERE Month < '$month[2]';
	DELETE FROM $mpn WHERE rowid IN (SELECT rowid FROM $mpn WHERE Month = '$month[2]' LIMIT 3)));
$emulator->clear_log;
mirror($usage);
like($session->said, qr/into warehouse.usage: rows since $month[2]\n/, 'a refresh is of the last months');
like($session->said, qr/mirrored 27 rows in place of 30 in/, 'and says how many rows are new');
my @names = map { substr($_, 0, 7) } @month;
like($session->said, qr/Rows by month: $names[2]: 7, $names[1]: 10, $names[0]: 10\./, 'month by month');
ok(same_as_service('warehouse.usage', "month >= '$month[2]'"),
	'rows of these months are replaced, and those that vanished are gone');
is(rows_here('warehouse.usage', "month < '$month[2]'"), $older, 'the others are left alone');
@orders = orders();
is(scalar(@orders), 1, 'one report was ordered');
my $start = $session->rows("SELECT '$month[2]'::date - 1");
is($orders[0]{QueryStartTime}, "${start}T00:00:00Z", 'of the months that are replaced');
is($emulator->count(endpoint => 'download'), 1, 'and downloaded once');
is($session->rows($kept), $before, 'the table, its index, grants and triggers are the same');
is($session->rows('SELECT string_agg(op, $$ $$) FROM fired'), 'DELETE INSERT', 'triggers fire');
$session->rows('DROP TRIGGER fire ON warehouse.usage');

$emulator->clear_log;
mirror("$usage, months => 0");
is((orders())[0]{QueryStartTime}, $session->rows("SELECT '$month[0]'::date - 1") . 'T00:00:00Z',
	'another number of months');
mirror("$usage, since => '$month[20]'");
like($session->said, qr/rows since $month[20]\n/, 'or any day');
ok(same_as_service('warehouse.usage', "month >= '$month[20]'"), 'from which all is replaced');
mirror("$usage, since => '-infinity'");
ok(same_as_service('warehouse.usage'), 'or everything');

# The snapshot of the whole table does as well.
$session->rows(q(SET pinsight_fdw.max_age = '1 day'));
$emulator->forget($node);
$emulator->clear_log;
mirror(q('insights.usage_table', 'warehouse.second')) for 1 .. 2;
like($session->said, qr/rows since $month[2]\n/, 'a table that is fetched whole is mirrored by month, too');
@orders = orders();
is(scalar(@orders), 1, 'with one report for both refreshes');
ok(!exists $orders[0]{QueryStartTime}, 'of all rows');
ok(same_as_service('warehouse.second'), 'which are there');
$session->rows(q(RESET pinsight_fdw.max_age));

# Long after: what was not final then is asked for as well.
$session->rows("DELETE FROM warehouse.usage WHERE month > '$month[9]'");
mirror($usage);
like($session->said, qr/rows since $month[11]\n/, 'months that are missing are asked for, and those before them');
ok(same_as_service('warehouse.usage'), 'and are there then');

# Rows without a time.
$emulator->change("UPDATE $mpn SET Month = NULL WHERE Month = '$month[24]'");
mirror("$usage, since => '-infinity'");
is($session->rows('SELECT count(*) FROM warehouse.usage WHERE month IS NULL'), 10, 'rows without month');
$emulator->change("DELETE FROM $mpn WHERE Month IS NULL");
mirror($usage);
is($session->rows('SELECT count(*) FROM warehouse.usage WHERE month IS NULL'), 10, 'stay by month');
mirror("$usage, since => '-infinity'");
is($session->rows('SELECT count(*) FROM warehouse.usage WHERE month IS NULL'), 0, 'until all is replaced');

# --- timespans with a beginning

$emulator->create_table($node, 'insights.half_year', $columns,
	"dataset 'AzureUsage', timespan 'LAST_6_MONTHS'");
my $half = q('insights.half_year', 'warehouse.half');
mirror($half);
$session->rows(qq(INSERT INTO warehouse.half VALUES ('$month[15]', 'old', 'old', 1)));
mirror($half);
is($session->rows(q(SELECT count(*) FROM warehouse.half WHERE customer_name = 'old')), 1,
	'a mirror keeps months that the table has lost');
$session->rows("DELETE FROM warehouse.half WHERE month > '$month[8]'");
$session->rows(qq(INSERT INTO warehouse.half VALUES ('$month[8]', 'old', 'old', 1)));
mirror($half);
like($session->said, qr/WARNING: .*months of mirror warehouse.half from $month[10] until ($month[5]|$month[4]) are left/,
	'it tells of those that it lacks');
like($session->said, qr/HINT: .*use since => '$month[10]'/, 'and of the way to what there is');
is($session->rows(q(SELECT count(*) FROM warehouse.half WHERE customer_name = 'old')), 2,
	'but removes nothing');
ok(same_as_service('warehouse.half', "month >= '$month[4]'"), 'and has what is surely whole');
mirror($half);
unlike($session->said, qr/WARNING/, 'it tells once');
like(mirror_error("$half, since => '$month[8]'")->{detail}, qr/^It has none of $names[8]\./,
	'what one asks for is not done to months the table lacks');
mirror("$half, since => '$month[8]', allow_empty => true");
is($session->rows(q(SELECT count(*) FROM warehouse.half WHERE customer_name = 'old')), 1,
	'unless one insists');

$emulator->create_table($node, 'insights.one_month', $columns,
	"dataset 'AzureUsage', timespan 'LAST_MONTH'");
mirror(q('insights.one_month', 'warehouse.one')) for 1 .. 2;
like($session->said, qr/all rows\n/, 'what is narrow is mirrored whole');

# Datasets whose old rows may change at any time.
$emulator->create_table($node, 'insights.orders', 'month_start_date date, order_id text, order_status text',
	"dataset 'ISVOrder', program 'cmp', timespan 'LIFETIME'");
mirror(q('insights.orders', 'warehouse.orders')) for 1 .. 2;
like($session->said, qr/all rows\n/, 'so is what may change at any time');
mirror(q('insights.orders', 'warehouse.orders', months => 1));
like($session->said, qr/rows since $month[1]\n/, 'if nobody says otherwise');

# --- times of other types, seen from elsewhere

foreach my $type ('timestamp', 'timestamptz')
{
	$emulator->create_table($node, "insights.$type", "month $type, customer_segment text",
		"dataset 'AzureUsage', timespan 'LIFETIME', fetch 'query'");
	$emulator->change("UPDATE $mpn SET CustomerSegment = '$type 1'");
	mirror("'insights.$type', 'warehouse.$type'");
	$emulator->change("UPDATE $mpn SET CustomerSegment = '$type 2'");
	foreach my $zone ('America/New_York', 'Asia/Tokyo')
	{
		$emulator->clear_log;
		$session->rows("SET TimeZone = '$zone'");
		mirror("'insights.$type', 'warehouse.$type'");
		$session->rows('RESET TimeZone');
		is($session->rows("SELECT string_agg(customer_segment || ': ' || n, ', ' ORDER BY n) FROM (
				SELECT customer_segment, count(*) n FROM warehouse.$type GROUP BY 1) x"),
			"$type 2: 27, $type 1: 210", "months begin in UTC, $type, $zone");
		# a day more, because a time may be of another day there
		is((orders())[0]{QueryStartTime}, $session->rows("SELECT '$month[3]'::date - 1") . 'T00:00:00Z',
			'and some more is asked for');
	}
}
$emulator->create_table($node, 'insights.words', "month text, customer_name text",
	"dataset 'AzureUsage', timespan 'LIFETIME'");
mirror(q('insights.words', 'warehouse.words')) for 1 .. 2;
like($session->said, qr/all rows\n/, 'months that are text are not compared');
is(mirror_error(q('insights.words', 'warehouse.words', months => 1))->{sqlstate}, '22023',
	'even if one wants it');

# --- odd names, in hostile company

$session->rows(q(CREATE SCHEMA "Odd ""Schema"""));
$session->rows(q(CREATE SCHEMA evil));
$session->rows(q(CREATE FOREIGN TABLE "Odd ""Schema"""."We.ird '$1" (
	"Select" date OPTIONS (column_name 'Month'), "customer name; --" text OPTIONS (column_name 'CustomerName'))
	SERVER partner OPTIONS (dataset 'AzureUsage')));
$session->rows($_) foreach
	q(CREATE FUNCTION evil.ge(date, date) RETURNS boolean LANGUAGE sql AS 'SELECT false'),
	q(CREATE OPERATOR evil.>= (LEFTARG = date, RIGHTARG = date, FUNCTION = evil.ge)),
	q(CREATE FUNCTION evil.date_trunc(text, timestamp) RETURNS timestamp LANGUAGE sql AS 'SELECT NULL::timestamp'),
	q(CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''-infinity''::timestamptz'),
	q(CREATE DOMAIN evil.date AS text),
	q(SET search_path = evil, pg_catalog, public);
my $odd = q('"Odd ""Schema"""."We.ird ''$1"', '"Odd ""Schema"""."Mirror; ''$1"');
mirror($odd) for 1 .. 2;
like($session->said, qr/rows since $month[2]\n.*mirrored 27 rows in place of 27/s, 'any name will do');
mirror(q('insights.usage_query', 'usage'));
$session->rows('RESET search_path');
is($session->rows('SELECT count(*) FROM evil.usage'), 237, 'a name without schema goes where the search path says');
mirror(q('insights.usage_query', 'pg_temp.usage')) for 1 .. 2;
is($session->rows('SELECT count(*) FROM pg_temp.usage'), 237, 'a mirror may be temporary');

# --- a mirror whose columns are others

my $drift = q('insights.usage_table', 'warehouse.second');
$session->rows('ALTER FOREIGN TABLE insights.usage_table ADD COLUMN "New one" text OPTIONS (column_name \'ServiceName\'),
	ALTER usage_quantity TYPE numeric(20,4)');
$emulator->clear_log;
my $error = mirror_error($drift);
is($error->{sqlstate}, '42P16', 'a mirror without a new column');
is($error->{message}, 'table warehouse.second has not the columns of foreign table insights.usage_table',
	'is told of');
is($error->{detail}, 'Its columns: "usage_quantity" is of type numeric, "New one" is not there.', 'column by column');
my ($alter) = $error->{hint} =~ /^Change it first: (ALTER TABLE .*;)$/;
is($alter, 'ALTER TABLE warehouse.second ALTER COLUMN usage_quantity TYPE numeric(20,4), ADD COLUMN "New one" text;',
	'with what to do');
is($emulator->count, 0, 'before the service is asked');
$session->rows($alter);
$session->rows(q(ALTER TABLE warehouse.second ADD loaded text DEFAULT 'by default', DROP customer_name,
	ADD customer_name text));
mirror($drift);
is($session->rows(qq(SELECT count("New one"), count(customer_name), string_agg(DISTINCT loaded, ',') FROM warehouse.second
	WHERE month >= '$month[2]')), '27|27|by default', 'then it works, and columns of its own have their defaults');

$session->rows(q(CREATE TABLE warehouse.own (LIKE insights.usage_table, needed text NOT NULL, filled text NOT NULL DEFAULT '-');
	ALTER TABLE warehouse.own DROP customer_segment, ADD customer_segment text GENERATED ALWAYS AS ('x') STORED));
my $own = q('insights.usage_table', 'warehouse.own');
$error = mirror_error($own);
is($error->{detail}, 'Its columns: "customer_segment" is generated, "needed" is NOT NULL and has no default.',
	'columns that could not be filled are told of, too');
$session->rows($error->{hint} =~ s/^Change it first: //r);
mirror($own);
is($session->rows('SELECT count(*), count(filled) FROM warehouse.own'), '237|237', 'and what to do helps');

$session->rows(q(CREATE TABLE warehouse.months (month date PRIMARY KEY, total_acr numeric);
	CREATE TABLE warehouse.plans (month date REFERENCES warehouse.months DEFERRABLE INITIALLY DEFERRED)));
$emulator->create_table($node, 'insights.months', 'month date, total_acr numeric',
	"dataset 'AzureUsage', timespan 'LIFETIME'");
mirror(q('insights.months', 'warehouse.months'));
$session->rows('INSERT INTO warehouse.plans SELECT month FROM warehouse.months');
mirror(q('insights.months', 'warehouse.months'));
is($session->rows('SELECT count(*) FROM warehouse.plans JOIN warehouse.months USING (month)'), 24,
	'a deferred foreign key may refer to a mirror');

$session->rows(q(CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER keep BEFORE DELETE ON warehouse.own FOR EACH ROW EXECUTE FUNCTION keep()));
is(mirror_error($own)->{message}, 'rows of mirror warehouse.own cannot be replaced',
	'a trigger that keeps rows does not double them');
$session->rows(q(DROP TRIGGER keep ON warehouse.own;
	CREATE RULE keep AS ON DELETE TO warehouse.own DO INSTEAD NOTHING));
is(mirror_error($own)->{detail}, 'A rule of the table does something else instead.', 'nor does a rule');

# --- whatever goes wrong, the old rows stay

sub state_of_mirror
{
	return $session->rows(q(SELECT md5(string_agg(u::text, '' ORDER BY u::text)), count(*) FROM warehouse.usage u));
}

mirror("$usage, since => '-infinity'");
my $good = state_of_mirror();
$emulator->change("UPDATE $mpn SET CustomerSegment = 'never seen'");
foreach my $case (
	[ 'no query', { endpoint => 'create_query', status => 400, times => 0 } ],
	[ 'no report', { endpoint => 'create_report', status => 403, times => 0 } ],
	[ 'no execution', { endpoint => 'executions', status => 400, times => 0 } ],
	[ 'no file', { endpoint => 'download', status => 403, times => 0 } ],
	[ 'a file that is damaged', { endpoint => 'download', garble => JSON::PP::true, times => 0 } ])
{
	my ($what, $fault) = @$case;
	$emulator->fault($fault);
	like(mirror_error($usage)->{sqlstate}, qr/^(HV|08|42|53)/, "$what is an error");
	$emulator->control('DELETE', '/faults');
	is(state_of_mirror(), $good, 'and the old rows are there');
}
foreach my $case (
	[ 'a row the table refuses', q(ALTER TABLE warehouse.usage ADD CONSTRAINT refuses CHECK (customer_segment <> 'never seen') NOT VALID),
		'ALTER TABLE warehouse.usage DROP CONSTRAINT refuses', '23514' ],
	[ 'a refusal at the very end', q(CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not today''; END';
		CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON warehouse.usage DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()),
		'DROP TRIGGER refuse ON warehouse.usage', 'P0001' ])
{
	my ($what, $begin, $end, $state) = @$case;
	$session->rows($begin);
	is(mirror_error($usage)->{sqlstate}, $state, "$what is an error");
	$session->rows($end);
	is(state_of_mirror(), $good, 'and the old rows are there');
}
$session->rows("BEGIN; CALL pinsight_mirror($usage); ROLLBACK");
is(state_of_mirror(), $good, 'a transaction that is rolled back takes it along');
$session->rows("DO \$\$ BEGIN CALL pinsight_mirror($usage); RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END \$\$");
is(state_of_mirror(), $good, 'so does a block that fails');

# Leaving, and going on.
$emulator->switches({ report_delay => 0.6 });
$emulator->clear_log;
$session->rows(q(SET statement_timeout = '300 ms'));
is(mirror_error($usage)->{sqlstate}, '57014', 'statement_timeout ends it');
$session->rows(q(RESET statement_timeout));
is(state_of_mirror(), $good, 'the old rows are there');
mirror($usage);
is(scalar(orders()), 1, 'the next call waits for the same report');
ok(same_as_service('warehouse.usage', "month >= '$month[2]'"), 'and has its rows');
$emulator->switches({ report_delay => 0 });

# A month without rows.
$good = state_of_mirror();
$emulator->change("UPDATE $mpn SET Month = '1999-01-01' WHERE Month = '$month[1]'");
$error = mirror_error($usage);
is($error->{sqlstate}, '55000', 'a month that is empty all at once is an error');
is($error->{detail}, "It has none of $names[1]. The mirror keeps its rows.", 'which names it');
is(state_of_mirror(), $good, 'the old rows are there');
mirror("$usage, allow_empty => true");
is($session->rows("SELECT count(*) FROM warehouse.usage WHERE month = '$month[1]'"), 0, 'unless one says it is right');
mirror($usage);
ok(1, 'which is to be said once');
$emulator->change("UPDATE $mpn SET Month = '$month[1]' WHERE Month = '1999-01-01'");
mirror($usage);

# No rows at all, where there are no months.
$emulator->change('CREATE TABLE put_aside AS SELECT * FROM cmp_ISVOrder; DELETE FROM cmp_ISVOrder');
my $orders = q('insights.orders', 'warehouse.orders');
$error = mirror_error($orders);
is($error->{sqlstate}, '55000', 'a table that is empty all at once is an error');
like($error->{detail}, qr/^It is empty\./, 'which says so');
$emulator->change('INSERT INTO cmp_ISVOrder SELECT * FROM put_aside LIMIT 1; DROP TABLE put_aside');
mirror($orders);
is($session->rows('SELECT count(*) FROM warehouse.orders'), 1, 'fewer rows are none');
mirror(q('insights.orders', 'warehouse.none', since => '2100-01-01')) for 1 .. 2;
like($session->said, qr/mirrored 0 rows in place of 0/, 'nor is nothing in place of nothing');

# --- what is refused, at once and without asking the service

$session->rows($_) foreach
	'CREATE VIEW warehouse.view AS SELECT * FROM warehouse.usage',
	'CREATE TABLE plain (a int)',
	q(CREATE TABLE warehouse.guarded (LIKE warehouse.usage)),
	'ALTER TABLE warehouse.guarded ENABLE ROW LEVEL SECURITY',
	'CREATE POLICY mine ON warehouse.guarded USING (true)',
	'GRANT USAGE ON SCHEMA insights TO reader',
	'GRANT SELECT, INSERT, DELETE ON warehouse.guarded TO reader',
	'GRANT INSERT ON warehouse.usage TO reader';
$emulator->clear_log;
foreach my $case (
	[ '22004', q(NULL, 'x'), 'no source' ],
	[ '22004', q('insights.usage_query', NULL), 'no target' ],
	[ '42809', q('plain', 'x'), 'a source that is no foreign table' ],
	[ '42809', q('insights.usage_query', 'warehouse.view'), 'a target that is a view' ],
	[ '42809', q('insights.usage_query', 'insights.usage_table'), 'or a foreign table' ],
	[ '3F000', q('insights.usage_query', 'nowhere.usage'), 'no schema' ],
	[ '42602', q('insights.usage_query', ''), 'no name' ],
	[ '42P16', q('insights.usage_query', 'plain'), 'a table of other columns' ],
	[ '55000', q('insights.usage_table', 'warehouse.usage'), 'the mirror of another table' ],
	[ '22023', "$usage, months => -1", 'fewer than no months' ],
	[ '22023', "$usage, months => 1201", 'more than a century' ],
	[ '22023', "$usage, months => 1, since => '2026-01-01'", 'two beginnings' ],
	[ '42501', $usage, 'somebody who may not read the foreign table', 'SET ROLE reader' ],
	[ '25006', $usage, 'a read-only transaction', 'SET default_transaction_read_only = on' ],
	[ '25001', $usage, 'a snapshot of the past', q(SET default_transaction_isolation = 'repeatable read') ])
{
	my ($state, $args, $what, $set) = @$case;
	$session->rows($set) if $set;
	is(mirror_error($args)->{sqlstate}, $state, "$what is refused");
	$session->rows('RESET ALL; RESET ROLE') if $set;
}
$session->rows('GRANT SELECT ON insights.usage_query TO reader');
$session->rows('SET ROLE reader');
is(mirror_error($usage)->{sqlstate}, '42501', 'so is somebody who may not delete from the mirror');
is(mirror_error(q('insights.usage_query', 'warehouse.guarded'))->{message},
	'row-level security hides rows of table "guarded"', 'or does not see all of it');
is(mirror_error(q('insights.usage_query', 'warehouse.mine'))->{sqlstate}, '42501', 'or may not make it');
$session->rows('RESET ROLE');
is($emulator->count, 0, 'nobody was asked for it');
$session->rows('GRANT DELETE ON warehouse.usage TO reader; SET ROLE reader');
mirror($usage);
$session->rows('RESET ROLE');
ok(same_as_service('warehouse.usage', "month >= '$month[2]'"), 'with the rights it works');

# --- two at a time

sub waiting_for_locks
{
	my ($number) = @_;
	$node->poll_query_until('postgres', qq(SELECT count(*) = $number FROM pg_stat_activity
		WHERE wait_event_type = 'Lock')) or die "nobody waits\n";
	return;
}

sub both_refresh
{
	my ($target, $between) = @_;
	my @two = map { PinsightBackground->start($node,
			"CALL pinsight_mirror('insights.usage_query', '$target')") } 1 .. 2;
	$between->() if $between;
	my $said = join('', map { $_->finish->{err} } @two);
	unlike($said, qr/ERROR/, "two refreshes of $target at a time are no error");
	ok(same_as_service($target, "month >= '$month[2]'"), 'and no row is there twice');
	return $said;
}

$emulator->change("UPDATE $mpn SET CustomerSegment = 'both'");
$session->rows('BEGIN; LOCK TABLE warehouse.usage IN ROW EXCLUSIVE MODE');
my $said = both_refresh('warehouse.usage', sub { waiting_for_locks(2); $session->rows('COMMIT'); });
is(scalar(() = $said =~ /another session is mirroring into warehouse.usage: waiting for it/g), 1,
	'one waits for the other');
both_refresh('warehouse.twins');

$emulator->switches({ execution_outcome => 'stuck' });
$emulator->clear_log;
my $slow = PinsightBackground->start($node, "CALL pinsight_mirror($usage)");
$emulator->await(endpoint => 'create_report');
$session->rows(q(SET lock_timeout = '50 ms'));
is(mirror_error($usage)->{sqlstate}, '55P03', 'who does not want to wait has lock_timeout');
is($session->rows(q(INSERT INTO warehouse.usage VALUES ('2020-01-01', 'mine') RETURNING customer_name)), 'mine',
	'while a report is waited for, others may write');
$session->rows(q(RESET lock_timeout));
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(' . $slow->backend . ')');
like($slow->finish->{err}, qr/canceling statement/, 'and one can leave');
$emulator->reset;
$emulator->forget($node);

# --- one consistent version, whatever happens to the refreshes

# Version n has n rows more than the first one, and its number in all of them;
# months that are not replaced keep that of the first.
my $version = 0;
my $base = $emulator->truth("SELECT count(*) FROM $mpn WHERE Month >= '$month[2]'");
my $rest = $emulator->truth("SELECT count(*) FROM $mpn WHERE Month < '$month[2]'");
my $storm = q('insights.usage_query', 'warehouse.storm');

sub next_version
{
	$version++;
	$emulator->change(qq(UPDATE $mpn SET CustomerSegment = '$version';
		INSERT INTO $mpn SELECT * FROM $mpn WHERE Month = '$month[0]' LIMIT 1));
	return;
}

$emulator->change("UPDATE $mpn SET CustomerSegment = '0'");
mirror($storm);
$session->rows($_) foreach
	q(CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.01); RETURN NULL; END'),
	q(CREATE TRIGGER dawdle AFTER INSERT OR DELETE ON warehouse.storm EXECUTE FUNCTION dawdle()),
	# a vacuum that cuts the table short would keep readers waiting
	q(ALTER TABLE warehouse.storm SET (autovacuum_enabled = false)),
	q(CREATE TABLE the_end ());

# Looks at it all the time, and waits for no lock.
my $look = qq(SET lock_timeout = '1 ms';
	DO \$\$
	DECLARE
		found record;
		latest int := -1;
		versions int := 0;
	BEGIN
		LOOP
			SELECT count(*) FILTER (WHERE month >= '$month[2]') AS rows,
				count(DISTINCT customer_segment) FILTER (WHERE month >= '$month[2]') AS versions,
				(min(customer_segment) FILTER (WHERE month >= '$month[2]'))::int AS version,
				count(*) FILTER (WHERE month < '$month[2]' AND customer_segment = '0') AS rest,
				count(*) AS total
			INTO found FROM warehouse.storm;
			IF found.versions <> 1 OR found.rows <> $base + found.version OR found.rest <> $rest OR
				found.total <> found.rows + found.rest OR found.version < latest THEN
				RAISE 'torn: % after %', found, latest;
			END IF;
			IF found.version > latest THEN
				versions := versions + 1;
				latest := found.version;
			END IF;
			EXIT WHEN EXISTS (SELECT FROM pg_class WHERE relname = 'the_end' AND relnatts > 0);
			PERFORM pg_sleep(0.001);
		END LOOP;
		RAISE NOTICE 'versions: %', versions;
	END \$\$);
my $reader = PinsightBackground->start($node, $look);

# Sends a signal after a while, from a process of its own.
sub signal_later
{
	my ($signal, $pid, $after) = @_;
	my $child = fork();
	die "fork: $!\n" if !defined $child;
	if ($child == 0)
	{
		sleep($after);
		kill($signal, $pid);
		POSIX::_exit(0);
	}
	return sub { waitpid($child, 0); };
}

# Each returns whether the refresh was struck before its end.
sub cancel
{
	my ($after) = @_;
	my $sent = signal_later('INT', $session->{pid} //= $session->rows('SELECT pg_backend_pid()'), $after);
	my ($out, $err) = $session->both("CALL pinsight_mirror($storm)");
	$sent->();
	# one that comes too late must not befall the next statement
	$session->both('SELECT pg_sleep(0.01)') if $err !~ /57014/;
	return $err =~ /57014/;
}

# A refresh in a session of its own, which begins when that is known and ends
# with the signal.
sub strike
{
	my ($signal, $after) = @_;
	$session->rows('SELECT pg_advisory_lock(58)');
	my $refresh = PinsightBackground->start($node,
		"SELECT pg_advisory_lock_shared(58); CALL pinsight_mirror($storm); SELECT pg_sleep(60)");
	my $sent = signal_later($signal, $refresh->backend, $after);
	eval { $session->both('SELECT pg_advisory_unlock(58)') };
	my $err = $refresh->finish->{err};
	$sent->();
	like($err, qr/terminating connection|server closed the connection|connection to server was lost/, "a signal $signal");
	return $err !~ /mirrored/;
}

sub terminate { return strike('TERM', @_); }

sub crash
{
	my $struck = strike('KILL', @_);
	eval { $session->quit };
	unlike($reader->finish->{err}, qr/torn|lock timeout/, 'one version until the crash');
	$node->poll_query_until('postgres', 'SELECT true') or die "no restart\n";
	$session = PinsightSession->new($node);
	$reader = PinsightBackground->start($node, $look);
	return $struck;
}

my $began = time();
mirror($storm);
my $usual = time() - $began;
my %struck = (cancel => 0, terminate => 0, crash => 0);
for (my $i = 1; $struck{cancel} + $struck{terminate} + $struck{crash} < $kills && $i < 4 * $kills; $i++)
{
	my $way = $i % 25 == 0 ? 'crash' : $i % 5 == 0 ? 'terminate' : 'cancel';

	next_version();
	$struck{$way}++ if { cancel => \&cancel, terminate => \&terminate, crash => \&crash }->{$way}->(rand($usual));
}
note(sprintf('%d versions in %.1f s, a refresh took %.3f s; struck: %s', $version, time() - $began, $usual,
		join(', ', map { "$_ $struck{$_}" } sort keys %struck)));
cmp_ok($struck{cancel} + $struck{terminate} + $struck{crash}, '>=', $kills, 'refreshes were struck as often as wanted');
mirror($storm) for 1 .. 2;
$session->rows('ALTER TABLE the_end ADD x int');
my $read = $reader->finish->{err};
unlike($read, qr/ERROR/, 'readers have seen one version at any time, and waited for nobody');
like($read, qr/versions: [1-9]/, 'and have looked');
is($session->rows("SELECT count(*), min(customer_segment) FROM warehouse.storm WHERE month >= '$month[2]'"),
	$base + $version . "|$version", 'the last version is there in the end');
unlike(slurp_file($node->logfile), qr/was terminated by signal (?!9:)/, 'no backend crashes by itself');

# --- the recipes, as they are written

# Statements of a page in order, for this emulator; pg_cron runs them at once.
sub recipes
{
	my ($page) = @_;
	my @blocks = slurp_file("$FindBin::RealBin/../docs/$page") =~ /^```sql\n(.*?)^```$/msg;
	my $address = "api_url '@{[ $emulator->api_url ]}', login_url '@{[ $emulator->api_url ]}', poll_interval '10 ms'";
	my $mapping = "client_id '$PinsightEmulator::client_id', client_secret '$PinsightEmulator::client_secret',"
	  . " refresh_token '$PinsightEmulator::refresh_token'";

	s/tenant '\w+\.onmicrosoft\.com'/tenant '$PinsightEmulator::tenant', $address/,
	  s/(CREATE USER MAPPING \V*\s+OPTIONS) \(.*?\);/$1 ($mapping);/s
	  foreach @blocks;
	return @blocks;
}

$emulator->reset;
$emulator->forget($node);
$session->rows($_) foreach
	q(RESET pinsight_fdw.max_age),
	q(ALTER SYSTEM SET pinsight_fdw.max_age = ''), q(SELECT pg_reload_conf()),
	'CREATE SCHEMA cron',
	q(CREATE FUNCTION cron.schedule(job text, at text, command text) RETURNS int LANGUAGE plpgsql
		AS 'BEGIN EXECUTE command; RETURN 1; END');
my @blocks = recipes('recipes.md');
foreach my $i (0 .. $#blocks)
{
	my ($out, $err) = $session->both($blocks[$i]);
	my ($first) = $blocks[$i] =~ /^(\V*)/;
	unlike($err, qr/ERROR|WARNING/, "recipe $i: $first");
	$emulator->control('POST', '/clock', { advance_seconds => 5 * 3600 })
	  if $blocks[$i] =~ /pinsight_schedule/;
}
cmp_ok(scalar(@blocks), '>=', 15, 'that were all of them');
is($session->rows('SELECT count(*) = (SELECT count(*) FROM insights.azure_usage) FROM warehouse.azure_usage'), 't',
	'and they have done what they promise');
is($session->rows(q(SELECT string_agg(tenant || (n > 0), ' ' ORDER BY tenant)
	FROM (SELECT tenant, count(*) n FROM warehouse.all_usage GROUP BY 1) x)), 'contosotrue northwindtrue',
	'for each tenant');

$session->quit;
$node->stop;
$emulator->stop;
done_testing();
