# Needs make, git, cc and python3 >= 3.11, nothing else and no root: everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# TINYGEN_REQUIRE, such as "zig gcc qemu", turns tests that would be skipped for want of these into failures.
PYTEST := $(BIN)/python -m pytest
JOBS ?= auto
# What tests look for besides; .ci/run adds the extras that tests are skipped without.
EXTRAS ?= emulate,verify,dev
FUZZ_CASES ?= 20000
FUZZ_GRAPHS ?= 5000
FUZZ_STREAMS ?= 1000000
C_FILES := $(wildcard templates/c/kernels/*.h firmware/*/*.[ch] firmware/*/*/*.[ch] tinygen/run/*/*.c tests/emulated/*.c)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format test-wheel test-long acceptance bench golden docs clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## A real model to firmware, run on an emulated Cortex-M4, compared with LiteRT, with a report
	@$(BIN)/tinygen demo

test: lint ## Linters, types and all tests
	$(PYTEST) -n $(JOBS)

lint: $(VENV)/.dev ## ruff, mypy and clang-format
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@echo "$(BIN)/clang-format --dry-run -Werror ($(words $(C_FILES)) files)"
	@$(BIN)/clang-format --dry-run -Werror $(C_FILES)

format: $(VENV)/.dev ## Lay out Python and C files
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	@$(BIN)/clang-format -i $(C_FILES)

test-wheel: $(VENV)/.dev ## Install the wheel into a new environment away from the checkout and run the demo there
	$(PYTEST) -m wheel tests/packaging

test-long: $(VENV)/.dev ## FUZZ_CASES damaged files, FUZZ_GRAPHS random graphs, FUZZ_STREAMS into the firmware, hard plans
	$(BIN)/python -m benchmarks.fuzz_reader --cases $(FUZZ_CASES)
	$(BIN)/python -m benchmarks.fuzz_schedules --graphs $(FUZZ_GRAPHS)
	$(BIN)/python -m benchmarks.fuzz_firmware --streams $(FUZZ_STREAMS)
	@if [ -d ../shared/minimalloc ]; then $(BIN)/python -m benchmarks.plan; \
	else echo "the planner was not run: no instances in ../shared/minimalloc"; fi

acceptance: $(VENV)/.dev ## What is promised of every model, and every verdict of fit against a link: an hour
	$(BIN)/python -m benchmarks.acceptance
	$(BIN)/python -m benchmarks.emulators
	$(BIN)/python -m benchmarks.estimates
	$(BIN)/python -m benchmarks.fit_matrix

bench: $(VENV)/.dev ## Measure all models with every compiler and write the tables of README.md and docs/rows.md
	$(BIN)/python -m benchmarks.figures --write
	$(BIN)/python -m benchmarks.arenas --write

golden: $(VENV)/.dev ## Write the golden files of tests/golden again; read the difference before you commit it
	TINYGEN_UPDATE_GOLDEN=1 $(PYTEST) tests/golden

docs: $(VENV)/.dev ## Write the generated pages and pictures of docs/ again
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.transcripts

clean: ## Remove everything that make and the tools have made
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "tinygen needs python3 >= 3.11, and there is no '$(PYTHON)'; name one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "tinygen needs python3 >= 3.11, found $$($(PYTHON) --version); name another with make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp says which extras were installed for which pyproject.toml, so that the second run installs nothing.
$(VENV)/.demo: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[emulate,verify]"
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$(EXTRAS)]"
	@touch $@ $(VENV)/.demo
