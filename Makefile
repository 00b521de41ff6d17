# Needs Python 3.11 and make; nothing has to be activated. `make` alone prints this list.
SHELL := /bin/sh
PY := .venv/bin/python
unexport PYTHONDONTWRITEBYTECODE
export PYTHON
# PROFILE=services: on the servers of `make services` instead of files.
OPTIONS := $(if $(PROFILE),--profile '$(PROFILE)') $(if $(DATA),--data '$(DATA)')

.DEFAULT_GOAL := help
.PHONY: help setup dev demo demo-full services services-seed services-down airflow up seed down status test lint bench lock

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## .venv/ with hashed pins, byte-compiled
	@ops/setup.sh

dev: ## setup, and what the tests and checks need
	@ops/setup.sh dev

demo: setup ## both jobs through Airflow on generated data, or on real data: make demo DATA=FOLDER
	@$(PY) -m ops.demo $(OPTIONS)

demo-full: setup ## weeks of real data: make demo-full DATA=FOLDER
	@$(PY) -m ops.demo --full $(OPTIONS)

services: setup ## the real servers on this machine: MariaDB, Redis, S3, HBase (no container)
	@ops/services/install.sh
	@$(PY) -m ops.services up

services-seed: setup ## fill them with the generated school, or with real data: DATA=FOLDER
	@$(PY) -m ops.demo --only-data --profile services $(if $(DATA),--data '$(DATA)')

services-down: ## stop them; their data stay
	@if [ -x $(PY) ]; then $(PY) -m ops.services down; else echo "nothing is set up, so nothing runs"; fi

airflow: setup ## Airflow alone, with your own DAYSPRING_* settings
	@$(PY) -m ops.airflow up

up: ## everything in containers, by docker-compose.yml; waits until healthy
	@ops/compose.sh up

seed: ## fill the containers' databases with the generated school
	@ops/compose.sh seed

down: ## stop Airflow, the embedded Redis and the containers; says what else runs
	@if [ -x $(PY) ]; then $(PY) -m ops.airflow down; else echo "nothing is set up, so nothing runs"; fi
	@ops/compose.sh down

status: ## what runs, and the state of each job's chain
	@$(PY) -m ops.airflow status
	@$(PY) -m ops.services status

test: ## every check and test, and the servers that the tests need where they can be got
	@ops/checks.sh all $(ARGS)

lint: dev ## ruff, mypy, the import rules, no module and no function too long
	@ops/checks.sh lint

bench: setup ## the benchmarks; each prints a ratio
	@$(PY) -m benchmarks

lock: dev ## resolve requirements*.in again into hashed pins
	@ops/lock.sh
