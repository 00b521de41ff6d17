"""A server of a folder's own: started, stopped, killed and started again on the same port with the same data."""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ops.deployment import PROJECT, write_private
from pipeline.storage.daemon import Daemon, DaemonError

TOOLS = PROJECT / ".services"
"""Where ``ops/services/install.sh`` puts what is not a package of the system."""
HOST = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections: a server that is down for a moment must
# find its port free.
_PORTS = range(15_000, 31_000)


class Service(Daemon):
    """A server whose data, logs, pid files, port and secrets lie in ``folder``; it listens on 127.0.0.1 only.

    Args:
        folder: made when it is missing, readable by its owner only.
    """

    optional = False
    """Whether the others are started where it is not installed."""

    @abstractmethod
    def lacking(self) -> str | None:
        """What is not installed and how to get it; ``None`` where nothing is missing."""

    @abstractmethod
    def environment(self, space: str = "") -> dict[str, str]:
        """The variables by which the pipeline finds it; they may hold secrets.

        Args:
            space: a short name that keeps one data set apart from others on the same server.
        """

    def start(self) -> None:
        """Ready when it returns; at once if it runs already. Raises ``DaemonError``."""
        lacking = self.lacking()
        if lacking:
            raise DaemonError(f"{self.name}: {lacking}")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        super().start()

    def process_environment(self) -> dict[str, str]:
        """What its processes see: not the caller's own stores or Airflow."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAYSPRING_", "AIRFLOW_"))}
        return {name: value for name, value in kept.items() if not name.startswith("AWS_")}

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def port(self) -> int:
        return self.port_of("port")

    def port_of(self, name: str) -> int:
        """A port of its own, free when it was first asked for and kept from then on."""
        kept = self._kept()
        if name not in kept:
            kept[name] = _free_port(taken={value for value in kept.values() if isinstance(value, int)})
            self._keep(kept)
        return int(kept[name])

    def secret(self, name: str) -> str:
        """A random password of its own, made once; in a file that only its owner may read."""
        kept = self._kept()
        if name not in kept:
            kept[name] = secrets.token_urlsafe(18)
            self._keep(kept)
        return str(kept[name])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def number_of(self, space: str) -> int:
        """A number of the space's own, 0 for the first that was asked for."""
        kept = self._kept()
        spaces: list[str] = kept.setdefault("spaces", [])
        if space not in spaces:
            spaces.append(space)
            self._keep(kept)
        return spaces.index(space)

    def _kept(self) -> dict[str, Any]:
        path = self.folder / "server.json"
        if not path.is_file():
            return {}
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept

    def _keep(self, kept: Mapping[str, Any]) -> None:
        write_private(self.folder / "server.json", json.dumps(kept, indent=1))

    def advice(self, *, ended: bool) -> str:
        taken = [value for value in self._kept().values() if isinstance(value, int) and not _is_free(value)]
        if not ended or not taken:
            return ""
        return f"another program listens on port {taken[0]}: end it, or remove {self.folder / 'server.json'}"


def _free_port(taken: set[int]) -> int:
    """A free port, drawn at random so that two servers that start at once hardly choose the same."""
    for port in random.SystemRandom().sample(_PORTS, 200):
        if port not in taken and _is_free(port):
            return port
    raise DaemonError(f"no free port found on {HOST} between {_PORTS.start} and {_PORTS.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def listening(port: int) -> bool:
    """Whether something accepts connections on the port of 127.0.0.1."""
    try:
        with socket.create_connection((HOST, port), timeout=2):
            return True
    except OSError:
        return False
