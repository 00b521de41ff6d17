"""The servers together, in one folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ops.services.base import TOOLS, Service
from ops.services.hbase import HBase
from ops.services.mariadb import MariaDb
from ops.services.redis import RedisServer
from ops.services.s3 import S3Server
from ops.services.spark import Spark
from pipeline.storage.daemon import DaemonError


class Stack:
    """Every server that the pipeline can use.

    Args:
        folder: of their data, a folder each (default: ``.services/stack`` of the project).
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or TOOLS / "stack").absolute()
        self.mariadb = MariaDb(self.folder / "mariadb")
        self.redis = RedisServer(self.folder / "redis")
        self.s3 = S3Server(self.folder / "s3")
        self.hbase = HBase(self.folder / "hbase")
        self.spark = Spark(self.folder / "spark")

    @property
    def services(self) -> tuple[Service, ...]:
        """All of them, but for those that can be done without and are not installed."""
        every = (self.mariadb, self.redis, self.s3, self.hbase, self.spark)
        return tuple(service for service in every if not (service.optional and service.lacking()))

    def start(self) -> None:
        """All servers, at once; ready when it returns. Raises ``DaemonError`` with all that is missing."""
        lacking = [f"{service.name}: {reason}" for service in self.services if (reason := service.lacking())]
        if lacking:
            raise DaemonError("\n  ".join(["not everything is installed", *lacking]))
        with ThreadPoolExecutor(len(self.services)) as pool:
            for started in [pool.submit(service.start) for service in self.services]:
                started.result()

    def stop(self) -> list[str]:
        """Stops what runs; the names of those."""
        running = [service for service in self.services if service.runs_at_all()]
        with ThreadPoolExecutor(len(self.services)) as pool:
            list(pool.map(lambda service: service.stop(), running))
        return [service.name for service in running]

    def is_running(self) -> bool:
        return all(service.is_running() for service in self.services)

    def environment(self, space: str = "") -> dict[str, str]:
        """The variables by which the pipeline finds them, secrets among them; ``space`` keeps data sets apart.

        Raises ``DaemonError`` if a server is down.
        """
        down = [service.name for service in self.services if not service.is_running()]
        if down:
            raise DaemonError(f"{', '.join(down)} of {self.folder} not running: make services")
        return {name: value for service in self.services for name, value in service.environment(space).items()}
