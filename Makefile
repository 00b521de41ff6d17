# Needs Python 3.11 and make; nothing has to be activated. `make` alone prints this list.
SHELL := /bin/sh
PY := .venv/bin/python
unexport PYTHONDONTWRITEBYTECODE
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup dev demo demo-full up down status test lint bench lock

help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## .venv/ with hashed pins, byte-compiled
	@ops/setup.sh

dev: ## setup, and what the tests and checks need
	@ops/setup.sh dev

demo: setup ## both jobs through Airflow on generated data, or on real data: make demo DATA=FOLDER
	@$(PY) -m ops.demo $(if $(DATA),--data '$(DATA)')

demo-full: setup ## weeks of real data: make demo-full DATA=FOLDER
	@$(PY) -m ops.demo --full $(if $(DATA),--data '$(DATA)')

up: setup ## Airflow alone, with your own DAYSPRING_* settings
	@$(PY) -m ops.airflow up

down: ## stop Airflow and the embedded Redis; leaves no process
	@if [ -x $(PY) ]; then $(PY) -m ops.airflow down; else echo "nothing is set up, so nothing runs"; fi

status: ## what runs, and the state of each job's chain
	@$(PY) -m ops.airflow status

test: dev ## every check and test
	@ops/checks.sh lint
	@ops/checks.sh test $(ARGS)

lint: dev ## ruff, mypy and the import rules
	@ops/checks.sh lint

bench: setup ## the benchmarks; each prints a ratio
	@$(PY) -m benchmarks

lock: dev ## resolve requirements*.in again into hashed pins
	@ops/lock.sh
