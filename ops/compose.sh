#!/bin/sh
# The stack of docker-compose.yml. Usage: ops/compose.sh up | seed | down
set -eu
cd "$(dirname "$0")/.."

engine() { docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1; }

refuse() {
    echo "compose: $1" >&2
    exit 1
}

ready() {
    docker compose version >/dev/null 2>&1 ||
        refuse "needs Docker with its compose plugin (https://docs.docker.com/engine/install); without it: make demo, make services"
    docker info >/dev/null 2>&1 || refuse "the Docker engine does not answer; start it, or be in the group that may use it"
    [ -f .env ] || refuse "no .env; copy .env.example to .env and fill it in (it says how)"
}

case "${1:-}" in
up)
    ready
    docker compose up --detach --build --wait --wait-timeout 900
    docker compose ps
    ;;
seed)
    ready
    docker compose run --rm seed
    ;;
down)
    # Nothing to stop where there is no engine, or where nothing was started.
    if engine && [ -f .env ] && [ -n "$(docker compose ps --quiet --all 2>/dev/null)" ]; then
        docker compose --profile seed --profile celery down
    fi
    ;;
*)
    echo "usage: ops/compose.sh up | seed | down" >&2
    exit 2
    ;;
esac
