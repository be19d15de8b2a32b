# `make run` and `make test` are all you need; `make help` lists the rest.
.DEFAULT_GOAL := help
VENV := .venv/bin
export PATH := $(CURDIR)/$(VENV):$(PATH)
LOCKS := requirements/node.txt package-lock.json scripts/vendor.py scripts/setup.sh

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: .setup/run ## Set up what is missing and serve http://127.0.0.1:5000
	@exec $(VENV)/python -m scripts.serve

.PHONY: worker
worker: .setup/run ## Run another worker with the same settings
	@exec sh -c "$$(sed -n 's/^worker: /exec /p' Procfile)"

.PHONY: setup
setup: .setup/run ## Set up what `make run` needs without running it

.PHONY: test
test: .setup/dev ## Set up and run every test, also in a browser and against real services
	@sh scripts/test_services.sh
ifdef ARGS
	@$(VENV)/python -m pytest $(ARGS)
else
	@$(VENV)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder tests
endif

.PHONY: check
check: .setup/dev ## Lint, format, types and lines that must not be committed
	@$(VENV)/pre-commit run --all-files

.PHONY: hooks
hooks: .setup/dev ## Run the same checks before each git commit
	@$(VENV)/pre-commit install

.PHONY: format
format: .setup/dev ## Format the code
	@$(VENV)/ruff check --fix-only --quiet .
	@$(VENV)/ruff format .

.PHONY: migration
migration: .setup/dev ## Write a migration: make migration m="what it does"
	@$(VENV)/python -m scripts.migration "$(m)"

.PHONY: mutants
mutants: .setup/dev ## Plant faults, see which the tests miss: make mutants FILES="app/billing/quota.py"
	@nice -n 10 $(VENV)/python -m scripts.mutants $(FILES)

.PHONY: pictures
pictures: .setup/dev ## Make the landing page's loop, and the pictures of it and of the README
	@$(VENV)/python -m scripts.landing_loop
	@$(VENV)/python -m scripts.landing_pictures

.PHONY: lock
lock: ## Pin the dependencies of pyproject.toml (needs uv)
	uv pip compile --universal --generate-hashes --no-annotate --no-header -q pyproject.toml -o requirements/run.txt
	uv pip compile --universal --generate-hashes --no-annotate --no-header -q pyproject.toml --group dev -o requirements/dev.txt
	uv pip compile --universal --generate-hashes --no-annotate --no-header -q requirements/node.in -o requirements/node.txt
	uv pip compile --universal --generate-hashes --no-annotate --no-header -q requirements/load.in -o requirements/load.txt
	npm install --package-lock-only

.setup/run: requirements/run.txt $(LOCKS)
	@sh scripts/setup.sh run
	@mkdir -p .setup && touch $@

.setup/dev: requirements/dev.txt $(LOCKS)
	@sh scripts/setup.sh dev
	@mkdir -p .setup && touch $@ .setup/run
