# SPDX-License-Identifier: Apache-2.0

# Everything a machine needs beside Go and a C compiler (for the race detector) is fetched or built
# by the targets themselves, once, and cached outside the tree.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TOOLS := go tool -modfile=hack/tools/go.mod
LINTER := go tool -modfile=hack/golangci-lint/go.mod golangci-lint
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
OUTPUT := _output

.PHONY: help
help: ## Show the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Pin two machines on a local control plane and a real Kea, and keep them running.
	hack/demo $(OUTPUT)/provider

.PHONY: test
test: servers ## Run every test, with the race detector, against the real servers.
	@# Not from go's cache: it does not know of the programs that the tests start.
	go test -race -count=1 -timeout 20m ./...

.PHONY: build
build: ## Build the provider into _output/provider.
	CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)' -o $(OUTPUT)/provider ./cmd/provider

.PHONY: generate
generate: ## Generate deep copies and CRDs.
	$(TOOLS) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./apis/... paths=./internal/vitistack/...
	$(TOOLS) controller-gen crd:crdVersions=v1 paths=./apis/... output:crd:artifacts:config=package/crds

.PHONY: lint
lint: ## Run golangci-lint with the project's configuration.
	$(LINTER) run

.PHONY: bench
bench: servers ## Pin 1,000 machines and tell what it cost.
	go test -run '^$$' -bench . -benchtime 1x -timeout 20m ./internal/integration

.PHONY: servers
servers: ## Get the control plane and the Kea that tests and the demo run against.
	@hack/kubernetes bin >/dev/null
	@hack/kea bin >/dev/null

.PHONY: clean
clean: ## Remove what was built in the tree, and stop what hack/ started.
	hack/kea down
	hack/kubernetes down
	rm -rf $(OUTPUT)
