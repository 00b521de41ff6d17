from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.artifacts import Ref
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.release import decision, prune
from pipeline.release.build import build
from pipeline.release.pointer import Pointer, Published, ReleaseFiles
from tests.unit.pipeline.release.days import FIRST, commit, context, run


@pytest.fixture(autouse=True)
def _nobody_superior(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "superior", lambda *_: (False, ""))


def kept(here: JobContext, kind: str, experiment: str) -> list[Day]:
    days = here.store.days(kind, here.job, experiment)
    found = ((day, here.store.current(Ref(kind, here.job, day, experiment))) for day in days)
    return [day for day, artifact in found if artifact is not None and not artifact.manifest.pruned]


def served(here: JobContext, day: Day, previous: Day) -> None:
    """Publishes nothing, but leaves the files of it."""
    files = ReleaseFiles.of(here.root, here.job)
    ids = {}
    for each in (previous, day):
        release = here.store.current(Ref("release", here.job, each))
        assert release is not None
        extra = release.manifest.extra
        ids[each] = extra["release_id"]
        pointer = Pointer(extra["release_id"], here.job, each, "a", extra["checkpoint"], 1, {}, ids.get(previous))
        files.set_published(Published(pointer, release.id, {}, {}))
    files.set_served(pointer)


def test_the_newest_and_the_first_of_the_month_stay(tmp_path: Path) -> None:
    here = context(tmp_path, keep_models=2, keep_checkpoints=3)
    days = list(Day.of(2024, 2, 26).through(Day.of(2024, 3, 8)))
    for day in days:
        run(here, day, None)
    done = prune.prune(here)
    assert kept(here, "checkpoint", "b") == [Day.of(2024, 2, 26), Day.of(2024, 3, 1), *days[-3:]]
    assert kept(here, "export", "b") == days[-2:]
    assert done.bytes > 0
    assert len(done.ids) == 2 * (10 + 7)
    assert here.chain("b").days() == days  # manifests stay
    assert prune.prune(here).ids == []


def test_what_is_served_or_was_before_is_never_touched(tmp_path: Path) -> None:
    here = context(tmp_path, keep_models=1, keep_checkpoints=1)
    days = list(FIRST.through(FIRST.plus(9)))
    for day in days[:5]:
        run(here, day, None if day == days[0] else "promote")
        build(here, day)
    served(here, days[3], days[2])  # of the checkpoints of days 2 and 1
    for day in days[5:]:
        run(here, day, "keep")
    prune.prune(here)
    # Day 3 is the checkpoint of the newest release, 8 and 9 are tested next and trained on next, 0 begins the month.
    assert kept(here, "export", "a") == [days[1], days[2], days[3], days[9]]
    assert kept(here, "checkpoint", "a") == [days[0], days[1], days[2], days[3], days[8], days[9]]
    assert kept(here, "export", "b") == [days[9]]


def test_superseded_generations_of_exports_go(tmp_path: Path) -> None:
    here = context(tmp_path)
    run(here, FIRST, None)
    old = here.store.current(Ref("export", here.job, FIRST, "a"))
    commit(here, "export", FIRST, "a", checkpoint="other")
    done = prune.prune(here)
    assert old is not None
    assert done.ids == [old.id]


def test_a_daily_prune_looks_at_the_whole_chain_only_now_and_then(tmp_path: Path) -> None:
    here = context(tmp_path, keep_models=100, keep_checkpoints=2)
    for back in range(2 + 1 + prune._SLACK):
        run(here, FIRST.plus(back), None)
    assert prune.prune(here, thorough=False).ids == []
    run(here, FIRST.plus(20), None)
    assert len(prune.prune(here, thorough=False).ids) == 2 * (prune._SLACK + 1)
