"""The scheduler of an embedded Airflow: out of the way while backfills are made, started again when it dies.

SQLite has one writer. Where a backfill's runs are created while the scheduler writes, either may lose: the creation is
refused half-way and taken back, and a scheduler that has read one of those runs ends with a ``StaleDataError``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from ops import processes
from ops.deployment import Deployment

NAME = "scheduler"


class Scheduler:
    """The scheduler of one deployment.

    Args:
        deployment: an Airflow that is up.
        command: that starts its scheduler.
    """

    def __init__(self, deployment: Deployment, command: list[str]) -> None:
        self._deployment = deployment
        self._command = command

    @contextmanager
    def stopped(self, patience: float = 30) -> Iterator[None]:
        """No scheduler for the length of the block. Only for when no task runs: it would be stopped with it."""
        pid = processes.pid_of(NAME, self._deployment.logs)
        if pid is not None:
            members = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            members[0].terminate()
            _, left = psutil.wait_procs(members, timeout=patience)
            for process in left:
                process.kill()
            psutil.wait_procs(left, timeout=5)
        try:
            yield
        finally:
            self.revive()

    def revive(self) -> bool:
        """Start the scheduler if it does not run; whether it had to be.

        What a killed one has left, workers that wait for it for ever, is ended first.
        """
        if processes.pid_of(NAME, self._deployment.logs) is not None:
            return False
        processes.end_left_by(NAME, self._deployment.logs)
        processes.start(self._command, self._deployment.environment(), NAME, self._deployment.logs)
        return True
