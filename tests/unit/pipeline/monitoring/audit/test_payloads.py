"""Extracts are found to be as they were committed, however their lists are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.monitoring.audit.payloads import problem_of
from pipeline.storage import parquet_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from tests.unit.pipeline.small_job import ADS, DAY, LOG, config, context, log_rows, write_ads, write_log

TAGS = {**LOG, "columns": {**LOG["columns"], "tags": {"type": "int_list"}}}
VALUES = [[1, 2], [], None]


def lists(kind: pa.DataType, values: Any = VALUES) -> pa.Array:
    return pa.array(values, kind)


def extracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *files: pa.Array) -> Artifact:
    for number, tags in enumerate(files):
        rows = log_rows(len(tags), tags=tags)
        if number == 0:
            partition = write_log(tmp_path, rows)
        pq.write_table(rows, partition / f"part-{number:04}.parquet")
    write_ads(tmp_path)
    job = context(tmp_path, monkeypatch, config({"log": TAGS, "ads": ADS}, validation={"max_quarantined": 0.5}))
    found = extract(job, DAY)
    assert problem_of(validate(job, DAY)) is None
    return found


@pytest.mark.parametrize(
    "files",
    [
        [lists(pa.list_(pa.field("element", pa.int64())))],
        [lists(pa.list_(pa.field("array_element", pa.int64(), nullable=False)))],
        [lists(pa.large_list(pa.float64()))],
        [lists(pa.list_(pa.int64(), 2), [[1, 2], None, [3, 4]])],
        [lists(pa.list_(pa.uint64()), [[1], [2**63], None])],
        [lists(pa.list_(pa.int64())), lists(pa.list_(pa.float64())), lists(pa.string(), ["[1]", None, "2"])],
        [lists(pa.string(), [None, None, None]), pa.nulls(3), lists(pa.list_(pa.null()), [[], None, []])],
        [lists(pa.timestamp("s"), [0, 1, None])],
    ],
)  # fmt: skip
def test_a_healthy_extract_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[pa.Array]
) -> None:
    if pa.types.is_timestamp(files[0].type):
        monkeypatch.setitem(TAGS["columns"], "tags", {"type": "time"})
    assert problem_of(extracted(tmp_path, monkeypatch, *files)) is None


def test_a_digest_of_before_with_the_writers_name_of_the_item_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded by the code that took the item's name for content; the value is of the same table."""
    extracted(tmp_path, monkeypatch, lists(pa.list_(pa.field("element", pa.int64()))))
    path = tmp_path / "root" / "extract" / "tiny" / f"day={DAY}" / "gen=0001" / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest["extra"]["digests"]["log"] == "dd5eb2cfb11e6caaf90ca0e004109f9b"
    manifest["extra"]["digests"]["log"] = "f0d9811481a5b5ab702dcebc451b6155"
    path.write_text(json.dumps(manifest))
    job = context(tmp_path, monkeypatch, config({"log": TAGS, "ads": ADS}))
    found = job.store.current(Ref("extract", "tiny", DAY))
    assert found is not None
    assert problem_of(found) is None


def test_other_lists_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = extracted(tmp_path, monkeypatch, lists(pa.list_(pa.field("element", pa.int64()))))
    rows = parquet_file.read(found.file("log.parquet"))
    changed = rows.set_column(rows.column_names.index("tags"), "tags", pa.array([[2, 1], [], None]))
    parquet_file.write(found.path / "log.parquet", changed)
    found.manifest.files["log.parquet"] = (found.path / "log.parquet").stat().st_size
    assert "its content is not what was committed" in (problem_of(found) or "")
