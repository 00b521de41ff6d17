"""Files that a table of Delta Lake no longer holds."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError
from tests.unit.pipeline.sources.parquet_log import DAY, rows_of, write_log


def test_files_that_a_delta_table_has_removed_are_named(tmp_path: Path) -> None:
    added = [{"add": {"path": f"day=2024-02-26/{name}", "partitionValues": {}}} for name in "ab"]
    log = "".join(json.dumps(each) + "\n" for each in added).encode()
    source = write_log(tmp_path, {
        "day=2024-02-26/a": [1], "day=2024-02-26/b": [2], f"_delta_log/{0:020}.json": log,
    })  # fmt: skip
    assert rows_of(source) == [(1,), (2,)]
    (tmp_path / f"log/_delta_log/{1:020}.json").write_text(json.dumps({"remove": {"path": "day=2024-02-26/a"}}))
    with pytest.raises(SourceError, match="day=2024-02-26/a: the log of Delta Lake beside it says"):
        source.count("log", DAY)


def test_the_checkpoint_of_a_delta_log_counts_where_older_entries_are_gone(tmp_path: Path) -> None:
    source = write_log(tmp_path, {"day=2024-02-26/a": [1], "day=2024-02-26/b": [2]})
    log = tmp_path / "log" / "_delta_log"
    log.mkdir()
    adds = [{"add": {"path": f"day=2024-02-26/{name}"}} for name in "ab"]
    pq.write_table(pa.Table.from_pylist([*adds, {"add": None}]), log / f"{10:020}.checkpoint.parquet")
    (log / f"{9:020}.json").write_text(json.dumps({"remove": {"path": "day=2024-02-26/a"}}))
    assert rows_of(source) == [(1,), (2,)]
    vector = {"path": "day=2024-02-26/b", "deletionVector": {"storageType": "u"}}
    (log / f"{11:020}.json").write_text(json.dumps({"add": vector}))
    with pytest.raises(SourceError, match="day=2024-02-26/b: the log of Delta Lake"):
        source.count("log", DAY)
    (log / f"{12:020}.json").write_text("{half")
    with pytest.raises(SourceError, match="_delta_log: cannot be read as a log"):
        source.count("log", DAY)
