from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import DataError
from pipeline.ingest import extract as ingest
from pipeline.job import JobContext
from pipeline.monitoring.failures import noted
from pipeline.stages.reading import extract
from tests.unit.pipeline.small_job import DAY, config


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
