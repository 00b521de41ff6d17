"""Faults of the MySQL server: told clearly and without a secret; a day is whole or not there."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import make_url

from ops.services.mariadb import MariaDb
from pipeline.errors import SourceError, SourceInterrupted, UsageError
from pipeline.ingest.extract import extract
from pipeline.job import JobContext
from pipeline.sources.mysql import MySqlSource
from tests.integration.mysql_world import DAY, connected, fill, open_source, run, table, through, write_queries
from tests.proxy import Proxy
from tests.services import Database
from tests.unit.pipeline.small_job import config

ROWS = 40_000
JOB = {
    name: {
        "source": name, "day": "day", "order": ["time", "user"],
        "columns": {
            "day": {"type": "day"}, "time": {"type": "int"}, "user": {"type": "str"}, "x": {"type": "float"},
            "label": {"type": "int", "required": True, "allowed": [0, 1]},
        },
    }
    for name in ("log", "again")
}  # fmt: skip


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    log = "SELECT day, time, user, x, 1 AS label FROM log WHERE day = :day"
    return write_queries(
        tmp_path / "queries",
        log=f"-- ranges: time\n{log}",
        again=log,
        slow="SELECT SLEEP(30) AS day",
        wide="SELECT time, REPEAT('x', 2000) AS pad FROM log",
    )


def job(root: Path, source: MySqlSource, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    monkeypatch.setenv("DAYSPRING_TINY_URL", "mysql+pymysql://not-used@127.0.0.1/x")
    settings = config(
        JOB, impressions={"rows": "log", "user": "user", "item": "time", "label": "label"}, chunk_rows=1000,
        features={"ad": {"kind": "categorical", "side": "item", "space": "ad", "source": "item.time"}},
    )  # fmt: skip
    context = JobContext(settings, root)
    context._source = source
    return context


def digests(root: Path, source: MySqlSource, monkeypatch: pytest.MonkeyPatch) -> tuple[object, object]:
    manifest = extract(job(root, source, monkeypatch), DAY).manifest
    return manifest.rows, manifest.extra["digests"]


@pytest.fixture
def expected(
    database: Database, queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[object, object]:
    """What an undisturbed run commits."""
    fill(database.writer_url, ROWS)
    found = digests(tmp_path / "undisturbed", open_source(database.reader_url, queries), monkeypatch)
    assert found[0] == {"log": ROWS, "again": ROWS}
    return found


def port_of(url: str) -> int:
    return make_url(url).port or 3306


def committed(root: Path) -> list[Path]:
    return list((root / "artifacts").rglob("manifest.json"))


@pytest.mark.parametrize("size", [30_000, 700_000, 2_000_000])
def test_a_connection_cut_in_mid_read_ends_with_the_same_artefact(
    database: Database, queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: object, size: int
) -> None:
    with Proxy("127.0.0.1", port_of(database.reader_url)) as proxy:
        source = open_source(through(database.reader_url, proxy.port), queries)
        source.check()
        proxy.cut_after(size)
        assert digests(tmp_path / "root", source, monkeypatch) == expected
        assert proxy.connections >= 2, "it was cut, and went on by a new connection"
        source.close()


def test_a_server_that_stays_away_commits_nothing_and_says_where_it_was(
    database: Database, queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: object
) -> None:
    with Proxy("127.0.0.1", port_of(database.reader_url)) as proxy:
        source = open_source(through(database.reader_url, proxy.port), queries)
        source.check()
        reads: list[str] = []
        read = MySqlSource.read

        def cut_then_refuse(self: MySqlSource, name: str, *rest: object, **more: object) -> object:
            reads.append(name)
            proxy.refuse()
            proxy.cut_after(300_000)
            return read(self, name, *rest, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(MySqlSource, "read", cut_then_refuse)
        with pytest.raises(SourceError, match=rf"the MySQL server at 127\.0\.0\.1:{proxy.port}") as failed:
            digests(tmp_path / "root", source, monkeypatch)
        assert reads, "it broke off in mid-read"
        assert str(make_url(database.reader_url).password) not in str(failed.value)
        assert committed(tmp_path / "root") == []
        monkeypatch.setattr(MySqlSource, "read", read)
        proxy.refuse(False)
        assert digests(tmp_path / "root", source, monkeypatch) == expected
        source.close()


def test_a_server_killed_in_mid_read_and_started_again(
    own_server: Callable[[type[MariaDb]], MariaDb], queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = own_server(MariaDb)
    fill(server.writer_url, ROWS)
    source = open_source(server.reader_url, queries)
    expected = digests(tmp_path / "undisturbed", source, monkeypatch)
    back: list[threading.Thread] = []
    stream = MySqlSource._stream

    def killing(self: MySqlSource, *arguments: object) -> Iterator[pa.RecordBatch]:
        for number, batch in enumerate(stream(self, *arguments)):  # type: ignore[arg-type]
            yield batch
            if number == 3 and not back:
                server.kill()
                back.append(threading.Thread(target=server.start))
                back[0].start()

    monkeypatch.setattr(MySqlSource, "_stream", killing)
    monkeypatch.setattr("pipeline.ingest.extract._PAUSE", 10.0)
    assert digests(tmp_path / "root", source, monkeypatch) == expected
    assert back, "it was killed"
    back[0].join()
    source.close()


def test_a_connection_cut_in_a_bulk_read_is_no_short_day(
    database: Database, queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: object,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pytest.importorskip("connectorx", reason="pip install connectorx")
    # In a process of its own: connectorx holds on to the interpreter while it connects.
    script = (
        "import sys\nfrom tests.proxy import Proxy\n"
        f"proxy = Proxy('127.0.0.1', {port_of(database.reader_url)})\nproxy.cut_after(600_000)\n"
        "print(proxy.port, flush=True)\nsys.stdin.read()\nproxy.close()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = through(database.reader_url, int(process.stdout.readline()))
        source = open_source(url, queries, least=1000, piece=15_000)
        assert digests(tmp_path / "root", source, monkeypatch) == expected
        assert "by connectorx" in capsys.readouterr().err
        assert source.not_in_bulk
        source.close()
        process.communicate()


def test_a_server_that_is_down(queries: Path) -> None:
    found = open_source("mysql+pymysql://reader:s3cret@127.0.0.1:1/school", queries)
    with pytest.raises(SourceError, match=r"the MySQL server at 127\.0\.0\.1:1 cannot be reached; start it") as failed:
        found.check()
    assert "s3cret" not in str(failed.value)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("password", "wr0ng-secret", r"refuses this user or password; correct DAYSPRING_TINY_URL"),
        ("username", "nobody", r"refuses this user or password; correct DAYSPRING_TINY_URL"),
        ("database", "dayspring_nowhere", r"no such database .*or the user may not use it"),
        ("database", "mysql", r"no such database .*or the user may not use it"),
    ],
)
def test_credentials_that_are_wrong(database: Database, queries: Path, part: str, value: str, message: str) -> None:
    right = make_url(database.reader_url)
    given = right.set(**{part: value})
    found = open_source(given.render_as_string(hide_password=False), queries)
    with pytest.raises(SourceError, match=message) as failed:
        found.check()
    assert not isinstance(failed.value, SourceInterrupted), "trying again would not help"
    assert str(given.password) not in str(failed.value)


def test_what_is_not_there_or_may_not_be_read(database: Database, tmp_path: Path) -> None:
    run(database.writer_url, "CREATE TABLE here (day VARCHAR(10))")
    queries = write_queries(
        tmp_path / "queries", gone="SELECT day FROM gone", wide="SELECT day, colour FROM here",
        hidden="SELECT user FROM mysql.user",
    )  # fmt: skip
    found = open_source(database.reader_url, queries)
    with pytest.raises(SourceError, match=r"gone\.sql: the database has no table 'gone'; make it by sql/schema/gone"):
        table(found, "gone", ["day"])
    with pytest.raises(SourceError, match=r"wide\.sql: the database has no column 'colour'"):
        found.count("wide", DAY)
    with pytest.raises(SourceError, match=r"hidden\.sql: the user may not read it; GRANT SELECT to the user of DAYSPR"):
        table(found, "hidden", ["user"])
    with pytest.raises(SourceError, match="has no table 'day_ready'"):
        found.is_marked("gone", DAY)


def test_a_server_that_does_not_answer(database: Database, queries: Path) -> None:
    url = make_url(database.reader_url).update_query_dict({"read_timeout": "1"})
    found = open_source(url.render_as_string(hide_password=False), queries)
    began = time.monotonic()
    with pytest.raises(SourceInterrupted, match=r"gave no answer in time \(read_timeout is 1 s\)"):
        table(found, "slow", ["day"])
    assert time.monotonic() - began < 25, "long before the server would have answered"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql+pymysql://u:s3cret@host/db?read_timeout=soon", "is not a database URL.*soon"),
        ("mysql+mysqldb://u:s3cret@host/db", "write mysql"),
        ("mysql+pymysql://u:s3cret@host", "names no database"),
        ("mysql+pymysql:///db", "names no host"),
        ("mysql+pymysql://u:s3cret@host:port/db", "is not a database URL"),
        ("mysql+pymysql://u:s3@s3cret@host/db", "@ is written %40"),
        ("mysql+pymysql://u:s3cret@host/db?colour=blue", "the driver has no setting colour"),
    ],
)
def test_urls_that_are_wrong(url: str, message: str, queries: Path) -> None:
    with pytest.raises(UsageError, match=f"DAYSPRING_TINY_URL: .*{message}") as failed:
        MySqlSource(url, "DAYSPRING_TINY_URL", queries)
    assert "s3cret" not in str(failed.value)


def test_a_table_altered_in_the_middle_of_a_day(
    database: Database, queries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: object
) -> None:
    source = open_source(database.reader_url, queries)
    with source.consistent():
        run(database.writer_url, "ALTER TABLE log ADD COLUMN more BIGINT NOT NULL DEFAULT 1, ALGORITHM=COPY")
        with pytest.raises(SourceInterrupted, match="the table was altered while it was read"):
            table(source, "log", ["time"])
    assert digests(tmp_path / "root", source, monkeypatch) == expected
    source.close()


def test_a_connection_ended_by_the_operator(database: Database, queries: Path) -> None:
    fill(database.writer_url, 20_000)
    source = open_source(database.reader_url, queries)
    # More than what the two ends of a connection may have under way.
    batches = source.read("wide", ["pad"], None, chunk_rows=100).batches
    assert next(batches).num_rows == 100
    with connected(database.reader_url) as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [database.name])
        for (number,) in cursor.fetchall():
            if number != cursor.connection.thread_id():
                cursor.execute(f"KILL {number}")
    with pytest.raises(SourceInterrupted, match=r"the connection to the MySQL server at 127\.0\.0\.1:\d+ broke off"):
        list(batches)
    assert table(source, "log", ["time"]).num_rows == 20_000
    source.close()
