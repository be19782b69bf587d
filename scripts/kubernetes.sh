#!/usr/bin/env bash
# kubernetes.sh: sees that there is a Kubernetes to test against: all its components, built from their Go modules
# (tools/kubernetes) into ~/.cache/gochat, and the system's etcd. It does nothing where all that is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/packages.sh

if ! have etcd; then
	if can_install; then install_packages etcd-server; fi
	have etcd || {
		echo "kubernetes: etcd is missing: apt-get install etcd-server, or brew install etcd" >&2
		exit 1
	}
fi

source=tools/kubernetes
version="$(awk '$1 == "k8s.io/kubernetes" {print $2}' $source/go.mod)"
into="${XDG_CACHE_HOME:-$HOME/.cache}/gochat/kubernetes/$version" # internal/kubetest looks there
made_of="$(cat $source/go.mod $source/go.sum $source/main.go scripts/kubernetes.sh | sha256sum)"

is_built() { [ "$(cat "$into/made-of" 2>/dev/null)" = "$made_of" ]; }
is_built && exit

mkdir -p "$into"
if have flock; then # others that want it too wait, and find it built
	exec 9>"$into/lock"
	flock 9
	is_built && exit
fi
echo "kubernetes: building $version from its Go modules into $into; the first time takes about ten minutes on two cores"
flags='-s -w'
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
	# Without a version the components refuse to work with each other.
	flags+=" -X $package.gitVersion=$version -X $package.gitMajor=$(cut -d. -f1 <<<"${version#v}") -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
done
(cd $source && CGO_ENABLED=0 go build -trimpath -ldflags "$flags" -o "$into/kubernetes" .)
for component in kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubectl kubelet; do
	ln -sf kubernetes "$into/$component"
done
echo "$made_of" >"$into/made-of"
echo "kubernetes: built"
