# SPDX-License-Identifier: Apache-2.0

# Everything a machine needs beside Go and a C compiler (for the race detector) is fetched or built
# by the targets themselves, once, and cached outside the tree.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TOOLS := go tool -modfile=hack/tools/go.mod
LINTER := go tool -modfile=$(CURDIR)/hack/golangci-lint/go.mod golangci-lint --config $(CURDIR)/.golangci.yml
VULNCHECK := go tool -modfile=$(CURDIR)/hack/vulncheck/go.mod govulncheck
MODULES := . hack/xpkg hack/cluster-module test/functions test/e2e
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
OUTPUT := _output

# The release that the manifests in cluster/ name; make generate writes it there. The registry is a
# placeholder.
RELEASE := v0.1.0
PLACEHOLDER := registry.example.com/vitistack

# What one `kubectl apply -f` installs: permissions before the provider that needs them, and what it
# runs in before it runs. $(call install,REGISTRY,VERSION) prints it.
INSTALL := cluster/rbac/clusterrole.yaml cluster/rbac/clusterrolebinding.yaml \
           cluster/crossplane/deploymentruntimeconfig.yaml cluster/crossplane/provider.yaml
install = awk 'NR == 1 {print; print "\#"; print "\# Made by `make generate` of files in cluster/rbac and cluster/crossplane."; next} \
  FNR == 1 {print "---"; next} {sub("REGISTRY/provider-kea:VERSION", "$(1)/provider-kea:$(2)"); print}' $(INSTALL)

.PHONY: help
help: ## Show the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# On a new machine all of this is built from scratch: side by side, because a build that links or
# downloads leaves a core to the others.
together = @$(MAKE) --no-print-directory -j4

.PHONY: demo
demo: ## Pin two machines on a local control plane and a real Kea, and keep them running.
	$(together) build kubernetes kea
	hack/demo $(OUTPUT)/provider

.PHONY: test
test: ## Run every test, with the race detector, against the real servers.
	$(together) compile kubernetes kea
	@# Not from go's cache: it does not know of the programs that the tests start. Those that take
	@# longest begin first.
	go test -race -count=1 -p 4 -timeout 20m ./internal/integration ./internal/kea ./...
	go -C hack/xpkg test -race -count=1 ./...

.PHONY: faults
faults: ## Have every fault meet every command and every write, which make test does with a part of them.
	go test -count=1 -timeout 1h ./internal/group -run '^TestFaults$$' -every-fault
	go test -count=1 -timeout 1h ./internal/controller/keareservation -run '^TestAPIFaults$$' -every-fault

.PHONY: fuzz
fuzz: TIME ?= 1m
fuzz: ## Fuzz what reads input of Kea or of users, each target for TIME=1m, or 10000x.
	@hack/fuzz '$(TIME)'

# compile compiles what the tests consist of, without linking them.
.PHONY: compile
compile:
	@go list -race -test -export ./... >/dev/null
	@go -C hack/xpkg list -race -test -export ./... >/dev/null

.PHONY: e2e
ifneq ($(REGISTRY),)
e2e: ## Follow a real DHCP client in hack/cluster's cluster, or in KUBECONFIG's with REGISTRY=...
	@hack/kea bin >/dev/null
	REGISTRY='$(REGISTRY)' go -C test/e2e test -race -count=1 -v -timeout 20m .
else
e2e: e2e-programs
	hack/cluster exec $(MAKE) e2e
endif

# e2e-programs gets what the end-to-end test consists of: nothing can be fetched from within
# hack/cluster's network.
.PHONY: e2e-programs
e2e-programs: kea
	@$(MAKE) -s xpkg
	@go mod download github.com/vitistack/crds
	@for name in function-patch-and-transform function-auto-ready; do test/functions/build "$$name" /dev/null; done
	@hack/crossplane bin >/dev/null
	@go -C test/e2e test -race -c -o /dev/null .

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
	CGO_ENABLED=0 go -C hack/xpkg run -trimpath . build ../.. '$(VERSION)' '$(shell git rev-parse HEAD 2>/dev/null)'

.PHONY: push
push: registry xpkg ## Push the package to REGISTRY=..., and write _output/install.yaml for it. VERSION=... is its tag.
	CGO_ENABLED=0 go -C hack/xpkg run -trimpath . push ../.. '$(REGISTRY)/provider-kea:$(VERSION)'
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

# govulncheck ends in the same way whether it found something or could not look.
.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in what the provider calls. VULNDB=... is a copy of Go's database.
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	$(VULNCHECK) $(if $(VULNDB),-db '$(VULNDB)') ./... 2>&1 | tee "$$log" || { \
	  ! grep -q 'fetching vulnerabilities' "$$log" || \
	    echo "make vulncheck: nothing was checked, as Go's vulnerability database cannot be reached. Run it where vuln.go.dev can be, or with VULNDB=file:///... for a copy" >&2; \
	  exit 1; \
	}

SIZE ?= 1k
RUNS ?= 1

.PHONY: bench
bench: servers ## Measure what a fleet of SIZE=1k, 10k or 50k machines costs, RUNS=1 times, and write docs/benchmarks.md. OPERATOR=file is kea-operator's program to compare with.
	go test -run '^$$' -bench Fleet -benchtime 1x -timeout 24h ./test/bench -size='$(SIZE)' -runs='$(RUNS)' -write $(if $(PROFILES),-profiles='$(abspath $(PROFILES))') $(if $(OPERATOR),-operator='$(abspath $(OPERATOR))')

SEED ?= 0

.PHONY: chaos
chaos: TIME ?= 10m
chaos: servers ## Have random faults meet random work for TIME=10m, as SEED=n decides; see test/chaos. HISTORY=file plays one again.
	@mkdir -p '$(OUTPUT)'
	go test -race -count=1 -timeout 24h ./test/chaos -run '^TestChaos$$' -v -artifacts -outputdir='$(abspath $(OUTPUT))' -time='$(TIME)' -seed='$(SEED)' -shrink=10m $(if $(HISTORY),-history='$(abspath $(HISTORY))')

FLEET ?= 5000

.PHONY: soak
soak: TIME ?= 1h
soak: servers ## Have FLEET=5000 reservations live for TIME=1h, with changes and faults, and see that the provider does not grow.
	@mkdir -p '$(OUTPUT)'
	go test -timeout 24h ./test/chaos -run '^$$' -bench Soak -benchtime 1x -artifacts -outputdir='$(abspath $(OUTPUT))' -time='$(TIME)' -seed='$(SEED)' -fleet='$(FLEET)'

GROUPS ?= 20
HOSTS ?= 50000

.PHONY: bench-groups
bench-groups: ## Measure what GROUPS=20 provider configurations of HOSTS=50000 reservations each cost one process, without Kubernetes. It prints.
	go test -run '^$$' -bench Groups -benchtime 1x -timeout 1h ./internal/connection -groups='$(GROUPS)' -hosts='$(HOSTS)'

.PHONY: servers
servers: ## Get the control plane and the Kea that tests and the demo run against.
	$(together) kubernetes kea

.PHONY: kubernetes
kubernetes:
	@hack/kubernetes bin >/dev/null

.PHONY: kea
kea:
	@hack/kea bin >/dev/null

.PHONY: clean
clean: ## Remove what was built in the tree, and stop what hack/ started.
	hack/kea down
	hack/kubernetes down
	hack/cluster down
	rm -rf $(OUTPUT)
