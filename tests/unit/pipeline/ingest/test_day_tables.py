"""The tables of a validated day, and as the day after may know them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DataError, PrunedPayload
from pipeline.ingest.day_tables import DayTables, NextTables, PartTables, read_next, read_table
from pipeline.job import JobContext
from tests.unit.pipeline.small_job import ADS, DAY, LOG, both, config, context, log_rows, write_ads, write_log


def test_a_table_without_running_columns_has_no_other_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ads = {**ADS, "columns": {"ad": {"type": "int", "required": True}}}
    job = context(tmp_path, monkeypatch, config({"log": LOG, "ads": ads}))
    write_log(tmp_path, log_rows(2))
    write_ads(tmp_path)
    found = both(job)
    assert set(found.manifest.files) == {"ads.parquet", "log.parquet", "quarantine.parquet"}
    assert read_next(found, "ads").equals(read_table(found, "ads"))


def test_tables_that_are_not_there_are_told_with_the_command_that_makes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context(tmp_path, monkeypatch)
    command = f"stage validate --job tiny --day {DAY}"
    with pytest.raises(DataError, match=f"tiny {DAY}: nothing is validated; .* {command}`$"):
        DayTables.needed(job, DAY)
    write_log(tmp_path, log_rows(2))
    write_ads(tmp_path)
    found = both(job)
    assert NextTables.needed(job, DAY).artifact.id == found.id
    job.store.prune(found)
    pruned = NextTables.needed(job, DAY)
    assert pruned.digest("log") == DayTables(found).digest("log"), "what was made of it still stands"
    with pytest.raises(PrunedPayload, match=f"{command} --reprocess`, or, .*backfill --job tiny --from {DAY} --to"):
        pruned("log")


def test_a_part_has_some_rows_of_one_table_and_the_others_once(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(5))
    artifact = both(job)
    first, second = (PartTables(job, artifact, "log", rows) for rows in ((0, 2), (2, 5)))
    assert [part("log")["ad"].to_pylist() for part in (first, second)] == [[10, 11], [12, 13, 14]]
    assert first("ads") is second("ads")
