# Everything a developer does. Nothing here needs root, and nothing is installed outside .venv.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
MANAGE := $(VENV)/bin/python manage.py
ARGS ?=
# Every command here is for development; mypy reads the settings too.
export HEIHEI_ENV ?= development

.PHONY: run demo test soak check bench reference clean

run: $(RUN)  ## serve on 127.0.0.1:$PORT (8000) until Ctrl-C, all state under $HEIHEI_VAR (./var)
	@exec $(MANAGE) up

demo: $(RUN)  ## play the first evening against the running server
	@$(MANAGE) demo $(ARGS)

test: $(DEV)  ## the whole suite, or what ARGS says: make test ARGS="-k gift"
	$(VENV)/bin/python -m pytest $(ARGS)

soak: $(DEV)  ## the long form of the fault tests, an hour on an idle machine
	$(VENV)/bin/python -m pytest -m soak $(ARGS)

check: $(DEV)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) contract --check

bench: $(DEV)  ## measure against peers and floors on this machine; ARGS="calls gifts --write" for some of it
	$(VENV)/bin/python -m tests.bench $(ARGS)

reference: $(RUN)  ## write docs/reference anew from the code
	$(MANAGE) contract

clean:  ## remove what make made; your data under var/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version + ". Say which to use: make run PYTHON=python3.11")'
	@$(VENV)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(DEV): $(RUN) requirements-dev.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
