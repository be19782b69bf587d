#!/bin/sh
# redis.sh runs the Redis of a ChatCluster, with the password REDISCLI_AUTH and the configuration that stands beside the script.
# It keeps nothing on a disk. The configuration comes by standard input, so that the password is in no list of processes.
#
# It needs redis-server.
set -eu

case ${REDISCLI_AUTH:?} in
*[!A-Za-z0-9._~-]*)
	printf '%s\n' 'REDISCLI_AUTH may hold only letters, digits and - . _ ~' >&2
	exit 1
	;;
esac

config=
while IFS= read -r line || [ -n "$line" ]; do
	config="$config$line
"
done <"${0%/*}/redis.conf"

exec redis-server - <<EOC
${config}requirepass $REDISCLI_AUTH
EOC
