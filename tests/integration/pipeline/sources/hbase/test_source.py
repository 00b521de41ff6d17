"""Days, keys and families of a real HBase, through extraction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ops.services.hbase import HBase
from pipeline.days import Day
from pipeline.errors import SourceError
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.sources.base import Contents
from pipeline.sources.hbase import source as source_module
from pipeline.sources.hbase.source import HBaseSource
from pipeline.storage.artifacts.artifact import Artifact, Ref
from tests.integration.hbase_world import DAY, LOG, PEOPLE, World, row, slashed

pytestmark = pytest.mark.service("hbase")


@pytest.fixture
def world(hbase: HBase, table_prefix: str) -> World:
    return World(hbase.port, table_prefix)


def log_of(found: Artifact) -> pa.Table:
    return pq.read_table(found.file("log.parquet"))


def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that were gone through for rows of a day, in order."""
    made: list[str] = []
    real = source_module.HBaseSource.read_days

    def counted(self: HBaseSource, source: str, *given: Any, **named: Any) -> Any:
        made.append(source)
        return real(self, source, *given, **named)

    monkeypatch.setattr(source_module.HBaseSource, "read_days", counted)
    return made


def test_one_pass_commits_every_day_of_the_block(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = [DAY.plus(-2), DAY, DAY.plus(3)]
    other_block = DAY.plus(-9)
    world.fill({**dict.fromkeys(days, 40), other_block: 7})
    made = passes(monkeypatch)
    job = world.job(tmp_path / "root", monkeypatch)
    assert extract(job, DAY).manifest.rows == {"log": 40, "people": 5}
    assert job.store.days("extract", "tiny") == days
    for day in days:
        found = extract(job, day)
        assert (found.generation, set(log_of(found)["log_day"].to_pylist())) == (1, {slashed(day)})
    assert made == ["ctx"]
    assert extract(job, DAY.next()).manifest.state == "skipped"
    assert extract(job, other_block).manifest.rows["log"] == 7
    assert made == ["ctx", "ctx"]


def test_a_day_of_a_block_is_as_if_it_were_read_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill({DAY: 200, DAY.next(): 300})
    block = world.job(tmp_path / "block", monkeypatch)
    alone = world.job(tmp_path / "alone", monkeypatch, extract_block=1)
    chunked = world.job(tmp_path / "chunked", monkeypatch, world.url_at(world.port, batch=7, connections=3))
    for day in (DAY, DAY.next()):
        found = [extract(each, day).manifest for each in (block, alone, chunked)]
        assert len({each.extra["digests"]["log"] for each in found}) == 1
        assert found[0].rows == found[1].rows == found[2].rows


def test_days_that_are_not_settled_or_not_whole_wait_for_their_own_turn(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [DAY.plus(-4), DAY.plus(-1), DAY, DAY.next()]
    world.fill(dict.fromkeys(days, 3))
    world.make("more")
    world.put("more", {"1_1": row(DAY), "2_2": row(DAY.plus(-4))})
    job = world.job(
        tmp_path / "root", monkeypatch, start=str(DAY.plus(-1)), dirty_days=[str(DAY.next())],
        tables={"log": LOG, "more": {**LOG, "source": "more"}, "people": PEOPLE},
    )  # fmt: skip
    extract(job, DAY)
    assert job.store.days("extract", "tiny") == [DAY]
    assert job.store.days("day", "tiny") == [DAY]


def test_both_forms_of_keys_and_what_an_overwriting_one_may_have_lost(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.make("ctx", {"c": {"max_versions": 3}})
    world.make("usr")
    world.put("usr", {"1": {"c:user": "1"}})
    world.put("ctx", {"1_2": row(**{"c:label": "0"})})
    world.put("ctx", {"1_2": row(), "1_2_1709524800000_0": row(), "1_2_1709524800000_1": row(), "1_3_5_0": row()})
    job = world.job(tmp_path / "root", monkeypatch)
    found = extract(job, DAY)
    assert log_of(found)["row_key"].to_pylist() == ["1_2", "1_2", "1_2", "1_3"]
    assert found.manifest.extra["notes"]["log"] == {
        "cells_not_text": 0, "keys_that_overwrite": 1, "keys_looked_at": 1, "overwritten": 1,
    }  # fmt: skip
    # The three exposures are equal in every column: exact duplicates, as they would be in any other store.
    assert validate(job, DAY).manifest.extra["counts"]["log"]["duplicates"] == 2


def test_where_one_version_is_kept_what_was_overwritten_is_unknown(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill({})
    world.put("ctx", {"1_2": row()})
    notes = extract(world.job(tmp_path / "root", monkeypatch), DAY).manifest.extra["notes"]["log"]
    assert notes == {
        "cells_not_text": 0, "keys_that_overwrite": 1, "overwritten": "unknown: one version of a cell is kept",
    }  # fmt: skip


def test_a_column_is_found_in_any_family_with_or_without_its_prefix(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.make("ctx", ["b", "c", "kind"])
    world.make("usr")
    world.put("usr", {"1": {"c:user": "1"}})
    world.put("ctx", {
        "1_1": row(),
        "1_2": {"b:label": "0", "b:log_day": slashed(DAY), "kind:": "bare"},
        "1_3": row(**{"b:kind": "first family"}),
    })  # fmt: skip
    columns = {**LOG["columns"], "named": {"type": "str", "source": "c:kind"}}
    tables = {"log": {**LOG, "columns": columns}, "people": PEOPLE}
    found = log_of(extract(world.job(tmp_path / "root", monkeypatch, tables=tables), DAY))
    assert found["label"].to_pylist() == ["1", "0", "1"]
    assert found["kind"].to_pylist() == ["a", "bare", "first family"]
    assert found["c:kind"].to_pylist() == ["a", None, "a"]


def test_undated_rows_are_those_of_the_days_and_of_the_extract_before(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = DAY.plus(10)
    world.make("ctx")
    world.make("usr")
    world.put("usr", {str(n): {"c:user": f"{n}.0", "c:city": "x"} for n in range(1, 10)})
    world.put("ctx", {"1_1": row(), "7_1": row(DAY.next()), "33_1": row()})
    world.put("ctx", {"2_1": row(later), " 3.0_1": row(later), "oops_1": row(later)})
    job = world.job(tmp_path / "root", monkeypatch)
    first, second = (pq.read_table(extract(job, day).file("people.parquet")) for day in (DAY, later))
    assert first["user"].to_pylist() == ["1.0", "7.0"]
    assert second["user"].to_pylist() == ["1.0", "2.0", "3.0", "7.0"]
    # Who has left is not kept, who has changed is read anew.
    with world.connected() as connection:
        connection.table(world.prefix + "usr").delete(b"7")
    world.put("usr", {"1": {"c:city": "y"}})
    again = pq.read_table(extract(job, later, reprocess=True).file("people.parquet"))
    assert dict(zip(again["user"].to_pylist(), again["city"].to_pylist(), strict=True)) == {
        "1.0": "y", "2.0": "x", "3.0": "x",
    }  # fmt: skip


def test_without_keys_the_undated_table_is_read_whole(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill({DAY: 4}, users=3)
    world.put("usr", {f"{n:04}": {"c:user": str(n)} for n in range(10, 1500)})
    tables = {"log": LOG, "people": {name: value for name, value in PEOPLE.items() if name != "keys"}}
    found = extract(world.job(tmp_path / "root", monkeypatch, tables=tables), DAY)
    assert found.manifest.rows["people"] == 1493


def test_another_table_stands_in_on_some_days_of_a_block(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fill({DAY: 5, DAY.next(): 5, DAY.plus(2): 5})
    world.make("offline")
    world.put("offline", {"1_1": row(DAY.next()), "1_2": row(DAY)})
    log = {**LOG, "sources": [{"source": "offline", "first": str(DAY.next()), "last": str(DAY.next())}]}
    made = passes(monkeypatch)
    job = world.job(tmp_path / "root", monkeypatch, tables={"log": log, "people": PEOPLE})
    found = {day: extract(job, day).manifest for day in (DAY, DAY.next(), DAY.plus(2))}
    assert [each.rows["log"] for each in found.values()] == [5, 1, 5]
    assert [each.extra["sources"]["log"] for each in found.values()] == ["ctx", "offline", "ctx"]
    assert sorted(made) == ["ctx", "offline"]


def test_counts_markers_and_first_rows(world: World) -> None:
    world.fill({DAY: 123, DAY.next(): 1})
    source = HBaseSource(world.url, "X", {})
    source.check()
    assert [source.count("ctx", day) for day in (DAY, DAY.next(), DAY.plus(2))] == [123, 1, 0]
    assert source.count("usr", None) == 5
    assert [source.has_rows("ctx", day) for day in (DAY, DAY.plus(2))] == [True, False]
    assert source.has_rows("usr", None)
    assert not source.is_marked("ctx", DAY)
    world.make("day_ready", ["r"])
    world.put("day_ready", {f"ctx/{DAY}": {"r:at": "now"}})
    assert source.is_marked("ctx", DAY)
    assert not source.is_marked("ctx", DAY.next())
    assert source.version("usr") is None
    source.close()


def test_a_pre_split_table_is_read_in_the_order_of_its_keys(hbase: HBase, table_prefix: str) -> None:
    world = World(hbase.port, table_prefix)
    hbase.split(f"{world.prefix}ctx", ["c"], 4)
    keys = [f"{n:03}_1" for n in range(600)] + [bytes([n, 200]) for n in range(256)]
    world.put("ctx", {key: row() for key in keys})
    source = HBaseSource(world.url_at(world.port, batch=10, connections=3), "X", {})
    found = pa.Table.from_batches(source.read("ctx", ["row_key", "label"], DAY, chunk_rows=1000).batches)
    assert found.num_rows == 856
    numbers = [key for key in found["row_key"].to_pylist() if key.endswith("_1")]
    assert numbers == sorted(numbers)
    assert len(set(found["row_key"].to_pylist())) == 856
    source.close()


def test_a_day_is_known_by_the_reader_of_another_process_alone_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen threads ask for the days of a block at once; one of them reads, and the others find theirs done."""
    from concurrent.futures import ThreadPoolExecutor

    days = [DAY.plus(n) for n in range(-3, 4)]
    world.fill(dict.fromkeys(days, 20))
    made = passes(monkeypatch)
    jobs = [world.job(tmp_path / "root", monkeypatch) for _ in days]

    def run(job: JobContext, day: Day) -> int:
        return extract(job, day).manifest.rows["log"]

    with ThreadPoolExecutor(len(days)) as pool:
        assert list(pool.map(run, jobs, days)) == [20] * len(days)
    assert made == ["ctx"]
    assert all(jobs[0].store.current(Ref("extract", "tiny", day)).generation == 1 for day in days)  # type: ignore[union-attr]


def test_what_is_found_in_a_table_without_a_pass_over_it(world: World, tmp_path: Path) -> None:
    world.fill({DAY: 40})
    world.make("bare")
    source = HBaseSource(world.url, "DAYSPRING_TINY_URL", {})
    assert source.contents("ctx", ["label", "p:price"], dated=True) == Contents(True, missing=("p:price",))
    assert source.contents("bare", ["label"], dated=True) == Contents(False)
    with pytest.raises(SourceError, match="no table 'gone'"):
        source.contents("gone", [], dated=False)
    source.close()
