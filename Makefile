# understudy: `make demo` shows the whole job, `make test` proves it.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3 python,$(shell $(name) --version >/dev/null 2>&1 && command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TORCH_INDEX ?=

export DO_NOT_TRACK := 1
export KEDRO_DISABLE_TELEMETRY := 1
# said at each start by libraries about one another, and of no use to a reader
export PYTHONWARNINGS := ignore::UserWarning,ignore::DeprecationWarning,ignore::FutureWarning
export MLFLOW_DISABLE_TELEMETRY := true
export MLFLOW_LOGGING_LEVEL := WARNING
# threads that wait leave the core to others: no slower when alone, several times faster beside other work
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 0
# a log file has no width of its own
ifeq ($(shell test -t 2 && echo yes),)
export COLUMNS := 120
endif

.DEFAULT_GOAL := help
.PHONY: help install demo test lint viz ui clean base-checkpoint

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1|/' | awk -F'|' '{printf "  make %-16s %s\n", $$1, $$2}'

install: $(READY)  ## Make .venv with the exact versions of requirements.lock

$(READY): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 12) else "understudy needs Python 3.11 or 3.12 and found %d.%d: install one of them, or run make PYTHON=/path/to/python3.11" % v)'
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@echo "Installing (about 2 GB on disk; PyTorch is the largest part) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25"
	@# PyTorch first, with what it needs on this platform; then everything else exactly as locked, so that no resolver replaces it.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) --constraint requirements.lock torch
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## The whole job on two portraits: footage, faces, GAN, evaluation, swap video (about 15 minutes)
	@$(BIN)/kedro run --env demo --pipelines demo
	@echo "Results are in data/08_reporting. Look at the run with 'make ui' and at the pipeline with 'make viz'."

test: $(READY) lint  ## Lint, then all tests, with the whole graph end to end
	@$(BIN)/python -m pytest

lint: $(READY)  ## ruff, mypy on the domain packages, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=src $(BIN)/lint-imports

viz: $(READY)  ## Open Kedro-Viz: the DAG, with previews of the pictures and the metrics
	@$(BIN)/kedro viz run --env demo

ui: $(READY)  ## Open the MLflow UI: runs, metrics, pictures, videos
	@$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db --port 5000

BASE := data/06_models/base/64px
FACES := data/03_primary

base-checkpoint: $(READY)  ## Train the shipped base checkpoint anew, on the faces that make demo cut out (half an hour)
	@$(BIN)/python -m understudy.gan.pretrain --size 64 --batch 8 --r1-gamma 2 --augment none --no-mirror --ema-kimg 2 --kimg 40 \
	  --faces $(FACES)/grace_hopper/64px/faces --out $(BASE)

clean:  ## Remove caches and builds; footage, results and runs stay
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
