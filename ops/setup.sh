#!/bin/sh
# Makes .venv/ in the project's folder from hashed pins, byte-compiled. Idempotent; quick when nothing changed.
# Usage: ops/setup.sh [dev]      dev: also what the tests and checks need.
set -eu
cd "$(dirname "$0")/.."
# A container often sets this; without byte code TensorFlow takes four times as long to import, in every process.
unset PYTHONDONTWRITEBYTECODE
VENV="$PWD/.venv"
PY="$VENV/bin/python"

python311() {
    for candidate in "${PYTHON:-}" python3.11 python3 python; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    echo "setup: no Python 3.11 found; install it, or name it: make setup PYTHON=/path/to/python3.11" >&2
    return 1
}

make_venv() {
    if [ -x "$PY" ] && "$PY" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        return 0
    fi
    base=$(python311)
    echo "setup: making .venv with $("$base" --version)"
    rm -rf "$VENV"
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --python "$base" "$VENV"
    elif ! "$base" -m venv "$VENV" >/dev/null 2>&1; then
        # Debian splits ensurepip off into python3.11-venv; the system's pip can fill an empty environment.
        rm -rf "$VENV"
        "$base" -m venv --without-pip "$VENV"
        "$base" -m pip --version >/dev/null 2>&1 || {
            rm -rf "$VENV"
            echo "setup: this Python has neither ensurepip nor pip; install python3.11-venv (or uv) and run again" >&2
            return 1
        }
    fi
}

install() { # install FILE…: exactly these pins, hashes checked; pip's are compiled afterwards, by all cores
    files=$(printf -- '-r %s ' "$@")
    # shellcheck disable=SC2086 # one word a file
    if command -v uv >/dev/null 2>&1; then
        uv pip install --quiet --python "$PY" --require-hashes --compile-bytecode $files
    elif "$PY" -m pip --version >/dev/null 2>&1; then
        "$PY" -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes $files
    else
        "$(python311)" -m pip --python "$PY" install --quiet --disable-pip-version-check --no-compile --require-hashes $files
    fi
}

compile() { # what has no byte code yet; some packages ship files for other Pythons, so errors are theirs
    "$PY" -m compileall -q -j 0 "$VENV/lib/python3.11/site-packages" >/dev/null 2>&1 || true
}

bring_up_to_date() { # bring_up_to_date FILE [FILE…]: install them unless these very files were installed before
    stamp="$VENV/.installed-$(basename "$1" .txt)"
    sum=$(cat "$@" | cksum)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then
        return 0
    fi
    echo "setup: installing $1 (some minutes the first time)"
    install "$@"
    compile
    printf '%s' "$sum" > "$stamp"
}

make_venv
bring_up_to_date requirements.txt
if [ "${1:-}" = dev ]; then
    bring_up_to_date requirements-dev.txt requirements.txt
fi
echo "setup: .venv is ready"
