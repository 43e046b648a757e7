# `make repro` and `make test` work as the first command after a clone; they need Python 3.11 or later, git and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
READY := $(VENV)/.ready
PORT ?= 5000
PLAY_PORT ?= 8765
DOCS_PORT ?= 8000
# as many stages at a time as there are cores: each computes with compute.threads of params.yaml, which is 1
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export DVC_NO_ANALYTICS := 1

# PyTorch without CUDA, if the URL of an index of CPU builds is given: from it alone, so that nothing else can be had in its place
CPU_INDEX ?=
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CPU_ONLY = import sys, torch; sys.exit(torch.version.cuda and "error: PyTorch came with CUDA; pip knows other indexes: see pip config list")
DOCTOR = doctor.py --python "$(PYTHON)" --jobs $(JOBS) --port $(PORT) --play-port $(PLAY_PORT)

.PHONY: help doctor setup repro claim register inspect long seeds play docs test lint check bench ui clean

help:  ## what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

doctor:  ## what is needed, and whether it is here; exit code 2 if something is missing
	@command -v "$(or $(PYTHON),python3)" > /dev/null || { echo "error: Python 3.11 or later is needed, and none is found: install it, or make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(or $(PYTHON),python3) $(DOCTOR)

setup: $(READY)  ## create .venv and install what the pipeline needs; CPU_INDEX=URL: PyTorch without CUDA

$(READY): pyproject.toml constraints.txt
	@$(MAKE) --no-print-directory doctor
	@echo "Setting up $(VENV) with $$($(PYTHON) --version): PyTorch, DVC, MLflow and others, about $(if $(CPU_INDEX),0.5,3) GB to download and some minutes, once."
	@$(PYTHON) -m venv $(VENV)
	$(if $(CPU_INDEX),@$(PIP) --no-deps --index-url '$(CPU_INDEX)' torch torchvision)
	@$(PIP) --editable '.[dev]'
	$(if $(CPU_INDEX),@$(VENV)/bin/python -c '$(CPU_ONLY)')
	@touch $(READY)

repro: setup  ## run the whole pipeline on real data, $(JOBS) stages at a time, the claim first: reports/index.html
	@python -m stages.repro --jobs $(JOBS)
	@echo "The runs: make ui"

claim: setup  ## the claim first, in about five minutes: reports/claim.html; repro goes on from there
	@python -m stages.repro --jobs $(JOBS) claim
	@echo "All the rest: make repro"

register: setup  ## after repro: every evaluated model in MLflow's registry, the best of a task as its champion
	@python -m stages.register

long: setup  ## the long run of reports/long/params.yaml in a clone in long/, hours; the same again goes on where it was killed
seeds: setup  ## the same from three seeds, of reports/seeds/params.yaml
long seeds:
	@test -d $@ || { git clone --quiet . $@ && cd $@ && dvc cache dir --local "$(CURDIR)/.dvc/cache"; }
	@cp reports/$@/params.yaml $@/
	@cd $@ && python -m stages.repro --jobs $(JOBS)
	@cp $@/reports/comparison.csv reports/$@/
	@test $@ = seeds || { cp -r $@/reports/figures reports/$@/; rm -f reports/$@/figures/*-frames.png reports/$@/figures/*-paths.png; }
	@echo "What is kept of it, to be committed: reports/$@"

play: setup  ## draw, and see every method answer: a page on http://127.0.0.1:$(PLAY_PORT)
	@python -m stages.play --port $(PLAY_PORT)

docs: setup  ## the documentation, a tutorial and a reference: http://127.0.0.1:$(DOCS_PORT)
	@python -m stages.docs --port $(DOCS_PORT)

inspect: setup  ## what would be done with a folder of yours: make inspect FOLDER=path
	@python -m stages.inspect "$(FOLDER)"

test: setup  ## all tests, by $(JOBS) processes
	@python -m pytest --numprocesses $(JOBS) --dist loadgroup --no-loadscope-reorder

lint: setup
	@ruff check . && ruff format --check . && mypy

check: lint test  ## ruff, mypy and all tests

bench: setup  ## our training steps against plain loops and the machine's peak
	@python -m benchmarks.train_step
	@python -m benchmarks.translation_step

ui: setup  ## MLflow's UI on http://127.0.0.1:$(PORT)
	@said=$$(python -c 'from pipeline.tracking import store; print(store.store_uri()); print(store.shown_uri())'); \
	uri=$$(echo "$$said" | head -1); echo "MLflow on $$(echo "$$said" | tail -1): open http://127.0.0.1:$(PORT) and choose 'Model training'"; \
	MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
	mlflow ui --backend-store-uri "$$uri" --host 127.0.0.1 --port $(PORT) --workers 1

clean:  ## forget checkpoints of unfinished trainings
	@rm -rf runs
