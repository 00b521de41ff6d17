"""The servers of ``ops/services``: ready when started, killed and started again with the same port and data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from ops import processes
from ops.services.base import Service
from ops.services.hbase import HBase
from ops.services.mariadb import MariaDb
from ops.services.redis import RedisServer
from ops.services.s3 import S3Server
from pipeline.storage.daemon import DaemonError
from tests.services import Bucket, Database, kill_and_restart

Own = Callable[[type[Service]], Service]


def test_mariadb_killed(own_server: Own) -> None:
    server = own_server(MariaDb)
    engine = create_engine(server.writer_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INT PRIMARY KEY)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))
    engine.dispose()
    kill_and_restart(server)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT n FROM t")).scalar_one() == 1
    engine.dispose()


def test_mariadb_reader_cannot_write(database: Database) -> None:
    writer, reader = create_engine(database.writer_url), create_engine(database.reader_url)
    with writer.begin() as connection:
        connection.execute(text("CREATE TABLE t (word VARCHAR(10))"))
        connection.execute(text("INSERT INTO t VALUES ('a'), ('A')"))
        collation = connection.execute(text("SELECT COUNT(*) FROM t WHERE word = 'a'")).scalar_one()
    assert collation == 1
    with reader.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM t")).scalar_one() == 2
        with pytest.raises(OperationalError, match="denied"):
            connection.execute(text("INSERT INTO t VALUES ('b')"))
    writer.dispose()
    reader.dispose()


def test_redis_killed(own_server: Own) -> None:
    server = own_server(RedisServer)
    client = redis.Redis.from_url(server.url)
    client.config_set("appendfsync", "always")
    client.set("kept", "yes")
    kill_and_restart(server)
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=server.port).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=server.port, password="wrong").ping()
    assert redis.Redis.from_url(server.url).get("kept") == b"yes"
    assert redis.Redis.from_url(server.url).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_s3_killed(own_server: Own) -> None:
    server = own_server(S3Server)
    server.client().put_object(Bucket="dayspring", Key="a/b", Body=b"kept")
    kill_and_restart(server)
    assert server.client().get_object(Bucket="dayspring", Key="a/b")["Body"].read() == b"kept"


def test_bucket_of_its_own(bucket: Bucket, s3_server: S3Server) -> None:
    assert "Contents" not in s3_server.client().list_objects_v2(Bucket=bucket.name)


def test_start_twice_is_one_server(redis_server: RedisServer) -> None:
    pid = processes.pid_of("redis", redis_server.logs)
    RedisServer(redis_server.folder).start()
    assert processes.pid_of("redis", redis_server.logs) == pid


def test_listens_on_this_machine_only(mariadb: MariaDb, redis_server: RedisServer, s3_server: S3Server) -> None:
    for server in (mariadb, redis_server, s3_server):
        pid = processes.pid_of(server.name, server.logs)
        listening = [each for each in psutil.Process(pid).net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        assert {each.laddr.ip for each in listening} == {"127.0.0.1"}


def test_hbase_listens_on_this_machine_only(hbase: HBase) -> None:
    for name in hbase.process_names():
        pid = processes.pid_of(name, hbase.logs)
        listening = [each for each in psutil.Process(pid).net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        assert listening
        assert {each.laddr.ip for each in listening} <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_secrets_are_the_owners(mariadb: MariaDb) -> None:
    assert (mariadb.folder / "server.json").stat().st_mode & 0o077 == 0
    assert mariadb.folder.stat().st_mode & 0o077 == 0
    command = psutil.Process(processes.pid_of("mariadb", mariadb.logs)).cmdline()
    assert mariadb.secret("writer") not in " ".join(command)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    import socket

    server = RedisServer(tmp_path / "redis")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server.folder.mkdir()
        (server.folder / "server.json").write_text(f'{{"port": {port}}}')
        with pytest.raises(DaemonError, match=f"another program listens on port {port}"):
            server.start()
    assert not server.is_running()
