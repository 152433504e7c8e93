# Everything sets itself up in .venv, again only when the pinned files change.
# Needs: Python 3.11 or newer, make, git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help serve test attacks fuzz chaos soak test-crash test-readers test-pages screenshot lint format lock clean
.PHONY: audit sbom bench bench-compression bench-history bench-polls bench-restart bench-slow bench-tokens

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "feedsvc needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.created requirements.txt pyproject.toml
	@echo "Installing what feedsvc needs (once; about half a minute)"
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	@echo "Installing what the tests need (once)"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/.readers: $(VENV)/.dev requirements-readers.txt
	@echo "Installing the feed readers from PyPI (once)"
	@$(PIP) --require-hashes -r requirements-readers.txt
	@touch $@

$(VENV)/.browser: $(VENV)/.dev requirements-browser.txt
	@echo "Installing what drives a browser from PyPI (once)"
	@$(PIP) --require-hashes -r requirements-browser.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev requirements-fuzz.txt
	@echo "Installing what fuzzes from PyPI (once)"
	@$(PIP) --require-hashes -r requirements-fuzz.txt
	@touch $@

$(VENV)/.release: $(VENV)/.dev requirements-release.txt
	@echo "Installing what a release needs from PyPI (once)"
	@$(PIP) --require-hashes -r requirements-release.txt
	@touch $@

serve: $(VENV)/.runtime ## Serve the articles of seeds/ on port 8080
	@exec $(BIN)/feedsvc serve $(ARGS)

test: $(VENV)/.dev ## Run every test, with coverage; Debian: nginx-light
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n auto --dist worksteal $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

chaos: $(VENV)/.dev ## Break replicas and PostgreSQL in 200 rounds or ROUNDS; SEED= repeats what was drawn
	@CHAOS_ROUNDS=$(ROUNDS) CHAOS_SEED=$(SEED) $(BIN)/python -m pytest -s tests/chaos $(ARGS)

soak: $(VENV)/.dev ## Read, edit and attack a service for 20 minutes or MINUTES; SEED= repeats what was drawn
	@SOAK_MINUTES=$(MINUTES) SOAK_SEED=$(SEED) $(BIN)/python -m pytest -s tests/soak $(ARGS)

attacks: $(VENV)/.dev ## Attack a real service, and write what happened into docs/security.md
	@$(BIN)/python -m pytest -n auto --dist worksteal --write-attacks tests/attacks $(ARGS)

fuzz: $(VENV)/.fuzz ## Try bytes that nobody thought of for five minutes or MINUTES; ARGS="--target markup" for one
	@$(BIN)/python -m fuzz --minutes $(or $(MINUTES),5) $(ARGS)

test-crash: $(VENV)/.dev ## Kill the service 242 times, and see what the next start serves
	@$(BIN)/python -m pytest tests/crash $(ARGS)

test-readers: $(VENV)/.readers ## Run the tests with real feed readers; Debian: newsboat sfeed rss2email curl
	@$(BIN)/python -m pytest tests/readers $(ARGS)

test-pages: $(VENV)/.browser ## Run the tests of the pages in a real browser; Debian: chromium
	@$(BIN)/python -m pytest tests/browser $(ARGS)

screenshot: $(VENV)/.browser ## Make the picture of README anew
	@PYTHONPATH=tests $(BIN)/python -m browser.screenshot

lint: $(VENV)/.dev ## Check style, types and the direction of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(VENV)/.dev ## Pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra postgresql --extra build -o requirements.txt pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra dev --extra build -c requirements.txt -o requirements-dev.txt pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra readers --extra build -c requirements.txt -c requirements-dev.txt \
		-o requirements-readers.txt pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra browser --extra build -c requirements.txt -c requirements-dev.txt \
		-o requirements-browser.txt pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra fuzz --extra build -c requirements.txt -c requirements-dev.txt \
		-o requirements-fuzz.txt pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		--extra release --extra build -c requirements.txt -c requirements-dev.txt \
		-o requirements-release.txt pyproject.toml

bench: $(VENV)/.runtime ## Measure all of docs/performance.md beside nginx and Hugo; ARGS="--quick" for less
	@$(BIN)/python benchmarks/performance.py $(ARGS)

bench-compression: $(VENV)/.runtime ## Measure what the compression levels cost
	@$(BIN)/python benchmarks/compression.py

bench-history: $(VENV)/.runtime ## Replay three years of edits, and count what readers are told
	@$(BIN)/python benchmarks/history.py

bench-polls: $(VENV)/.runtime ## Measure what a poll costs beside nginx; Debian: nginx-light wrk
	@$(BIN)/python benchmarks/polls.py $(ARGS)

bench-restart: $(VENV)/.runtime ## Measure starts and reloads, with 10,000 files or ARGS
	@$(BIN)/python benchmarks/restart.py $(ARGS)

bench-slow: $(VENV)/.runtime ## Measure what 500 slow connections cost a poll, beside nginx
	@$(BIN)/python benchmarks/slow.py $(ARGS)

bench-tokens: $(VENV)/.runtime ## Measure whether the time of a 404 tells something of private feeds
	@$(BIN)/python benchmarks/tokens.py $(ARGS)

audit: $(VENV)/.release ## Ask PyPI whether anything that is pinned to run has a known hole
	@$(BIN)/pip-audit --require-hashes --disable-pip -r requirements.txt

sbom: $(VENV)/.release ## List what a release consists of, with versions and hashes, in dist/feedsvc.cdx.json
	@mkdir -p dist
	@$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible \
		-o dist/feedsvc.cdx.json requirements.txt
	@echo dist/feedsvc.cdx.json

clean: ## Remove the environment and everything that was made
	@rm -rf $(VENV) .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist \
		var/bench fuzz/found fuzz/findings
