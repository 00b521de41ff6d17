"""Parquet as warehouses write it: every row of a day, or an error that names the folder or file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SourceError
from tests.unit.pipeline.sources.parquet_log import DAY, rows_of, write_log


@pytest.mark.parametrize(
    "files",
    [
        {"day=2024-02-26/hour=00/a.parquet": [1], "day=2024-02-26/hour=01/a.parquet": [2]},
        {"day=2024-02-26/a.parquet": [1], "day=2024-02-26/HIVE_UNION_SUBDIR_1/a.parquet": [2]},
        {"day=2024-02-26/HIVE_UNION_SUBDIR_1/000000_0": [1], "day=2024-02-26/HIVE_UNION_SUBDIR_2/000000_0": [2]},
        {"day=2024-02-26/hour=00/minute=30/a.parquet": [1], "day=2024-02-26/hour=01/minute=00/a.parquet": [2]},
        {"day=2024-02-26/out.parquet/part-00000-7-c000.snappy": [1], "day=2024-02-26/part-00001": [2]},
        {"day=2024-02-26/000000_0": [1], "day=2024-02-26/000001_0_copy_1": [2]},
        {"day=2024-02-26/a.parq": [1], "day=2024-02-26/b.PARQUET": [2]},
        {"dt=2024-02-26/a.parquet": [1, 2]},
        {"day=20240226/a.parquet": [1, 2]},
        {"DATE=20240226/a.parquet": [1, 2]},
        {"date=2024-02-26 00%3A00%3A00/a.parquet": [1, 2]},
        {"log_day=2024%2F02%2F26/a.parquet": [1, 2]},
        {"2024-02-26/a.parquet": [1, 2]},
        {"year=2024/month=2/day=26/a.parquet": [1, 2], "year=2024/month=2/day=27/a.parquet": [3]},
        {"year=2024/month=02/day=2024-02-26/a.parquet": [1, 2]},
        {"region=cn/day=2024-02-26/a.parquet": [1], "region=us/day=2024-02-26/a.parquet": [2]},
        {"dt=2024022600/a.parquet": [1], "dt=2024022613/a.parquet": [2], "dt=2024022700/a.parquet": [3]},
        {"day=2024-02-25/a.parquet": [5], "dt=2024-02-26/a.parquet": [1, 2]},
        {"load=2024-02-27/day=2024-02-26/a.parquet": [1], "load=2024-02-28/day=2024-02-26/a.parquet": [2]},
        {"load=2024-02-27/region=cn/day=2024-02-26/a": [1], "load=2024-02-27/region=us/day=2024-02-26/a": [2]},
        {"log_week=2024-02-26/log_day=2024-02-26/a": [1, 2], "log_week=2024-02-26/log_day=2024-02-27/a": [3]},
        {"log_month=2024-02-01/log_day=2024-02-26/a": [1, 2], "log_month=2024-02-01/log_day=2024-02-02/a": [3]},
        {"log_day=2024-02-26/load=2024-02-27/a": [1], "log_day=2024-02-26/load=2024-02-28/a": [2]},
    ],
)  # fmt: skip
def test_every_row_of_the_day_is_read(tmp_path: Path, files: dict[str, list[int]]) -> None:
    assert sorted(rows_of(write_log(tmp_path, files))) == [(1,), (2,)]


def test_what_spark_hides_is_not_read(tmp_path: Path) -> None:
    files: dict[str, Any] = {"day=2024-02-26/a.parquet": [1], "day=2024-02-26/000000_0": b""}
    hidden = ("_SUCCESS", "_committed_77", "_started_77", ".a.parquet.crc", "a.parquet.crc", ".staging/b.parquet",
              "_temporary/0/b.parquet", ".hive-staging_1/b", "b.parquet._COPYING_", "_metadata")  # fmt: skip
    files |= {f"day=2024-02-26/{name}": b"half" for name in hidden}
    files |= {"_tmp/a.parquet": b"half", "day=2024-02-26_$folder$": b"", "_backup/day=2024-02-26/a.parquet": [7]}
    assert rows_of(write_log(tmp_path, files)) == [(1,)]


def test_a_folders_column_is_one_that_the_files_lack(tmp_path: Path) -> None:
    source = write_log(tmp_path, {"dt=20240226/hour=05/a.parquet": [1], "dt=20240226/hour=06/a.parquet": [2]})
    assert rows_of(source, columns=["n", "hour", "day", "dt"]) == [
        (1, "05", "2024-02-26", "2024-02-26"), (2, "06", "2024-02-26", "2024-02-26"),
    ]  # fmt: skip
    assert rows_of(source, columns=["n"]) == [(1,), (2,)]


def test_the_files_own_column_counts_and_an_unknown_value_is_missing(tmp_path: Path) -> None:
    source = write_log(tmp_path, {"day=2024-02-26/n=9/a.parquet": [1], "day=2024-02-26/n=8/a.parquet": [2]})
    assert rows_of(source) == [(2,), (1,)]
    other = write_log(tmp_path / "other", {
        "region=cn/day=2024-02-26/a.parquet": [1],
        "region=__HIVE_DEFAULT_PARTITION__/day=2024-02-26/a.parquet": [2],
    })  # fmt: skip
    assert sorted(rows_of(other, columns=["n", "region"])) == [(1, "cn"), (2, None)]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"day=2024-02-26/a.parquet": [1], "day=20240226/b.parquet": [2]}, "day=2024-02-26.* and .*day=20240226: both"),
        ({"day=2024-02-26/a.parquet": [1], "dt=2024-02-26/b.parquet": [2]}, "both are folders of 2024-02-26"),
        ({"day=2024-02-26/a.parquet": [1], "day=2024-02-26 00%3A00%3A00/b.parquet": [2]}, "both are folders"),
        ({"region=cn/day=2024-02-26/a.parquet": [1], "day=2024-02-26/a.parquet": [2]}, "both are folders"),
        ({"day=2024-02-26/a.csv": b"n\n1\n"}, r"a\.csv: cannot be read as Parquet: it is text"),
        ({"day=2024-02-26/a.parquet": [1], "day=2024-02-26/b": b"ORC\x01\x02"}, "b: cannot be read .*: it is ORC"),
        ({"day=2024-02-26/a.avro": b"Obj\x01\x02"}, r"a\.avro: cannot be read as Parquet: it is Avro"),
        ({"day=2024-02-26/a.parquet": [1], "day=2024-02-26/b.parquet": b""}, r"b\.parquet: is empty"),
        ({"day=2024-02-26/hour=1/a": [1], "day=2024-02-26/hr=2/a": [2]}, "hour=1 and .*hr=2: folders of different"),
        ({"day=2024-02-26/day=2024-02-27/a": [1]}, "day=2024-02-27: a day's folder below the folder of 2024-02-26"),
        ({"event_date=2024-02-26/load_date=2024-02-27/a": [1]}, "load_date=2024-02-27: a folder of .* below one of "),
        ({"run=2024-02-27/at=2024-02-26/a": [1]}, "at=2024-02-26: a folder of 2024-02-26 below one of 2024-02-27"),
        ({"day=2024-02-26/a": [1], "day=2024-13-01/a": [2]}, "day=2024-13-01: holds rows, but no folder"),
        ({"day=2024-02-26/a": [1], "dt=__HIVE_DEFAULT_PARTITION__/a": [2]}, "dt=__HIVE.*: holds rows, but no folder"),
        ({"day=2024-02-26/a": [1], "archive/2023/a": [2]}, "archive/2023: holds rows, but no folder"),
        ({"day=2024-02-26/a": [1], "b.parquet": [2]}, r"b\.parquet: holds rows, but no folder"),
        ({"2024-02-26.parquet": [1]}, "has files but no folders"),
        ({"day=2024-02-26/base_0000001/a": [1], "day=2024-02-26/delta_0000002_0000002/a": [2]}, "base_0000001: a fold"),
        ({"day=2024-02-26/a": [1], ".hoodie/hoodie.properties": b""}, "a table of Hudi"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_named(tmp_path: Path, files: dict[str, Any], said: str) -> None:
    source = write_log(tmp_path, files)
    with pytest.raises(SourceError, match=said):
        source.count("log", DAY)
    with pytest.raises(SourceError, match=said):
        source.read("log", ["n"], DAY, chunk_rows=10)


@pytest.mark.parametrize(
    "files",
    [
        {"000000_0": [1], "000001_0": [2]},
        {"sub/a.parq": [1], "sub/deeper/b": [2]},
        {"all.parquet/part-00000": [1], "all.parquet/part-00001": [2], "all.parquet/_SUCCESS": b""},
        {"region=cn/a.parquet": [1], "region=us/a.parquet": [2]},
    ],
)
def test_an_undated_table_of_any_depth(tmp_path: Path, files: dict[str, Any]) -> None:
    source = write_log(tmp_path, files)
    assert rows_of(source, None) == [(1,), (2,)]
    assert len((source.version("log") or "").split(" ")) == 4


def test_an_undated_table_that_cannot_be_told_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no Parquet file in it"):
        write_log(tmp_path / "a", {"_SUCCESS": b""}).count("log", None)
    with pytest.raises(SourceError, match=r"b\.csv: cannot be read as Parquet: it is text"):
        write_log(tmp_path / "b", {"a.parquet": [1], "b.csv": b"n\n2\n"}).count("log", None)
    with pytest.raises(SourceError, match="dt=20240226: a day's folder, though"):
        write_log(tmp_path / "c", {"dt=20240226/a.parquet": [1]}).count("log", None)
    with pytest.raises(SourceError, match="region=cn/dt=20240226: a day's folder, though"):
        write_log(tmp_path / "d", {"region=cn/dt=20240226/a": [1], "region=cn/dt=20240227/a": [1]}).count("log", None)


def test_a_day_is_marked_in_its_own_folder(tmp_path: Path) -> None:
    source = write_log(tmp_path, {
        "dt=20240226/_SUCCESS": b"", "dt=20240226/hour=00/a": [1],
        "dt=20240227/hour=00/_SUCCESS": b"", "dt=20240227/hour=00/a": [1],
        "region=cn/dt=20240228/_SUCCESS": b"", "region=us/dt=20240228/a": [1],
    })  # fmt: skip
    marked = [day for day in DAY.through(DAY.plus(2)) if source.is_marked("log", day)]
    assert marked == [DAY]
    (tmp_path / "log/region=us/dt=20240228/_SUCCESS").touch()
    assert source.is_marked("log", DAY.plus(2))


@pytest.mark.parametrize("closed", ["", "log", "log/day=2024-02-26", "log/day=2024-02-26/hour=00"])
def test_what_this_user_may_not_enter_is_named_and_never_left_out(closed: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        source = write_log(root, {"day=2024-02-26/hour=00/a": [1], "day=2024-02-26/a": [2]})
        (root / closed).chmod(0)
        is_root = os.geteuid() == 0
        try:
            if is_root:  # who may enter everything
                os.seteuid(65534)
            with pytest.raises(SourceError, match=r"let the pipeline's user (read it|enter )"):
                source.count("log", DAY)
        finally:
            if is_root:
                os.seteuid(0)
            (root / closed).chmod(0o755)
