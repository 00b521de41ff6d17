"""A server of a folder's own: started, stopped, killed and started again on the same port with the same data."""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from ops import processes
from ops.deployment import PROJECT, write_private
from pipeline.errors import DayspringError
from pipeline.storage.locks import held

TOOLS = PROJECT / ".services"
"""Where ``ops/services/install.sh`` puts what is not a package of the system."""
HOST = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections: a server that is down for a moment must
# find its port free.
_PORTS = range(15_000, 31_000)


class ServiceError(DayspringError):
    """A server is not installed or does not come up; names it, its log and what to do."""


class Service(ABC):
    """One server. Its data, logs, pid files, port and secrets lie in ``folder``; it listens on 127.0.0.1 only.

    Args:
        folder: made when it is missing, readable by its owner only.
    """

    name: str
    patience = 120.0
    """Seconds that it may take to come up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @abstractmethod
    def lacking(self) -> str | None:
        """What is not installed and how to get it; ``None`` where nothing is missing."""

    @abstractmethod
    def prepare(self) -> None:
        """Makes the data folder and the settings' files where they are missing."""

    @abstractmethod
    def commands(self) -> Mapping[str, Sequence[str]]:
        """The command line of each of its processes, by name, in the order of their start."""

    @abstractmethod
    def trouble(self) -> str | None:
        """Why it cannot be worked with yet; ``None`` once it can."""

    def provide(self) -> None:  # noqa: B027 - most servers are ready as they start
        """What is made once the server answers, such as a bucket; may be called again."""

    def await_process(self, name: str) -> None:  # noqa: B027 - most have one process
        """Waits for what a process must have done before the next one is started."""

    @abstractmethod
    def environment(self, space: str = "") -> dict[str, str]:
        """The variables by which the pipeline finds it; they may hold secrets.

        Args:
            space: a short name that keeps one data set apart from others on the same server.
        """

    def start(self) -> None:
        """Ready when it returns; at once if it runs already. Raises ``ServiceError``."""
        lacking = self.lacking()
        if lacking:
            raise ServiceError(f"{self.name}: {lacking}")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        with self._locked():
            if self.is_running() and self.trouble() is None:
                return
            self.prepare()
            for name, command in self.commands().items():
                if processes.pid_of(name, self.logs) is None:
                    processes.start(command, self.process_environment(), name, self.logs)
                self.await_process(name)
            self._await(self.trouble, self.process_names())
            self.provide()

    def stop(self, patience: float = 30) -> None:
        """Asks every process to end, the last started one first, and waits until it is gone."""
        self._end(patience)

    def kill(self) -> None:
        """Ends every process as a crash would; its data stay and ``start`` goes on with them."""
        self._end(0)

    def is_running(self) -> bool:
        """Whether all of its processes are there."""
        return all(processes.pid_of(name, self.logs) is not None for name in self.process_names())

    def runs_at_all(self) -> bool:
        """Whether any of its processes is there."""
        return any(processes.pid_of(name, self.logs) is not None for name in self.process_names())

    def process_names(self) -> Sequence[str]:
        return [self.name]

    def process_environment(self) -> dict[str, str]:
        """What its processes see: not the caller's own stores or Airflow."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAYSPRING_", "AIRFLOW_"))}
        return {name: value for name, value in kept.items() if not name.startswith("AWS_")}

    @property
    def logs(self) -> Path:
        return self.folder / "run"

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

    def _await(self, trouble: Callable[[], str | None], names: Sequence[str]) -> None:
        """Waits until ``trouble()`` is None."""
        deadline = time.monotonic() + self.patience
        while (reason := trouble()) is not None:
            gone = [name for name in names if processes.pid_of(name, self.logs) is None]
            late = time.monotonic() > deadline
            if gone or late:
                self._end(5)
                name = gone[0] if gone else names[-1]
                log = self.logs / f"{name}.log"
                how = "ended at once" if gone else f"is not ready after {self.patience:.0f} s ({reason})"
                hint = "" if not gone else self._port_hint()
                raise ServiceError(f"{self.name}: {name} {how}{hint}; the end of {log}:\n{_tail(log)}")
            time.sleep(0.05)

    def _port_hint(self) -> str:
        taken = [value for value in self._kept().values() if isinstance(value, int) and not _is_free(value)]
        if not taken:
            return ""
        return f"; another program listens on port {taken[0]}: end it, or remove {self.folder / 'server.json'}"

    def _end(self, patience: float) -> None:
        for name in reversed(list(self.process_names())):
            pid = processes.pid_of(name, self.logs)
            if pid is None:
                continue
            try:
                members = [psutil.Process(pid)]
                members += members[0].children(recursive=True)
                left = members
                if patience:
                    members[0].terminate()
                    _, left = psutil.wait_procs(members, timeout=patience)
                for process in left:
                    process.kill()
                psutil.wait_procs(left, timeout=10)
            except psutil.NoSuchProcess:
                pass  # it ended by itself meanwhile
            (self.logs / f"{name}.pid").unlink(missing_ok=True)

    def _locked(self) -> AbstractContextManager[None]:
        return held(self.folder / "start.lock", timeout=self.patience + 60, what=f"starting {self.name}")


def _free_port(taken: set[int]) -> int:
    """A free port, drawn at random so that two servers that start at once hardly choose the same."""
    for port in random.SystemRandom().sample(_PORTS, 200):
        if port not in taken and _is_free(port):
            return port
    raise ServiceError(f"no free port found on {HOST} between {_PORTS.start} and {_PORTS.stop}")


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


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-1500:] if log.is_file() else "(no log)"
