# PinsightEmulator: an emulator of the service for one test file.
#
#	my $emulator = PinsightEmulator->new(options => ['--rows', 500]);
#	my $node = $emulator->node('main');
#	$emulator->create_table($node, 'azure_usage', 'customer_name text',
#		"dataset 'AzureUsage'");
#	$emulator->fault({ endpoint => 'create_report', status => 503 });
#	...
#	my @creations = $emulator->log(endpoint => 'create_report');
#
# The emulator listens on free loopback ports and ends with the test.

package PinsightEmulator;

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use JSON::PP;
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

use PostgreSQL::Test::Cluster;

my $top = abs_path(dirname(__FILE__) . '/..');

# Credentials the emulator knows from the start.
our $tenant = 'contoso.onmicrosoft.com';
our $client_id = '22222222-2222-2222-2222-222222222222';
our $client_secret = 'emulator-secret';
our $refresh_token = 'emulator-refresh-token';

# A request's header and body are written apart: without this each would wait
# 40 ms for the other's acknowledgement.
{
	no warnings 'redefine';
	my $connect = \&HTTP::Tiny::Handle::connect;
	*HTTP::Tiny::Handle::connect = sub {
		my $handle = $connect->(@_);
		setsockopt($handle->{fh}, IPPROTO_TCP, TCP_NODELAY, 1);
		return $handle;
	};
}

# Starts an emulator.  options: further arguments for it; a later one wins.
sub new
{
	my ($class, %args) = @_;
	my $program = $ENV{PINSIGHT_EMULATOR} || "$top/emulator/pinsight-emulator";
	my $folder = tempdir(CLEANUP => 1);
	my $self = bless {
		folder => $folder,
		database => "$folder/data.sqlite",
		logfile => "$folder/output"
	}, $class;

	my @command = (
		$program, '--port', 0, '--blob-port', 0, '--control-port', 0,
		'--catalog', "$top/catalog/datasets.json",
		'--database', $self->{database}, '--ready-file', "$folder/ready",
		'--report-delay', '0.2', '--quiet',
		'--quota-execute-now', 1000, '--quota-reports', 1000,
		@{ $args{options} || [] });

	my $pid = fork();
	die "fork: $!\n" if !defined $pid;
	if ($pid == 0)
	{
		open(STDIN, '<', '/dev/null') or die "/dev/null: $!\n";
		open(STDOUT, '>', $self->{logfile}) or die "$self->{logfile}: $!\n";
		open(STDERR, '>&', \*STDOUT) or die "dup: $!\n";
		exec(@command) or die "$program: $!\n";
	}
	$self->{pid} = $pid;
	$self->{owner} = $$;
	$self->wait_until_ready;

	# No proxy, whatever the environment says.
	$self->{http} = HTTP::Tiny->new(
		timeout => 30, proxy => undef, http_proxy => undef,
		https_proxy => undef);
	return $self;
}

# Reads the addresses from the ready file.
sub wait_until_ready
{
	my ($self) = @_;
	my $deadline = time() + 20;

	while (time() < $deadline)
	{
		if (open(my $in, '<', "$self->{folder}/ready"))
		{
			my %ready = map { /^(\w+)=(\S+)$/ ? ($1 => $2) : () } <$in>;
			close($in);
			if ($ready{control})
			{
				$self->{$_} = $ready{$_} foreach qw(api blob control);
				return;
			}
		}
		last if waitpid($self->{pid}, 1) != 0;    # WNOHANG
		sleep(0.02);
	}
	die "the emulator did not start:\n" . $self->output;
}

# What it wrote to its terminal.
sub output
{
	my ($self) = @_;
	open(my $in, '<', $self->{logfile}) or return '';
	local $/;
	return scalar <$in>;
}

sub api_url { return $_[0]{api}; }
sub blob_url { return $_[0]{blob}; }
sub control_url { return $_[0]{control}; }

# Where its SQLite database is.
sub database { return $_[0]{database}; }

# One request to the control port, with a Perl structure as its body or none.
# Returns the decoded reply; dies of any other status than 2xx.
sub control
{
	my ($self, $method, $path, $body) = @_;
	my %request;
	if (defined $body)
	{
		$request{content} = encode_json($body);
		$request{headers} = { 'Content-Type' => 'application/json' };
	}
	my $reply =
	  $self->{http}->request($method, $self->{control} . $path, \%request);
	die "$method $path: $reply->{status} $reply->{content}\n"
	  if !$reply->{success};
	return $reply->{content} =~ /\S/ ? decode_json($reply->{content}) : undef;
}

# One request to the API, by a plain client that signs in as the same user; path
# begins behind the program.  Returns the first object of its reply.
sub api
{
	my ($self, $method, $path, $body) = @_;
	my $form = $self->{http}->post_form(
		"$self->{api}/$tenant/oauth2/token",
		[
			grant_type => 'refresh_token', client_id => $client_id,
			client_secret => $client_secret, refresh_token => $refresh_token,
			resource => 'https://api.partnercenter.microsoft.com'
		]);
	my $token = decode_json($form->{content})->{access_token};
	my $reply = $self->{http}->request(
		$method, "$self->{api}/insights/v1/mpn/$path",
		{
			headers => { Authorization => "Bearer $token",
				'Content-Type' => 'application/json' },
			$body ? (content => encode_json($body)) : ()
		});
	die "$method $path: $reply->{status} $reply->{content}\n" if !$reply->{success};
	return decode_json($reply->{content})->{value}[0];
}

# The requests since the last clear_log, oldest first: those whose members all
# equal the given ones, e.g. log(endpoint => 'token').
sub log
{
	my ($self, %wanted) = @_;
	my $log = $self->control('GET', '/log');
	$log = $log->{requests} if ref $log eq 'HASH';
	return grep {
		my $entry = $_;
		!grep { !defined $entry->{$_} || $entry->{$_} ne $wanted{$_} }
		  keys %wanted
	} @$log;
}

sub clear_log { my ($self) = @_; return $self->control('DELETE', '/log'); }

# Sets switches by name, e.g. switches({ csv_bom => JSON::PP::true }).
sub switches
{
	my ($self, $switches) = @_;
	return $self->control('PUT', '/switches', $switches);
}

# Scripts a fault, or several.
sub fault
{
	my ($self, $fault) = @_;
	return $self->control('POST', '/faults', $fault);
}

# As it was when it started.
sub reset { my ($self) = @_; return $self->control('POST', '/reset'); }

# Changes the catalogue it serves: the sub gets a hash of its datasets by name
# (each as in catalog/datasets.json) and may change, add and remove them.
sub alter
{
	my ($self, $change) = @_;
	my $catalog = $self->control('GET', '/catalog');
	my %datasets = map { $_->{name} => $_ } @{ $catalog->{datasets} };

	$change->(\%datasets);
	$catalog->{datasets} =
	  [ map { $datasets{$_} } sort keys %datasets ];
	return $self->control('PUT', '/catalog', $catalog);
}

# Queries, reports and executions it holds.
sub state { my ($self) = @_; return $self->control('GET', '/state'); }

# sqlite3 has come to print a control character as ^A, unless told not to.
my @verbatim = `sqlite3 -help 2>&1` =~ /^ *-escape /m ? (qw(-escape off)) : ();

# Rows of its own database, the fields of each joined by "|": the truth that
# the extension's rows are compared with.
sub truth
{
	my ($self, $sql) = @_;
	open(my $in, '-|', 'sqlite3', '-readonly', '-batch', '-noheader', '-list',
		@verbatim, $self->{database}, $sql)
	  or die "sqlite3: $!\n";
	my $rows = do { local $/; <$in> };
	close($in) or die "sqlite3 failed: $sql\n";
	chomp($rows = $rows // '');
	return $rows;
}

# Changes its own database: what the service has to say is another thing now.
sub change
{
	my ($self, $sql) = @_;
	system('sqlite3', '-batch', '-cmd', '.timeout 10000', $self->{database}, $sql) == 0
	  or die "sqlite3 failed: $sql\n";
	return;
}

# A running PostgreSQL with the extension, a server "partner" on this emulator
# and a mapping for everybody.  conf: lines for postgresql.conf; server: further
# options; mapping: all options of the mapping.  As long as conf and server do
# not say otherwise, every statement orders a report, and may.
sub node
{
	my ($self, $name, %args) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $mapping = $args{mapping}
	  || "client_id '$client_id', client_secret '$client_secret', "
	  . "refresh_token '$refresh_token'";

	# as most databases are, whatever the locale here
	$node->init(extra => [ '--encoding', 'UTF8', '--locale', 'C.UTF-8' ], %{ $args{init} || {} });
	$node->append_conf('postgresql.conf', "pinsight_fdw.max_age = '0'");
	$node->append_conf('postgresql.conf', $args{conf}) if $args{conf};
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION pinsight_fdw');
	$self->create_server($node, 'partner', $args{server}, $mapping);
	return $node;
}

# A server on this emulator and a mapping for everybody, in database postgres or
# another one.
sub create_server
{
	my ($self, $node, $name, $options, $mapping, $dbname) = @_;
	$options ||= "poll_interval '50 ms'";
	$options .= ", max_reports_per_hour '1000'"
	  if $options !~ /max_reports_per_hour/;
	$node->safe_psql($dbname || 'postgres', qq(
		CREATE SERVER $name FOREIGN DATA WRAPPER pinsight_fdw OPTIONS (
			tenant '$tenant', api_url '$self->{api}',
			login_url '$self->{api}', $options);
		CREATE USER MAPPING FOR PUBLIC SERVER $name OPTIONS ($mapping);));
	return;
}

# Waits for a request to arrive, e.g. await(endpoint => 'create_report').
sub await
{
	my ($self, %wanted) = @_;
	my $deadline = time() + 20;

	while (time() < $deadline)
	{
		my @found = $self->log(%wanted);
		return $found[0] if @found;
		sleep(0.02);
	}
	die "no such request: " . encode_json(\%wanted) . "\n";
}

# How many requests there were.
sub count { my ($self, %wanted) = @_; return scalar(my @l = $self->log(%wanted)); }

# Names of the queries and reports it holds.
sub held
{
	my ($self) = @_;
	my $state = $self->state;
	return map { $_->{name} // $_->{queryName} // $_->{reportName} // '?' }
	  @{ $state->{queries} }, @{ $state->{reports} };
}

# Lets a node forget all it has of reports: those it keeps, those it waits for,
# those it has ordered within the hour.
sub forget
{
	my ($self, $node) = @_;
	my $folder = $node->data_dir . '/pinsight_fdw';

	unlink(map { glob("$folder/*.$_") } qw(snapshot job budget));
	return;
}

# A foreign table on that server; options may be left out.
sub create_table
{
	my ($self, $node, $name, $columns, $options) = @_;
	my $clause = $options ? "OPTIONS ($options)" : '';
	$node->safe_psql('postgres',
		"CREATE FOREIGN TABLE $name ($columns) SERVER partner $clause");
	return;
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid};
	return if !defined $pid || $self->{owner} != $$;

	kill('TERM', $pid);
	for (1 .. 250)
	{
		return if waitpid($pid, 1) != 0;    # WNOHANG
		sleep(0.02);
	}
	kill('KILL', $pid);
	waitpid($pid, 0);
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@, $!);
	$self->stop;
	return;
}

1;
