"""Releases and verdicts, what is served, and the command that goes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.school_year import JOB
from pipeline.release.publish.ledger import Ledger
from pipeline.release.publish.release_files import Championship, Hold, ReleaseFiles
from pipeline.release.records import PublishRecord
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from tests.unit.pipeline.monitoring.overview.drawn import FIRST, LAST, ONE, SKIPPED, TWO, drawn, pointer
from tests.unit.pipeline.said import said


def test_verdicts_of_the_newest_day(root: Path) -> None:
    ref = Ref("gate", JOB, FIRST.plus(LAST), TWO)
    with ArtifactStore(root).draft(ref) as draft:
        extra = said("gate", verdict="block", reasons=["auc 0.4 is below 0.5"])
        draft.commit(key="", digest="", inputs=[], extra=extra)
    verdicts = drawn(root)["verdicts"]
    assert verdicts["day"] == str(FIRST.plus(LAST))
    two, one = verdicts["experiments"]
    assert (two["name"], two["verdict"], two["reasons"]) == (TWO, "block", ["auc 0.4 is below 0.5"])
    assert (one["verdict"], one["checkpoint"], one["check"]) == ("promote", str(FIRST.plus(LAST - 1)), "ok")


def test_releases_with_what_is_served_and_a_command_to_roll_back(root: Path) -> None:
    files = ReleaseFiles.of(root, JOB)
    earlier = ArtifactStore(root).current(Ref("release", JOB, FIRST.plus(LAST - 1)))
    assert earlier is not None
    files.set_served(pointer(root, previous=earlier.manifest.extra["release_id"]))
    files.add_champion(Championship(ONE, FIRST.plus(4), "promote"))
    releases = drawn(root)["releases"]
    assert releases["served"]["experiment"] == ONE
    assert releases["served"]["age_days"] == 1
    assert releases["rollback"] == f"python -m pipeline rollback --job {JOB}"
    assert releases["hold"] is None
    assert releases["release_hold"] is None
    assert releases["champions"] == [{"day": str(FIRST.plus(4)), "experiment": ONE, "by": "promote"}]
    assert releases["history"][0]["release_id"] == releases["served"]["release_id"]
    assert releases["history"][0]["status"] == "published"
    assert releases["trained"][ONE][-1] == LAST - 1, "the released checkpoint is of the day before"
    assert releases["published"][-1] == LAST
    assert SKIPPED not in releases["published"]


def test_the_champion_is_the_one_promoted_last_that_is_still_in_the_yaml(root: Path) -> None:
    def champions() -> list[str]:
        picture = drawn(root)
        marked = [each["name"] for each in picture["experiments"] if each["champion"]]
        assert marked == [picture["releases"]["champion"]]
        return marked

    assert champions() == [ONE], "the YAML's"
    files = ReleaseFiles.of(root, JOB)
    files.add_champion(Championship(TWO, FIRST.plus(4), "promote"))
    files.add_champion(Championship("gone", FIRST.plus(5), "promote"))
    assert champions() == [TWO]


def test_the_ledger_newest_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_BY", "somebody")
    assert drawn(root)["releases"]["ledger"] == []
    served, ledger = pointer(root, previous=None), Ledger(ReleaseFiles.of(root, JOB).folder)
    ledger.enter(served, "publish", "")
    ledger.enter(replace(served, release_id="before"), "rollback", "clicks fell")
    newest, first = drawn(root)["releases"]["ledger"]
    assert (newest["what"], newest["release_id"], newest["before"]) == ("rollback", "before", served.release_id)
    assert (newest["by"], newest["why"], newest["day"]) == ("somebody", "clicks fell", str(served.day))
    assert first["what"] == "publish"
    (ledger._path).write_text("[]", encoding="utf-8")
    (damaged,) = drawn(root)["damaged"]
    assert damaged["path"] == f"releases/{JOB}/ledger.json"


def test_a_rollback_that_holds(root: Path) -> None:
    files = ReleaseFiles.of(root, JOB)
    served = pointer(root, previous=None)
    files.set_served(served)
    files.set_hold(Hold(left=served.release_id, restored="before", reason="by hand", done=True))
    releases = drawn(root)["releases"]
    assert releases["hold"] == {"left": served.release_id, "reason": "by hand"}
    assert releases["release_hold"] == f"python -m pipeline rollback --job {JOB} --release-hold"
    assert releases["rollback"] is None, "nothing was served before"
    assert releases["history"][0]["rolled_back"]


def test_what_was_served_stays_published_when_a_later_backfill_found_it_superseded(root: Path) -> None:
    served = pointer(root, previous=None)
    day = FIRST.plus(LAST)
    with ArtifactStore(root).draft(Ref("publish", JOB, day)) as draft:
        extra = PublishRecord(status="superseded", reason="day 2024-12-31 is served").written()
        draft.commit(key="again", digest="", inputs=[], extra=extra)
    row = drawn(root)["releases"]["history"][0]
    assert (row["day"], row["status"]) == (str(day), "superseded")
    Ledger(ReleaseFiles.of(root, JOB).folder).enter(served, "publish", "")
    releases = drawn(root)["releases"]
    row = releases["history"][0]
    assert (row["release_id"], row["status"], row["why"]) == (served.release_id, "published", "")
    assert releases["published"][-1] == LAST
