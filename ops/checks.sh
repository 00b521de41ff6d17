#!/bin/sh
# The checks of `make lint` and `make test`. Usage: ops/checks.sh lint | test [pytest arguments]
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
lint)
    $BIN/ruff check .
    $BIN/mypy
    PYTHONPATH=.:plugins $BIN/lint-imports
    $BIN/python -m ops.packages
    $BIN/python -m ops.lengths
    ;;
test)
    shift
    # Two processes; the tests of a file share their fixtures. In the order of the folders, so that what takes long is
    # begun first: else the files of the fewest tests come last, and one process waits for the other.
    exec $BIN/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
    ;;
*)
    echo "usage: ops/checks.sh lint | test [pytest arguments]" >&2
    exit 2
    ;;
esac
