#!/usr/bin/env bash
# run-cluster.sh: two nodes of bin/server over a Postgres and a Redis of their own on this machine, and a proxy in front where
# HAProxy is installed. Everything listens on loopback, keeps its data and logs in ./data/cluster, and ends with Ctrl-C.
# What is killed meanwhile is started again, as systemd would.
set -euo pipefail
set -m # each in a process group of its own: Ctrl-C is for this script, which ends them in order
cd "$(dirname "$0")/.."

front=8080
nodes=(8081 8082) admins=(9091 9092)
postgres=5439 redis=6389
here="$PWD/data/cluster"

die() {
	echo "run-cluster: $*" >&2
	exit 1
}

# program NAME FOLDER…: its path, also where it is installed past the PATH.
program() {
	local name="$1" folder
	command -v "$name" && return
	shift
	for folder in "$@"; do
		if [ -x "$folder/$name" ]; then
			echo "$folder/$name"
			return
		fi
	done
	return 1
}
postgres_folders="$(compgen -G '/usr/lib/postgresql/*/bin' | sort -Vr || true)"
# shellcheck disable=SC2086 # one folder a line, without spaces
initdb="$(program initdb ${PG_BIN:-} $postgres_folders)" || die "Postgres is not installed: sudo apt-get install postgresql"
redis_server="$(program redis-server)" || redis_server="$(program valkey-server)" || die "Redis is not installed: sudo apt-get install redis-server"
haproxy="$(program haproxy /usr/sbin)" || haproxy=""
bin="$(dirname "$(readlink -f "$initdb")")"

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
for port in "$front" "${nodes[@]}" "${admins[@]}" "$postgres" "$redis"; do
	! taken "$port" || die "something listens on port $port already: is a chat running?"
done

# Postgres refuses to run as root.
owner=()
mkdir -p "$here"
if [ "$(id -u)" = 0 ]; then
	id postgres >/dev/null 2>&1 || die "Postgres does not run as root, and there is no user postgres"
	owner=(setpriv --reuid=postgres --regid=postgres --init-groups --)
	mkdir -p "$here/postgres" && chown postgres: "$here/postgres"
	"${owner[@]}" test -w "$here/postgres" || die "the user postgres can't enter $here: run this as somebody who is not root"
fi

# start NAME COMMAND…: runs it in the background, with its log in a file.
declare -A pids=() commands=()
start() {
	local name="$1"
	shift
	commands[$name]="$(printf '%q ' "$@")"
	"$@" >>"$here/$name.log" 2>&1 &
	pids[$name]=$!
}

# stop SIGNAL NAME…: ends what was started, and waits for it.
stop() {
	local signal="$1" name
	shift
	for name in "$@"; do
		[ -z "${pids[$name]:-}" ] || kill -"$signal" "${pids[$name]}" 2>/dev/null || true
		[ -z "${pids[$name]:-}" ] || kill -CONT "${pids[$name]}" 2>/dev/null || true # in case it was frozen
	done
	for name in "$@"; do
		[ -z "${pids[$name]:-}" ] || wait "${pids[$name]}" 2>/dev/null || true
		unset "pids[$name]"
	done
}

finish() {
	trap - EXIT
	trap '' INT TERM
	echo "stopping"
	stop TERM node1 node2
	stop TERM haproxy redis
	stop INT postgres
}
trap finish EXIT
trap 'exit 0' INT # as whoever presses Ctrl-C wants it
trap 'exit 143' TERM

# until_ready NAME COMMAND…: waits until the command succeeds, for half a minute.
until_ready() {
	local name="$1" left=150
	shift
	until "$@" >/dev/null 2>&1; do
		kill -0 "${pids[$name]}" 2>/dev/null || die "$name has ended: see $here/$name.log"
		left=$((left - 1))
		[ "$left" -gt 0 ] || die "$name is not ready: see $here/$name.log"
		sleep 0.2
	done
}

# The database, made at the first start.
if [ ! -s "$here/postgres.password" ]; then
	(umask 077 && head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$here/postgres.password")
fi
[ ${#owner[@]} -eq 0 ] || chown postgres: "$here/postgres.password"
PGPASSWORD="$(cat "$here/postgres.password")"
export PGPASSWORD
if [ ! -s "$here/postgres/PG_VERSION" ]; then
	echo "making a database in $here/postgres"
	"${owner[@]}" "$bin/initdb" -D "$here/postgres" -U gochat --auth=scram-sha-256 --pwfile="$here/postgres.password" \
		--encoding=UTF8 --locale=C >"$here/initdb.log" 2>&1 || die "initdb has failed: see $here/initdb.log"
fi
start postgres "${owner[@]}" "$bin/postgres" -D "$here/postgres" -c listen_addresses=127.0.0.1 -c "port=$postgres" \
	-c unix_socket_directories= -c max_connections=200
until_ready postgres "$bin/pg_isready" -q -h 127.0.0.1 -p "$postgres" -U gochat
reach=(-h 127.0.0.1 -p "$postgres" -U gochat)
if ! "$bin/psql" "${reach[@]}" -d gochat -c '' 2>/dev/null; then
	"$bin/createdb" "${reach[@]}" gochat
fi

# Redis keeps nothing: what it forgets, the nodes know or read from Postgres.
start redis "$redis_server" --bind 127.0.0.1 --port "$redis" --save '' --appendonly no --dir "$here"
until_ready redis taken "$redis"

export GOCHAT_POSTGRES_URL="postgres://gochat:$PGPASSWORD@127.0.0.1:$postgres/gochat?sslmode=disable"
export GOCHAT_REDIS_URL="redis://127.0.0.1:$redis/0"
export GOCHAT_TRUSTED_PROXIES=127.0.0.1
export GOCHAT_DRAIN="${GOCHAT_DRAIN:-3s}"
bin/server migrate >"$here/migrate.log" 2>&1 || die "the schema could not be brought up to date: see $here/migrate.log"
for i in 0 1; do
	start "node$((i + 1))" env "GOCHAT_LISTEN=127.0.0.1:${nodes[i]}" "GOCHAT_ADMIN_LISTEN=127.0.0.1:${admins[i]}" bin/server
done
for i in 0 1; do
	until_ready "node$((i + 1))" bin/server healthcheck "--admin-listen=127.0.0.1:${admins[i]}"
done

echo
if [ -n "$haproxy" ]; then
	sed -e "s|^    bind .*|    bind 127.0.0.1:$front|" -e '/^    server /d' docs/operations/haproxy.cfg >"$here/haproxy.cfg"
	for i in 0 1; do
		echo "    server node$((i + 1)) 127.0.0.1:${nodes[i]}" >>"$here/haproxy.cfg"
	done
	start haproxy "$haproxy" -db -f "$here/haproxy.cfg"
	until_ready haproxy taken "$front"
	echo "GoChat, two nodes: http://localhost:$front, by HAProxy, to either of them:"
else
	echo "GoChat, two nodes (with HAProxy installed there would be one address for both):"
fi
echo "  node1  http://localhost:${nodes[0]}   metrics http://localhost:${admins[0]}/metrics"
echo "  node2  http://localhost:${nodes[1]}   metrics http://localhost:${admins[1]}/metrics"
echo "Data and logs: $here. Ctrl-C stops it; nothing is lost."
echo "Break what you like: kill -9 one of ${pids[node1]} (node1), ${pids[node2]} (node2), ${pids[redis]} (Redis), ${pids[postgres]} (Postgres)."

while true; do # until somebody stops it
	wait -f -n || true
	for name in "${!pids[@]}"; do
		! kill -0 "${pids[$name]}" 2>/dev/null || continue
		echo "$name has ended (its log: $here/$name.log), and is started again"
		sleep 1
		eval "start $name ${commands[$name]}"
	done
done
