from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.tables import Column
from pipeline.errors import SourceError
from pipeline.ingest.parse.columns import parse_column
from pipeline.sources.parquet import ParquetSource
from tests.unit.pipeline.small_job import DAY, log_rows, write_ads, write_log


@pytest.fixture
def source(tmp_path: Path) -> ParquetSource:
    write_log(tmp_path, log_rows(5))
    write_ads(tmp_path)
    return ParquetSource(f"parquet:{tmp_path / 'tables'}", "DAYSPRING_TINY_URL")


def test_the_wanted_columns_of_a_day_in_chunks(source: ParquetSource) -> None:
    reading = source.read("log", ["ad", "user"], DAY, chunk_rows=2)
    batches = list(reading.batches)
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert batches[0].to_pylist() == [{"ad": 10, "user": 1}, {"ad": 11, "user": 2}]
    assert reading.missing == ()
    assert (source.count("log", DAY), source.has_rows("log", DAY)) == (5, True)


def test_a_day_without_a_folder_has_no_rows(source: ParquetSource) -> None:
    assert (source.count("log", DAY.next()), source.has_rows("log", DAY.next())) == (0, False)
    assert list(source.read("log", ["ad"], DAY.next(), chunk_rows=2).batches) == []
    assert not source.is_marked("log", DAY.next())


def test_the_marker_is_a_file(source: ParquetSource, tmp_path: Path) -> None:
    assert source.is_marked("log", DAY)
    write_log(tmp_path, log_rows(1, DAY.next()), DAY.next(), marked=False)
    assert not source.is_marked("log", DAY.next())


def test_a_family_prefix_does_not_matter(source: ParquetSource, tmp_path: Path) -> None:
    partition = write_log(tmp_path, log_rows(2).rename_columns(["day", "time", "context:user", "ad", "context:label"]))
    pq.write_table(log_rows(1), partition / "part-0001.parquet")
    reading = source.read("log", ["label", "user"], DAY, chunk_rows=10)
    assert reading.missing == ()
    assert [batch.to_pylist() for batch in reading.batches] == [
        [{"label": 0, "user": 1}, {"label": 1, "user": 2}], [{"label": 0, "user": 1}],
    ]  # fmt: skip


def test_a_column_that_no_file_has_is_missing_and_one_that_some_have_is_empty_in_others(
    source: ParquetSource, tmp_path: Path
) -> None:
    partition = write_log(tmp_path, log_rows(1))
    pq.write_table(log_rows(1, extra=["x"]), partition / "part-0001.parquet")
    reading = source.read("log", ["ad", "extra", "more"], DAY, chunk_rows=10)
    assert reading.missing == ("more",)
    assert [batch["extra"].to_pylist() for batch in reading.batches] == [[None], ["x"]]


def test_the_partition_gives_the_day_that_files_lack(source: ParquetSource, tmp_path: Path) -> None:
    write_log(tmp_path, log_rows(1).drop_columns(["day"]))
    (batch,) = source.read("log", ["day", "ad"], DAY, chunk_rows=10).batches
    assert batch["day"].to_pylist() == ["2024-03-04"]


def test_files_being_written_are_not_read(source: ParquetSource, tmp_path: Path) -> None:
    (tmp_path / "tables" / "log" / f"day={DAY}" / ".part-0001.parquet").write_text("half")
    assert source.count("log", DAY) == 5


def test_missing_folders_are_errors_that_say_what_is_there(source: ParquetSource, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no table folder .*users.*there are: ads, log"):
        source.count("users", None)
    nowhere = ParquetSource(f"parquet:{tmp_path / 'nowhere'}", "DAYSPRING_TINY_URL")
    with pytest.raises(SourceError, match=r"nowhere: no such folder; .*DAYSPRING_TINY_URL"):
        nowhere.check()


def test_dated_and_undated_are_told_apart(source: ParquetSource) -> None:
    with pytest.raises(SourceError, match=r"no folders day=YYYY-MM-DD"):
        source.count("ads", DAY)
    with pytest.raises(SourceError, match=r"day=2024-03-04: a day's folder.*declare the table `dated: true`"):
        source.count("log", None)


def test_a_damaged_file_is_named(source: ParquetSource, tmp_path: Path) -> None:
    path = tmp_path / "tables" / "log" / f"day={DAY}" / "part-0000.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    for call in (lambda: source.count("log", DAY), lambda: source.read("log", ["ad"], DAY, chunk_rows=2)):
        with pytest.raises(SourceError, match=r"part-0000\.parquet: cannot be read as Parquet"):
            call()


@pytest.mark.parametrize("by_arrow", [True, False])
def test_int96_is_an_instant_unless_arrow_says_otherwise(source: ParquetSource, tmp_path: Path, by_arrow: bool) -> None:
    # Midnight in Shanghai, as Spark writes a TimestampType without further settings.
    at, never = datetime(2024, 3, 3, 16), datetime(9999, 12, 31)
    rows = log_rows(3).set_column(1, "time", pa.array([at, None, never], pa.timestamp("us")))
    path = write_log(tmp_path, rows) / "part-0000.parquet"
    pq.write_table(rows, path, use_deprecated_int96_timestamps=True, store_schema=by_arrow)
    (batch,) = source.read("log", ["time", "user"], DAY, chunk_rows=9).batches
    days = parse_column(batch["time"].slice(0, 2), Column(type="day"), "Asia/Shanghai").values.to_pylist()
    assert days == [date(2024, 3, 3) if by_arrow else DAY.date, None]
    if not by_arrow:
        assert batch["time"].to_pylist()[2] == never.replace(tzinfo=UTC)


def test_a_column_of_an_unusable_type_is_named_with_its_file(source: ParquetSource, tmp_path: Path) -> None:
    partition = write_log(tmp_path, log_rows(1))
    pq.write_table(log_rows(1, user=[{"id": 1}]), partition / "part-0001.parquet")
    reading = source.read("log", ["ad", "user"], DAY, chunk_rows=9)
    with pytest.raises(SourceError, match=r"part-0001\.parquet: column 'user' is of type struct<id: int64>; write"):
        list(reading.batches)
    assert len(list(source.read("log", ["ad"], DAY, chunk_rows=9).batches)) == 2


def test_a_file_damaged_inside_is_named(source: ParquetSource, tmp_path: Path) -> None:
    path = tmp_path / "tables" / "log" / f"day={DAY}" / "part-0000.parquet"
    data = bytearray(path.read_bytes())
    data[4:200] = bytes(196)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"part-0000\.parquet: cannot be read as Parquet"):
        list(source.read("log", ["day", "time", "user"], DAY, chunk_rows=2).batches)


def test_the_version_changes_with_the_files(source: ParquetSource, tmp_path: Path) -> None:
    before = source.version("ads")
    assert before == source.version("ads")
    pq.write_table(pa.table({"ad": [12], "kind": ["c"], "shown": [1]}), tmp_path / "tables" / "ads" / "more.parquet")
    assert source.version("ads") != before
