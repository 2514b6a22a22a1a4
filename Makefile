# Everything starts here. `make` lists it.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test up down bench lint synth lock clean

VENV := .venv
BIN := $(VENV)/bin
# Newer pins make it anew; without a change a second `make setup` does nothing.
STAMP := $(VENV)/.ready
PINS := requirements.txt requirements-dev.txt local/requirements.txt
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate
TARGET ?= dev
ARGS ?=

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  ARGS=\"...\" goes to the command behind demo, test, up and bench: make demo ARGS=\"--transactions FILE\""

setup: $(STAMP)  ## virtual environments, pinned packages, the CDK CLI

demo: $(STAMP)  ## start the platform, deploy, stream transactions and show what becomes of them
	@$(BIN)/cuatro demo $(ARGS)

test: $(STAMP)  ## every test tier
	@$(BIN)/pytest $(ARGS)

up: $(STAMP)  ## start the local platform and deploy to it; it stays
	@$(BIN)/cuatro up $(ARGS)

down:  ## end the local platform
	@if [[ -x $(BIN)/cuatro ]]; then $(BIN)/cuatro down; fi

bench: $(STAMP)  ## measure speed against the handlers that everybody writes -> docs/benchmarks.md
	@$(BIN)/python -m benchmarks.run $(ARGS)

lint: $(STAMP)  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

synth: $(STAMP)  ## CloudFormation of TARGET=dev, prod or local in cdk.out
	@node_modules/.bin/cdk synth --quiet --no-notices -c target=$(TARGET)

lock: $(STAMP)  ## compile requirements*.in anew, with hashes; UPGRADE=--upgrade takes newer versions
	$(COMPILE) $(UPGRADE) requirements.in -o requirements.txt
	$(COMPILE) $(UPGRADE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) $(UPGRADE) local/requirements.in -o local/requirements.txt
	$(COMPILE) $(UPGRADE) models/container/requirements.in -o models/container/requirements.txt
	for layer in layers/*/requirements.in; do $(COMPILE) $(UPGRADE) $$layer -o $${layer%.in}.txt; done

clean: down  ## end the platform and remove everything that is made but the environments
	rm -rf .local .build cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -not -path './$(VENV)/*' -not -path './node_modules/*' -prune -exec rm -rf {} +

$(STAMP): $(PINS) package-lock.json pyproject.toml local/setup.sh local/debian.sh
	@PYTHON="$(PYTHON)" local/setup.sh
	@touch $(STAMP)
