# The repository's verbs. `make` alone lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL := go tool -modfile=tools/go.mod
GO_BUILD := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

# What the web app is made of (folders too: a file that is gone leaves its mark there). Stamps say when it was installed.
WEB_SOURCES := $(wildcard web/*.json web/*.ts web/*.html) $(shell find web/src web/public ! -name '*.test.*')
WEB_INSTALLED := web/node_modules/.stamp
WEB_BUILT := web/dist/index.html
E2E_INSTALLED := test/e2e/node_modules/.stamp
NPM_CI := npm ci --no-audit --no-fund --loglevel=error

# Written by `make generate`.
GENERATED := api/openapi.json web/src/net/api.gen.ts api/v1alpha1/zz_generated.deepcopy.go \
	$(shell find api/applyconfiguration config/crd config/rbac charts/gochat/crds charts/gochat/generated internal/operator/schema/chatclusters.yaml -type f)

FUZZTIME ?= 30s
DURATION ?= 30m
SEED ?= 0
LOADTEST ?= run

##@ Use

.PHONY: help
help: ## List the verbs
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: bin/server ## Build the web app and the server and start a chat at http://localhost:8080, with its data in ./data
	@exec bin/server

.PHONY: run-cluster
run-cluster: bin/server ## Start two nodes over a Postgres and a Redis on this machine, with their data in ./data/cluster
	@exec scripts/run-cluster.sh

.PHONY: build
build: need-go web ## Build bin/server (the web app inside), bin/operator and bin/loadtest
	@$(GO_BUILD) -o bin/ ./cmd/...

.PHONY: bin/server
bin/server: need-go web
	@$(GO_BUILD) -o $@ ./cmd/server

.PHONY: web
web: $(WEB_BUILT) ## Build the web app into web/dist

.PHONY: cluster-up
cluster-up: apiserver bin/cluster ## Start a Kubernetes with one node, in namespaces of its own (Linux, root; bin/cluster lists its verbs)
	@scripts/addons.sh
	@bin/cluster up

.PHONY: cluster-down
cluster-down: bin/cluster ## End it, and remove everything of it
	@bin/cluster down

.PHONY: cluster-images
cluster-images: need-go web bin/cluster ## Build the images of a chat and of the operator, and give them to that node
	@scripts/cluster-images.sh

.PHONY: bin/cluster
bin/cluster: need-go
	@cd tools/cluster && CGO_ENABLED=0 go build -trimpath -o ../../$@ .

.PHONY: helm
helm: need-go ## Build bin/helm, from its module (five minutes the first time)
	@cd tools/shipping && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o ../../bin/helm helm.sh/helm/v4/cmd/helm

# A chart's version has three numbers; a build that is no release has none.
CHART_VERSION = $(shell [[ "$(VERSION)" =~ ^v?[0-9]+\.[0-9]+\.[0-9]+(-[-0-9A-Za-z.]+)?$$ ]] && echo "$(VERSION:v%=%)" || echo "0.0.0-g$(VERSION)")

.PHONY: dist
dist: helm ## Write what a release is for Kubernetes beside its images: dist/install.yaml, and the chart
	@mkdir -p dist
	@cd tools/shipping && go run . ../.. $(VERSION) > ../../dist/install.yaml
	@bin/helm package charts/gochat --version $(CHART_VERSION) --app-version $(VERSION) --destination dist

##@ Check

.PHONY: test
test: setup test-go test-web test-e2e ## Set up what the tests need, then run all of them
	@echo "make test: all passed"

.PHONY: test-go
test-go: need-go ## go vet, and the Go tests with the race detector; those of test/faults last, for they measure
	go vet ./...
	CGO_ENABLED=1 GOCHAT_TEST_APISERVER=skip go test -race -timeout 20m $$(go list ./... | grep -v '/test/faults$$')
	CGO_ENABLED=1 go test -race -timeout 20m ./test/faults

.PHONY: apiserver
apiserver: need-go ## Build what test-operator and the cluster need of Kubernetes (ten minutes the first time, then it is kept)
	@scripts/kubernetes.sh

.PHONY: test-operator
test-operator: apiserver ## The tests that need a real Kubernetes API server: the operator's
	CGO_ENABLED=1 GOCHAT_TEST_APISERVER=required go test -race -timeout 20m $$(go list ./... | grep -E '/(api|kubetest|operator)(/|$$)')

.PHONY: test-cluster test-cluster-short
test-cluster: build $(E2E_INSTALLED) cluster-ready ## Chats on a real Kubernetes, by KUBECONFIG or on a node of its own (Linux, root): everything (half an hour)
	@scripts/test-cluster.sh -long

test-cluster-short: build cluster-ready ## Its short form: a bad day, and a roll under load
	@scripts/test-cluster.sh

.PHONY: cluster-ready
cluster-ready: bin/cluster
	@[ -n "$${KUBECONFIG:-}" ] || { scripts/kubernetes.sh && scripts/addons.sh && $(MAKE) --no-print-directory helm; }

.PHONY: test-shipping
test-shipping: apiserver helm ## config/, the chart and what make dist writes: what they hold, and installed on a real Kubernetes API server
	cd tools/shipping && CGO_ENABLED=1 GOCHAT_TEST_APISERVER=required go test -race -timeout 20m ./...

.PHONY: test-web
test-web: $(WEB_INSTALLED) ## The unit tests of the web app
	cd web && npm test

.PHONY: test-e2e
test-e2e: bin/server $(E2E_INSTALLED) ## The browser test, against bin/server
	cd test/e2e && GOCHAT_SERVER_BIN=$(CURDIR)/bin/server GOCHAT_CHROMIUM="$$(../../scripts/chromium.sh)" npm test

.PHONY: lint
lint: need-go lint-go lint-web lint-scripts lint-containers ## Formatting, vet, staticcheck, golangci-lint, the web app's linters, ShellCheck, Dockerfile and compose files

.PHONY: lint-go
lint-go:
	@unformatted="$$(find . \( -name node_modules -o -name testdata -o -name applyconfiguration \) -prune -o -name '*.go' -print0 | xargs -0 $(TOOL) gofumpt -l)"; \
	if [ -n "$$unformatted" ]; then echo "gofumpt would change (make format):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) golangci-lint run ./...
	cd tools/cluster && go vet ./... && go test ./...
	cd tools/shipping && go vet ./...

.PHONY: lint-web
lint-web: $(WEB_INSTALLED)
	cd web && npm run --silent lint

.PHONY: lint-scripts
lint-scripts:
	shellcheck --external-sources --source-path=SCRIPTDIR .ci/run $$(git ls-files '*.sh')

# BuildKit's and Compose's own parsers, in a module of their own; then faults planted into the files, each to be found.
.PHONY: lint-containers
lint-containers: need-go
	cd tools/containers && go vet ./... && go run . ../.. && go test -count=1 ./...

.PHONY: format
format: need-go ## Format the Go code
	@find . \( -name node_modules -o -name testdata -o -name applyconfiguration \) -prune -o -name '*.go' -print0 | xargs -0 $(TOOL) gofumpt -w
	@$(TOOL) golangci-lint fmt ./...

.PHONY: verify
verify: need-go verify-modules verify-generated verify-platforms verify-vulnerabilities ## go.mod is tidy, generated files are fresh, every platform builds
	@echo "make verify: all well"

.PHONY: verify-modules
verify-modules:
	go mod verify
	go mod tidy -diff
	cd tools && go mod tidy -diff
	cd tools/containers && go mod tidy -diff
	cd tools/generate && go mod tidy -diff
	cd tools/shipping && go mod tidy -diff
	cd tools/kubernetes && go mod tidy -diff
	for module in tools/cluster tools/addons/*; do (cd $$module && go mod tidy -diff) || exit 1; done

.PHONY: verify-generated
verify-generated:
	@before="$$(cat $(GENERATED) | sha256sum)"; \
	$(MAKE) --no-print-directory generate; \
	if [ "$$before" != "$$(cat $(GENERATED) | sha256sum)" ]; then \
		echo "generated files were stale, and are fresh now: look at them and commit them ($(GENERATED))"; exit 1; fi

.PHONY: verify-platforms
verify-platforms:
	@for arch in amd64 arm64; do \
		echo "build linux/$$arch"; GOOS=linux GOARCH=$$arch CGO_ENABLED=0 go build -trimpath ./... && GOOS=linux GOARCH=$$arch CGO_ENABLED=0 go build -tags small -trimpath -o /dev/null ./cmd/operator || exit 1; \
	done

# govulncheck asks vuln.go.dev; where that can't be reached the rest is still verified, and it is said.
.PHONY: verify-vulnerabilities
verify-vulnerabilities:
	@if curl -fsS --max-time 10 -o /dev/null https://vuln.go.dev/index/modules.json 2>/dev/null; then \
		$(TOOL) govulncheck ./...; \
	else \
		echo "SKIPPED govulncheck: vuln.go.dev can't be reached from here"; \
	fi

.PHONY: faults
faults: need-go ## Break everything for as long as specified, then at random for DURATION (30m; SEED=n repeats a choice)
	go test ./test/faults -count=1 -timeout 0 -v -run 'TestFaults|TestRandomFaults' -args -long -duration=$(DURATION) -seed=$(SEED)

.PHONY: faults-protections
faults-protections: need-go ## Take each protection out of the server, and see the test of its fault fail (half an hour)
	go test ./test/faults -count=1 -timeout 0 -v -run 'TestProtections' -args -mutants

.PHONY: fuzz
fuzz: need-go ## Run every fuzz target for FUZZTIME (30s)
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: need-go ## The benchmarks of the hot paths, with allocations
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-web
bench-web: bin/server $(E2E_INSTALLED) ## P9 of docs/benchmarks.md: a room of 10,000 entries on a slow processor (two minutes, on a machine that does nothing else)
	cd test/e2e && GOCHAT_SERVER_BIN=$(CURDIR)/bin/server GOCHAT_CHROMIUM="$$(../../scripts/chromium.sh)" npm run --silent bench

.PHONY: loadtest
loadtest: build ## Measure bin/server against a bare floor (LOADTEST='run --connections=1000 --duration=30s')
	bin/loadtest $(LOADTEST)

.PHONY: figures
figures: need-go ## Take the figures P4 to P8 of docs/benchmarks.md (a quarter of an hour; on a machine that does nothing else)
	go test ./cmd/loadtest -figures -run "Figure$(FIGURE)" -count=1 -v -timeout 30m

##@ Make

.PHONY: generate
generate: need-go $(WEB_INSTALLED) ## Write the OpenAPI document from the handlers, the web app's client from that, and from markers the CRD and the operator's rights
	go test ./internal/httpapi -run '^TestDocumentIsCommitted$$' -count=1 -update
	cd web && npm run --silent generate
	go tool -modfile=tools/generate/go.mod controller-gen object crd applyconfiguration paths=./api/v1alpha1/... output:crd:dir=config/crd/bases
	go tool -modfile=tools/generate/go.mod controller-gen rbac:roleName=gochat-operator paths=./internal/operator/controller output:rbac:dir=config/rbac/operator
	@cp config/crd/bases/gochat.dev_chatclusters.yaml charts/gochat/crds/
	@cp config/crd/bases/gochat.dev_chatclusters.yaml internal/operator/schema/chatclusters.yaml
	@cp config/rbac/operator/role.yaml charts/gochat/generated/role.yaml

.PHONY: screenshots
screenshots: bin/server $(E2E_INSTALLED) ## Take a picture of every screen into docs/images, and list them in docs/screens.md
	cd test/e2e && GOCHAT_SERVER_BIN=$(CURDIR)/bin/server GOCHAT_CHROMIUM="$$(../../scripts/chromium.sh)" npm run screenshots

.PHONY: setup
setup: need-go need-node ## Install what the tests need and is missing (Debian and Ubuntu packages; the browser test's npm packages)
	@scripts/setup-test.sh
	@$(MAKE) --no-print-directory --silent $(WEB_INSTALLED) $(E2E_INSTALLED)

.PHONY: clean
clean: ## Remove what was built and installed here; ./data stays
	rm -rf bin web/node_modules test/e2e/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete

# Internal steps.

.PHONY: need-go need-node
need-go need-node:
	@scripts/need.sh $(@:need-%=%)

$(WEB_INSTALLED): web/package-lock.json | need-node
	cd web && $(NPM_CI)
	@touch $@

$(E2E_INSTALLED): test/e2e/package-lock.json | need-node
	cd test/e2e && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 $(NPM_CI)
	@touch $@

$(WEB_BUILT): $(WEB_INSTALLED) $(WEB_SOURCES)
	cd web && npm run --silent build
	@touch $@
