.DEFAULT_GOAL := help
.PHONY: help setup run test check bench

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv with everything that running and testing need, and build the page
	@scripts/setup.sh

run: ## start Sightline with its demo camera (options: ARGS="--port 8081")
	@scripts/run.sh $(ARGS)

test: ## install what the tests need, run the checks and all tests (options: ARGS="-k lines")
	@scripts/test.sh $(ARGS)

check: ## ruff, its formatter and mypy only
	@scripts/check.sh

bench: ## measure the cost of each part beside its budget
	@scripts/bench.sh $(ARGS)
