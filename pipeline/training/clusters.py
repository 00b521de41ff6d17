"""Who trains an experiment together: processes of this machine, or those that ``TF_CONFIG`` names."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from pipeline.errors import ConfigError

TF_CONFIG = "TF_CONFIG"
"""TensorFlow's own variable: the addresses of all, and which of them a process is."""
_EXPECTED = '{"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}'


def clusters_of(given: str | None, count: int, hint: str) -> list[dict[str, Any]]:
    """``TF_CONFIG`` of each trainer that is to be started here: all, or the first of those that ``given`` names.

    Raises:
        ConfigError: ``given`` names another number of them, or this host is not the first one's.
    """
    if given is None:
        with ExitStack() as open_:
            sockets = [open_.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
            addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
        return [_cluster(addresses, number) for number in range(count)]
    try:
        named = json.loads(given)
        addresses = [*named["cluster"].get("chief", []), *named["cluster"].get("worker", [])]
        kind, number = named["task"]["type"], int(named["task"]["index"])
        number += len(named["cluster"].get("chief", [])) if kind == "worker" else 0
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{TF_CONFIG}: {error!r}; expected {_EXPECTED}") from None
    if len(addresses) != count:
        raise ConfigError(f"{TF_CONFIG}: names {len(addresses)} trainers, and `workers` is {count}")
    if number:
        raise ConfigError(f"{TF_CONFIG}: this is trainer {number + 1}, which follows the first: run `{hint}` here")
    return [named]


def _cluster(addresses: Sequence[str], number: int) -> dict[str, Any]:
    return {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": number}}
