#!/usr/bin/env bash
# test-cluster.sh [-long]: runs test/cluster against the cluster that KUBECONFIG names, where the operator has to be installed and
# Services have to be reached from here; without KUBECONFIG against a node of its own (make cluster-up), which it starts and ends.
set -euo pipefail
cd "$(dirname "$0")/.."

CGO_ENABLED=1 go test -race -c -o bin/test-cluster ./test/cluster
run() { (cd test/cluster && "$@" -test.v -test.count=1 -test.timeout=100m); }

if [ -n "${KUBECONFIG:-}" ]; then
	run ../../bin/test-cluster "-kubeconfig=$KUBECONFIG" "$@"
	exit
fi

GOCHAT_NODE="$(mktemp -d "${TMPDIR:-/tmp}/gochat-node-XXXXXX")" # beside one that somebody works with
export GOCHAT_NODE
ended() {
	status=$?
	trap - EXIT INT TERM
	[ "$status" = 0 ] || bin/cluster kubectl logs --namespace=gochat-system --selector=app.kubernetes.io/name=gochat-operator --tail=60 || true
	bin/cluster down
	exit "$status"
}
trap ended EXIT
trap 'exit 130' INT TERM

bin/cluster up
scripts/cluster-images.sh
bin/cluster kubectl create namespace gochat-system >/dev/null
bin/cluster kubectl label namespace gochat-system pod-security.kubernetes.io/enforce=restricted >/dev/null
for verb in install upgrade; do # an upgrade has more to do: the definition, by a Job
	bin/cluster run bin/helm $verb gochat charts/gochat --namespace gochat-system --set image.tag=dev --wait --timeout 3m >/dev/null
done
browser="$(scripts/chromium.sh 2>/dev/null)" || browser=
run ../../bin/cluster run ../../bin/test-cluster "-kubeconfig=$GOCHAT_NODE/admin.kubeconfig" -next-image=ghcr.io/gochat-dev/server:next \
	"-browser=$browser" "-loadtest=$PWD/bin/loadtest" "$@"
