#!/bin/sh
# The checks of `make lint` and `make test`. Usage: ops/checks.sh all [pytest arguments] | lint | test [pytest arguments]
set -eu
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE
# Tests must not read the settings of the person who runs them, but for where their own numbers lie.
for name in $(env | sed -nE 's/^(DAYSPRING_[A-Z0-9_]+|AIRFLOW_[A-Z0-9_]+|AWS_[A-Z0-9_]+)=.*/\1/p'); do
    [ "$name" = DAYSPRING_GOLDEN ] || unset "$name"
done
export TF_CPP_MIN_LOG_LEVEL=2 LC_ALL=C
BIN=.venv/bin

case "${1:-}" in
all)
    shift
    # The servers that tests need are mostly fetched, and mypy has one core: each goes on beside what follows it.
    told=$(mktemp -d)
    ops/services/install.sh >"$told/services" 2>&1 &
    services=$!
    ops/setup.sh dev
    "$0" lint >"$told/lint" 2>&1 &
    lint=$!
    wait "$services" || true # what is left out is named there
    cat "$told/services"
    status=0
    "$0" test "$@" || status=$?
    wait "$lint" || status=1
    cat "$told/lint"
    rm -r "$told"
    exit "$status"
    ;;
lint)
    $BIN/ruff check .
    $BIN/mypy
    PYTHONPATH=.:plugins $BIN/lint-imports
    $BIN/python -m ops.packages
    $BIN/python -m ops.lengths
    ;;
test)
    shift
    # The tests of a file share their fixtures, in the order of tests/order.py. Of three processes one has the tests of
    # Airflow, which wait as often as they work; where memory is short two must do.
    free=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo 2>/dev/null) || free=
    [ "${free:-0}" -ge 10 ] && processes=3 || processes=2
    exec $BIN/python -m pytest -n "$processes" --dist loadfile --no-loadscope-reorder "$@"
    ;;
*)
    echo "usage: ops/checks.sh all [pytest arguments] | lint | test [pytest arguments]" >&2
    exit 2
    ;;
esac
