.DEFAULT_GOAL := help
.PHONY: help setup run test check bench chaos cameras cluster-bench images push

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv with everything that running needs, and build the page
	@scripts/setup.sh

run: ## start Sightline with its demo camera (options: ARGS="--port 8081")
	@scripts/run.sh $(ARGS)

test: ## install what the tests need, run the checks and all tests (options: ARGS="-k lines")
	@scripts/test.sh $(ARGS)

check: ## ruff, its formatter and mypy only
	@scripts/check.sh

bench: ## measure the cost of each part beside its budget
	@scripts/bench.sh $(ARGS)

chaos: ## ten rounds of kill -9 beside lines, and outages of a minute, judged by the script
	@scripts/chaos.sh

cameras: ## count odd cameras beside a good one, live: a table (options: ARGS="-k clock")
	@scripts/cameras.sh $(ARGS)

cluster-bench: ## measure what a second detector process adds, and what the split into processes costs
	@scripts/cluster-bench.sh $(ARGS)

images: ## build the container images, and list what is in them (options: ARGS="web detector")
	@scripts/images.sh $(ARGS)
	@scripts/sbom.sh $(ARGS)

push: ## tag the images and push them: make push REGISTRY=registry.example.com/team
	@scripts/push-images.sh "$(REGISTRY)"
