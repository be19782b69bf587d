#!/bin/sh
# postgres.sh runs the Postgres of a ChatCluster on the volume at DATA_DIR, with the configuration that stands beside the script.
#
# The database is made on the first start. At each start the password of its role becomes POSTGRES_PASSWORD, before anybody
# can connect. SIGTERM is the fast shutdown: connections are cut, everything is written, the next start has nothing to mend.
#
# It needs initdb, postgres, mkdir and rm.
set -eu
umask 077

config=${0%/*}
data=${DATA_DIR:?}/pgdata
making=$DATA_DIR/making-pgdata # is there while pgdata is being made
made=$data/gochat-made         # is there, for good, before anybody can connect

say() { printf '%s\n' "$*" >&2; }

# fail says why, last, where the status of a failed pod shows it.
fail() {
	say "$*"
	exit 1
}

# single runs SQL, a command a line, while nobody else is there. What fails is an error: the answers are none of ours.
single() {
	postgres --single -D "$data" -c config_file="$config/postgresql.conf" -c exit_on_error=on \
		-c log_min_messages=warning -c log_min_error_statement=panic "$1" >/dev/null
}

case ${POSTGRES_PASSWORD:?} in
*[!A-Za-z0-9._~-]*) fail 'POSTGRES_PASSWORD may hold only letters, digits and - . _ ~' ;;
esac

version=$(postgres --version)
version=${version#*) } # postgres (PostgreSQL) 17.6 (Debian 17.6-1)
major=${version%%[!0-9]*}

[ -w "$DATA_DIR" ] || fail "the volume $DATA_DIR can't be written to: it belongs to another user than that of this container ($(id -u))"

# An initdb that was cut off leaves a directory that is no database. Nobody ever connected to it.
if [ -e "$making" ] && [ ! -e "$made" ]; then
	say 'the database was not made to its end: it is made again'
	rm -rf "$data"
fi

if [ ! -e "$data" ]; then
	: >"$making"
	initdb -D "$data" -U postgres --encoding=UTF8 --locale=C --data-checksums --no-instructions \
		--auth-local=peer --auth-host=scram-sha-256 || fail 'initdb failed: is the volume too small?'
	single postgres <<-SQL || fail 'the database could not be made'
		CREATE ROLE gochat LOGIN
		CREATE DATABASE gochat OWNER gochat
	SQL
	: >"$made"
	initdb -D "$data" --sync-only # the mark is on the disk before anybody's data
fi
rm -f "$making"

[ -O "$data" ] || fail "the database in $data belongs to another user than that of this container ($(id -u)): Postgres refuses it. Change its owner"
[ -r "$data/PG_VERSION" ] || fail "$data holds no database that can be read"
read -r has <"$data/PG_VERSION"
[ "$has" = "$major" ] || fail "the database was made by Postgres $has, and this is Postgres $version: another major version can't open it. \
Set database.image to one of Postgres $has, make a backup, and restore it into a new ChatCluster"

single postgres <<-SQL || fail 'the password could not be set'
	ALTER ROLE gochat PASSWORD '$POSTGRES_PASSWORD'
SQL

# The shell stays, to turn SIGTERM, which Postgres takes for "wait until everybody has gone", into SIGINT.
unset POSTGRES_PASSWORD
postgres -D "$data" -c config_file="$config/postgresql.conf" -c hba_file="$config/pg_hba.conf" &
postgres=$!
trap 'kill -INT "$postgres" 2>/dev/null || :' TERM INT
ended=0
wait "$postgres" || ended=$?
while kill -0 "$postgres" 2>/dev/null; do # a signal ends wait, not Postgres
	ended=0
	wait "$postgres" || ended=$?
done
exit "$ended"
