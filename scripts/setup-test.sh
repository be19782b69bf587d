#!/usr/bin/env bash
# setup-test.sh: installs what the tests need and this machine does not have, where that can be done without asking
# anybody: on Debian and Ubuntu, as root or with a sudo that wants no password. Elsewhere it says what is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

have_postgres() { have postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; }
have_haproxy() { have haproxy || [ -x /usr/sbin/haproxy ]; }
have_compiler() { have gcc && echo '#include <stdlib.h>' | gcc -x c -fsyntax-only - 2>/dev/null; }
have_fonts() { ! have fc-list || [ -n "$(fc-list ':lang=en' 2>/dev/null | head -n 1)" ]; }

# missing prints what the tests lack, one a line: a compiler for the race detector, a browser with fonts for the browser
# test, the servers and the proxy for the tests of several nodes, a Prometheus for the alerts and the dashboard, and a
# second shell for the operator's scripts with what looks at all scripts.
missing() {
	have_compiler || echo compiler
	scripts/chromium.sh >/dev/null 2>&1 || echo browser
	have_fonts || echo fonts
	have_postgres || echo postgres
	have redis-server || echo redis
	have_haproxy || echo haproxy
	{ have prometheus && have promtool; } || echo prometheus
	have busybox || [ "$(uname)" != Linux ] || echo busybox
	have shellcheck || echo shellcheck
}

# debian_packages WHAT: the packages that bring it. Ubuntu's chromium is a snap, which a test can't drive.
debian_packages() {
	case "$1" in
	compiler) echo gcc libc6-dev ;;
	browser) is_ubuntu || echo chromium fonts-liberation fonts-noto-color-emoji ;;
	fonts) echo fonts-liberation fonts-noto-color-emoji ;;
	postgres) echo postgresql ;;
	redis) echo redis-server ;;
	haproxy | prometheus | busybox | shellcheck) echo "$1" ;;
	esac
}
is_ubuntu() { grep -qs '^ID=ubuntu' /etc/os-release; }

install_missing() {
	local packages=() what
	for what in $lacking; do
		# shellcheck disable=SC2207 # package names hold no spaces
		packages+=($(debian_packages "$what"))
	done
	if [ "${#packages[@]}" -gt 0 ]; then install_packages "${packages[@]}"; fi
	# The package starts a service on the port of a server's metrics; the tests want the programs only.
	if [[ " $lacking " == *" prometheus "* ]] && [ -d /run/systemd/system ]; then
		as_root systemctl disable --quiet --now prometheus || true
	fi
	if is_ubuntu && [[ " $lacking " == *" browser "* ]]; then
		echo "setup: installing Chromium with Playwright"
		(
			cd test/e2e
			PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error
			as_root env PATH="$PATH" npx playwright-core install-deps chromium >/dev/null
			npx playwright-core install chromium
		) || true
	fi
}

lacking="$(missing | xargs)"
[ -n "$lacking" ] || exit 0
if can_install; then
	install_missing
	lacking="$(missing | xargs)"
	[ -n "$lacking" ] || exit 0
fi

cat >&2 <<TEXT
The tests need what is not here: $lacking.
Install it and run make test again:
  Debian         sudo apt-get install gcc libc6-dev chromium fonts-liberation postgresql redis-server haproxy prometheus busybox shellcheck
  Ubuntu         sudo apt-get install gcc libc6-dev postgresql redis-server haproxy prometheus busybox shellcheck
                 cd test/e2e && npx playwright-core install --with-deps chromium
  Fedora         sudo dnf install gcc chromium liberation-fonts postgresql-server redis haproxy golang-github-prometheus busybox ShellCheck
  macOS          xcode-select --install && brew install postgresql redis haproxy prometheus shellcheck && brew install --cask google-chrome
A browser elsewhere is named by GOCHAT_CHROMIUM=/path/to/chromium.
Without any of it, these run: make test-web; go test ./...
TEXT
exit 1
