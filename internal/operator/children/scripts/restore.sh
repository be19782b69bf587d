#!/bin/sh
# restore.sh reads a dump of backup.sh into the database, which must be empty: RESTORE_FROM as the ChatCluster has it (CLAIM, the newest
# dump is taken; or CLAIM/FILE), from the folder RESTORE_DIR, where the claim is mounted. All of it is in the database
# afterwards, in an epoch of its own, so that clients which knew what came after the dump drop their copies (RES3); or nothing. Run again
# after it was carried out, it does nothing, whatever has become of the data since.
#
# It needs pg_restore, psql and grep. What it leaves to others: server migrate.
set -eu
export PGAPPNAME='gochat restore'
# shellcheck source=database.sh
. "${0%/*}/database.sh"

from=${RESTORE_FROM:?}
case $from in
*[!A-Za-z0-9._/-]*) fail "RESTORE_FROM is $from: give CLAIM or CLAIM/FILE" ;;
esac
cd "${RESTORE_DIR:?}" || fail "the folder $RESTORE_DIR can't be entered"

# The mark is a schema that holds nothing but a comment: which restore was begun, and "done" after that when it has its epoch. What is read
# from the dump is one transaction, so where there is a mark and a chat too, that was carried out.
mark=$(ask "SELECT coalesce((SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'gochat_restore'), '')") ||
	fail 'the database can not be asked: nothing was restored'
holds=$(ask "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT LIKE 'pg\\_%'
	AND n.nspname NOT IN ('information_schema', 'gochat_restore')
	AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')") ||
	fail 'the database can not be asked: nothing was restored'

# begin_epoch does both at once, so it is done once.
begin_epoch() {
	ask "UPDATE meta SET value = gen_random_uuid()::text WHERE key = 'epoch'; COMMENT ON SCHEMA gochat_restore IS '$from done'" >/dev/null ||
		fail 'the data is there, and its epoch could not be begun: run this again'
}

if [ "$holds" != 0 ]; then
	case $mark in
	"$from done")
		say "$from was restored before: the database is left as it is"
		exit 0
		;;
	"$from")
		begin_epoch
		say "$from was restored before, and its epoch has begun"
		exit 0
		;;
	esac
	fail "the database is not empty, and was not made by restoring $from: nothing was restored"
fi

file=
case $from in
*/*) file=${from#*/} ;;
*)
	for one in gochat-*.dump; do # the newest has the last name
		[ ! -f "$one" ] || file=$one
	done
	;;
esac
[ -n "$file" ] || fail "${from%%/*} holds no dump (gochat-*.dump): nothing was restored"
[ -f "$file" ] || fail "${from%%/*} holds no $file: nothing was restored. Its dumps: $(echo gochat-*.dump)"

contents=$(pg_restore --list "$file") || fail "$file is no dump that this pg_restore can read: nothing was restored"
printf '%s\n' "$contents" | grep -q ' TABLE DATA [^ ]* goose_db_version ' || fail "$file is no dump of a chat: nothing was restored"

ask "CREATE SCHEMA IF NOT EXISTS gochat_restore; COMMENT ON SCHEMA gochat_restore IS '$from'" >/dev/null ||
	fail 'the restore can not be marked: nothing was restored'
pg_restore --single-transaction --exit-on-error --no-owner --no-privileges --dbname="$database" "$file" ||
	fail "$file could not be restored: the database is as empty as it was"
begin_epoch
say "restored $file"
