"""What an HBase, its gateway, its rows and the way to it may do to a day that is read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import happybase
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from thriftpy2.thrift import TException

from ops.services.hbase import HBase
from pipeline.errors import SourceError
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.sources.hbase import link
from pipeline.sources.hbase.source import HBaseSource
from pipeline.storage.artifacts.artifact import Artifact
from tests.integration.hbase_world import DAY, LOG, PEOPLE, World, row
from tests.proxy import Proxy
from tests.services import kill_and_restart

pytestmark = pytest.mark.service("hbase")
NEXT = DAY.next()


@pytest.fixture
def world(hbase: HBase, table_prefix: str) -> World:
    return World(hbase.port, table_prefix)


@pytest.fixture
def proxy(hbase: HBase) -> Iterator[Proxy]:
    with Proxy("127.0.0.1", hbase.port) as found:
        yield found


def digests(found: Artifact) -> dict[str, str]:
    return dict(found.manifest.extra["digests"])


@contextmanager
def meanwhile(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs ``act`` beside the block; its own failure fails the test."""
    over, failed = threading.Event(), []

    def run() -> None:
        try:
            act(over)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(300)
    assert not failed, failed


def test_nothing_listens(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = world.job(tmp_path / "root", monkeypatch, "hbase://127.0.0.1:9/")
    with pytest.raises(
        SourceError, match=r"no HBase Thrift gateway answers at 127\.0\.0\.1:9 .*set DAYSPRING_TINY_URL"
    ):
        extract(job, DAY)
    assert job.store.days("extract", "tiny") == []
    assert job.store.days("day", "tiny") == []


def test_the_gateway_stays_away_after_the_first_answer(
    world: World, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill({DAY: 200})
    monkeypatch.setattr(link, "ATTEMPTS", 4)
    job = world.job(tmp_path / "root", monkeypatch, world.url_at(proxy.port, batch=10))
    job.source().check()
    proxy.refuse()
    proxy.cut()
    with pytest.raises(SourceError, match=r"broke off 4 times without getting further.*run the day again"):
        extract(job, DAY)
    assert job.store.days("extract", "tiny") == []
    proxy.refuse(False)
    assert extract(job, DAY).manifest.rows["log"] == 200


@pytest.mark.parametrize("size", [3_000, 40_000, 150_000, 260_000])
def test_a_connection_cut_in_mid_read_leaves_no_trace(
    world: World, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    world.fill({DAY: 1500, NEXT: 1500}, users=700)
    calm = world.job(tmp_path / "calm", monkeypatch)
    cut = world.job(tmp_path / "cut", monkeypatch, world.url_at(proxy.port, batch=40, connections=3))
    cut.source().check()
    proxy.cut_after(size)
    for day in (DAY, NEXT):
        assert digests(extract(cut, day)) == digests(extract(calm, day))
    assert proxy.passed > size, "the connections were never cut"


def test_connections_cut_again_and_again(
    world: World, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill({DAY: 2000}, users=300)
    calm = world.job(tmp_path / "calm", monkeypatch)
    job = world.job(tmp_path / "cut", monkeypatch, world.url_at(proxy.port, batch=50, connections=2))
    job.source().check()
    cuts = 0

    def cut(over: threading.Event) -> None:
        nonlocal cuts
        seen = proxy.passed
        while not over.wait(0.005):
            if proxy.passed > seen + 30_000:
                proxy.cut()
                seen, cuts = proxy.passed, cuts + 1

    with meanwhile(cut):
        found = extract(job, DAY)
    assert digests(found) == digests(extract(calm, DAY))
    assert cuts >= 3


def test_scanners_that_the_server_has_forgotten(world: World, proxy: Proxy) -> None:
    """As after leases that ran out while the reader waited: the gateway no longer knows them."""
    world.fill({DAY: 2500}, users=300)
    source = HBaseSource(world.url_at(proxy.port, batch=10, connections=2), "X", {})
    calm = pa.Table.from_batches(source.read("ctx", ["row_key", "c:label"], DAY, chunk_rows=10).batches)
    batches = source.read("ctx", ["row_key", "c:label"], DAY, chunk_rows=10).batches
    found = [next(batches)]
    passed = -1
    while passed != proxy.passed:  # until every thread has read ahead as far as it may
        passed = proxy.passed
        time.sleep(0.5)
    with world.connected() as connection:
        newest = connection.client.scannerOpen(f"{world.prefix}usr".encode(), b"", [], {})
        closed = sum(_forget(connection, number) for number in range(max(0, newest - 40), newest))
    assert closed >= 1
    found += batches
    assert pa.Table.from_batches(found).equals(calm)
    source.close()


def _forget(connection: happybase.Connection, scanner: int) -> bool:
    try:
        connection.client.scannerClose(scanner)
    except TException:  # it had come to its end
        return False
    return True


@pytest.mark.slow
def test_the_server_is_killed_in_mid_read_and_started_again(
    own_server: Callable[[type[HBase]], HBase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may take minutes to start a server.
    monkeypatch.setattr("pipeline.sources.hbase.link.ATTEMPTS", 60)
    server = own_server(HBase)
    server.split("rows", ["a", "b"], 4)
    connection = happybase.Connection("127.0.0.1", server.port, timeout=60_000)
    with connection.table("rows").batch(batch_size=500) as batch:
        for n in range(2_000):
            batch.put(bytes([n % 256]) + b"%d" % n, {b"a:n": b"%d" % n})
    assert len(connection.table("rows").regions()) == 4
    connection.close()
    world = World(server.port, "own_")
    world.fill({DAY: 3000, NEXT: 500}, users=400)
    calm = extract(world.job(tmp_path / "calm", monkeypatch), DAY)
    with Proxy("127.0.0.1", server.port) as proxy:
        job = world.job(tmp_path / "killed", monkeypatch, world.url_at(proxy.port, batch=20, connections=2, timeout=20))
        job.source().check()
        killed_at = 0

        def kill(over: threading.Event) -> None:
            nonlocal killed_at
            while proxy.passed < 100_000 and not over.wait(0.002):
                pass
            killed_at = proxy.passed
            kill_and_restart(server)

        proxy.slow_down(0.002)
        with meanwhile(kill):
            found = extract(job, DAY)
        assert killed_at
        assert proxy.passed > killed_at, "nothing was read after the kill"
    assert digests(found) == digests(calm)
    assert found.manifest.rows == calm.manifest.rows
    connection = happybase.Connection("127.0.0.1", server.port, timeout=60_000)
    values = {cells[b"a:n"] for _, cells in connection.table("rows").scan()}
    connection.close()
    assert values == {b"%d" % n for n in range(2_000)}


def test_a_gateway_that_does_not_answer_in_time(
    world: World, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill({DAY: 5})
    job = world.job(tmp_path / "root", monkeypatch, world.url_at(proxy.port, timeout=0.3))
    proxy.slow_down(2)
    began = time.monotonic()
    with pytest.raises(SourceError, match=rf"127\.0\.0\.1:{proxy.port}"):
        extract(job, DAY)
    assert time.monotonic() - began < 60, "the time-out was not set"


def test_a_gateway_that_answers_large_questions_too_late(
    world: World, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece of 16 KiB takes half a second: only small answers come in time."""
    world.fill({DAY: 600}, users=2)
    calm = extract(world.job(tmp_path / "calm", monkeypatch), DAY)
    monkeypatch.setattr(link, "_LONGEST_PAUSE", 0.1)
    job = world.job(tmp_path / "slow", monkeypatch, world.url_at(proxy.port, timeout=1, connections=4))
    job.source().check()
    proxy.slow_down(0.45)
    assert digests(extract(job, DAY)) == digests(calm)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "nowhere"}, r"HBase has no table 'nowhere', .*one of: ctx, usr"),
        ({"day": "when"}, r"no family 'x', in which `day: x:log_day` .*it has: c"),
    ],
)
def test_a_table_or_family_that_is_not_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], message: str
) -> None:
    world.fill({DAY: 2})
    columns = {**LOG["columns"], "when": {"type": "day", "source": "x:log_day"}}
    job = world.job(
        tmp_path / "root", monkeypatch, tables={"log": {**LOG, "columns": columns, **change}, "people": PEOPLE}
    )
    with pytest.raises(SourceError, match=message):
        extract(job, DAY)


@pytest.mark.parametrize("source", ["lable", "x:label"])
def test_a_required_column_that_no_row_has(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    world.fill({DAY: 2})
    columns = {**LOG["columns"], "label": {**LOG["columns"]["label"], "source": source}}
    job = world.job(tmp_path / "root", monkeypatch, tables={"log": {**LOG, "columns": columns}, "people": PEOPLE})
    told = rf"table 'ctx' has in the rows of {DAY} no value in column {source} \(`label`\)"
    with pytest.raises(SourceError, match=told):
        extract(job, DAY)
    assert job.store.days("extract", "tiny") == []


def test_an_optional_column_that_no_row_has_is_missing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill({DAY: 2})
    columns = {**LOG["columns"], "a": {"type": "str"}, "b": {"type": "str", "source": "x:b"}}
    tables = {"log": {**LOG, "columns": columns}, "people": PEOPLE}
    found = extract(world.job(tmp_path / "root", monkeypatch, tables=tables), DAY)
    assert found.manifest.extra["missing_columns"] == {"log": ["a", "x:b"]}


def test_cells_that_are_not_text(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fill({DAY: 50})
    world.put("ctx", {
        "9_1": row(**{"c:label": b"\x00\x00\x00\x01"}),
        "9_2": row(**{"c:label": b"\xff\xfe"}),
        "9_3": row(**{"c:kind": b"caf\xe9"}),
        b"\xfa\xce": row(),
    })  # fmt: skip
    job = world.job(tmp_path / "root", monkeypatch, validation={"max_quarantined": 0.5})
    found = extract(job, DAY)
    assert found.manifest.extra["notes"]["log"]["cells_not_text"] == 3
    kinds = pq.read_table(found.file("log.parquet"))["kind"].to_pylist()
    assert "caf\\xe9" in kinds
    counts = validate(job, DAY).manifest.extra["counts"]["log"]
    assert (counts["read"], counts["kept"]) == (54, 51)
    assert counts["reasons"] == {"label: not a whole number": 2, "user: not a whole number": 1}


def test_a_row_of_a_hundred_thousand_columns(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fill({DAY: 3})
    world.put("ctx", {"2_2": row(), "1_9": row()})
    world.put("ctx", {"2_2": {f"c:column {n:06}": "value" * 4 for n in range(100_000)}})
    with Proxy("127.0.0.1", world.port) as proxy:
        job = world.job(tmp_path / "root", monkeypatch, world.url_at(proxy.port))
        assert extract(job, DAY).manifest.rows["log"] == 5
        assert job.source().count("ctx", DAY) == 5
        assert proxy.passed < 200_000, "cells travelled that nobody asked for"


def test_writers_into_the_day_while_it_is_read(
    world: World, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row that stood before is read once and whole; one that two writers put meanwhile is read whole or not."""
    world.fill({DAY: 1200}, users=100)
    before = set(_keys(extract(world.job(tmp_path / "calm", monkeypatch), DAY)))
    job = world.job(tmp_path / "root", monkeypatch, world.url_at(proxy.port, batch=20, connections=2))
    proxy.slow_down(0.003)
    written = [0, 0]

    def write(number: int) -> Callable[[threading.Event], None]:
        def go(over: threading.Event) -> None:
            while not over.is_set():
                new = f"{1 + written[number] % 90}_{number + 5}{written[number]:05}"
                world.put("ctx", {new: row(**{"c:label": str(number), "c:kind": str(number)})})
                written[number] += 1

        return go

    with meanwhile(write(0)), meanwhile(write(1)):
        found = extract(job, DAY)
    table = pq.read_table(found.file("log.parquet"))
    keys = _keys(found)
    assert len(set(keys)) == len(keys)
    assert before <= set(keys)
    assert min(written) > 0
    new = [(each["label"], each["kind"]) for each in table.to_pylist() if each["row_key"] not in before]
    assert all(label == kind for label, kind in new), "a row was read in part"


def _keys(found: Artifact) -> list[str]:
    return list(pq.read_table(found.file("log.parquet"))["row_key"].to_pylist())


def test_a_reader_that_is_given_up_leaves_no_thread_behind(world: World) -> None:
    world.fill({DAY: 2000}, users=300)
    job_threads = set(threading.enumerate())
    source = HBaseSource(world.url_at(world.port, batch=5), "X", {})
    batches = source.read("ctx", ["row_key"], DAY, chunk_rows=5).batches
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    source.close()
    assert {thread for thread in threading.enumerate() if thread.is_alive()} <= job_threads


def test_context_is_used(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.fill({DAY: 1})
    job: JobContext = world.job(tmp_path / "root", monkeypatch)
    extract(job, DAY)
    job.close()
    assert extract(job, DAY, reprocess=True).manifest.rows["log"] == 1
