#!/usr/bin/env bash
# cluster-images.sh: builds the images that a chat needs and gives them to the node of `make cluster-up`: the server and the operator
# of this checkout as release dev, the server once more as release next, and in the place of the official images of Postgres
# and Redis the system's own programs. No registry is asked for anything.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p bin/images

binary() { # NAME RELEASE [FLAG…]
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$2" -o "bin/images/$1-$2" "${@:3}" "./cmd/$1"
}
binary server dev
binary server next
binary operator dev -tags=small # as in Dockerfile.operator

# The images that the operator runs where a ChatCluster names none.
default_of() { sed -n "s/.*default$1Image *= \"\(.*\)\"$/\1/p" internal/operator/children/*.go; }

image() { bin/cluster image "$1" "$2" "$3"; }
image server=bin/images/server-dev ghcr.io/gochat-dev/server:dev bin/images/server-dev.tar
image server=bin/images/server-next ghcr.io/gochat-dev/server:next bin/images/server-next.tar
image operator=bin/images/operator-dev ghcr.io/gochat-dev/operator:dev bin/images/operator-dev.tar
image postgres "$(default_of Postgres)" bin/images/postgres.tar
image redis "$(default_of Redis)" bin/images/redis.tar
bin/cluster load bin/images/*.tar
