# PinsightSession: one database session over many statements.
#
#	my $session = PinsightSession->new($node);
#	my $rows = $session->rows('SELECT ...');	# dies of an error
#	my $error = $session->error('SELECT ...');	# dies unless there is one
#
# Errors come as a hash: sqlstate, message, detail, hint, context, and all that
# psql printed as text.

package PinsightSession;

use strict;
use warnings;

use PostgreSQL::Test::Cluster;

sub new
{
	my ($class, $node, $dbname) = @_;
	my $psql = $node->background_psql($dbname || 'postgres', on_error_stop => 0);
	my $self = bless { psql => $psql }, $class;

	$self->rows('\set VERBOSITY verbose');
	return $self;
}

# What a statement brings on stdout and stderr.
sub both
{
	my ($self, $sql) = @_;
	my $out = $self->{psql}->query($sql);
	my $err = $self->{psql}->{stderr};

	$self->{psql}->{stderr} = '';
	$err =~ s/^psql:<stdin>:\d+: //mg;
	return ($out, $err);
}

sub rows
{
	my ($self, $sql) = @_;
	my ($out, $err) = $self->both($sql);

	die "$sql: $err\n" if $err =~ /^(ERROR|FATAL)/m;
	$self->{said} = $err;
	return $out;
}

# Notices and warnings of the last rows().
sub said { return $_[0]{said}; }

sub error
{
	my ($self, $sql) = @_;
	my ($out, $err) = $self->both($sql);
	my %error = (text => $err);

	die "$sql: no error, but $out\n" if $err !~ /^ERROR:  (\w+): (.*)$/m;
	@error{qw(sqlstate message)} = ($1, $2);
	foreach my $part (qw(DETAIL HINT CONTEXT))
	{
		$error{ lc $part } = $err =~ /^$part:  (.*)$/m ? $1 : '';
	}
	return \%error;
}

sub quit { my ($self) = @_; return $self->{psql}->quit; }

1;
