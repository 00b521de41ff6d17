"""Who trains an experiment together: processes of this machine, or those that ``TF_CONFIG`` names."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack
from typing import NamedTuple

from pipeline.errors import ConfigError

TF_CONFIG = "TF_CONFIG"
"""TensorFlow's own variable: the addresses of all, and which of them a process is."""
_EXPECTED = '{"cluster": {"worker": ["host:port", …]}, "task": {"type": "worker", "index": 0}}'
_LOOK = 0.2
"""Seconds between two looks at whether somebody listens."""


class Cluster(NamedTuple):
    """Who trains together.

    Attributes:
        addresses: of all, the first one's first.
        number: which of them a process is, from 0.
    """

    addresses: tuple[str, ...]
    number: int

    @classmethod
    def of(cls, given: str, count: int) -> Cluster:
        """As ``TF_CONFIG`` gives it.

        Raises:
            ConfigError: it does not, or names another number of trainers than ``count``.
        """
        try:
            named = json.loads(given)
            chiefs, others = (tuple(named["cluster"].get(kind, ())) for kind in ("chief", "worker"))
            kind, number = named["task"]["type"], int(named["task"]["index"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"{TF_CONFIG}: {error!r}; expected {_EXPECTED}") from None
        found = cls(chiefs + others, number + (len(chiefs) if kind == "worker" else 0))
        if len(found.addresses) != count:
            raise ConfigError(f"{TF_CONFIG}: names {len(found.addresses)} trainers, and `workers` is {count}")
        if not 0 <= found.number < count or ":" not in found.addresses[0]:
            raise ConfigError(f"{TF_CONFIG}: {given}; expected {_EXPECTED}")
        return found

    @property
    def written(self) -> str:
        """As ``TF_CONFIG`` has it."""
        task = {"type": "worker", "index": self.number}
        return json.dumps({"cluster": {"worker": self.addresses}, "task": task})


def started_here(given: str | None, count: int, hint: str) -> list[Cluster]:
    """The trainers that are to be started here: all, or the first of those that ``TF_CONFIG`` gives.

    Raises:
        ConfigError: as of :meth:`Cluster.of`, or this host is not the first one's.
    """
    if given is not None:
        named = Cluster.of(given, count)
        if named.number:
            which = f"this is trainer {named.number + 1}, which follows the first"
            raise ConfigError(f"{TF_CONFIG}: {which}: run `{hint}` here")
        return [named]
    with ExitStack() as open_:
        sockets = [open_.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        addresses = tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)
    return [Cluster(addresses, number) for number in range(count)]


def wait_for(address: str) -> None:
    """Return once somebody listens there. While TensorFlow waits for others, no signal but SIGKILL ends a process."""
    host, _, port = address.rpartition(":")
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=5.0).close()
        except OSError:
            time.sleep(_LOOK)
        else:
            return
