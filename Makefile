# Everything needed is set up by the targets themselves; only Python 3.11+ must be there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The service is started dozens of times by its tests: compiled once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test soak lint bench lock assets translations clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.run ## Start the service with a demo network on http://127.0.0.1:8000
	@$(BIN)/lmt run --demo

test: $(VENV)/.dev ## Run all tests
	@$(BIN)/python tools/browser.py
	@$(BIN)/python tools/imap.py
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

soak: $(VENV)/.dev ## Run the long tests at full size: decisions, a month, caps, deliveries, hostile bodies, imports, forms, reports
	LMT_ORACLE_CASES=10000 LMT_VIRTUAL_DAYS=31 LMT_VIRTUAL_LEADS=30000 LMT_CAPS_LEADS=2000 \
	LMT_INTAKE_DELIVERIES=2000 LMT_FUZZ_CASES=1500 LMT_ALL_VIEWS=1 \
	$(BIN)/python -m pytest -s tests/test_oracle.py tests/test_caps_race.py tests/test_virtual.py \
	tests/test_intake_race.py tests/test_hostile_readers.py tests/test_intake_openapi.py tests/test_browser.py \
	tests/test_browser_policies.py tests/test_browser_builder.py tests/test_browser_sources.py \
	tests/test_browser_imports.py tests/test_browser_pages.py tests/test_browser_customer.py \
	tests/test_browser_reports.py tests/test_browser_headquarters.py $(PYTEST_ARGS)
	LMT_FORM_CASES=20000 $(BIN)/python -m pytest tests/test_form_agreement.py $(PYTEST_ARGS)
	LMT_IMPORT_ROWS=20000 LMT_BULK_FILES=60 $(BIN)/python -m pytest tests/test_imports.py tests/test_bulk.py $(PYTEST_ARGS)
	LMT_IMPORT_ROWS=1000000 LMT_HOSTILE_MB=300 LMT_TESTS_ON_DISK=1 \
	$(BIN)/python -m pytest -s tests/test_import_soak.py tests/test_hostile_files.py $(PYTEST_ARGS)
	LMT_REPORT_ROWS=1000000 LMT_FACT_STORIES=5000 LMT_TESTS_ON_DISK=1 \
	$(BIN)/python -m pytest -s tests/test_report_files.py tests/test_facts_oracle.py $(PYTEST_ARGS)

lint: $(VENV)/.dev ## Check style, types, imports and catalogues
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/catalogues.py check

bench: $(VENV)/.dev ## Print the benchmarks, one JSON object a line
	@$(BIN)/python -m benchmarks

lock: $(VENV)/.dev ## Pin every dependency anew
	$(BIN)/uv pip compile setup.cfg --quiet --universal --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements.lock
	$(BIN)/uv pip compile setup.cfg --extra dev --quiet --universal --no-header --no-annotate --no-emit-index-url --no-emit-find-links -c requirements.lock -o requirements-dev.lock

assets: ## Copy the front-end assets and their licences into the package
	npm ci --ignore-scripts
	$(PYTHON) tools/assets.py

translations: $(VENV)/.dev ## Collect the texts and bring every catalogue up to date
	$(BIN)/python tools/catalogues.py update

clean: ## Remove what the targets made, the instance excepted
	rm -rf $(VENV) .mypy_cache .ruff_cache node_modules
	find lmt migrations tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock setup.cfg $(wildcard translations/*/LC_MESSAGES/*.po) | $(VENV)/bin/python
	@echo "Installing what LMT needs (a minute or two, once)"
	@started=$$(date +%s); \
	 $(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock && \
	 $(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e . && \
	 echo "Downloads and installation: $$(( $$(date +%s) - started )) s"
	@$(BIN)/python tools/catalogues.py compile
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@
