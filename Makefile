# SPDX-License-Identifier: Apache-2.0

# Everything a machine needs beside Go and a C compiler (for the race detector) is fetched or built
# by the targets themselves, once, and cached outside the tree.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TOOLS := go tool -modfile=hack/tools/go.mod
LINTER := go tool -modfile=$(CURDIR)/hack/golangci-lint/go.mod golangci-lint --config $(CURDIR)/.golangci.yml
MODULES := . hack/xpkg test/functions test/e2e
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
OUTPUT := _output

# The release that the manifests in cluster/ name; make generate writes it there. Nobody can know what
# registry a reader has.
RELEASE := v0.1.0
PLACEHOLDER := registry.example.com/vitistack

# What one `kubectl apply -f` installs: permissions before the provider that needs them, and what it runs
# in before it runs. $(call install,REGISTRY,VERSION) prints it.
INSTALL := cluster/rbac/clusterrole.yaml cluster/rbac/clusterrolebinding.yaml \
           cluster/crossplane/deploymentruntimeconfig.yaml cluster/crossplane/provider.yaml
install = awk 'NR == 1 {print; print "\#"; print "\# Made by `make generate` of files in cluster/rbac and cluster/crossplane."; next} \
  FNR == 1 {print "---"; next} {sub("REGISTRY/provider-kea:VERSION", "$(1)/provider-kea:$(2)"); print}' $(INSTALL)

.PHONY: help
help: ## Show the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Pin two machines on a local control plane and a real Kea, and keep them running.
	hack/demo $(OUTPUT)/provider

.PHONY: test
test: servers examples ## Run every test, with the race detector, against the real servers.
	@# Not from go's cache: it does not know of the programs that the tests start.
	go test -race -count=1 -timeout 20m ./...
	go -C hack/xpkg test -race -count=1 ./...

.PHONY: e2e
e2e: ## Install the package in KUBECONFIG's cluster, from REGISTRY=..., and follow a real DHCP client.
	@[ -n "$(REGISTRY)" ] || { echo 'make e2e: say what registry you push to and the cluster pulls from, as in REGISTRY=172.18.0.3:5000' >&2; exit 1; }
	@hack/kea bin >/dev/null
	REGISTRY='$(REGISTRY)' go -C test/e2e test -race -count=1 -v -timeout 20m .

.PHONY: build
build: ## Build the provider into _output/provider.
	CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)' -o $(OUTPUT)/provider ./cmd/provider

.PHONY: xpkg
xpkg: ## Make the Crossplane package for linux/amd64 and linux/arm64 in _output/xpkg. VERSION=... overrides git's.
	@# Of the same commit and VERSION, with the same Go, the same package, whatever folder or machine.
	for arch in amd64 arm64; do \
	  GOOS=linux GOARCH=$$arch CGO_ENABLED=0 GOFLAGS= GOEXPERIMENT= GOFIPS140=off GOAMD64=v1 GOARM64=v8.0 go build -trimpath -buildvcs=false \
	    -ldflags '-s -w -X main.version=$(VERSION)' -o $(OUTPUT)/xpkg/provider-linux-$$arch ./cmd/provider; \
	done
	go -C hack/xpkg run . build ../.. '$(VERSION)' '$(shell git rev-parse HEAD 2>/dev/null)'

.PHONY: push
push: registry xpkg ## Push the package to REGISTRY=..., and write _output/install.yaml for it. VERSION=... is its tag.
	go -C hack/xpkg run . push ../.. '$(REGISTRY)/provider-kea:$(VERSION)'
	@$(call install,$(REGISTRY),$(VERSION)) >$(OUTPUT)/install.yaml
	@echo 'to install it: kubectl apply -f $(OUTPUT)/install.yaml'

.PHONY: registry
registry:
	@[ -n "$(REGISTRY)" ] || { echo 'make push: say where to, as in REGISTRY=$(PLACEHOLDER)' >&2; exit 1; }

.PHONY: generate
generate: ## Generate deep copies, CRDs, and what in cluster/ is made of other files.
	$(TOOLS) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./apis/... paths=./internal/vitistack/...
	$(TOOLS) controller-gen crd:crdVersions=v1 paths=./apis/... output:crd:artifacts:config=package/crds
	cat package/crds/*.yaml >cluster/standalone/crds.yaml
	sed -i.old 's|newTag: [^ ]*|newTag: $(RELEASE)|' cluster/standalone/kustomization.yaml && rm cluster/standalone/kustomization.yaml.old
	@$(call install,$(PLACEHOLDER),$(RELEASE)) >cluster/install.yaml

.PHONY: examples
examples: ## Validate and render the examples.
	@hack/crossplane bin >/dev/null
	go -C test/functions test -race -count=1 ./...

.PHONY: lint
lint: ## Run golangci-lint with the project's configuration.
	for module in $(MODULES); do echo $$module; (cd $$module && $(LINTER) run); done

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
