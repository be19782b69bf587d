#!/usr/bin/env bash
# need.sh go|node: fails with a message that says what to do unless that tool is here and new enough.
set -euo pipefail
cd "$(dirname "$0")/.."

# at_least WANT HAVE: HAVE is the same version or a newer one.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

refuse() {
	echo "GoChat needs $1" >&2
	exit 1
}

case "${1:-}" in
go)
	want="$(awk '$1 == "go" {print $2}' go.mod)"
	command -v go >/dev/null || refuse "Go $want or newer: https://go.dev/dl/"
	# Any Go since 1.21 fetches the version that go.mod asks for by itself, unless it is told not to.
	have="$(go version | awk '{sub("go", "", $3); print $3}')" || refuse "Go $want or newer, and this one can't fetch it: https://go.dev/dl/"
	at_least "$want" "$have" || refuse "Go $want or newer, and this is $have: https://go.dev/dl/"
	;;
node)
	want="$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' web/package.json)"
	{ command -v node && command -v npm; } >/dev/null || refuse "Node.js $want or newer, with npm: https://nodejs.org/"
	have="$(node --version)"
	at_least "$want" "${have#v}" || refuse "Node.js $want or newer, and this is ${have#v}: https://nodejs.org/"
	;;
*)
	echo "usage: need.sh go|node" >&2
	exit 2
	;;
esac
