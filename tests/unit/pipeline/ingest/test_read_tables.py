"""Tables as they are read: what is missing, what is of several types, what has not changed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError
from pipeline.ingest.extract import extract
from pipeline.job import JobContext
from pipeline.storage.physical_types import one_of
from tests.unit.pipeline.small_job import ADS, DAY, LOG, config, context, log_rows, write_ads, write_log


def test_an_unchanged_snapshot_is_linked_without_a_read(job: JobContext, tmp_path: Path) -> None:
    first = extract(job, DAY)
    write_log(tmp_path, log_rows(2, DAY.next()), DAY.next())
    second = extract(job, DAY.next())
    assert second.manifest.extra["linked"] == ["ads"]
    assert first.file("ads.parquet").samefile(second.file("ads.parquet"))
    assert second.manifest.extra["digests"]["ads"] == first.manifest.extra["digests"]["ads"]
    assert second.manifest.rows["ads"] == 2


def test_a_rewritten_but_equal_snapshot_is_linked_and_a_changed_one_is_not(job: JobContext, tmp_path: Path) -> None:
    first = extract(job, DAY)
    days = [DAY.plus(1), DAY.plus(2)]
    for day in days:
        write_log(tmp_path, log_rows(2, day), day)
    write_ads(tmp_path)
    second = extract(job, days[0])
    assert first.file("ads.parquet").samefile(second.file("ads.parquet"))
    write_ads(tmp_path, kind=["a", "c"])
    third = extract(job, days[1])
    assert not first.file("ads.parquet").samefile(third.file("ads.parquet"))
    assert pq.read_table(third.file("ads.parquet"))["kind"].to_pylist() == ["a", "c"]


def test_a_missing_column_is_named_and_a_required_one_fails(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(2).drop_columns(["time"]))
    assert extract(job, DAY).manifest.extra["missing_columns"] == {"log": ["time"]}
    write_log(tmp_path, log_rows(2).drop_columns(["label"]))
    with pytest.raises(SourceError, match=r"table 'log' has no column label.*tables.log.columns"):
        extract(job, DAY, reprocess=True)


def test_columns_that_nobody_asked_for_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(tmp_path, monkeypatch)
    write_log(tmp_path, log_rows(3, price=[1, 2, 3]))
    write_ads(tmp_path, **{"info:sort": ["a", "b"]})
    first = extract(job, DAY)
    assert first.manifest.extra["unread_columns"] == {"log": ["price"], "ads": ["sort"]}
    # The undated table is the same, so it is linked; what it holds beside is the same too.
    write_log(tmp_path, log_rows(3, DAY.next()), DAY.next())
    assert extract(job, DAY.next()).manifest.extra["unread_columns"] == {"ads": ["sort"]}


def test_a_column_of_several_types_keeps_each_value_as_it_is(job: JobContext, tmp_path: Path) -> None:
    partition = write_log(tmp_path, log_rows(2))
    pq.write_table(log_rows(1, user=["x"], ad=[7.5]), partition / "part-0001.parquet")
    table = pq.read_table(extract(job, DAY).file("log.parquet"))
    assert [one_of(value) for value in table["user"].to_pylist()] == [1, 2, "x"]
    assert [one_of(value) for value in table["ad"].to_pylist()] == [10, 11, 7.5]
    assert table["label"].type == pa.int64()


def test_lists_in_some_files_and_single_values_in_others_are_kept(job: JobContext, tmp_path: Path) -> None:
    partition = write_log(tmp_path, log_rows(2))
    pq.write_table(log_rows(1, ad=[[7]]), partition / "part-0001.parquet")
    table = pq.read_table(extract(job, DAY).file("log.parquet"))
    assert [one_of(value) for value in table["ad"].to_pylist()] == [10, 11, [7]]


def test_bytes_that_are_not_text_are_kept_as_their_numbers(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(2, user=[b"7", b"\xff"]))
    table = pq.read_table(extract(job, DAY).file("log.parquet"))
    assert table["user"].to_pylist() == ["7", "\\xff"]


def test_a_column_of_structs_is_an_error(job: JobContext, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(1, ad=[{"id": 7}]))
    with pytest.raises(SourceError, match=r"part-0000\.parquet: column 'ad' is of type struct"):
        extract(job, DAY)


def test_an_undated_table_without_rows_is_an_error(job: JobContext, tmp_path: Path) -> None:
    write_ads(tmp_path, ad=[], kind=[], shown=[])
    with pytest.raises(SourceError, match=r"table 'ads' \(ads\) has no rows"):
        extract(job, DAY)


def test_another_source_stands_in_by_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = {**LOG, "source": "broken", "sources": [{"source": "log", "first": "2024-03-04", "last": "2024-03-04"}]}
    job = context(tmp_path, monkeypatch, config({"log": log, "ads": ADS}))
    write_log(tmp_path, log_rows(3))
    write_ads(tmp_path)
    found = extract(job, DAY)
    assert found.manifest.extra["sources"]["log"] == "log"
    assert found.manifest.rows["log"] == 3


def test_a_required_column_that_is_not_there_is_named_as_the_source_should_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {**LOG["columns"], "label": {**LOG["columns"]["label"], "source": "purchasd"}}
    job = context(tmp_path, monkeypatch, config({"log": {**LOG, "columns": columns}, "ads": ADS}))
    write_log(tmp_path, log_rows(2).rename_columns(["day", "time", "user", "ad", "purchased"]))
    write_ads(tmp_path)
    with pytest.raises(SourceError, match=r"no column purchasd \(`label`\), .*\(not read are purchased\); add it"):
        extract(job, DAY)
