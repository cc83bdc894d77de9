# `make demo` and `make test` are all that a fresh machine needs: Python 3.11 or newer and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test lint types soak bench lock clean

help:
	@echo "make demo   run the bot beside a local Slack workspace at http://127.0.0.1:8080"
	@echo "make test   check style, types and walls, run every test"

$(VENV)/.installed: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tocsin needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@if command -v uv >/dev/null; then \
	  uv venv -q --allow-existing --python $(PYTHON) $(VENV) && \
	  uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.lock && \
	  uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e . ; \
	else \
	  { $(PYTHON) -m venv $(VENV) || { echo "On Debian, install the package python3-venv and try again."; exit 1; }; } && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

demo: $(VENV)/.installed ## goes on where it was; delete demo-data to begin anew
	@exec $(BIN)/tocsin demo

test: $(VENV)/.installed lint types
	$(BIN)/pytest -q

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(VENV)/.installed
	$(BIN)/mypy

lock: ## rewrite the locks after a change of pyproject.toml (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate --group dev pyproject.toml requirements/build.in -o requirements/dev.lock
	uv pip compile -q --universal --generate-hashes --no-header --no-annotate pyproject.toml requirements/build.in -c requirements/dev.lock -o requirements/base.lock

clean:
	rm -rf $(VENV) build dist
