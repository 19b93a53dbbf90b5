# PinsightBackground: statements that run while the test does something else.
#
#	my $scan = PinsightBackground->start($node, 'SELECT ...');
#	kill('KILL', $scan->backend);
#	my $result = $scan->finish;			# out, err, secs
#	is($result->{out}, '...');

package PinsightBackground;

use strict;
use warnings;

use File::Temp qw(tempdir);
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

my $count = 0;

# Runs a script in a session of its own.
sub start
{
	my ($class, $node, $sql, %args) = @_;
	my $folder = tempdir(CLEANUP => 1);
	my $self = bless {
		node => $node,
		name => "background " . ++$count,
		folder => $folder,
		started => time()
	}, $class;
	my $connstr = $node->connstr($args{dbname} || 'postgres');
	$connstr .= " user=$args{user}" if $args{user};

	open(my $script, '>', "$folder/script") or die "$folder/script: $!\n";
	print $script $sql, ";\n";
	close($script);

	my $pid = fork();
	die "fork: $!\n" if !defined $pid;
	if ($pid == 0)
	{
		$ENV{PGAPPNAME} = $self->{name};
		open(STDIN, '<', "$folder/script") or POSIX::_exit(2);
		open(STDOUT, '>', "$folder/out") or POSIX::_exit(2);
		open(STDERR, '>', "$folder/err") or POSIX::_exit(2);
		exec($node->installed_command('psql'), '-XAtq', '-d', $connstr)
		  or POSIX::_exit(2);
	}
	$self->{pid} = $pid;
	return $self;
}

# Process id of its backend.
sub backend
{
	my ($self) = @_;
	my $deadline = time() + 20;

	while (!$self->{backend} && time() < $deadline)
	{
		$self->{backend} = $self->{node}->safe_psql('postgres',
			"SELECT pid FROM pg_stat_activity WHERE application_name = '$self->{name}'");
		sleep(0.02) if !$self->{backend};
	}
	die "no backend\n" if !$self->{backend};
	return $self->{backend};
}

# Has it ended?
sub over
{
	my ($self) = @_;
	return 1 if !defined $self->{pid};
	return 0 if waitpid($self->{pid}, WNOHANG) == 0;
	$self->{secs} = time() - $self->{started};
	delete $self->{pid};
	return 1;
}

sub slurp
{
	my ($path) = @_;
	open(my $in, '<', $path) or return '';
	local $/;
	my $text = <$in> // '';
	$text =~ s/\n\z//;
	return $text;
}

# Waits for its end.
sub finish
{
	my ($self, $patience) = @_;
	my $deadline = time() + ($patience || 60);

	while (!$self->over)
	{
		if (time() > $deadline)
		{
			kill('KILL', $self->{pid});
			waitpid($self->{pid}, 0);
			delete $self->{pid};
			die "$self->{name} does not end\n";
		}
		sleep(0.01);
	}
	my %result = (secs => $self->{secs});
	$result{$_} = slurp("$self->{folder}/$_") foreach qw(out err);
	note("$self->{name}: $result{out} $result{err}");
	return \%result;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@, $!);
	return if !defined $self->{pid};
	kill('KILL', $self->{pid});
	waitpid($self->{pid}, 0);
	return;
}

1;
