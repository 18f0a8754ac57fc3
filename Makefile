# Two commands do all set-up: `make demo` and `make test`. Everything is installed into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
DEMO ?= demo
# Tests side by side: each process takes 2 GB where it trains networks.
JOBS ?= 2

.PHONY: demo test lint bench fuzz clean constraints

# Built-ins on the embedded data, into a folder of its own: results/ holds the committed reference run.
demo: $(VENV)/.cpu
	$(BIN)/bench run --all --out $(DEMO)

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.peers
	$(BIN)/python -m benchmarks

$(VENV)/.cpu: pyproject.toml constraints.txt
	@$(MAKE) --no-print-directory install EXTRAS=cpu
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	@$(MAKE) --no-print-directory install EXTRAS=cpu,cluster,excel,dev
	@touch $@ $(VENV)/.cpu

$(VENV)/.peers: pyproject.toml constraints.txt
	@$(MAKE) --no-print-directory install EXTRAS=cpu,cluster,excel,dev,peers
	@touch $@ $(VENV)/.cpu $(VENV)/.dev

.PHONY: install
install:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
ifneq ($(UV),)
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python -e '.[$(EXTRAS)]' -c constraints.txt
else
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/pip || $(BIN)/python -m ensurepip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]' -c constraints.txt
endif

# The versions that were tested, for every Python that is supported; no addresses, no hashes (pip refuses hashes beside -e).
constraints:
	uv pip compile pyproject.toml --all-extras --universal --no-header --no-annotate --no-emit-index-url --output-file constraints.txt

# About 100,000 inputs over every surface that takes a person's input (half an hour); a folder of results stopped at every
# file operation, and with a byte changed in every kind of file. `make test` tries a sample of each.
fuzz: $(VENV)/.dev
	$(BIN)/python tests/support/fuzz.py --examples 14000
	$(BIN)/python tests/support/faulty_plugins.py
	$(BIN)/python tests/support/interrupted.py
	$(BIN)/python tests/support/flipped.py --flips 2500

clean:
	rm -rf $(DEMO) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
