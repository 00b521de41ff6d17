from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import PrunedPayload
from pipeline.features.rows import joined
from pipeline.features.rows.day import flat
from pipeline.ingest.day_tables import DayTables
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.monitoring.audit.payloads import problem_of
from pipeline.storage.artifacts.artifact import Artifact, Ref
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.lessons import DAY


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    shows.write_undated(tmp_path)
    shows.write_day(tmp_path, DAY, shows.LOG)
    job = shows.context(tmp_path, monkeypatch)
    extract(job, DAY)
    return job


def validated(job: JobContext) -> DayTables:
    validate(job, DAY)
    return DayTables.needed(job, DAY)


def rows_of(job: JobContext) -> Artifact:
    found = job.store.current(Ref("rows", job.job, DAY))
    assert found is not None
    return found


def test_rows_are_those_of_the_validated_day_and_name_it_alone(job: JobContext) -> None:
    tables = validated(job)
    rows = joined.join(job, tables, DAY)
    assert rows == rows_of(job)
    assert rows.manifest.inputs == [tables.artifact.as_input()]
    found = joined.read(rows).rows
    assert rows.manifest.rows == dict(found.counts)
    assert flat(found.events["row.user"]).tolist() == tables("log")["user"].to_pylist()
    assert found.label.tolist() == shows.LOG["click"].to_pylist()
    assert problem_of(rows) is None


def test_rows_stand_while_the_day_and_the_settings_do(job: JobContext) -> None:
    tables = validated(job)
    assert joined.standing_rows(job, tables, DAY) is None
    joined.join(job, tables, DAY)
    assert joined.standing_rows(job, tables, DAY) == rows_of(job)
    assert joined.standing_rows(job, tables, DAY, reprocess=True) is None
    other = JobContext(shows.config(history={"length": 5}), job.root)
    assert joined.standing_rows(other, tables, DAY) is None


def test_pruned_rows_stand_and_cannot_be_read(job: JobContext) -> None:
    tables = validated(job)
    joined.join(job, tables, DAY)
    job.store.prune(rows_of(job))
    standing = joined.standing_rows(job, tables, DAY)
    assert standing is not None
    with pytest.raises(PrunedPayload, match="rows/shows"):
        joined.read(standing)
