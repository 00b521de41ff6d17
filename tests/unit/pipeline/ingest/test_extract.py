from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.errors import SourceError
from pipeline.ingest.extract import extract
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.small_job import DAY, LOG, config, context, log_rows, write_log


def test_every_table_of_the_day_as_read(job: JobContext) -> None:
    found = extract(job, DAY)
    assert found.manifest.rows == {"log": 5, "ads": 2}
    assert pq.read_table(found.file("log.parquet")).equals(log_rows(5).select(list(LOG["columns"])))
    extra = found.manifest.extra
    assert extra["sources"] == {"log": "log", "ads": "ads"}
    assert list(extra["as_of"]) == ["ads"]
    assert extra["as_of"]["ads"].endswith("+08:00")
    assert set(found.manifest.files) == {"log.parquet", "ads.parquet"}


def test_the_day_is_recorded_as_done(job: JobContext) -> None:
    extract(job, DAY)
    marker = job.store.current(Ref("day", "tiny", DAY))
    assert marker is not None
    assert marker.manifest.state == "done"
    assert job.skipped(DAY) is None


def test_a_committed_extract_is_final(job: JobContext, tmp_path: Path) -> None:
    first = extract(job, DAY)
    write_log(tmp_path, log_rows(9))
    assert extract(job, DAY).id == first.id
    again = extract(job, DAY, reprocess=True)
    assert (again.generation, again.manifest.rows["log"]) == (2, 9)


def test_a_marker_lost_after_the_extract_is_written_again(job: JobContext) -> None:
    with job.store.draft(Ref("extract", "tiny", DAY)) as draft:
        draft.commit(key="k", digest="d", inputs=[], rows={"log": 1})
    extract(job, DAY)
    assert job.store.current(Ref("day", "tiny", DAY)) is not None


def test_equal_content_gives_an_equal_digest_however_it_is_chunked(
    job: JobContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = extract(job, DAY)
    other = context(tmp_path, monkeypatch, config(chunk_rows=2))
    other = JobContext(other.config, tmp_path / "other")
    assert extract(other, DAY).manifest.digest == whole.manifest.digest


def test_an_empty_day_is_skipped_with_the_reason(job: JobContext) -> None:
    found = extract(job, DAY.next())
    assert (found.ref.kind, found.manifest.state) == ("day", "skipped")
    assert "no rows in any required table" in (job.skipped(DAY.next()) or "")
    assert job.store.current(Ref("extract", "tiny", DAY.next())) is None
    assert extract(job, DAY.next()).id == found.id


def test_a_skipped_day_is_final_until_it_is_reprocessed(job: JobContext, tmp_path: Path) -> None:
    extract(job, DAY.next())
    write_log(tmp_path, log_rows(3, DAY.next()), DAY.next())
    assert extract(job, DAY.next()).manifest.state == "skipped"
    assert extract(job, DAY.next(), reprocess=True).manifest.rows["log"] == 3
    assert job.skipped(DAY.next()) is None


def test_a_dirty_day_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(tmp_path, monkeypatch, config(dirty_days=[str(DAY)]))
    assert extract(job, DAY).manifest.reason == "2024-03-04 is listed in dirty_days"


def test_a_day_with_only_some_tables_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = context(tmp_path, monkeypatch, config({"log": LOG, "sets": {**LOG, "source": "sets"}}))
    write_log(tmp_path, log_rows(2))
    (tmp_path / "tables" / "sets").mkdir()
    with pytest.raises(SourceError, match=r"tiny 2024-03-04: required tables without rows .*sets"):
        extract(job, DAY)
    assert job.store.current(Ref("day", "tiny", DAY)) is None
