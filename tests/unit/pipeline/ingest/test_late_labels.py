"""What changed between two readings of a day is told by what is read, not by how it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.ingest.extract import extract
from pipeline.ingest.late_labels import _compared
from pipeline.storage.artifacts.artifact import Artifact
from tests.unit.pipeline.small_job import ADS, DAY, LOG, config, context, log_rows, write_ads, write_log

SETTINGS = config({"log": {**LOG, "columns": {**LOG["columns"], "tags": {"type": "str_list"}}}, "ads": ADS})
TAGS = [["é", "b"], None, ["c"]]


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Artifact:
    write_log(tmp_path, log_rows(3, tags=TAGS))
    write_ads(tmp_path)
    return extract(context(tmp_path, monkeypatch, SETTINGS), DAY)


def changes(first: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **columns: Any) -> dict[str, Any]:
    write_log(tmp_path, log_rows(3, **{"tags": TAGS, **columns}))
    second = extract(context(tmp_path, monkeypatch, SETTINGS), DAY, reprocess=True)
    found = _compared(SETTINGS, first, second)
    return found.get("log", {"added": 0, "removed": 0, "corrected": 0, "labels": {}})


@pytest.mark.parametrize(
    "columns",
    [
        {"user": [1.0, 2.0, 3.0]},
        {"user": ["1", "2.0", " 3"], "ad": pa.array([10, 11, 12], pa.uint64())},
        {"time": ["2024-03-04 12:00:00", "2024-03-04T04:01:00Z", "2024-03-04 12:02"]},
        {"tags": ['["e\\u0301", "b"]', "", "c"]},
    ],
)
def test_values_that_are_written_otherwise_are_no_change(
    first: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: dict[str, Any]
) -> None:
    found = changes(first, tmp_path, monkeypatch, **columns)
    assert (found["added"], found["removed"], found["corrected"], found["labels"]) == (0, 0, 0, {})


def test_labels_and_other_values_that_change_are_told(
    first: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = changes(first, tmp_path, monkeypatch, label=["1", "1.0", "x"], user=[1.0, 2.0, 3.0])
    assert (found["added"], found["removed"], found["labels"]) == (0, 0, {"0→1": 1, "0→x": 1})
    found = changes(first, tmp_path, monkeypatch, tags=[["é"], None, ["c"]])
    assert (found["corrected"], found["labels"]) == (1, {})
