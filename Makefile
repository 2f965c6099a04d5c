# Mobigo: what one types. `make run` and `make test` need only Python >= 3.11 (with venv) and make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin

.PHONY: help
help: ## these lines
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- installing -----------------------------------------------------------------------------

.venv/.made:
	@test -n "$(PYTHON)" || { echo "Mobigo needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: requirements.lock pyproject.toml | .venv/.made
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml | .venv/.made
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@ .venv/.run

.PHONY: install
install: .venv/.dev ## the virtual environment, with what developers need

# --- running --------------------------------------------------------------------------------

.PHONY: run
run: .venv/.run ## install, build the demonstration region, serve http://127.0.0.1:8000
	$(BIN)/mobigo serve --demo

.PHONY: demo
demo: .venv/.run ## (re)build the demonstration region only
	$(BIN)/mobigo demo

.PHONY: data
data: .venv/.run ## fetch the feeds of data/gtfs/sources.toml with checksums; show what ../shared/data offers
	$(BIN)/mobigo feed fetch
	@shared=$${MOBIGO_SHARED:-../shared}/data; if [ -d "$$shared" ]; then \
		echo "In $$shared, for the tests and for mobigo feed import:"; du -sh "$$shared"/*; \
	else echo "There is no $$shared: the tests that read it are skipped."; fi

# --- checking -------------------------------------------------------------------------------

.PHONY: test
test: style types contracts .venv/.dev ## style, types, contracts and every test that needs no browser
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not web and not clients"

.PHONY: test-postgresql
test-postgresql: .venv/.dev ## the tests that store something, on a PostgreSQL of their own too (needs its programs)
	POSTGRESQL_FSYNC=off .ci/with-postgresql $(BIN)/python -m pytest -q tests/mobigo/store

.PHONY: test-web
test-web: .venv/.dev ## the pages in a real browser: needs Chromium
	@command -v chromium chromium-browser google-chrome > /dev/null || { \
		echo "The browser tests need Chromium. On Debian or Ubuntu: apt install chromium"; exit 1; }
	$(BIN)/python -m pytest -m web

.PHONY: test-clients
test-clients: .venv/.dev ## clients that we did not write, against our server (needs Node)
	@command -v npm >/dev/null || { echo "make test-clients needs Node and npm (Debian: apt install nodejs npm)."; exit 1; }
	cd tests/clients && npm ci --no-audit --no-fund
	$(BIN)/python -m pytest -m clients tests/clients

.PHONY: check
check: style types contracts .venv/.dev ## the fast part of `make test`, under three minutes
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not web and not clients and not slow"

.PHONY: style
style: .venv/.dev ## format and lint
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .

.PHONY: types
types: .venv/.dev ## strict types everywhere but in tests
	$(BIN)/mypy

.PHONY: contracts
contracts: .venv/.dev ## who may import whom
	$(BIN)/lint-imports --no-cache

.PHONY: assets
assets: .venv/.dev ## the browser libraries that the pages use when they are there (needs npm)
	$(BIN)/python mobigo/web/frontend/vendor.py

# --- upkeep ---------------------------------------------------------------------------------

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --upgrade pyproject.toml

.PHONY: lock
lock: .venv/.dev ## rewrite the locks with the newest allowed versions
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra dev --output-file requirements-dev.lock

.PHONY: clean
clean: ## remove the virtual environment, caches and built data
	rm -rf .venv var dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: docs
docs: .venv/.dev ## the documents as a site in dist/docs, their links and examples tried
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -d dist/.doctrees docs dist/docs
	$(BIN)/python -m pytest -q tests/house/test_docs.py tests/house/test_examples.py

# --- proving --------------------------------------------------------------------------------

.PHONY: bench
bench: .venv/.dev ## speed and memory: reading, searching, school buses, load, the books (long; quiet machine)
	$(BIN)/python bench/ingest.py
	$(BIN)/python bench/search.py
	$(BIN)/python bench/answers.py
	$(BIN)/python bench/covoiturage.py
	$(BIN)/python bench/covoiturage.py search
	$(BIN)/python bench/covoiturage.py month
	$(BIN)/python bench/streets.py
	@sbrp=$${MOBIGO_SHARED:-../shared}/data/bench_vrp/sbrp_park; if [ -d "$$sbrp" ]; then \
		$(BIN)/python bench/school.py "$$sbrp" --no-peers --budget 6; fi
	@stops=$${MOBIGO_SHARED:-../shared}/data/bench_vrp/sbrp_stopselect; if [ -d "$$stops" ]; then \
		$(BIN)/python bench/school_stops.py "$$stops" --budget 5; fi
	$(BIN)/python bench/school_edits.py
	$(BIN)/python bench/school_stability.py --budget 16
	$(BIN)/python bench/school_region.py sector --peers
	$(BIN)/python bench/school_region.py bells
	$(BIN)/python bench/school_region.py region
	@darp=$${MOBIGO_SHARED:-../shared}/data/bench_vrp/darp_cordeau; if [ -d "$$darp" ]; then \
		$(BIN)/python bench/dial_a_ride.py "$$darp" --set a --budget 30; \
		$(BIN)/python bench/dial_a_ride.py "$$darp" --set R --budget 60; fi
	$(BIN)/python bench/load.py --swap --kill
	$(BIN)/python bench/ledger.py

.PHONY: soak
soak: .venv/.dev ## the long proofs: killed imports and writers, many more random worlds, half an hour of load (about two hours)
	$(BIN)/python bench/crashes.py --kills 300
	MOBIGO_TEST_EXAMPLES=50 .ci/with-postgresql $(BIN)/python -m pytest -q -n 2 tests/routing tests/mobigo/api/test_fuzz.py \
		tests/mobigo/api/test_standard_contract.py tests/mobigo/hostile tests/mobigo/web/test_any_input.py
	MOBIGO_TEST_EXAMPLES=10 .ci/with-postgresql $(BIN)/python -m pytest -q tests/mobigo/store/ledger tests/covoiturage
	MOBIGO_TEST_EXAMPLES=34 $(BIN)/python -m pytest -q tests/scolaire/test_checking.py -k random_plans
	$(BIN)/python bench/load.py Mixed --seconds 1800 --swap --kill

.PHONY: ci
ci: ## what continuous integration runs on a bare Debian machine
	.ci/stage 5m packages .ci/packages
	.ci/stage 6m install $(MAKE) install
	POSTGRESQL_FSYNC=off .ci/stage 34m test .ci/with-postgresql $(MAKE) test
	.ci/stage 12m test-web $(MAKE) test-web
	.ci/stage 3m test-clients $(MAKE) test-clients
