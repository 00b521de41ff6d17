"""A table as its source holds it now, and what of it cannot be taken."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import DataError, UsageError
from pipeline.ingest.table_now import table_now
from pipeline.job import JobContext
from tests.unit.pipeline.small_job import ADS, LOG, config, context, write_ads


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    return context(tmp_path, monkeypatch, config(validation={"max_quarantined": 0.4}))


def test_it_is_read_again_each_time_running_columns_too_and_nothing_is_kept(job: JobContext, tmp_path: Path) -> None:
    write_ads(tmp_path, ad=[11, 10], kind=["b", "a"], shown=[5, 7])
    assert table_now(job, "ads").to_pylist() == [
        {"ad": 10, "kind": "a", "shown": 7}, {"ad": 11, "kind": "b", "shown": 5},
    ]  # fmt: skip
    write_ads(tmp_path, ad=[11, 12, None], kind=["b", "c", "d"], shown=[5, 6, 7])
    assert table_now(job, "ads")["ad"].to_pylist() == [11, 12], "what a day would put into quarantine is left out"
    assert not (tmp_path / "root").exists()


def test_a_table_that_is_empty_or_wrong_as_a_whole_is_not_taken(job: JobContext, tmp_path: Path) -> None:
    write_ads(tmp_path, ad=[], kind=[], shown=[])
    with pytest.raises(DataError, match=r"table 'ads' of parquet:.* has no rows now; fill it"):
        table_now(job, "ads")
    write_ads(tmp_path, ad=[11, None], kind=["b", "c"], shown=[5, 6])
    with pytest.raises(DataError, match=r"1 of 2 rows cannot be read, more than validation.max_quarantined = 40% .*ad"):
        table_now(job, "ads")


def test_where_rows_are_found_by_key_there_is_no_whole_table(tmp_path: Path) -> None:
    source = SimpleNamespace(reads_keys=True, url="hbase://here")
    settings = config({"log": LOG, "ads": {**ADS, "keys": {"table": "log", "column": "ad"}}})
    where: Any = SimpleNamespace(config=settings, source=lambda: source)
    with pytest.raises(UsageError, match=r"tables.ads.keys: of hbase://here the rows that a day names are read"):
        table_now(where, "ads")
