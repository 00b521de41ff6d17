"""Records beside the artefacts: where chains begin, and why days were passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.job import JobContext
from pipeline.monitoring.audit.findings import Audit
from pipeline.monitoring.audit.records import audit_records
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.release.days import FIRST, commit, context


@pytest.fixture
def job(tmp_path: Path) -> JobContext:
    """Trained on the first and the fourth day; the two between were skipped."""
    here = context(tmp_path)
    commit(here, "checkpoint", FIRST, "a", parent_day=None)
    commit(here, "checkpoint", FIRST.plus(3), "a", parent_day=str(FIRST))
    for gap in (1, 2):
        with here.store.draft(Ref("day", here.job, FIRST.plus(gap))) as draft:
            draft.commit(key="k", digest="d", inputs=[], state="skipped", reason="no rows")  # type: ignore[arg-type]
    return here


def found(here: JobContext) -> list[tuple[str, str]]:
    audit = Audit()
    audit_records(here, audit)
    return [(each.what, each.problem) for each in audit.findings]


def test_days_that_say_why_they_were_passed_over(job: JobContext) -> None:
    assert found(job) == []


def test_a_day_that_was_passed_over_and_says_nothing_is_told_once(job: JobContext) -> None:
    commit(job, "checkpoint", FIRST.plus(3), "b", parent_day=str(FIRST))
    job.store.withdraw(Ref("day", job.job, FIRST.plus(2)))
    (told,) = found(job)
    assert told[0] == f"day/tiny/day={FIRST.plus(2)}"
    assert told[1].startswith(f"{FIRST.plus(3)} was trained over it, so it was skipped")
