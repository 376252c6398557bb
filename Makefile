# The chores of the house. A fresh clone needs Python 3.11 or newer, git and make; all else goes into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help tools test check lint docs reference golden demo bench soak clean

# The first Python that is new enough; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
# Compiled modules are kept, whatever the environment says: each of some hundred processes would compile all of them.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALLED := .venv/installed

help: ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 16

tools: ## The programs that tests run: promtool, pgbouncer, node, kubectl (apt-get, those that are missing)
	.ci/tools

test: lint ## Everything that must hold: lint, types, import contracts, tests on every PostgreSQL at hand
	$(BIN)/pytest --durations=20 $(ARGS)

check: lint ## Lint, types, import contracts, tests without a server: under a minute on two cores
	$(BIN)/pytest tests/unit tests/architecture tests/docs --no-server $(ARGS)

lint: $(INSTALLED) ## ruff, mypy --strict and the import contracts, without the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(INSTALLED) ## The pages of docs/ as a site in site/; a broken link fails
	$(BIN)/zensical build --clean --strict

reference: $(INSTALLED) ## Write the pages that are made from the program: commands, keys of a plan
	$(BIN)/python -m tests.docs.write

golden: $(INSTALLED) ## Write the golden files of compiled SQL (tests/unit/golden/sql); look at the difference
	$(BIN)/python -m tests.unit.golden.write

demo: $(INSTALLED) ## The whole migration on a server of its own, under load, with a report
	$(BIN)/changeover demo $(ARGS)

bench: $(INSTALLED) ## The figures as ratios within one run; ARGS="--audits 200000" for a short one
	$(BIN)/python -m tests.bench.main_road --scale $(ARGS)
	$(BIN)/python -m tests.bench.budgets

soak: $(INSTALLED) ## The lifecycle, a kill at every commit, random faults, mirrors under random schedules: the long forms, hours
	CHANGEOVER_SOAK=1 $(BIN)/pytest -o addopts="-ra --strict-markers" \
		tests/soak tests/chaos/test_kill_everywhere.py tests/chaos/schedules tests/property/test_mirrors.py \
		tests/acceptance tests/integration/flags/test_conformance.py tests/integration/contract/test_numbers.py $(ARGS)

clean: ## Remove .venv and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(INSTALLED): requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; use make PYTHON=/path/to/python." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --only-binary :all: --requirement requirements-dev.txt
	# What it is built with is among the pins, so nothing is fetched here.
	$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	touch $@
