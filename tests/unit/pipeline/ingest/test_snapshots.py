"""Undated tables as a day may know them: running columns only of a snapshot taken by then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest import read_tables
from pipeline.ingest.day_tables import read_next, read_table
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.small_job import DAY, both, context, log_rows, write_ads, write_log


def taken_at(monkeypatch: pytest.MonkeyPatch, instant: str) -> None:
    """Snapshots are stamped with this instant."""
    real = read_tables.datetime

    class Clock(real):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.fromisoformat(instant).astimezone(tz)

    monkeypatch.setattr(read_tables, "datetime", Clock)


def test_running_columns_of_a_later_snapshot_read_as_missing(job: JobContext) -> None:
    found = both(job)  # the snapshot is of today, long after the day
    assert read_table(found, "ads").to_pylist() == [
        {"ad": 10, "kind": "a", "shown": None}, {"ad": 11, "kind": "b", "shown": None},
    ]  # fmt: skip
    assert found.manifest.extra["counts"]["ads"]["running_unavailable"] == 2
    assert read_next(found, "ads")["shown"].null_count == 2


def test_a_planted_future_value_moves_nothing(job: JobContext, tmp_path: Path) -> None:
    first = both(job)
    write_ads(tmp_path, shown=[10**9, -1])
    assert both(job, reprocess=True).manifest.digest == first.manifest.digest


def test_running_columns_come_from_the_newest_snapshot_up_to_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context(tmp_path, monkeypatch)
    for place, day in enumerate([DAY, DAY.plus(1), DAY.plus(2)]):
        write_log(tmp_path, log_rows(5, day), day)
        # As in daily work: the run of a day reads the tables in the night after it.
        write_ads(tmp_path, ad=[10, 11, 12 + place], kind=["a", "b", "c"], shown=[place * 10, place * 10 + 1, 7])
        taken_at(monkeypatch, f"{day.next()}T02:00:00+08:00")
        both(job, day)
    first, second = (job.store.current(Ref("validated", "tiny", DAY.plus(i))) for i in (0, 1))
    assert first is not None
    assert second is not None
    assert read_table(first, "ads")["shown"].to_pylist() == [None, None, None]
    assert read_next(first, "ads")["shown"].to_pylist() == [0, 1, 7]
    # The snapshot that the day before took is of this day; ad 13 is new since.
    assert read_table(second, "ads")["shown"].to_pylist() == [0, 1, None]
    assert second.manifest.extra["counts"]["ads"]["running_unavailable"] == 1
    assert read_next(second, "ads")["shown"].to_pylist() == [10, 11, 7]
    assert {each.id for each in second.manifest.inputs} == {
        "extract/tiny/day=2024-03-04/gen=0001", "extract/tiny/day=2024-03-05/gen=0001",
    }  # fmt: skip


def test_a_snapshot_of_the_day_itself_is_used(job: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_at(monkeypatch, "2024-03-04T23:59:00+08:00")
    found = both(job)
    assert read_table(found, "ads")["shown"].to_pylist() == [100, 200]
    assert found.file("ads.parquet").samefile(found.file("ads.next.parquet"))
    assert found.manifest.extra["running"]["ads"]["from"] == "extract/tiny/day=2024-03-04/gen=0001"


def test_the_zone_decides_which_day_a_snapshot_is_of(job: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_at(monkeypatch, "2024-03-04T16:30:00+00:00")  # half past midnight of the day after
    found = both(job)
    assert read_table(found, "ads")["shown"].null_count == 2
    assert read_next(found, "ads")["shown"].to_pylist() == [100, 200]


def test_a_bad_running_value_does_not_remove_the_row(job: JobContext, tmp_path: Path) -> None:
    write_ads(tmp_path, shown=["x", "200"])
    assert read_table(both(job), "ads")["ad"].to_pylist() == [10, 11]


def test_a_day_stands_whatever_snapshot_of_it_was_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(tmp_path, monkeypatch)
    for day in (DAY, DAY.plus(1)):
        write_log(tmp_path, log_rows(5, day), day)
        write_ads(tmp_path, shown=[1, 2])
        taken_at(monkeypatch, f"{day.next()}T02:00:00+08:00")
        made = both(job, day)
    assert read_table(made, "ads")["shown"].to_pylist() == [1, 2]
    for day in (DAY, DAY.plus(1)):
        extracted = job.store.current(Ref("extract", "tiny", day))
        assert extracted is not None
        job.store.prune(extracted)
    assert both(context(tmp_path, monkeypatch), DAY.plus(1)).id == made.id
