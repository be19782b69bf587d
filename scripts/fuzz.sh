#!/usr/bin/env bash
# fuzz.sh TIME: runs every fuzz target of the module for so long, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
time="${1:-30s}"

count=0
for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "== $package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
		count=$((count + 1))
	done
done
echo "fuzz: $count targets, $time each, nothing found"
[ "$count" -gt 0 ]
