# TBSI: `make run` starts a network and shows it, `make test` checks everything.
# Both set up a fresh Debian machine first.

SHELL := /bin/bash
export CARGO_TARGET_DIR ?= $(HOME)/.cache/tbsi/target
TBSI := $(CARGO_TARGET_DIR)/debug/tbsi
NETWORK ?= $(HOME)/.cache/tbsi/network
export TBSI_VECTORS ?= $(abspath ../shared/vectors)
export TBSI_SKIP_LOG := $(CARGO_TARGET_DIR)/skipped.txt

# A network of its own beside that of `make run`.
WARROOM ?= $(HOME)/.cache/tbsi/warroom

.PHONY: run stop warroom test test-fabric test-clients simulate test-long drill story fuzz faults faketime bench package audit book sbom security build setup setup-tests clean help

help: ## These targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

run: setup build ## Start four validators and an observer, and walk through what they do
	@$(TBSI) testnet up --validators 4 --observers 1 --dir $(NETWORK) --detach --fresh \
		$(if $(wildcard contracts/predeploys/node_modules/fetched.txt),--packages contracts/predeploys/node_modules)
	@testnet/walkthrough.sh $(TBSI) $(NETWORK)

stop: ## Stop the network that `make run` started
	@$(TBSI) testnet down --dir $(NETWORK)

warroom: setup build ## A network with a story, a war room that follows it, and its page, until Ctrl-C
	@testnet/warroom.sh $(TBSI) $(WARROOM)

test: setup-tests ## Formatting, lints, every test, stock clients
	@testnet/test.sh

test-fabric: setup-tests ## Chaincode and relayer on a real Fabric network of the programs in TBSI_FABRIC_BIN
	@testnet/fabric.sh

test-clients: setup build ## Every Ethereum client with a fresh key and no fee options, as a table; quick starts
	@node tests/matrix/matrix.mjs $(TBSI) $(CLIENTS)

SIMULATE := $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS),$(if $(SEED),,--seconds 60 --seeds 1000000)) \
	$(if $(FROM),--from $(FROM)) $(if $(MUTANT),--mutant $(MUTANT)) $(if $(JOBS),--jobs $(JOBS))

simulate: setup ## Whole networks in virtual time, judged: a minute, or SEEDS=n; SEED=s replays one and prints it
	@cargo build --locked --quiet --workspace --bin simulate
	@$(CARGO_TARGET_DIR)/debug/simulate $(SIMULATE)

story: setup-tests ## Associations join, rotate, cheat and leave, and blocks never stop, as it happens
	@cargo test --locked --quiet --workspace --test story -- --nocapture

test-long: setup-tests ## Kills, reorganisations, backlogs and fuzzing at length, with a ledger in the end
	@cargo build --locked --workspace --all-targets
	@testnet/long.sh $(PARTS)

drill: setup-tests ## Disaster, move, rotation and upgrade of validators; the protocol is kept in ~/.cache/tbsi/drill.md
	@cargo build --locked --quiet --workspace --bin tbsi --bin tbsi-version-1
	@mkdir -p $(HOME)/.cache/tbsi
	@LONG=1 TBSI_DRILL_PROTOCOL=$(HOME)/.cache/tbsi/drill.md cargo test --locked --quiet --workspace --test drill -- --nocapture
	@echo "the protocol is $(HOME)/.cache/tbsi/drill.md"

# Nothing in the program tells where or when it was built: paths are cut off, the time is the commit's.
package: setup ## A Debian package of an optimised build, in ~/.cache/tbsi/package; BINARY=... packs that program
	@if [ -z "$(BINARY)" ]; then \
		TBSI_COMMIT=$$(git rev-parse HEAD) SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) \
		RUSTFLAGS="--remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=cargo" \
		cargo build --locked --release --workspace --bin tbsi; fi
	@deploy/debian/build.sh $(or $(BINARY),$(CARGO_TARGET_DIR)/release/tbsi) $(HOME)/.cache/tbsi/package

fuzz: setup-tests ## Every decoder a stranger reaches under libFuzzer, TIME seconds each (60)
	@TIME=$(or $(TIME),60) testnet/fuzz.sh $(TARGETS)

faults: setup-tests ## What goes wrong with networks, disks, clocks and people, on real processes, as a table
	@testnet/faults.sh $(FAULTS)

# The program that tests of upgrades run as an older node has the system's allocator.
faketime: setup build ## Validators under libfaketime, an hour ahead
	@cargo build --locked --quiet --workspace --bin tbsi-version-1
	@testnet/faketime.sh $(TBSI) $(TBSI)-version-1

bench: setup build ## Throughput, latency, gas, relaying and reads beside anvil and geth, as a table and as JSON
	@cargo run --locked --quiet --bin bench -- --tbsi $(TBSI) $(BENCH)

audit: ## Licences, sources and duplicate versions (needs cargo-deny)
	@command -v cargo-deny >/dev/null || { echo "install it with: cargo install --locked cargo-deny" >&2; exit 1; }
	@cargo deny check bans licenses sources

book: ## The book in both languages, in ~/.cache/tbsi/book (needs mdbook)
	@docs/book/build.sh $(HOME)/.cache/tbsi/book

sbom: ## Bills of materials in CycloneDX, validated
	@tests/security/sbom.sh $(HOME)/.cache/tbsi/sbom

security: setup build ## Static analysis, dependencies, dynamic scan, fuzzing, checklist: a report; CHECKS="..." for some
	@TIME=$(or $(TIME),60) tests/security/security.sh $(TBSI) $(CHECKS)

# The whole workspace's features, as in tests: nothing is compiled twice.
build: ## The tbsi binary
	@cargo build --locked --workspace --bin tbsi
	@echo "built $(TBSI)"

setup: ## What a fresh machine lacks for building and running
	@testnet/setup.sh

setup-tests: ## The same, and what only tests need
	@testnet/setup.sh tests

clean: ## Remove what was built and the network of `make run`
	@if [ -x $(TBSI) ] && [ -d $(NETWORK) ]; then $(TBSI) testnet down --dir $(NETWORK) || true; fi
	@rm -rf $(CARGO_TARGET_DIR) $(NETWORK) tests/clients/node_modules tests/matrix/*/node_modules contracts/predeploys/node_modules sdk/typescript/node_modules sdk/typescript/dist warroom/web/node_modules warroom/web/dist contracts/corda/*/target
