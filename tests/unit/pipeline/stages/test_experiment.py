"""What a day will read is listed under its chain's lock, and what of it was pruned is made again first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LockTimeout
from pipeline.evaluation import gate_day, next_day
from pipeline.job import JobContext
from pipeline.release import prune
from pipeline.stages import experiment
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.making import Recipe
from pipeline.training import chain, export, train
from pipeline.training.chain import Chain
from pipeline.training.overrides import NONE
from tests.unit.pipeline.release.days import FIRST, commit, context
from tests.unit.pipeline.said import said

LAST = FIRST.plus(3)


def make(here: JobContext, recipe: Recipe, **extra: Any) -> Artifact:
    with here.making(*recipe) as made:
        (made.path / "payload").write_text(str(recipe.ref))
        return made.commit(str(recipe.ref), extra=said(recipe.ref.kind, **extra))


@pytest.fixture
def here(tmp_path: Path) -> JobContext:
    """Four days of experiment ``a``, each tested, judged, trained and exported."""
    job = context(tmp_path)
    parent: Artifact | None = None
    Chain.of(job, "a").begin(FIRST)
    for day in FIRST.through(LAST):
        features = commit(job, "features", day)
        if parent is not None:
            test = make(job, next_day._recipe(job, day, "a", features, parent), values={"auc": 0.6})
            recipe = gate_day._against(job, day, "a", test, ()).recipe
            make(job, recipe, verdict="promote", checkpoint=parent.id, incumbent=None)
        parent = make(job, train._recipe(job.config, day, "a", features, parent, {}), trained_days=1)
        make(job, export._recipe(job, day, "a", parent))
    return job


def current(here: JobContext, kind: str, back: int = 0) -> Artifact:
    found = here.store.current(Ref(kind, here.job, LAST.plus(-back), None if kind == "features" else "a"))
    assert found is not None
    return found


def listed(here: JobContext, *, reprocess: bool = False) -> list[tuple[str, int]]:
    """Kind, and how many days before the last, of what is to be made again for the last day."""
    asked = experiment._Asked(here, LAST, "a", NONE, reprocess)
    found = asked.pruned(current(here, "features"), Chain.of(here, "a").parent(LAST))
    return [(each.ref.kind, LAST - each.ref.day) for each in found]


@pytest.mark.parametrize(
    ("gone", "wanted"),
    [
        (None, []),
        ("checkpoint", [("features", 0), ("checkpoint", 1)]),
        ("test", [("features", 0), ("checkpoint", 1)]),
        ("gate", [("features", 0)]),
        ("export", [("features", 0), ("checkpoint", 0)]),
    ],
)
def test_what_was_pruned_is_listed_where_it_will_be_read(
    here: JobContext, gone: str | None, wanted: list[tuple[str, int]]
) -> None:
    if gone is not None:
        here.store.withdraw(Ref(gone, here.job, LAST, "a"))
    assert listed(here) == [], "nothing is pruned"
    for kind, back in (("features", 0), ("checkpoint", 1), ("checkpoint", 0)):
        if (gone, kind, back) != ("checkpoint", "checkpoint", 0):
            here.store.prune(current(here, kind, back))
    assert listed(here) == wanted


def test_a_day_that_is_done_again_reads_its_features_and_its_parent(here: JobContext) -> None:
    for kind, back in (("features", 0), ("checkpoint", 1), ("checkpoint", 0)):
        here.store.prune(current(here, kind, back))
    assert listed(here, reprocess=True) == [("features", 0), ("checkpoint", 1)]


def test_checkpoints_are_made_again_in_order_from_the_nearest_that_is_kept(
    here: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third day's checkpoint takes the second's, and both their features; the first is kept."""
    done: list[tuple[str, int]] = []
    monkeypatch.setattr(experiment, "build_features", lambda _, day, **__: done.append(("features", day - FIRST)))
    monkeypatch.setattr(experiment.train, "restore", lambda _, day, __: done.append(("checkpoint", day - FIRST)))
    for back in (0, 1, 3):
        here.store.prune(current(here, "features", back))
    for back in (1, 2):
        here.store.prune(current(here, "checkpoint", back))
    needed = [current(here, "features"), current(here, "checkpoint", 1)]
    experiment._restore(here, "a", needed)
    assert done == [("features", 2), ("features", 3), ("checkpoint", 1), ("checkpoint", 2)]


def test_nothing_is_pruned_between_the_list_and_the_end_of_the_day(
    here: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "LOCK_SECONDS", 0.0)
    ran = []

    def run(asked: experiment._Asked, features: Artifact, parent: Artifact | None) -> None:
        with pytest.raises(LockTimeout, match="experiment 'a' of job 'tiny'"):
            prune.prune(here)
        ran.append((features.id, parent.id if parent is not None else None))

    monkeypatch.setattr(experiment._Asked, "run", run)
    experiment.run(here, LAST, "a")
    assert ran == [(current(here, "features").id, current(here, "checkpoint", 1).id)]


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        ({"verdict": "promote", "reasons": ["not worse"]}, "promote"),
        ({"verdict": "block", "reasons": ["auc 0.4300 is below 0.45", "more"]}, "block (auc 0.4300 is below 0.45)"),
        ({"verdict": "inconclusive", "reasons": ["a rise"], "rise": "auc rose"}, "inconclusive (auc rose)"),
    ],
)
def test_the_line_of_a_day_says_why_it_is_held(here: JobContext, judged: dict[str, Any], told: str) -> None:
    checkpoint, exported = current(here, "checkpoint"), current(here, "export")
    gate = commit(here, "gate", LAST.plus(1), "a", **judged)
    assert experiment.Outcome(None, gate, checkpoint, exported, trained=True).summary == f"trained, {told}"
