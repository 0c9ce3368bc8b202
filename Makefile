# `make demo` needs Python >= 3.10 and make, nothing else. Overridable: PYTHON (an interpreter), VENV, DEMO (directories).
VENV ?= .venv
DEMO ?= demo

# The first candidate that really runs: a pyenv shim may be on the PATH for a version that is not active,
# and Debian's python3 may lack ensurepip.
CANDIDATES := python3.13 python3.12 python3.11 python3.10 python3
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))
PYTHON ?= $(shell for p in $(CANDIDATES); do "$$p" -c '$(USABLE)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

# Environments with other people's packages, for the tests marked extra; tests/environments says what is in them.
AZUREML_VENV := $(VENV)-azureml
CLIENTS_VENV := $(VENV)-clients
# An emulation of Azure Storage, where there is npm to install it.
AZURITE := $(VENV)-azurite
# Of these packages, Python 3.11 is what the versions were chosen for; also one that pyenv keeps inactive will do.
CLIENTS_PYTHON ?= $(shell for p in python3.11 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.11.*/bin/python '$(PYTHON)'; do \
	"$$p" -c '$(USABLE)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

# The demo and the tests bring their own store and run: what the caller's shell points at is left alone.
unexport MLFLOW_TRACKING_URI MLFLOW_REGISTRY_URI MLFLOW_RUN_ID MLFLOW_EXPERIMENT_ID MLFLOW_EXPERIMENT_NAME
unexport AZUREML_RUN_ID AZUREML_ARM_PROJECT_NAME

BIN := $(VENV)/bin
INSTALL := -m pip install --quiet --disable-pip-version-check
PIP_INSTALL := $(BIN)/python $(INSTALL)

test-all: export TEST_PYTHON_AZUREML = $(abspath $(AZUREML_VENV)/bin/python)
test-all: export TEST_PYTHON_CLIENTS = $(abspath $(CLIENTS_VENV)/bin/python)
test-all: export TEST_AZURITE = $(abspath $(AZURITE)/node_modules/.bin/azurite)

.DEFAULT_GOAL := help
.PHONY: help demo test test-all environments lint types clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo      run examples/trial.py on the embedded store, and say how to look at the result'
	@echo 'make test      the fast tests'
	@echo 'make test-all  all tests (browser tests skip where there is no chromium)'
	@echo 'make environments  what test-all needs besides: the real Azure ML SDK, and packages that use it'
	@echo 'make lint      ruff check and ruff format --check'
	@echo 'make types     mypy --strict over the package'
	@echo 'make clean     remove what these targets made'

demo: $(VENV)/.installed
	@mkdir -p '$(DEMO)'
	@echo '$$ python -m azml_compat examples/trial.py'
	@cd '$(DEMO)' && '$(abspath $(BIN))/python' -m azml_compat '$(CURDIR)/examples/trial.py'
	@echo
	@echo 'The runs are in $(abspath $(DEMO))/mlflow.db. To look at them in the MLflow UI:'
	@echo '    cd $(DEMO) && $(if $(filter /%,$(BIN)),$(BIN),../$(BIN))/azml-compat ui'
	@echo 'which is the same as'
	@echo '    $(abspath $(BIN))/mlflow ui --backend-store-uri sqlite:///$(abspath $(DEMO))/mlflow.db'

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n auto -m 'not extra'

# At last, one after the other, the tests that measure time.
test-all: $(VENV)/.installed-all environments
	$(BIN)/python -m pytest -n auto -m 'not alone'
	$(BIN)/python -m pytest -m alone

environments: $(AZUREML_VENV)/.installed $(CLIENTS_VENV)/.installed $(AZURITE)/.installed

lint: $(VENV)/.installed-all
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.installed-all
	$(BIN)/mypy

clean:
	rm -rf '$(VENV)' '$(AZUREML_VENV)' '$(CLIENTS_VENV)' '$(AZURITE)' '$(DEMO)' build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find azml_compat tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# Stamps: installed again only when pyproject.toml changed.
$(VENV)/.created:
	@test -n '$(PYTHON)' || { echo 'No Python >= 3.10 with venv found; say which: make PYTHON=/path/to/python ...' >&2; exit 1; }
	'$(PYTHON)' -m venv '$(VENV)'
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.created
	@echo 'Installing azml_compat and mlflow into $(VENV) (the first time takes a minute or two) ...'
	@$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml $(VENV)/.created
	@echo 'Installing azml_compat, mlflow and the test tools into $(VENV) ...'
	@$(PIP_INSTALL) -e '.[test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-all: pyproject.toml $(VENV)/.created
	@echo 'Installing azml_compat, mlflow and all tools into $(VENV) ...'
	@$(PIP_INSTALL) -e '.[test,lint,browser,notebook,azure]' uv
	@touch $@ $(VENV)/.installed $(VENV)/.installed-test

$(AZUREML_VENV)/.installed: tests/environments/azureml.txt pyproject.toml $(VENV)/.created
	@echo 'Installing the real Azure ML SDK beside azml_compat into $(AZUREML_VENV) (a minute or two) ...'
	@'$(PYTHON)' -m venv '$(AZUREML_VENV)'
	@'$(AZUREML_VENV)/bin/python' $(INSTALL) -r $< -e .
	@touch $@

# Not compiled: of these packages few modules are imported, and those are compiled then.
$(CLIENTS_VENV)/.installed: tests/environments/clients.txt tests/environments/clients_alone.txt pyproject.toml $(VENV)/.created
	@echo 'Installing packages that use the Azure ML SDK, and azml_compat, into $(CLIENTS_VENV) (a few minutes) ...'
	@'$(CLIENTS_PYTHON)' -m venv '$(CLIENTS_VENV)'
	@'$(CLIENTS_VENV)/bin/python' $(INSTALL) --no-compile -r $< -e .
	@'$(CLIENTS_VENV)/bin/python' $(INSTALL) --no-compile --no-deps -r tests/environments/clients_alone.txt
	@touch $@

$(AZURITE)/.installed:
	@mkdir -p '$(AZURITE)'
	@if command -v npm >/dev/null; then \
		echo 'Installing azurite into $(AZURITE) ...' && \
		npm install --silent --no-fund --no-audit --prefix '$(AZURITE)' azurite && touch $@; \
	else echo 'There is no npm to install azurite: the tests of Azure Storage skip.'; fi
