from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import PrunedPayload
from pipeline.features.build_features import build_day
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.stages.features import build_features, update_id_maps
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.lessons import DAY

FIRST = DAY.plus(-2)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """Three days of which the last is read, the second has no rows."""
    shows.write_undated(tmp_path)
    for day in (FIRST, DAY):
        shows.write_day(tmp_path, day, shows.LOG)
    job = shows.context(tmp_path, monkeypatch, shows.config(state_from=str(FIRST)))
    extract(job, DAY)
    validate(job, DAY)
    return job


def days(job: JobContext, *kinds: str) -> list[list[Day]]:
    return [job.store.days(kind, job.job) for kind in kinds]


def test_days_before_the_first_are_read_and_then_grown_from(job: JobContext) -> None:
    assert update_id_maps(job, DAY) is not None
    assert days(job, "validated", "state", "maps") == [[FIRST, DAY]] * 3
    assert days(job, "rows", "features") == [[DAY], []]
    assert job.skipped(DAY.previous()) is not None


def test_rows_that_were_pruned_are_joined_again_for_the_features(job: JobContext) -> None:
    update_id_maps(job, DAY)
    first = build_features(job, DAY)
    rows = job.store.current(Ref("rows", job.job, DAY))
    assert first is not None
    assert rows is not None
    job.store.prune(rows)
    assert build_features(job, DAY) == first
    with pytest.raises(PrunedPayload, match="rows/"):
        build_day(job, DAY, reprocess=True)
    again = build_features(job, DAY, reprocess=True)
    assert again is not None
    assert (again.generation, again.manifest.digest) == (2, first.manifest.digest)
    assert len(job.store.generations(Ref("rows", job.job, DAY))) == 2


def test_a_day_that_the_version_before_has_mapped_gets_its_rows(job: JobContext) -> None:
    update_id_maps(job, DAY)
    first = build_features(job, DAY)
    shutil.rmtree(job.root / "rows")
    assert build_features(job, DAY) == first
    job.store.prune(first)
    shutil.rmtree(job.root / "rows")
    assert build_features(job, DAY, reprocess=True).manifest.digest == first.manifest.digest
    assert days(job, "rows") == [[DAY]]
