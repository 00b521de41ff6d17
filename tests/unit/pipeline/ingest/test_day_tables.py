"""The tables of a validated day, and as the day after may know them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.ingest.day_tables import read_next, read_table
from tests.unit.pipeline.small_job import ADS, LOG, both, config, context, log_rows, write_ads, write_log


def test_a_table_without_running_columns_has_no_other_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ads = {**ADS, "columns": {"ad": {"type": "int", "required": True}}}
    job = context(tmp_path, monkeypatch, config({"log": LOG, "ads": ads}))
    write_log(tmp_path, log_rows(2))
    write_ads(tmp_path)
    found = both(job)
    assert set(found.manifest.files) == {"ads.parquet", "log.parquet", "quarantine.parquet"}
    assert read_next(found, "ads").equals(read_table(found, "ads"))
