from __future__ import annotations

import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError, UsageError
from pipeline.proposal.look import look


def test_files_of_text_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "曝光.csv").write_bytes("日期;用户\n2024-03-01;7\n2024-03-02;\n".encode("gb18030"))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.tsv").write_text("x\ty\n1\ta b\n", encoding="utf-8")
    (tmp_path / "notes.md").write_text("no table", encoding="utf-8")
    (tmp_path / "empty.csv").write_text("x,y\n", encoding="utf-8")
    b, shows = look(f"files:{tmp_path}")
    assert (b.name, b.columns, b.form) == ("b", {"x": ["1"], "y": ["a b"]}, None)
    assert (shows.name, shows.columns) == ("曝光", {"日期": ["2024-03-01", "2024-03-02"], "用户": ["7", None]})
    assert shows.form is not None
    assert (shows.form.encoding, shows.form.delimiter) == ("gb18030", ";")


def test_folders_of_parquet_by_day_and_without(tmp_path: Path) -> None:
    for day in ("2024-03-01", "2024-03-02"):
        (tmp_path / "log" / f"dt={day}").mkdir(parents=True)
        pq.write_table(pa.table({"f:user": [day]}), tmp_path / "log" / f"dt={day}" / "a.parquet")
    (tmp_path / "users").mkdir()
    pq.write_table(pa.table({"user": [1]}), tmp_path / "users" / "a.parquet")
    log, users = look(f"parquet:{tmp_path}")
    assert (log.columns, log.by_folder) == ({"user": ["2024-03-02"]}, True)
    assert (users.columns, users.by_folder) == ({"user": [1]}, False)


def test_tables_of_a_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as base:
        base.execute("CREATE TABLE 'odd name' (d DATETIME, n INTEGER)")
        base.execute("INSERT INTO 'odd name' VALUES ('2024-03-01 10:00:00', 3)")
        base.execute("CREATE TABLE empty (n)")
    base.close()
    (found,) = look(f"sqlite:///{tmp_path / 'x.db'}")
    assert (found.name, found.columns["n"], found.types["d"]) == ("odd name", [3], "DATETIME")


def test_what_cannot_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="what HBase holds has to be written by hand"):
        look("hbase://h:9090/")
    for url, told in (
        (f"files:{tmp_path}", "no table with rows"), (f"files:{tmp_path}/no", "no such folder"),
        (f"sqlite:///{tmp_path}/no.db", "no such file"),
    ):  # fmt: skip
        with pytest.raises(SourceError, match=told):
            look(url)
