#!/bin/bash
# Functions shared by the scripts: a private PostgreSQL and what it needs.
#
# Nothing outside the checkout is written except temporary folders, which go
# again at exit.  As root, PostgreSQL and the emulator run as an unprivileged
# user, who may be unable to read the checkout; so all that runs, runs from a
# stage: a folder of that user's with a copy of the built tree, a relocated copy
# of the PostgreSQL installation with the extension in it, and a data directory.
#
# Sourced by bash scripts that have "set -euo pipefail".

umask 022
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE PGOPTIONS PGSSLMODE \
	PGDATA PGHOSTADDR PGCLUSTER MAKEFLAGS MAKELEVEL
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
jobs=$(nproc)

# Which PostgreSQL to build for: the caller's choice, or Debian's.
major=${PG_MAJOR:-}
if [ -z "$major" ]; then
	# shellcheck disable=SC1091
	case $(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}") in
		trixie) major=17 ;;
		forky) major=18 ;;
		*) major=15 ;;
	esac
fi
if [ -z "${PG_CONFIG:-}" ]; then
	system_pg_config=/usr/lib/postgresql/$major/bin/pg_config
else
	system_pg_config=$PG_CONFIG
fi

# Set by make_stage.
stage=
stage_bindir=
stage_pg_config=
run_user=

say() { printf '== %s\n' "$*"; }

# Runs a command in the stage as the unprivileged user.
as_user() {
	if [ "$(id -u)" = 0 ]; then
		(cd "$stage" && HOME=$stage exec runuser -u "$run_user" -- "$@")
	else
		(cd "$stage" && exec "$@")
	fi
}

# Builds the extension and the emulator in the checkout.
build() {
	make -C "$top" -j"$jobs" PG_CONFIG="$system_pg_config" "$@" all emulator
}

# Removes what a killed run could not: its server, by the id in its own data
# directory, and its folder.
clean_old_stages() {
	local old pid
	for old in "$top"/build/stage.*; do
		pid=${old##*/stage.}
		pid=${pid%%.*}
		[ -d "$old" ] && ! kill -0 "$pid" 2>/dev/null || continue
		pid=$(head -n 1 "$old/data/postmaster.pid" 2>/dev/null || :)
		if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$old/data" ]; then
			kill -QUIT "$pid" 2>/dev/null || :
		fi
		rm -rf "$old"
	done
}

# Picks a folder the unprivileged user can live in: in the checkout if it can
# be reached from there, leaves room for a socket's name and has no blank in its
# own, which make would not take in PG_CONFIG; else a temporary one.
make_stage() {
	if [ "$(id -u)" = 0 ]; then
		run_user=${PINSIGHT_RUN_USER:-postgres}
		if ! id "$run_user" >/dev/null 2>&1; then
			echo "There is no user $run_user; name another in PINSIGHT_RUN_USER." >&2
			return 1
		fi
	else
		run_user=$(id -un)
	fi

	mkdir -p "$top/build"
	clean_old_stages
	stage=$(mktemp -d "$top/build/stage.$$.XXXXXX")
	chown "$run_user" "$stage"
	if [ ${#stage} -gt 80 ] || [[ $stage == *[[:space:]]* ]] || ! (cd / &&
		{ [ "$(id -u)" != 0 ] || exec runuser -u "$run_user" -- \
			test -w "$stage"; }) 2>/dev/null; then
		rmdir "$stage"
		stage=$(mktemp -d /tmp/pinsight.XXXXXX)
		chown "$run_user" "$stage"
	fi
	chmod 700 "$stage"
	stage_bindir=$stage/pg$("$system_pg_config" --bindir)
	stage_pg_config=$stage_bindir/pg_config
	# How to reach the server that start_server starts.
	export PGHOST=$stage PGPORT=5432 PGUSER=postgres
}

# Mirrors the PostgreSQL installation under $stage/pg.  PostgreSQL finds its
# folders relative to the real place of its binaries: those are copied, the
# rest are links in real folders, into which the extension can be installed.
relocate_postgres() {
	local kind dir pg=$stage/pg

	dir=$("$system_pg_config" --bindir)
	mkdir -p "$pg$dir"
	cp -L "$dir"/* "$pg$dir/"
	for kind in pkglibdir sharedir; do
		dir=$("$system_pg_config" --$kind)
		mkdir -p "$pg$dir"
		cp -as "$dir/." "$pg$dir/"
	done
	dir=$("$system_pg_config" --includedir-server)
	mkdir -p "$pg$(dirname "$dir")"
	ln -s "$dir" "$pg$dir"

	case $("$stage_pg_config" --pkglibdir) in
		"$pg"/*) ;;
		*)
			echo "This PostgreSQL cannot be relocated: $system_pg_config" >&2
			return 1
			;;
	esac
}

# Fills the stage: PostgreSQL, the extension in it, and the built tree.
fill_stage() {
	relocate_postgres
	make -s -C "$top" PG_CONFIG="$stage_pg_config" install >/dev/null
	mkdir "$stage/tree"
	tar -C "$top" --exclude=./build --exclude=./.git -cf - . |
		tar -C "$stage/tree" -xf -
	if [ "$(id -u)" = 0 ]; then
		chown -R "$run_user" "$stage/tree"
	fi
}

# Makes and starts a private server: a socket in the stage, no TCP port.
# Arguments are added to its configuration, one line each.
start_server() {
	as_user "$stage_bindir/initdb" -D "$stage/data" -U postgres -A trust \
		-E UTF8 --locale=C --no-sync >"$stage/initdb.log" 2>&1 ||
		{ cat "$stage/initdb.log" >&2; return 1; }
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$stage'"
		echo "fsync = off"
		echo "max_connections = 40"
		echo "shared_buffers = 64MB"
		echo "log_line_prefix = '%m [%p] %q%a '"
		printf '%s\n' "$@"
	} >>"$stage/data/postgresql.conf"
	as_user "$stage_bindir/pg_ctl" -D "$stage/data" -l "$stage/server.log" \
		-s -w -t 120 start >/dev/null ||
		{ tail -50 "$stage/server.log" >&2; return 1; }
}

stop_server() {
	if [ -f "$stage/data/postmaster.pid" ]; then
		as_user "$stage_bindir/pg_ctl" -D "$stage/data" -s -m immediate \
			-w stop >/dev/null 2>&1 || :
	fi
}

# For "trap ... EXIT".
clean_stage() {
	[ -n "$stage" ] || return 0
	stop_server
	rm -rf "$stage"
	stage=
}
