# Every target sets up what it needs in .venv, from Python 3.11 to 3.13 and pip alone.
#
#   make demo [SEED=n]     watch a drifting agent being frozen
#   make test              all tests that need no server
#   make integration       the tests against Apache Kafka and Prometheus (Java 17, Maven, Go)
#   make chaos [KILLS=n]   every fault, many times, on Apache Kafka: an hour and a half; JSON=file keeps what is done
#   make bench [JSON=file] the figures, a quarter of an hour (Java 17, Maven for those on Apache Kafka)
#   make lint              ruff and mypy

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test integration chaos bench lint clean

IN_RANGE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c '$(IN_RANGE)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
SEED ?= 1
JSON ?=
KILLS ?= 1000
MINUTES ?= 100
PYTEST_ARGS ?=
BENCH_ARGS ?=

help:
	@sed -n 's/^#   //p' Makefile

# One stamp an extra, renewed when pyproject.toml changes.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "expected Python 3.11, 3.12 or 3.13 as python3; name one by PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
		&& $(PYTHON) -m pip --python $(VENV)/bin/python install --quiet pip; }

$(VENV)/.installed-%: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

demo: $(VENV)/.installed-demo
	@$(BIN)/detector demo --seed $(SEED)

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

integration: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m integration tests/integration $(PYTEST_ARGS)

chaos: $(VENV)/.installed-test
	$(BIN)/python -m tests.chaos --kills $(KILLS) --seed $(SEED) --minutes $(MINUTES) $(if $(JSON),--json $(JSON))

bench: $(VENV)/.installed-test
	$(BIN)/python -m tests.bench $(if $(JSON),--json $(JSON)) $(BENCH_ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
