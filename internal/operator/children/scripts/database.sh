# database.sh is read by the scripts beside it: how they reach the database, and how they say what went wrong.
# shellcheck shell=sh

say() { printf '%s\n' "$*"; }

# fail says why, last, where the status of a failed pod shows it.
fail() {
	say "$*" >&2
	exit 1
}

# libpq_url URL: the URL without the parameters that only the server's own driver knows. libpq refuses a URL that has them.
libpq_url() {
	case $1 in
	*\?*) ;;
	*)
		printf '%s' "$1"
		return
		;;
	esac
	rest=${1#*\?}
	kept=
	while [ -n "$rest" ]; do
		one=${rest%%&*}
		case $rest in
		*'&'*) rest=${rest#*&} ;;
		*) rest= ;;
		esac
		case ${one%%=*} in
		host | hostaddr | port | dbname | user | password | passfile | ssl* | gss* | krb* | channel_binding | require_auth | target_session_attrs | \
			load_balance_hosts | connect_timeout | keepalives* | tcp_user_timeout | options | service | servicefile)
			kept=$kept${kept:+&}$one
			;;
		esac
	done
	printf '%s' "${1%%\?*}${kept:+?$kept}"
}

# The database is the one of GOCHAT_POSTGRES_URL; without it, that of libpq's own variables (PGHOST, PGUSER, …).
# shellcheck disable=SC2034 # its readers use it
database=$(libpq_url "${GOCHAT_POSTGRES_URL-}")

# ask SQL: the answer, without ornaments.
ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$database" --command="$1"; }

# on_disk PATH: waits until it is. Some sync programs take no names.
on_disk() { sync "$1" 2>/dev/null || sync; }
