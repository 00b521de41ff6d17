"""The audit of a whole job: everything is looked at, nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DaySkipped
from pipeline.monitoring.audit.job import audit
from pipeline.release.records import ReleaseRecord
from pipeline.storage.artifacts.artifact import Ref
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
    released = ReleaseRecord(
        release_id="r", experiment="a", checkpoint=lost.id, checkpoint_day=FIRST, age_days=0,
        export=f"export/tiny/a/day={FIRST}/gen=0001",
    )  # fmt: skip
    with here.store.draft(Ref("release", here.job, FIRST)) as draft:
        draft.commit(key="", digest="", inputs=[], extra=released.written())
    commit(here, "release", FIRST.next())
    commit(here, "maps", FIRST, sizes={"user": -1})
    torn = commit(here, "features", FIRST.next())
    (torn.path / "payload").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    found = audit(here, payloads=False)
    assert (found.artifacts, found.releases) == (8, 2)
    assert {each.what for each in found.damaged} == {
        torn.id, f"day/tiny/day={FIRST.next()}", f"release/tiny/day={FIRST}/gen=0001",
        f"release/tiny/day={FIRST.next()}/gen=0001", f"maps/tiny/day={FIRST}/gen=0001",
    }  # fmt: skip
    folder = tmp_path / f"maps/tiny/day={FIRST}/gen=0001"
    (maps,) = (each for each in found.damaged if each.what.startswith("maps/"))
    assert maps.problem == f"{folder / 'manifest.json'}: the manifest's extra.sizes.user is damaged (-1)"
    assert maps.remedy.endswith(f"delete the folder {folder} and run the day again")
    assert sorted(tmp_path.rglob("*")) == before
