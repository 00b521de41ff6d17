#!/bin/sh
# Resolves the three requirements*.in into pins with hashes, for Python 3.11 on this platform.
set -eu
cd "$(dirname "$0")/.."
if ! command -v uv >/dev/null 2>&1; then
    echo "lock: needs uv on PATH (https://docs.astral.sh/uv/)" >&2
    exit 1
fi
# No index address may reach the files: they must install from any mirror.
lock() { uv pip compile --quiet --no-strip-extras --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links -o "$1.txt" "$1.in"; }
beside() { # what requirements.txt has pinned already is left out: the two are installed together
    lock "$1"
    awk '/^[a-z0-9]/ { name = $1; sub(/(\[.*\])?==.*/, "", name); kept = NR != FNR && !(name in pinned); if (NR == FNR) pinned[name] }
        NR != FNR && kept' requirements.txt "$1.txt" >"$1.new"
    mv "$1.new" "$1.txt"
}
lock requirements
beside requirements-dev
beside requirements-docker
