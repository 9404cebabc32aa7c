# Everything here needs only Python 3.11+, make and git; the rest is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install --require-hashes --no-deps
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo run test check bench long chaos examples screenshots lock

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 14

setup: .venv/dev.stamp ## install everything, tests and checks included, into .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Repocast needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

.venv/runtime.stamp: requirements.lock | .venv/bin/python
	@echo "Installing what Repocast runs on ..."
	@$(PIP) -r requirements.lock
	@touch $@

# Holds all of requirements.lock, too.
.venv/dev.stamp: requirements-dev.lock requirements.lock | .venv/bin/python
	@echo "Installing what Repocast runs on and what its tests need ..."
	@$(PIP) -r requirements-dev.lock
	@touch .venv/runtime.stamp $@

# Before anything is installed: the demo reads this repository's own history.
.PHONY: history
history:
	@command -v git >/dev/null && test -e .git \
		|| { echo "The demo reads this repository's own git history: run it in a git clone, with git installed." >&2; exit 1; }

demo: history .venv/runtime.stamp ## run the main job on this repository's own history and serve the dashboard
	@exec $(BIN)/python -m blueprints.demo

run: .venv/runtime.stamp ## web and worker for one's own use; settings from the environment and .env
	@set -a; test ! -f .env || . ./.env; exec $(BIN)/flask --app app serve

test: .venv/dev.stamp ## run every test; the last line counts them
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

long: .venv/dev.stamp ## run the tests that are too slow for CI
	@REPOCAST_LONG=1 $(BIN)/python -m pytest -q -m long -n $(JOBS) --dist worksteal

chaos: .venv/dev.stamp ## kill workers 200 times and more; print what came of it as JSON
	@REPOCAST_LONG=1 $(BIN)/python -m pytest -q -s -m long tests/chaos

examples: .venv/dev.stamp ## write docs/examples anew from the recorded activity beside the checkout
	@$(BIN)/python -m tests.examples

screenshots: .venv/dev.stamp ## write a picture of every page and state to TO (instance/screenshots)
	@$(BIN)/python -m tests.site.screenshots $(TO)

check: .venv/dev.stamp ## format, lint, types, architecture, migrations, unused dependencies
	@$(MAKE) --no-print-directory --keep-going --jobs $(JOBS) --output-sync format lint types architecture migrations dependencies

.PHONY: format lint types architecture migrations dependencies
format:
	@$(BIN)/ruff format --check --output-format concise .

lint:
	@$(BIN)/ruff check --output-format concise .

types:
	@$(BIN)/mypy

architecture:
	@$(BIN)/python -m pytest -q tests/test_architecture.py

migrations: # they make, from nothing, the schema that the models describe
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT \
		&& export INSTANCE_PATH="$$folder" DATABASE_URL="sqlite:///$$folder/check.db" \
		&& $(BIN)/flask --app app db upgrade \
		&& $(BIN)/flask --app app db check

dependencies:
	@$(BIN)/deptry .

bench: .venv/dev.stamp ## print the figures, each bench/*.py on its own
	@for figure in bench/[a-z]*.py; do $(BIN)/python "$$figure" || exit 1; done

lock: .venv/dev.stamp ## pin anew what requirements*.in ask for (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -o requirements.lock requirements.in
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements.lock \
		-o requirements-dev.lock requirements-dev.in
