#!/usr/bin/env bash
# addons.sh: what `make cluster-up` needs besides Kubernetes: containerd and the like from the system's packages, and DNS,
# volumes and metrics of a cluster from their Go modules (tools/addons), built into ~/.cache/gochat. It does nothing where all
# that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh
PATH="$PATH:/usr/sbin:/sbin"

[ "$(uname -s)" = Linux ] || {
	echo "cluster: a node needs Linux; elsewhere, set KUBECONFIG to a cluster (kind, k3s) and run make test-cluster" >&2
	exit 1
}
[ "$(id -u)" = 0 ] || {
	echo "cluster: a node needs root: it makes namespaces, mounts and cgroups" >&2
	exit 1
}

declare -A packages=([containerd]=containerd [runc]=runc [iptables]=iptables [conntrack]=conntrack [ip]=iproute2 [nsenter]=util-linux
	[/usr/lib/cni/bridge]=containernetworking-plugins [redis-server]=redis-server)
absent() {
	for program in "${!packages[@]}"; do
		command -v "$program" >/dev/null || echo "${packages[$program]}"
	done
	compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || echo postgresql
}
mapfile -t lacking < <(absent)
if [ "${#lacking[@]}" -gt 0 ]; then
	if can_install; then install_packages "${lacking[@]}"; fi
	mapfile -t lacking < <(absent)
	[ "${#lacking[@]}" -eq 0 ] || {
		echo "cluster: these packages of Debian's are missing: ${lacking[*]}" >&2
		exit 1
	}
fi

into="${XDG_CACHE_HOME:-$HOME/.cache}/gochat/addons" # tools/cluster looks there
made_of="$(cat tools/addons/*/go.* tools/addons/*/*.go tools/cluster/*.go tools/cluster/pause/*.go scripts/addons.sh | sha256sum)"
is_built() { [ "$(cat "$into/made-of" 2>/dev/null)" = "$made_of" ]; }
is_built && exit
mkdir -p "$into"
exec 9>"$into/lock" # others that want it too wait, and find it built
flock 9
is_built && exit

echo "cluster: building its DNS, volumes and metrics from their Go modules into $into; the first time takes about six minutes on two cores"
build() { # FOLDER PACKAGE NAME
	(cd "$1" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$into/$3" "$2")
}
build tools/cluster ./pause pause
build tools/addons/dns . coredns
build tools/addons/volumes github.com/rancher/local-path-provisioner local-path-provisioner
build tools/addons/metrics sigs.k8s.io/metrics-server/cmd/metrics-server metrics-server
rm -f "$into"/*.tar
echo "$made_of" >"$into/made-of"
