# Statements of every shape over tables with fetch 'query' have the same answer
# as over local tables, and order no more reports than they have scans: never one
# per row of another table.

use strict;
use warnings;
use utf8;

use FindBin;
use lib $FindBin::RealBin;

use PinsightEmulator;
use PinsightSession;
use PinsightTraps;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $today = PinsightTraps::today();
my $emulator = PinsightTraps::emulator($today);
my $node = PinsightTraps::node($emulator, 'shapes');
PinsightTraps->new(41, $today)->fill($emulator, $node, 'shapes');
my $session = PinsightSession->new($node, 'shapes');
my $month = PinsightTraps->new(41, $today)->month_start(3);

sub ask { return $session->rows($_[0]); }

# Every statement orders its own reports, so that they can be counted.
ask("SET pinsight_fdw.max_age = '0'; SET client_min_messages = error");

# The answer in one schema, sorted unless its order matters.
sub answer
{
	my ($schema, $sql, $ordered) = @_;
	my $rows = ask("SET search_path = $schema, common; $sql");
	return $ordered ? $rows : join("\n", sort split(/\n/, $rows));
}

# The same answer for so many reports; no answer would prove nothing.
sub same
{
	my ($name, $sql, $reports, %how) = @_;
	my $expected = answer('inclusive', $sql, $how{ordered});

	$emulator->clear_log;
	is(answer('part', $sql, $how{ordered}), $expected, $name);
	isnt($expected, '', '... which has rows');
	is($emulator->count(endpoint => 'create_report'), $reports, "... for $reports reports");
	return;
}

# Texts of the report queries since the log was cleared.
sub sent { return map { $_->{body} } $emulator->log(endpoint => 'create_query'); }

# A text that is sent as it is.
my $company = ask("SELECT company FROM inclusive.orders WHERE company ~ '^[A-Za-z]+\$' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");

# The number that most of its rows have.
my $version = ask("SELECT version FROM inclusive.orders WHERE company = '$company' AND version IS NOT NULL
	GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1");

# An id that the service has in capital letters.
ask(q(CREATE TABLE common.capital_id AS SELECT "CustomerTenantId"::uuid AS tenant FROM raw."mpn_CustomersAndTenants"
	JOIN inclusive.tenants ON part = "ProductPartNumber" WHERE "CustomerTenantId" ~ '[A-F]' LIMIT 1));

# --- joins whose inner side depends on the outer one

my %plans = ('the planner chooses' => '', 'nested loops' => 'enable_hashjoin enable_mergejoin enable_material enable_memoize',
	'merge joins' => 'enable_hashjoin enable_nestloop');
foreach my $plan (sort keys %plans)
{
	ask("SET $_ = off") foreach split(/ /, $plans{$plan});
	same("a join, $plan", 'SELECT p.id, o.order_id FROM probes p JOIN orders o ON o.version = p.i', 1);
	same("an outer join, $plan", "SELECT p.id, o.order_id, o.status FROM probes p LEFT JOIN orders o
		ON o.version = p.i AND o.status = 'Contoso'", 1);
	same("IN, $plan", 'SELECT order_id FROM orders WHERE version IN (SELECT i FROM probes WHERE id < 30)', 1);
	same("NOT EXISTS, $plan", 'SELECT count(*) FROM orders o WHERE NOT EXISTS
		(SELECT FROM probes p WHERE p.t = o.company AND p.i = o.version)', 1);
	same("both sides, $plan", 'SELECT o.order_id, d.uri FROM orders o JOIN deployments d
		ON o.company = d.customer_name AND o.version > 3 AND d.duration < 100', 2);
	ask("RESET $_") foreach split(/ /, $plans{$plan});
}
same('LATERAL', 'SELECT p.id, l.* FROM probes p, LATERAL (SELECT o.order_id, o.version FROM orders o
	WHERE o.version >= p.i ORDER BY o.version, o.order_id LIMIT 2) l WHERE p.id < 20', 1);
same('LATERAL with a constant, too', "SELECT p.id, l.n FROM probes p, LATERAL (SELECT count(*) AS n FROM orders o
	WHERE o.version >= p.i AND o.month >= '$month') l WHERE p.id < 10", 1);
ok((grep { /FROM ISVOrder WHERE / } sent()) || $emulator->count(endpoint => 'create_report') == 1, '... which is sent');
same('LATERAL that is an outer join', 'SELECT p.id, l.* FROM probes p LEFT JOIN LATERAL
	(SELECT o.order_id FROM orders o WHERE o.company = p.t LIMIT 1) l ON false', 0);
same('a correlated subquery', 'SELECT p.id, (SELECT count(*) FROM orders o WHERE o.version > p.i) FROM probes p', 1);
same('two levels of it', 'SELECT p.id, (SELECT max((SELECT count(*) FROM orders o WHERE o.version > p.i AND o.version < q.i))
	FROM probes q WHERE q.id < 4) FROM probes p WHERE p.id < 6', 1);
same('a correlated EXISTS', "SELECT p.id FROM probes p WHERE EXISTS
	(SELECT FROM orders o WHERE o.version = p.i OR o.company = p.t)", 1);
same('a subquery that is evaluated once', "SELECT order_id FROM orders WHERE version =
	(SELECT max(v) FROM (VALUES ($version)) x (v))", 1);
same('an array that is evaluated once', "SELECT order_id FROM orders WHERE version = ANY
	(ARRAY(SELECT i FROM probes WHERE i < 1000 UNION ALL SELECT $version))", 1);
same('one scan that depends on another', 'SELECT order_id FROM orders WHERE version >=
	(SELECT max(duration % 8) FROM deployments WHERE duration > 0)', 2);

# --- prepared statements

foreach my $mode (qw(force_generic_plan force_custom_plan auto))
{
	my %answers;
	foreach my $schema (qw(inclusive part))
	{
		ask("SET plan_cache_mode = $mode; SET search_path = $schema, common");
		ask('PREPARE q(text, bigint, date, text[]) AS SELECT order_id FROM orders
			WHERE (company = $1 OR $1 IS NULL) AND version >= $2 AND (month >= $3 OR status = ANY ($4)) ORDER BY 1');
		ask('PREPARE l(bigint, int) AS SELECT provisioned FROM licenses WHERE provisioned > $1 ORDER BY provisioned LIMIT $2');
		ask('PREPARE b(text, bigint) AS SELECT order_id FROM orders WHERE company = $1 AND version = $2 ORDER BY 1');
		$answers{$schema} = join("\n--\n", map { ask($_) }
			"EXECUTE q(NULL, 1, '$month', '{Contoso}')", "EXECUTE q('Contoso', 0, '$month', NULL)",
			"EXECUTE q('CONTOSO ', -1, 'infinity', '{\"O''Brien\",NULL}')", "EXECUTE q(NULL, NULL, '$month', '{}')",
			'EXECUTE l(0, 5)', 'EXECUTE l(1, 0)', 'EXECUTE l(2, NULL)', 'EXECUTE l(NULL, 4)',
			(map { "EXECUTE b('Contoso', $_)" } 0 .. 6), "EXECUTE b(NULL, 1)");
		ask('DEALLOCATE ALL; RESET plan_cache_mode');
	}
	is($answers{part}, $answers{inclusive}, "prepared statements, $mode");
	like($answers{part}, qr/K\d+/, '... which have rows');
}

# --- cursors

foreach my $what ('SELECT order_id, version FROM orders WHERE version > 2', 'SELECT DISTINCT preview, version FROM orders WHERE version > 2',
	'SELECT provisioned, activated FROM licenses WHERE provisioned > 0 ORDER BY provisioned, activated, service LIMIT 40')
{
	ask("SET search_path = part; BEGIN; DECLARE c SCROLL CURSOR FOR $what");
	my @forward = split(/\n/, ask('FETCH ALL FROM c'));
	my @backward = split(/\n/, ask('FETCH BACKWARD ALL FROM c'));
	cmp_ok(scalar @forward, '>', 2, "a SCROLL cursor reads: $what");
	is(join("\n", sort @forward), answer('inclusive', $what), '... the right rows') if $what !~ /LIMIT/;
	is_deeply([ reverse @backward ], \@forward, '... backwards the same');
	is(ask('FETCH ABSOLUTE 3 FROM c'), $forward[2], '... and in any place');
	is(ask('FETCH PRIOR FROM c'), $forward[1], '... and the one before');
	is(ask('MOVE LAST FROM c; FETCH RELATIVE 0 FROM c'), $forward[-1], '... and the last');
	ask('COMMIT');
}
ask("SET search_path = part; BEGIN; DECLARE h SCROLL CURSOR WITH HOLD FOR SELECT order_id FROM orders WHERE status = 'Contoso' ORDER BY 1; COMMIT");
is(ask('FETCH ALL FROM h'), answer('inclusive', "SELECT order_id FROM orders WHERE status = 'Contoso' ORDER BY 1", 1),
	'a cursor with HOLD outlives its transaction');
ask('CLOSE h');

# --- partitions, which are told apart by a column that says what they hold

my %kinds = (
	license => q('ISVLicense' ServiceId LicensesProvisioned LicenseState SKUName),
	deployment => q('ISVQualityOfService' ResourceUri DeploymentDurationInMilliSeconds ErrorCode ResourceType));
foreach my $schema (qw(part inclusive))
{
	ask("CREATE TABLE $schema.things (kind text, id text, amount bigint, word text) PARTITION BY LIST (kind);
		CREATE TABLE $schema.others PARTITION OF $schema.things FOR VALUES IN ('other');
		INSERT INTO $schema.others VALUES ('other', 'K0001', 1, 'Contoso'), ('other', 'X1', NULL, NULL)");
	foreach my $kind (sort keys %kinds)
	{
		my ($dataset, @names) = split(/ /, $kinds{$kind});
		my ($id, $amount, $word, $what) = @names;
		ask($schema eq 'part'
			? "CREATE FOREIGN TABLE part.${kind}_things (kind text OPTIONS (column_name '$what'),
				id text OPTIONS (column_name '$id'), amount bigint OPTIONS (column_name '$amount'),
				word text OPTIONS (column_name '$word'))
				SERVER part OPTIONS (dataset $dataset, program 'cmp', timespan 'LAST_6_MONTHS');
				ALTER TABLE part.things ATTACH PARTITION part.${kind}_things FOR VALUES IN ('$kind')"
			: "CREATE TABLE inclusive.${kind}_things PARTITION OF inclusive.things FOR VALUES IN ('$kind')");
	}
}
ask("ALTER FOREIGN TABLE part.license_things OPTIONS (SET timespan 'LIFETIME')");
ask(q(INSERT INTO inclusive.license_things SELECT 'license', service, provisioned, state FROM inclusive.licenses;
	INSERT INTO inclusive.deployment_things SELECT 'deployment', "ResourceUri", "DeploymentDurationInMilliSeconds"::bigint, "ErrorCode"
	FROM raw."cmp_ISVQualityOfService" JOIN inclusive.odd_deployments ON uri = "ResourceUri"));
same('all partitions', 'SELECT kind, count(*), sum(amount) FROM things GROUP BY kind', 2);
same('a partition that is chosen', "SELECT id, word FROM things WHERE kind = 'license' AND amount > 1", 1);
same('partitions without one', "SELECT id FROM things WHERE kind <> 'license' AND amount > 5", 1);
same('no foreign partition', "SELECT id FROM things WHERE kind = 'other'", 0);
same('a condition of each', "SELECT kind, id FROM things WHERE word = 'Contoso' OR amount = 2", 2);
same('a join with the partitioned table', 'SELECT p.id, t.id FROM probes p JOIN things t ON t.amount = p.i', 2);
same('the first of all partitions', 'SELECT amount FROM things WHERE amount IS NOT NULL ORDER BY amount LIMIT 20', 2, ordered => 1);
foreach my $mode (qw(force_generic_plan force_custom_plan))
{
	ask("SET plan_cache_mode = $mode; SET search_path = part; PREPARE t(text) AS SELECT count(*), min(id) FROM things WHERE kind = \$1");
	foreach my $kind (qw(license other deployment))
	{
		$emulator->clear_log;
		is(ask("EXECUTE t('$kind')"), answer('inclusive', "SELECT count(*), min(id) FROM things WHERE kind = '$kind'"),
			"pruned for a parameter, $mode: $kind");
		is($emulator->count(endpoint => 'create_report'), $kind eq 'other' ? 0 : 1, '... before anything is ordered');
		ask('SET search_path = part');
	}
	ask('DEALLOCATE t; RESET plan_cache_mode');
}
same('pruned by a value that comes late', "SELECT id FROM things WHERE kind = (SELECT max(t) FROM (VALUES ('license')) v(t))", 1);

# --- values that the service spells in more than one way, or rounds

same('distinct counts by ids in small and capital letters',
	'SELECT tenant, count(DISTINCT subscription), sum(assigned) FROM seats GROUP BY tenant', 1);
same('sums by them', 'SELECT tenant, sum(assigned) FROM seats GROUP BY tenant HAVING sum(assigned) > 1', 1);
same('groups whose counts nobody wants', 'SELECT market FROM
	(SELECT market, count(DISTINCT subscription), sum(assigned) FROM seats GROUP BY market) v', 1);
same('distinct counts by text', 'SELECT market, count(DISTINCT subscription) FROM seats GROUP BY market', 1);
$emulator->change(q(UPDATE mpn_DynamicsUsage SET CustomerTpid = CASE rowid / 8 % 2 WHEN 0 THEN 'a' ELSE 'A' END || (rowid % 5)));
ask(qq(CREATE FOREIGN TABLE $_.clients (month date, client text OPTIONS (column_name 'CustomerTpid') COLLATE common.nocase,
	clients bigint OPTIONS (column_name 'CustomerCount', count_of 'CustomerTpid'))
	SERVER $_ OPTIONS (dataset 'DynamicsUsage', timespan 'LIFETIME'))) foreach qw(part whole);
my $clients = 'SELECT count(DISTINCT client) FROM clients GROUP BY month';
is(answer($_, $clients), join("\n", (5) x 8), "distinct counts of what a collation takes for equal, $_") foreach qw(whole part);
same('an id in small letters', "SELECT part FROM tenants WHERE tenant =
	(SELECT tenant FROM common.capital_id)", 1);
same('numbers that a preview would round', 'SELECT part, revenue FROM tenants WHERE revenue IS NOT NULL AND revenue <> 0 AND
	(revenue::text ~ \'\\d{15}\' OR scale(revenue) > 14) LIMIT 100', 1);

# --- time zones that nobody lives in

my $day = PinsightTraps->new(41, $today)->day(-4);
foreach my $zone (qw(<+150>-150 <-150>+150))
{
	ask("SET timezone = '$zone'");
	same("a date and a time stamp, $zone", "SELECT order_id FROM orders WHERE cancelled $_ '$day 00:00+00'::timestamptz", 1)
	  foreach '<=', '>=';
	same("a time stamp and a date, $zone", "SELECT order_id FROM orders WHERE event $_ date '$day'", 1) foreach '<', '>';
}
ask('RESET timezone');

# --- UNION ALL, CTEs, views

same('UNION ALL', "SELECT * FROM (SELECT order_id, company FROM orders UNION ALL SELECT uri, code FROM deployments) v
	WHERE company = '$company'", 2);
same('UNION ALL of one table', 'SELECT order_id FROM orders WHERE preview UNION ALL SELECT order_id FROM orders WHERE version = 2', 2);
same('UNION ALL with LIMIT', 'SELECT version FROM (SELECT version FROM orders UNION ALL SELECT duration FROM deployments) v
	WHERE version IS NOT NULL ORDER BY 1 LIMIT 10', 2, ordered => 1);
same('a CTE', "WITH v AS (SELECT order_id, version FROM orders WHERE version > 0) SELECT * FROM v WHERE version < 20", 1);
same('a CTE that is read twice', 'WITH v AS MATERIALIZED (SELECT order_id, version FROM orders WHERE version > 0)
	SELECT a.order_id FROM v a JOIN v b USING (order_id) WHERE a.version < 20', 1);
same('a recursive CTE', 'WITH RECURSIVE r(n) AS (SELECT min(version) FROM orders WHERE version > 0 UNION ALL
	SELECT (SELECT min(o.version) FROM orders o WHERE o.version > r.n) FROM r WHERE r.n IS NOT NULL) SELECT n FROM r', 2);
same('a condition below an outer join', "SELECT p.id, o.order_id FROM probes p LEFT JOIN
	(SELECT * FROM orders WHERE status = 'Contoso' OFFSET 0) o ON o.version = p.i", 1);
same('GROUPING SETS', 'SELECT preview, private, count(*) FROM orders WHERE version > 0 GROUP BY GROUPING SETS ((preview), (private), ())', 1);
same('a self join', 'SELECT a.order_id, b.order_id FROM orders a JOIN orders b ON a.version = b.version AND a.order_id < b.order_id
	WHERE a.preview AND NOT b.preview', 2);
same('FOR UPDATE', "SELECT order_id FROM orders WHERE version > 3 FOR UPDATE", 1);

# --- what may see which rows: leaky functions, barriers, row-level security

ask(q(CREATE FUNCTION common.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
	$$BEGIN RAISE NOTICE 'seen: %', $1; RETURN true; END$$;
	CREATE TABLE common.mine (who name, company text);
	ALTER TABLE common.mine ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON common.mine USING (who = current_user);
	INSERT INTO common.mine SELECT 'reader', company FROM inclusive.orders WHERE company ~ '^[A-Za-z]+$' GROUP BY 2 LIMIT 3;
	INSERT INTO common.mine SELECT 'somebody', company FROM inclusive.orders WHERE company !~ '^[A-Za-z]+$' GROUP BY 2;
	CREATE ROLE reader; GRANT USAGE ON SCHEMA part, inclusive, whole, common TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA part, inclusive, common TO reader));
foreach my $schema (qw(part inclusive))
{
	ask("SET search_path = $schema; CREATE VIEW big AS SELECT order_id, company, version FROM orders WHERE version > 5;
		CREATE VIEW safe WITH (security_barrier) AS SELECT order_id, company, version FROM orders WHERE status = 'Contoso' OR version > 9;
		CREATE VIEW asked WITH (security_barrier) AS SELECT * FROM orders WHERE version = $version; GRANT SELECT ON big, safe, asked TO reader");
}
ask("SET client_min_messages = notice; SET ROLE reader");
same('a view', "SELECT order_id FROM big WHERE company LIKE '%o%'", 1);
same('a view in a view-like subquery', 'SELECT max(version) FROM (SELECT * FROM big LIMIT 1000) v WHERE version < 100', 1);

# The notices are what the function has seen: of the view's rows only, and the
# same as with a local table.
foreach my $sql ('SELECT order_id FROM safe WHERE leak(company)', "SELECT order_id FROM asked WHERE leak(company) AND company LIKE '$company%'",
	"SELECT count(*) FROM safe WHERE leak(company) AND version < 1000")
{
	my %seen;
	foreach my $schema (qw(inclusive part))
	{
		my $rows = answer($schema, $sql);
		$seen{$schema} = join("\n", $rows, sort($session->said =~ /seen: .*/g));
	}
	is($seen{part}, $seen{inclusive}, "a leaky function sees the view's rows only: $sql");
	like($seen{part}, qr/seen:/, '... and does see them');
}
$emulator->clear_log;
ask('SET search_path = part, common; SELECT order_id FROM asked WHERE company = \'Contoso\' AND leak(status)');
is(scalar(grep { /leak/ } sent()), 0, 'no function is sent');

same('row-level security on the local side', 'SELECT o.order_id, o.company FROM orders o JOIN mine m USING (company)', 1);
unlike(answer('part', 'SELECT o.company FROM orders o JOIN mine m USING (company)'), qr/[^A-Za-z\n]/,
	'... which shows nobody else\'s rows');
same('... in a subquery that is evaluated once', 'SELECT order_id FROM orders WHERE company = ANY (ARRAY(SELECT company FROM mine))', 1);
like(join("\n", sent()), qr/ IN \('[A-Za-z]+'(, '[A-Za-z]+')*\) /, '... and is told of no other');
same('... and in IN', 'SELECT order_id FROM orders WHERE company IN (SELECT company FROM mine) AND version > 0', 1);
ask('RESET ROLE');

# --- nothing that can be had is asked for

foreach my $sql ('SELECT * FROM orders LIMIT 0', 'SELECT * FROM orders WHERE false', 'SELECT * FROM orders WHERE version = NULL',
	"SELECT * FROM orders WHERE company = ANY ('{}')", 'SELECT * FROM orders WHERE version > 5 AND version < NULL',
	'SELECT count(*) FROM generate_series(1, 0) i, LATERAL (SELECT FROM orders o WHERE o.version = i) l')
{
	$emulator->clear_log;
	is(answer('part', $sql), answer('inclusive', $sql), $sql);
	is($emulator->count, 0, '... asks nobody');
}

done_testing();
