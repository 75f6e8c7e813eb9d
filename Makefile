# Everything a checkout needs is Python 3.11-3.13 (with its venv module), git and make.
#   make demo     the whole loop on this machine       make test   all tests
#   make docs     the table of what the sandbox runs
#   make lint     ruff, formatting, types, locks       make bench  seconds and ratios
#   make clients  unmodified clients that take minutes, or are downloaded first
#   make setup    the virtual environment alone        make clean  removes what make made
#   make bench-setup   seconds of set-up with cold caches, in a temporary copy (minutes, downloads)
#   make conformance   policy evaluation against another program's, over seeded pairs
#   make endurance     a sandbox killed again and again, a crowd of projects, a hundred of them (half an hour)
# DEMO_ARGS, PYTEST_ARGS, BENCH_ARGS and CONFORMANCE_ARGS are handed on; PYTHON names another interpreter.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SUPPORTED := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHONS := $(PYTHON) python3.13 python3.12 python3.11 python3
TEST_WORKERS ?= 2

# Some machines tell Python to keep no bytecode. Compiled anew each time, a start of anything here takes three
# times as long: it is kept, but where it litters no checkout.
ifdef PYTHONDONTWRITEBYTECODE
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sagemaker-mlops-templates/bytecode
endif

.PHONY: setup demo test clients fuzz endurance lint bench bench-setup conformance clean lock

setup: $(READY)

demo: $(READY)
	@$(BIN)/mlops demo $(DEMO_ARGS)

test: $(READY)
	@$(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder -q $(PYTEST_ARGS)

# Random requests to every operation, and every list of theirs walked one item a page (minutes).
fuzz: $(READY)
	@$(BIN)/python -m tests.sandbox.fuzz $(FUZZ_ARGS)
	@$(BIN)/pytest -q tests/sandbox/fuzz/paginators.py $(PYTEST_ARGS)

# Clients that take long or are fetched first: the SageMaker SDK, the CDK's command line, the AWS CLI's waiters.
clients: $(READY)
	@$(BIN)/pytest -q -m clients tests/clients $(PYTEST_ARGS)

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check . ; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/uv export --quiet --frozen --no-emit-project --no-header | diff - requirements.lock \
	  || { echo "requirements.lock is not what uv.lock says: run 'make lock'" >&2; exit 1; }

# What of AWS the sandbox runs, keeps and refuses, from its code into docs/sandbox.md.
docs: $(READY)
	@$(BIN)/python -m sandbox.coverage

bench: $(READY)
	@$(BIN)/python -m bench $(BENCH_ARGS)

# A sandbox killed at seeded points of the loop, twenty projects at once, a hundred after another.
endurance: $(READY)
	@$(BIN)/python -m tests.endurance $(ENDURANCE_ARGS)

# Our policy evaluation against npm's @cloud-copilot/iam-simulate, which npm fetches for this alone.
conformance: $(READY)
	@$(BIN)/python -m conformance $(CONFORMANCE_ARGS)

bench-setup: $(READY)
	@$(BIN)/python -m bench --set-up $(BENCH_ARGS)

clean:
	@if [ -x $(BIN)/mlops ]; then $(BIN)/mlops sandbox stop >/dev/null 2>&1 || true; fi
	rm -rf $(VENV) *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis cdk.out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# After a change of dependencies in pyproject.toml.
lock: $(READY)
	$(BIN)/uv lock
	$(BIN)/uv export --quiet --frozen --no-emit-project --no-header --output-file requirements.lock

# The virtual environment: the pinned uv first (by pip, with its hash), which then installs the lock in
# seconds. Where uv cannot reach an index that pip reaches, pip installs the same lock, by hash as well.
$(READY): pyproject.toml setup.py uv.lock requirements.lock
	@set -e; \
	if ! $(BIN)/python -c '$(SUPPORTED)' 2>/dev/null; then \
	  for python in $(PYTHONS); do \
	    if $$python -c '$(SUPPORTED)' 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "No Python 3.11-3.13 with its venv module was found. On Debian: apt-get install python3-venv;" \
	         "elsewhere: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	  fi; \
	  echo "setup: virtual environment with $$($$found --version)" >&2; \
	  $$found -m venv --clear $(VENV); \
	fi
	@set -e; pin=$$(mktemp); trap 'rm -f "$$pin"' EXIT; \
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > "$$pin"; \
	if ! $(BIN)/python -c 'import sys, importlib.metadata as m; sys.exit("uv==" + m.version("uv") != open(sys.argv[1]).readline().split()[0])' "$$pin" 2>/dev/null; then \
	  echo "setup: uv" >&2; \
	  $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$$pin"; \
	fi
	@echo "setup: the packages of uv.lock" >&2
	@unset VIRTUAL_ENV; \
	UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON_DOWNLOADS=never UV_HTTP_RETRIES=$${UV_HTTP_RETRIES-1} \
	  $(BIN)/uv sync --quiet --frozen --inexact --reinstall-package sagemaker-mlops-templates \
	|| { echo "setup: uv could not fetch the packages; pip installs the same lock (minutes)" >&2; \
	     { $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; } \
	     && $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock \
	     && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -C editable_mode=compat -e . ; }
	@touch $(READY)
