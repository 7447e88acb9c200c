# Two commands matter: `make up` and `make test`. The rest is for those who change the code.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what this file can do
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(STAMP) ## Create the environment and install the locked dependencies

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "Homeroom needs Python 3.11 to 3.13; $(PYTHON) is another. Cure: make install PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv module is incomplete. Cure: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@echo "installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.PHONY: up
up: install ## Start everything on this machine: Postgres, Redis, API and one process per worker type
	@exec $(BIN)/homeroom up

.PHONY: test
test: lint ## Lint, types, import rules and all tests but the drills
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --no-loadscope-reorder --ignore tests/drills

.PHONY: lint
lint: install ## Lint, types and import rules only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: install ## Rewrite the code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: nightly
nightly: install ## What takes long: 200 examples of every operation of the API, of every parser of documents, of lanes' histories
	HOMEROOM_EXAMPLES=200 $(BIN)/python -m pytest tests/contract/test_schemathesis.py tests/unit/test_documents_fuzz.py \
	  tests/integration/test_lane_stateful.py

.PHONY: prove
prove: ## Check the model of the lanes' protocol with Spin: what must hold, and what must not (docs/proofs)
	@$(PYTHON) docs/proofs/prove.py

.PHONY: storm
storm: install ## 50 conversations of 20 turns, a kill every two seconds, a FLUSHALL: every turn answered, in order, once
	STORM_LANES=50 STORM_TURNS=20 STORM_WORKERS=3 STORM_KILL_EVERY=2 $(BIN)/python -m pytest tests/acceptance/test_chat_storm.py

.PHONY: faults
faults: install ## Every fault again and again, judged by what the jobs wrote down (FAULT_TRIALS=5 for ten minutes)
	FAULT_TRIALS=$(or $(FAULT_TRIALS),20) $(BIN)/python -m pytest tests/faults

.PHONY: bench
bench: install ## Measure the engine beside other queues (about an hour; ONLY=A,D PEERS=taskiq RUNS=1 for parts, UPDATE=1 to keep)
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(PEERS),--peers $(PEERS)) $(if $(RUNS),--runs $(RUNS)) \
	  $(if $(SCALE),--scale $(SCALE)) $(if $(PATIENCE),--patience $(PATIENCE)) $(if $(UPDATE),--update)

.PHONY: demo
demo: install ## A school day in two minutes: five schools, a crash that heals, an exam, a picture of the console
	@$(BIN)/python -m demo $(if $(SCALE),--scale $(SCALE))

.PHONY: drills
drills: install ## What operators do once, or hope never to: every command of docs/OPERATIONS.md, restores, upgrades, fail-over
	$(BIN)/python -m pytest tests/drills

.PHONY: quality
quality: install ## Read the corpus of documents and write what was found right into docs/QUALITY.md (minutes)
	@$(BIN)/python -m tests.corpus.documents.quality > docs/QUALITY.md.new && mv docs/QUALITY.md.new docs/QUALITY.md
	@echo "docs/QUALITY.md is written"

.PHONY: openapi
openapi: install ## Write docs/openapi.json anew, to be reviewed as a change of the contract
	@$(BIN)/python -m app.core.openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json
	@echo "docs/openapi.json is written; review its diff before committing it"

.PHONY: lock
lock: ## Resolve the dependencies anew into the three lock files (hashed, naming no host)
	@test -x .lock-venv/bin/uv || { $(PYTHON) -m venv .lock-venv && .lock-venv/bin/pip install --quiet uv; }
	.lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra embedded --extra documents --extra s3 --extra dev pyproject.toml --output-file requirements-dev.lock
	.lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --constraint requirements-dev.lock --extra s3 pyproject.toml --output-file requirements.lock
	.lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --constraint requirements-dev.lock --extra s3 --extra documents pyproject.toml --output-file requirements-upload.lock
	@! grep -n '://' requirements.lock requirements-upload.lock requirements-dev.lock
	@rm -rf .lock-venv

.PHONY: clean
clean: ## Remove the environment and caches; data in .homeroom/ stays
	rm -rf $(VENV) .bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
