"""The published files as days of the job's table."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from examples.criteo import find_files, main
from examples.criteo_like import IDS, NUMBERS, World
from pipeline.days import Day
from pipeline.errors import SourceError

DAY = Day.of(2024, 1, 1)


def text(rows: pa.Table) -> str:
    """Rows as the published files have them."""
    cells = zip(*(rows[name].to_pylist() for name in ("label", *NUMBERS, *IDS)), strict=True)
    return "".join("\t".join("" if cell is None else str(cell) for cell in line) + "\n" for line in cells)


def written(folder: Path, day: Day) -> pa.Table:
    place = folder / "criteo" / f"day={day}"
    assert (place / "_SUCCESS").is_file()
    return pq.read_table(place / "part-0000.parquet", partitioning=None)


def converted(*words: object) -> int:
    return main([str(word) for word in words])


def test_a_file_in_order_of_time_is_cut_into_days(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of as many lines each, the bad ones counted along and empty ones not: they lie beside, with their reasons."""
    made = pa.concat_tables(World().day(DAY, 10))
    lines = text(made).splitlines()
    lines[4] = "no\tline"
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.txt").write_text("\n" + "\n".join(lines) + "\n\n")
    (source / "test.txt").write_text("no labels\n")
    target = tmp_path / "target"
    assert converted("--source", source, "--target", f"parquet:{target}", "--days", 3) == 0
    days = [written(target, day) for day in DAY.through(DAY.plus(2))]
    assert [day["line"].to_pylist() for day in days] == [[0, 1, 2, 3], [5, 6], [7, 8, 9]]
    names = ["label", *NUMBERS, *IDS]
    kept = made.take([0, 1, 2, 3, 5, 6, 7, 8, 9])
    assert pa.concat_tables(days).select(names).to_pylist() == kept.select(names).to_pylist()
    assert set(days[1]["day"].to_pylist()) == {"2024-01-02"}
    with (target / "criteo.quarantine.csv").open() as file:
        assert list(csv.reader(file)) == [
            ["file", "line", "reason", "text"], ["train.txt", "4", "2 cells, where 40 are", "no\tline"],
        ]  # fmt: skip
    shown = capsys.readouterr().out
    assert "2024-01-02" in shown
    assert "bad lines" in shown
    # A run without bad ones leaves none of those before.
    (source / "train.txt").write_text("\n".join(lines[:4]))
    assert converted("--source", source / "train.txt", "--target", f"parquet:{target}", "--days", 1) == 0
    assert not (target / "criteo.quarantine.csv").exists()


def test_a_header_is_no_line_of_a_day(tmp_path: Path) -> None:
    """Nor what is behind the last line; fewer lines than days are refused, as a day would have none."""
    source, target = tmp_path / "sample.txt", tmp_path / "target"
    lines = [",".join(["label", *NUMBERS, *IDS]), *text(pa.concat_tables(World().day(DAY, 4))).splitlines()]
    source.write_text("".join(line.replace("\t", ",") + "\n" for line in lines))
    assert converted("--source", source, "--target", f"parquet:{target}", "--days", 2) == 0
    assert [written(target, day)["line"].to_pylist() for day in DAY.through(DAY.next())] == [[0, 1], [2, 3]]
    assert converted("--source", source, "--target", f"parquet:{target}", "--days", 5) == 2


def test_a_file_without_a_good_line_is_no_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cut or a day by itself: nothing of it is complete, and why is told and kept."""
    lines = text(pa.concat_tables(World().day(DAY, 3))).splitlines()
    (tmp_path / "test.txt").write_text("".join(line.partition("\t")[2] + "\n" for line in lines))
    (tmp_path / "day_0").write_text("".join(line + "\tmore\n" for line in lines))
    for name, why in (("test.txt", "39 cells, where 40 are (3 of 3)"), ("day_0", "41 cells, where 40 are (3 of 3)")):
        target = tmp_path / f"of-{name}"
        assert converted("--source", tmp_path / name, "--target", f"parquet:{target}", "--days", 1) == 1
        assert f"{name}: no line of it can be used: {why}" in capsys.readouterr().err
        assert not [*target.rglob("_SUCCESS")]
        assert len((target / "criteo.quarantine.csv").read_text().splitlines()) == 4


def test_a_file_a_day_is_that_day(tmp_path: Path) -> None:
    for number, rows in ((2, 3), (10, 2)):
        made = pa.concat_tables(World().day(DAY.plus(number), rows))
        (tmp_path / f"day_{number}.gz").write_bytes(gzip.compress(text(made).encode()))
    target = tmp_path / "target"
    assert converted("--source", tmp_path, "--target", f"parquet:{target}", "--from", "2024-02-01") == 0
    assert written(target, Day.of(2024, 2, 3))["line"].to_pylist() == [0, 1, 2]
    assert written(target, Day.of(2024, 2, 11)).num_rows == 2
    assert len([*(target / "criteo").iterdir()]) == 2


def test_which_files_of_a_folder_are_read(tmp_path: Path) -> None:
    def of(*names: str) -> list[str]:
        for path in tmp_path.iterdir():
            path.unlink()
        for name in names:
            (tmp_path / name).touch()
        return [path.name for path in find_files(tmp_path)]

    assert of("part-10", "part-9", "_SUCCESS") == ["part-9", "part-10"]
    assert of("readme.txt", "test.txt", "train.txt") == ["train.txt"]
    assert of("day_10.gz", "day_9", "notes") == ["day_9", "day_10.gz"]
    with pytest.raises(SourceError, match="day_1 packed and unpacked"):
        of("day_1", "day_1.gz")
    with pytest.raises(SourceError, match="the folder is empty"):
        of()


def test_what_is_asked_wrong_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert converted("--source", tmp_path / "no", "--target", f"parquet:{tmp_path}") == 1
    assert converted("--source", tmp_path, "--target", f"sqlite:///{tmp_path}/a.db") == 2
    assert converted("--source", tmp_path, "--target", f"parquet:{tmp_path}", "--days", 0) == 2
    told = capsys.readouterr().err
    assert "no such file or folder" in told
    assert "these rows go to parquet:FOLDER" in told
    assert "--days 0: at least 1" in told
