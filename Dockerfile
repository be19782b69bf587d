# syntax=docker/dockerfile:1
# GoChat's server with the web app inside, and nothing else: no shell, no package manager, no root.
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t gochat .
#   docker run --read-only --cap-drop=ALL -p 8080:8080 -v gochat:/var/lib/gochat gochat
#
# `make lint` checks this file; what it copies is what the build needs (.dockerignore lets nothing else in).

ARG GO_VERSION=1.26
ARG NODE_VERSION=22

# The web app is the same on every platform, so it is built on the builder's own. So is the server: Go crosses over.
FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY web ./
RUN npm run build

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-bookworm AS server
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY cmd/server cmd/server
COPY internal internal
COPY web/embed.go web/
COPY --from=web /src/web/dist web/dist
ARG TARGETOS TARGETARCH VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/gochat-server ./cmd/server \
    && install -d -m 700 /out/data

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="GoChat" \
      org.opencontainers.image.description="A chat that a team runs for itself" \
      org.opencontainers.image.source="https://github.com/gochat-dev/gochat" \
      org.opencontainers.image.documentation="https://github.com/gochat-dev/gochat/tree/main/docs/operations" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
# For TLS to a Postgres or a Redis elsewhere.
COPY --from=server /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=server /out/gochat-server /gochat-server
# A volume takes its owner from here.
COPY --from=server --chown=65532:65532 /out/data /var/lib/gochat
ENV GOCHAT_DATA_DIR=/var/lib/gochat
VOLUME /var/lib/gochat
USER 65532:65532
EXPOSE 8080
# Ready, not only alive. Where unhealthy containers are killed (Swarm), add --live: a database that is away is no reason.
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["/gochat-server", "healthcheck"]
ENTRYPOINT ["/gochat-server"]
