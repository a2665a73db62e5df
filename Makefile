# Everything a contributor needs. Each target installs what it needs into .venv, once.

# The first Python that is new enough; `make PYTHON=/path/to/python test` takes another one.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
WORKERS ?= 2
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help install demo test check format notebook bench wheel clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null || \
		sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1: \2/p' Makefile

install: $(VENV)/.dev ## install the package, its tests and its checks into .venv

demo: $(VENV)/.package ## write the report of the bundled demo log to out/demo
	@$(BIN)/journeymine demo --out out/demo > /dev/null
	@echo "The report: $(CURDIR)/out/demo/report.html"

test: $(VENV)/.dev ## run the tests (those on real logs need JOURNEYMINE_REFERENCE_DATA)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: $(VENV)/.dev ## format, lint, types, layers, tests: what CI runs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) test

format: $(VENV)/.dev ## format the code and repair what can be repaired
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

notebook: $(VENV)/.dev ## run the notebooks and keep their output
	@$(BIN)/jupyter-execute --inplace notebooks/*.ipynb

bench: $(VENV)/.dev ## compare speed and memory with other packages (slow)
	@$(BIN)/python benchmarks/main_job/run.py $(ARGS)

wheel: $(VENV)/.dev ## build the wheel and the source archive into dist
	@$(BIN)/python -m build --quiet .

clean: ## remove what the other targets made
	@rm -rf $(VENV) build dist out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found; name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make environments; install its venv package (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@echo "Installing into $(VENV), once …"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.package: $(VENV)/.python pyproject.toml
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.package
	@$(PIP) install --group test --group check
	@touch $@
