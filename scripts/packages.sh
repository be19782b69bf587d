# shellcheck shell=bash
# packages.sh, sourced by other scripts: installing Debian and Ubuntu packages where nobody has to be asked.

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
can_install() { have apt-get && { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }; }

# install_packages NAME…: whether they are there afterwards is for the caller to see.
install_packages() {
	echo "setup: installing $*"
	as_root apt-get update -qq || echo "setup: apt-get update failed; trying with the lists that are there" >&2
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || true
}
