"""The audit of a whole job: everything is looked at, nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DaySkipped
from pipeline.monitoring.audit.job import audit
from tests.unit.pipeline.release.days import FIRST, commit, context


def test_a_root_without_days_is_skipped_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(DaySkipped, match="job 'tiny' has no days under"):
        audit(context(tmp_path / "root"))
    assert not (tmp_path / "root").exists()


def test_artefacts_records_and_releases_are_looked_at(tmp_path: Path) -> None:
    here = context(tmp_path)
    for kind in ("day", "features"):
        commit(here, kind, FIRST)
    lost = commit(here, "checkpoint", FIRST, "a", parent_day=None)
    commit(here, "checkpoint", FIRST.plus(2), "a", parent_day=str(FIRST))
    commit(here, "release", FIRST, export="export/tiny/a/day=2024-03-01/gen=0001", checkpoint=lost.id)
    torn = commit(here, "features", FIRST.next())
    (torn.path / "payload").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    found = audit(here, payloads=False)
    assert (found.artifacts, found.releases) == (6, 1)
    assert {each.what for each in found.damaged} == {
        torn.id, f"day/tiny/day={FIRST.next()}", f"release/tiny/day={FIRST}/gen=0001",
    }  # fmt: skip
    assert sorted(tmp_path.rglob("*")) == before
