#!/usr/bin/env bash
# chromium.sh: prints the path of the browser that the browser test drives, or fails.
# GOCHAT_CHROMIUM names one; else a Chromium or Chrome that is installed; else the one that Playwright has installed.
set -euo pipefail
cd "$(dirname "$0")/.."

# A Chromium from a snap can't read a test's temporary profile, so it does not count.
usable() { [ -x "$1" ] && case "$(readlink -f "$1")" in */snap*) false ;; esac && ! grep -qs '/snap/bin' "$1"; }

if [ -n "${GOCHAT_CHROMIUM:-}" ]; then
	if usable "$GOCHAT_CHROMIUM"; then
		echo "$GOCHAT_CHROMIUM"
		exit
	fi
	echo "GOCHAT_CHROMIUM=$GOCHAT_CHROMIUM is not a program that can be used" >&2
	exit 1
fi
for name in chromium chromium-browser google-chrome-stable google-chrome; do
	if found="$(command -v "$name")" && usable "$found"; then
		echo "$found"
		exit
	fi
done
mac='/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
if [ -x "$mac" ]; then
	echo "$mac"
	exit
fi
if [ -d test/e2e/node_modules/playwright-core ]; then
	found="$(node -p 'require("./test/e2e/node_modules/playwright-core").chromium.executablePath()' 2>/dev/null)" || found=
	if [ -x "$found" ]; then
		echo "$found"
		exit
	fi
fi
echo "no Chromium found: install one, or set GOCHAT_CHROMIUM to its path" >&2
exit 1
