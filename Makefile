# Everything that a person does with this tree, one line each: `make help`.
# Needs Python 3.11 or newer, Node 20.19 or newer, and make. What was installed or built once is not done again:
# each step leaves a stamp beside what it made.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Every worker of the tests, and every server that they start, imports the same modules: they are compiled once.
unexport PYTHONDONTWRITEBYTECODE

PORT ?= 8000
RESET ?=
KILLS ?= 1000
WORLDS ?= 2000
EXAMPLES ?= 200
MILLION ?=
SUITE ?=
GREP ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
NPM := npm --prefix pwa
LOCK := $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --universal --no-header --python-version 3.11
# One process more than there are cores, because tests of killed servers and slow links wait; each has a PostgreSQL of
# its own, four are enough. Whoever has nothing left takes from another's rest.
PROCESSES := $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 3 ? cores + 1 : 4)))
SPREAD := --numprocesses $(PROCESSES) --dist worksteal --durations 10
# Side by side, what takes longest first; one more than two cores, because tests of the house wait for a while.
CHECKS := check-app-lint check-types check-app-types check-house check-app-format check-style
# Beside each other: each of them leaves a core idle while it begins and ends.
FAST := test-fast-server test-fast-app
# What needs a browser, other programs or hours, and what `make check` runs.
NOT_FAST := e2e bench clients faults house
APP := pwa/dist/index.html
CLIENTS := tests/clients
PRETTIER := pwa/node_modules/.bin/prettier --log-level warn --ignore-path pwa/.prettierignore
# Folders too, so that a deleted file builds the app again.
APP_SOURCES := $(shell find pwa/src pwa/public pwa/index.html pwa/vite.config.ts pwa/tsconfig*.json 2>/dev/null)

.PHONY: help demo test test-fast coverage torture check bench pouchdb-suite simulate mutation migration reference api-types format lock clean install install-dev install-app install-clients parts $(CHECKS) $(FAST)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install $(APP) ## a province to try: installs, builds and serves it, and prints who can sign in (PORT=8000, RESET=1 starts afresh)
	$(BIN)/nuong demo --port $(PORT) $(if $(filter-out 0,$(RESET)),--reset)

test: install-dev install-clients $(APP) parts ## every test: server on SQLite and PostgreSQL, the app, and end to end in a real browser
	$(BIN)/pytest -q $(SPREAD) --ignore tests/e2e --ignore tests/bench
	$(NPM) test
	$(NPM) run --silent size
	$(BIN)/pytest -q $(SPREAD) tests/e2e

test-fast: install-dev install-app ## while coding: two tests of each file, on SQLite; no browser, nothing marked slow, fewer examples
	$(MAKE) --no-print-directory --jobs 2 $(FAST)

test-fast-server:
	NUONG_TEST_STORES=sqlite NUONG_TEST_FEW=2 $(BIN)/pytest -q $(SPREAD) -m "not slow" --hypothesis-profile fast $(NOT_FAST:%=--ignore tests/%)

test-fast-app:
	$(NPM) run --silent test:fast

coverage: install-dev ## the merge engine's own tests, and every branch of it that they don't take: one is enough to fail
	$(BIN)/coverage run -m pytest -q tests/sync
	$(BIN)/coverage report

torture: install-dev install-app ## kill a working server KILLS times (1,000), half over PostgreSQL, simulate WORLDS (2,000), ask the API EXAMPLES (200), both databases all: is anything lost?
	NUONG_TEST_KILLS=$(KILLS) $(BIN)/pytest -q tests/faults
	NUONG_TEST_WORLDS=$(WORLDS) $(BIN)/pytest -q $(SPREAD) tests/simulation
	for turn in 0 1; do \
	  NUONG_TEST_TURN=$$turn $(BIN)/pytest -q $(SPREAD) -m by_turns tests/server; \
	  NUONG_TEST_TURN=$$turn NUONG_TEST_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -q tests/server/test_api_conformance.py; done

check: install-dev install-app ## style, types, layers, migrations and lock files: what CI runs first
	$(MAKE) --no-print-directory --jobs 3 $(CHECKS)

check-style:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

check-types:
	$(BIN)/mypy

check-house:
	$(BIN)/pytest -q --durations 10 tests/house

check-app-lint:
	$(NPM) run --silent lint

check-app-types:
	$(NPM) run --silent types

check-app-format:
	$(NPM) run --silent format
	$(PRETTIER) --check $(CLIENTS)

bench: install-dev install-clients ## how fast: each figure beside its aim and the peer's (MILLION=1 also over a million stored records, HEAVIEST=1 only while one request is as heavy as may be)
	$(BIN)/python -m tests.bench $(if $(filter-out 0,$(MILLION)),--million) $(if $(filter-out 0,$(HEAVIEST)),--heaviest)

pouchdb-suite: install-dev install-clients ## PouchDB's own tests against a server here: make pouchdb-suite SUITE=path/to/pouchdb (GREP=words: only those)
	$(BIN)/python -m tests.clients.pouchdb_suite "$(or $(SUITE),$(error name a checkout of PouchDB 9: make pouchdb-suite SUITE=path))" "$(GREP)"

simulate: install-dev install-app ## worlds of failing phones, servers and links: make simulate SEEDS=200, and one story again: make simulate SEED=7
	$(BIN)/python -m tests.simulation $(or $(SEED),0) $(or $(SEEDS),$(if $(SEED),1,200))

mutation: install-dev ## small faults put into the merge engine, and which its examples don't notice (EVERY=10: only each tenth)
	$(BIN)/python -m tests.sync.mutation $(or $(EVERY),1)

migration: install-dev ## write the next migration from what the tables changed: make migration NAME="what is new"
	$(BIN)/python -m tests.house.migration "$(NAME)"

reference: install-dev ## write docs/reference again from what the code says of documents, the wire, rights, errors and tables
	$(BIN)/python -m tests.house.reference

api-types: install-dev install-app ## make the app's types of the API again from the server's schemas, and what it knows of the contract
	$(BIN)/python -m tests.house.api_types
	$(BIN)/python -m tests.house.contract_types

format: install-dev install-app ## put the code into shape
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format
	cd pwa && npx --no-install prettier --write --log-level warn .
	$(PRETTIER) --write $(CLIENTS)

lock: $(VENV)/.made ## make the lock files again, with hashes and without addresses
	$(PIP) install --quiet uv
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml --extra dev -o requirements-dev.txt
	$(LOCK) --group build -o requirements-build.txt
	# From nothing and beside no node_modules: npm would otherwise lock only what this machine's platform has installed.
	for place in pwa $(CLIENTS); do ( \
	  folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; cp $$place/package.json $$place/.npmrc "$$folder"; \
	  cd "$$folder"; npm install --package-lock-only --no-audit --no-fund --loglevel error; \
	  npm ci --dry-run --loglevel error > /dev/null; cp package-lock.json "$(CURDIR)/$$place/" ); done

clean: ## remove what was installed and built; what was entered in the demo (var/) stays
	rm -rf $(VENV) pwa/node_modules $(CLIENTS)/node_modules pwa/dist pwa/coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find server sync tests -name __pycache__ -prune -exec rm -rf {} +

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev
install-app: pwa/node_modules/.installed
install-clients: $(CLIENTS)/node_modules/.installed

parts: install-dev
	$(BIN)/python -m tests.house.parts

$(VENV)/.made:
	@python=; for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Nương needs Python 3.11 or newer, and none was found. Install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; fi; \
	$$python -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@

# The package itself is installed in place, built by the locked hatchling: nothing is fetched that has no hash.
$(VENV)/.installed: $(VENV)/.made requirements.txt requirements-build.txt pyproject.toml
	@echo "Installing the Python packages …"
	@$(PIP) install --quiet --require-hashes -r requirements.txt -r requirements-build.txt \
	  || { echo "pip could not install requirements.txt: is there a network, and does pip reach its package index (pip config list)? Then run the same command again."; exit 1; }
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing the Python packages that tests and checks need …"
	@$(PIP) install --quiet --require-hashes -r requirements-dev.txt \
	  || { echo "pip could not install requirements-dev.txt: is there a network, and does pip reach its package index (pip config list)? Then run the same command again."; exit 1; }
	@touch $@

%/node_modules/.installed: %/package.json %/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
	  || { echo "Nương needs Node 20.19 or newer; node --version says: $$(node --version 2>&1)"; exit 1; }
	@echo "Installing the Node packages of $* …"
	@cd $* && { npm ci --no-audit --no-fund --loglevel error \
	  || { echo "npm could not install $*/package-lock.json: is there a network, and does npm reach its registry (npm config get registry)? Then run the same command again."; exit 1; }; }
	@touch $@

$(APP): pwa/node_modules/.installed $(APP_SOURCES)
	@echo "Building the app …"
	@said=$$($(NPM) run --silent build 2>&1) || { echo "$$said"; exit 1; }
	@touch $@
