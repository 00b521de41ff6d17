from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import DataError, SourceError
from pipeline.ingest import extract as ingest
from pipeline.job import JobContext
from pipeline.monitoring.failures import noted
from pipeline.stages.reading import extract
from pipeline.stages.stage import stage
from tests.unit.pipeline.small_job import DAY, config, context, log_rows, write_ads, write_log


@pytest.mark.parametrize(
    ("failed", "asked", "again"),
    [(None, False, False), (None, True, True), ("validate", False, True), ("build_features", False, False)],
)
def test_it_reads_again_what_validation_refused_and_nothing_else(
    failed: str | None, asked: bool, again: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = JobContext(config(), tmp_path)
    if failed is not None:
        with pytest.raises(DataError), noted(tmp_path, job.job, DAY, failed):
            raise DataError("too bad")
    asked_for: list[Any] = []
    monkeypatch.setattr(ingest, "extract", lambda context, day, *, reprocess: asked_for.append((day, reprocess)))
    extract(job, DAY, reprocess=asked)
    assert asked_for == [(DAY, again)]


def test_a_refused_day_whose_reading_failed_is_read_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused for what it held, then not to be read at all, then corrected."""
    job = context(tmp_path, monkeypatch)
    write_ads(tmp_path)
    write_log(tmp_path, log_rows(4, label=[7, 7, 7, 7]))

    def run(*, reprocess: bool = False) -> int:
        stage("extract").run(job, DAY, reprocess=reprocess)
        validated = stage("validate").run(job, DAY)
        return int(validated.manifest.rows["log"])

    with pytest.raises(DataError, match="run the day again, which reads it again"):
        run()
    write_log(tmp_path, log_rows(4).drop_columns(["label"]))
    with pytest.raises(SourceError, match="label"):
        run()
    write_log(tmp_path, log_rows(6))
    assert run() == 6
    # Of a good day the last reading stands, whatever came of an attempt to read it again.
    write_log(tmp_path, log_rows(8).drop_columns(["label"]))
    with pytest.raises(SourceError, match="label"):
        run(reprocess=True)
    assert run() == 6
