"""`python -m examples.school`, whole."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from examples.school.__main__ import main

SMALL = ["--days", "3", "--teachers", "16", "--users", "40", "--ads", "30", "--impressions-per-day", "200"]


def generate(folder: Path, *more: str) -> int:
    return main(["--target", f"sqlite:///{folder}/school.db", "--target", f"parquet:{folder}/ads", *SMALL, *more])


def dump(folder: Path) -> tuple[list[str], dict[str, bytes]]:
    with sqlite3.connect(folder / "school.db") as connection:
        rows = list(connection.iterdump())
    files = {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.suffix == ".parquet"
    }
    return rows, files


def test_every_table_is_filled_and_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        (tmp_path / name).mkdir()
        assert generate(tmp_path / name, "--seed", seed) == 0
    one, same, other = (dump(tmp_path / name) for name in "abc")
    assert one == same
    assert one[0] != other[0]
    assert one[1] != other[1]
    with sqlite3.connect(tmp_path / "a/school.db") as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert len(tables) == 9
        for table in tables:
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] > 10, table


def test_an_outage_has_no_row_and_is_complete(tmp_path: Path) -> None:
    assert generate(tmp_path, "--outage", "2024-02-27", "--effects", "none", "--dirty", "0") == 0
    with sqlite3.connect(tmp_path / "school.db") as connection:
        for table in ("daily_homework_info", "homework_click_log", "homework_offered", "class_study", "style_counts"):
            days = [day for (day,) in connection.execute(f"SELECT DISTINCT day FROM {table} WHERE day > '2024'")]
            assert sorted(days) == ["2024-02-26", "2024-02-28"], table
            marks = connection.execute("SELECT COUNT(*) FROM day_ready WHERE table_name = ?", (table,)).fetchone()[0]
            assert marks == 3 + 21 + 3 + 7, "the three days, and last year's window"
    for table in ("midas_online_context", "midas_offline"):
        folder = tmp_path / "ads" / table / "day=2024-02-27"
        assert (folder / "_SUCCESS").exists()
        assert pq.ParquetFile(folder / "part-0000.parquet").metadata.num_rows == 0


def test_offline_keeps_the_last_of_each_key(tmp_path: Path) -> None:
    assert generate(tmp_path, "--dirty", "0") == 0
    day = "day=2024-02-26/part-0000.parquet"
    online = pq.ParquetFile(tmp_path / f"ads/midas_online_context/{day}").read().to_pylist()
    offline = pq.ParquetFile(tmp_path / f"ads/midas_offline/{day}").read().to_pylist()
    assert {row["row_key"]: row for row in online} == {row["row_key"]: row for row in offline}
    assert len(offline) < len(online) == 200


def test_what_is_there_is_not_mixed_with_another_school(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(tmp_path) == 0
    first = dump(tmp_path)
    assert generate(tmp_path, "--seed", "2") == 2
    assert "already hold rows; --replace removes them first" in capsys.readouterr().err
    assert dump(tmp_path) == first
    assert generate(tmp_path, "--seed", "2", "--replace") == 0
    assert dump(tmp_path) != first


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--effects", "ordr"], "no effect is called ordr"),
        (["--outage", "2024-05-01"], "--outage 2024-05-01: the days are 2024-02-26 to 2024-02-28"),
        (["--from", "26.2.2024"], "'26.2.2024' is not a day"),
        (["--target", "hdfs://x"], "--target 'hdfs://x' is not a target"),
    ],
)
def test_wrong_use_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], message: str) -> None:
    assert generate(tmp_path, *wrong) == 2
    assert message in capsys.readouterr().err
