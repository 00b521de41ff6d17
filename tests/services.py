"""The real servers for tests: one set a run, shared by its workers; a database, a bucket, a prefix for each test.

Where a server is not installed its tests are skipped, with how to get it; with ``CI=true`` they fail.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from filelock import FileLock

from ops import processes
from ops.services.base import Service
from ops.services.hbase import HBase
from ops.services.mariadb import MariaDb
from ops.services.redis import RedisServer
from ops.services.s3 import S3Server
from ops.services.spark import Spark
from tests.absent import absent
from tests.made_once import folder_of_run

Server = TypeVar("Server", bound=Service)
EVERY: tuple[type[Service], ...] = (MariaDb, RedisServer, S3Server, HBase, Spark)
_OWNER = "owner"
# With Java's first compiler alone an HBase starts at half the price; none lives long enough here for the second.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True)
class Database:
    """A database of one test's own: as the user that may write and as the one that may only read."""

    name: str
    writer_url: str
    reader_url: str


@dataclass(frozen=True)
class Bucket:
    """A bucket of one test's own.

    Attributes:
        environment: the ``AWS_*`` variables, and ``DAYSPRING_RELEASE_URL``, by which the pipeline finds it.
    """

    name: str
    url: str
    environment: dict[str, str]


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> MariaDb:
    return _shared(MariaDb, tmp_path_factory)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> RedisServer:
    return _shared(RedisServer, tmp_path_factory)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> S3Server:
    return _shared(S3Server, tmp_path_factory)


@pytest.fixture(scope="session")
def hbase(tmp_path_factory: pytest.TempPathFactory) -> HBase:
    return _shared(HBase, tmp_path_factory)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Spark:
    return _shared(Spark, tmp_path_factory)


@pytest.fixture
def database(mariadb: MariaDb) -> Iterator[Database]:
    """An empty database of the test's own."""
    from sqlalchemy import create_engine, text

    name = f"dayspring_{uuid.uuid4().hex[:12]}"
    engine = create_engine(mariadb.writer_url)
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))
        yield Database(name, mariadb.url_for("writer", name), mariadb.url_for("reader", name))
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
    engine.dispose()


@pytest.fixture
def redis_url(redis_server: RedisServer, worker_number: int) -> Iterator[str]:
    """An empty database of the shared Redis; a worker runs one test at a time."""
    import redis

    url = f"{redis_server.url.rpartition('/')[0]}/{1 + worker_number % 15}"
    client = redis.Redis.from_url(url)
    client.flushdb()
    yield url
    client.flushdb()
    client.close()


@pytest.fixture
def bucket(s3_server: S3Server) -> Bucket:
    """An empty bucket of the test's own."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    s3_server.make_bucket(name)
    url = f"s3://{name}/models"
    return Bucket(name, url, s3_server.environment() | {"DAYSPRING_RELEASE_URL": url})


@pytest.fixture
def table_prefix() -> str:
    """A prefix for HBase tables of the test's own; they go with the server's folder."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[[type[Server]], Server]]:
    """Starts a server for one test alone, which may kill it: ``own_server(MariaDb)``. It is stopped at the end."""
    with ExitStack() as stack:

        def start(kind: type[Server]) -> Server:
            server = _installed(kind(tmp_path / f"own-{kind.name}"))
            stack.callback(server.kill)
            server.start()
            return server

        yield start


def kill_and_restart(server: Service) -> None:
    """As after a crash; it comes back at the same port."""
    port = server.port
    before = [processes.pid_of(name, server.logs) for name in server.process_names()]
    server.kill()
    assert not server.is_running()
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in before if pid)
    server.start()
    assert server.port == port
    assert not set(before) & {processes.pid_of(name, server.logs) for name in server.process_names()}


@pytest.fixture(scope="session")
def worker_number() -> int:
    """0 for the first worker and where there is one process only."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stops what the run started, once its workers have ended."""
    if hasattr(session.config, "workerinput"):
        return
    factory = session.config._tmp_path_factory
    if factory._basetemp is not None:
        _end_all(factory.getbasetemp() / "services")


def _shared(kind: type[Server], factory: pytest.TempPathFactory) -> Server:
    """The run's server, started by the first worker that needs it."""
    base = folder_of_run(factory)
    folder = base / "services"
    server = _installed(kind(folder / kind.name))
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / _OWNER).is_file():
            _end_left_behind(base)
            (folder / _OWNER).write_text(_owner(), encoding="utf-8")
    server.start()
    return server


def _installed(server: Server) -> Server:
    lacking = server.lacking()
    if lacking:
        absent(f"{server.name}: {lacking}")
    return server


def _owner() -> str:
    """The process that outlives the workers: their parent, or this one."""
    pid = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    return f"{pid} {psutil.Process(pid).create_time()!r}"


def _end_left_behind(base: Path) -> None:
    """Ends the servers of earlier runs that were killed before they could."""
    for path in base.parent.glob(f"*/services/{_OWNER}"):
        pid, started = path.read_text(encoding="utf-8").split()
        try:
            alive = psutil.Process(int(pid)).create_time() == float(started)
        except psutil.NoSuchProcess:
            alive = False
        if not alive:
            _end_all(path.parent)


def _end_all(folder: Path) -> None:
    for kind in EVERY:
        if (folder / kind.name).is_dir():
            kind(folder / kind.name).kill()
