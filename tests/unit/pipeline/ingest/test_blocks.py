"""Blocks of days, rows by key and what broke off, out of a source of the test's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.days import Day
from pipeline.errors import ConfigError, SourceError, SourceInterrupted
from pipeline.ingest import extract as extraction
from pipeline.ingest.blocks import block_of
from pipeline.ingest.extract import extract
from pipeline.job import JobContext
from pipeline.sources.base import Contents, DaysReading, Reading, Source
from tests.unit.pipeline.small_job import ADS, LOG, config, log_rows

DAY = Day.of(2024, 2, 28)
"""Its block is 2024-02-24 … 2024-03-04."""


class Blocks(Source):
    """Days in memory; the next reads break off, each after so many batches."""

    reads_blocks = True
    reads_keys = True

    def __init__(self, days: dict[Day, int]) -> None:
        super().__init__("memory:", "X")
        self.days = days
        self.asked: list[list[Day]] = []
        self.keys: list[list[str]] = []
        self.breaks: list[int] = []
        self.marked: set[Day] = set()

    def check(self) -> None:
        return

    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        raise AssertionError("nothing is read whole, or a day at a time")

    def read_days(self, source: str, columns: Sequence[str], days: Sequence[Day], *, chunk_rows: int) -> DaysReading:
        self.asked.append(list(days))
        return DaysReading((), self._batches(columns, days), {day: {"seen": True} for day in days})

    def _batches(self, columns: Sequence[str], days: Sequence[Day]) -> Iterator[tuple[Day, pa.RecordBatch]]:
        left = self.breaks.pop(0) if self.breaks else None
        for number in range(3):
            for day in days:
                if left == 0:
                    raise SourceInterrupted("memory: broke off")
                left = None if left is None else left - 1
                count = self.days.get(day, 0)
                if count:
                    rows = log_rows(count, day).select(list(columns)).combine_chunks()
                    yield day, rows.slice(number * count // 3, count // 3).to_batches()[0]

    def read_keys(self, source: str, columns: Sequence[str], keys: Sequence[str], *, chunk_rows: int) -> Reading:
        self.keys.append(list(keys))
        rows = pa.table({"ad": list(keys), "kind": ["k"] * len(keys), "shown": ["1"] * len(keys)})
        return Reading((), iter(rows.select(list(columns)).to_batches()))

    def count(self, source: str, day: Day | None) -> int:
        return self.days.get(day, 0) if day else 0

    def has_rows(self, source: str, day: Day | None) -> bool:
        return self.count(source, day) > 0

    def contents(self, source: str, columns: Sequence[str], *, dated: bool) -> Contents:
        return Contents(True)

    def is_marked(self, source: str, day: Day) -> bool:
        return day in self.marked


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Blocks:
    found = Blocks({DAY: 6, DAY.next(): 9, DAY.plus(7): 3})
    monkeypatch.setattr(JobContext, "source", lambda self: found)
    monkeypatch.setattr(extraction, "_PAUSE", 0.0)
    return found


def job(root: Path, **settings: Any) -> JobContext:
    ads = {**ADS, "keys": {"table": "log", "column": "ad"}}
    return JobContext(config({"log": LOG, "ads": ads}, **settings), root)


def test_a_block_is_aligned_with_the_calendar_and_keeps_to_what_is_open(blocks: Blocks, tmp_path: Path) -> None:
    context = job(tmp_path, dirty_days=[str(DAY.plus(-3))])
    days = [Day.of(2024, 2, n) for n in (24, 26, 27, 28, 29)] + [Day.of(2024, 3, n) for n in range(1, 5)]
    assert block_of(context, DAY, "extract") == days
    assert block_of(job(tmp_path, start=str(DAY)), DAY, "extract") == days[3:]
    assert block_of(job(tmp_path, start=str(DAY), state_from=str(DAY.previous())), DAY, "extract") == days[2:]
    assert block_of(job(tmp_path, extract_block=1), DAY, "extract") == [DAY]
    assert block_of(job(tmp_path, extract_block=3), DAY, "extract") == days[1:4]
    extract(context, DAY.plus(2))  # empty: skipped
    assert block_of(context, DAY, "extract") == [day for day in days if day != DAY.plus(2)]
    extract(context, DAY)
    assert DAY.next() not in block_of(context, DAY.plus(-1), "extract")
    blocks.reads_blocks = False
    assert block_of(context, DAY, "extract") == [DAY]


def test_a_day_that_may_still_grow_is_not_read_along(blocks: Blocks, tmp_path: Path) -> None:
    context = job(tmp_path, deadline_hours=24 * 365 * 100)
    assert block_of(context, DAY, "extract") == [DAY]
    blocks.marked.add(DAY.next())
    assert block_of(context, DAY, "extract") == [DAY, DAY.next()]


def test_the_days_of_a_pass_share_its_undated_rows(blocks: Blocks, tmp_path: Path) -> None:
    context = job(tmp_path)
    found = [extract(context, day) for day in (DAY, DAY.next())]
    assert len(blocks.asked) == len(blocks.keys) == 1
    assert [each.manifest.rows["log"] for each in found] == [6, 9]
    assert found[0].file("ads.parquet").samefile(found[1].file("ads.parquet"))
    assert [each.manifest.extra["linked"] for each in found] == [[], ["ads"]]
    assert all(each.manifest.extra["notes"] == {"log": {"seen": True}} for each in found)
    assert blocks.keys[0] == [str(n) for n in range(10, 19)]
    extract(context, DAY.plus(7))
    assert blocks.keys[1] == [str(n) for n in range(10, 19)]


def test_what_broke_off_is_read_anew(blocks: Blocks, tmp_path: Path) -> None:
    calm = extract(job(tmp_path / "calm"), DAY)
    blocks.breaks = [4, 0]
    found = extract(job(tmp_path / "broken"), DAY)
    assert found.manifest.digest == calm.manifest.digest
    assert not blocks.breaks


def test_what_breaks_off_again_and_again_is_not_committed(blocks: Blocks, tmp_path: Path) -> None:
    blocks.breaks = [4, 0, 5, 99]
    context = job(tmp_path)
    with pytest.raises(SourceInterrupted):
        extract(context, DAY)
    assert blocks.breaks == [99]
    assert context.store.days("extract", "tiny") == context.store.days("day", "tiny") == []
    assert not [path for path in (tmp_path / "extract" / "tiny").iterdir() if path.name.startswith(".staging")]


def test_no_row_of_any_key_fails_the_day(blocks: Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "read_keys", lambda *_, **__: Reading((), iter(())))
    with pytest.raises(SourceError, match=r"'ads' .*has none of the 9 keys that the day's rows name"):
        extract(job(tmp_path), DAY)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"table": "nowhere", "column": "ad"}, "no column of a dated table 'nowhere'"),
        ({"table": "log", "column": "nothing"}, "'nothing' is no column"),
        ({"table": "ads", "column": "ad"}, "no column of a dated table 'ads'"),
    ],
)
def test_keys_name_a_column_of_a_dated_table(keys: dict[str, str], message: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=message):
        config({"log": LOG, "ads": {**ADS, "keys": keys}})


def test_a_source_that_breaks_off_while_the_day_is_looked_for_is_asked_again(
    blocks: Blocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ready = extraction.day_state

    def breaks_off_twice(context: JobContext, day: Day) -> Any:
        asked.append(str(day))
        if len(asked) < 3:
            raise SourceInterrupted("the connection was lost")
        return ready(context, day)

    monkeypatch.setattr(extraction, "day_state", breaks_off_twice)
    assert extract(job(tmp_path), DAY).manifest.state == "done"
    assert asked == [str(DAY)] * 3


@pytest.mark.parametrize("kept", [DAY.next(), DAY.plus(7)])
def test_a_pruned_day_that_is_read_again_asks_for_the_keys_of_the_nearest_one_kept(
    blocks: Blocks, tmp_path: Path, kept: Day
) -> None:
    context = job(tmp_path, extract_block=1)
    for made in [extract(context, day) for day in (DAY, DAY.next(), DAY.plus(7))]:
        if made.ref.day != kept:
            context.store.prune(made)
    extract(context, DAY, reprocess=True)
    # Its own rows name ads 10 to 15; whoever was read before them, or after, has 10 to 18.
    assert blocks.keys[-1] == [str(n) for n in range(10, 19)]
