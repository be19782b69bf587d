#!/bin/sh
# backup.sh dumps the database into the folder BACKUP_DIR and keeps the newest KEEP dumps. A dump has its name when it is
# whole, read through once, and on the disk, never before. Old ones go only after that.
#
# It needs pg_dump, pg_restore, psql, and date, find, mv, rm, sync.
set -eu
umask 077
export PGAPPNAME='gochat backup'
# shellcheck source=database.sh
. "${0%/*}/database.sh"

dir=${BACKUP_DIR:?}
keep=${KEEP:?}
[ "$keep" -ge 1 ] || fail "KEEP is $keep: keep at least one dump"
cd "$dir" || fail "the folder $dir can't be entered"

part=
dumping=
stop() {
	[ -z "$dumping" ] || kill "$dumping" 2>/dev/null || :
	[ -z "$part" ] || rm -f "$part"
}
trap stop EXIT
trap 'exit 143' TERM INT

# whole lists the dumps by their names, which begin with the time: the oldest first.
whole() {
	for file in gochat-*.dump; do
		[ ! -f "$file" ] || say "$file"
	done
}
count() {
	# shellcheck disable=SC2046 # the names hold no spaces
	set -- $(whole)
	say "$#"
}

# A run that was killed leaves a file that nobody writes to any more; another run may be at work on a younger one.
find . -maxdepth 1 -name '.gochat-*.part' -mmin +30 -exec rm -f {} +

schema=$(ask "SELECT CASE WHEN to_regclass('goose_db_version') IS NULL THEN 'none' ELSE 'some' END") ||
	fail 'the database can not be asked: no backup was made'
[ "$schema" = some ] || fail 'the database holds no chat yet: no backup was made'
schema=$(ask 'SELECT max(version_id) FROM goose_db_version WHERE is_applied') ||
	fail 'the version of the schema can not be read: no backup was made'

name=gochat-$(date -u +%Y%m%dT%H%M%SZ)-schema$schema.dump
[ ! -e "$name" ] || fail "$name is there already: no backup was made"
part=.$name.$$.part

# In the background, so that a signal is heard while it runs. The mark of a restore is no part of what is kept.
pg_dump --format=custom --exclude-schema=gochat_restore --file="$part" --dbname="$database" &
dumping=$!
ended=0
wait "$dumping" || ended=$?
dumping=
[ "$ended" = 0 ] ||
	fail "pg_dump failed (if there is no space left: enlarge the volume, or keep fewer than $keep): no backup was made, the $(count) older ones are as they were"
pg_restore --file=/dev/null "$part" ||
	fail "the dump can't be read back: no backup was made, the $(count) older ones are as they were"
on_disk "$part"
mv "$part" "$name"
part=
on_disk .

left=$(count)
for file in $(whole); do
	[ "$left" -gt "$keep" ] || break
	rm -f "$file"
	say "removed $file"
	left=$((left - 1))
done
say "made $name; dumps kept: $left"
