"""The shortest way to make tainted chains whole: which days, of which experiments."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.training.chain import Chain
from pipeline.training.rechain import Rechain, growing_after, plan_rechain
from tests.unit.pipeline.release.days import FIRST, context

D = [FIRST.plus(number) for number in range(6)]


def put(here: JobContext, kind: str, day: Day, *made_from: Artifact | None, experiment: str | None = None) -> Artifact:
    with here.store.draft(Ref(kind, here.job, day, experiment)) as draft:
        (draft.path / "payload").write_text("x")
        inputs = [each.as_input() for each in made_from if each is not None]
        return draft.commit(key=kind, digest=f"{kind} {day}", inputs=inputs)


@pytest.fixture
def job(tmp_path: Path) -> JobContext:
    """Id maps of six days, each made from the day before; ``a`` is trained on five of them, ``b`` on the first two."""
    here = context(tmp_path)
    before: Artifact | None = None
    for day in D:
        before = put(here, "maps", day, before)
    for name, days in (("a", D[:5]), ("b", D[:2])):
        chain = Chain.of(here, name)
        for day in days:
            chain.begin(day)
            put(here, "checkpoint", day, chain.parent(day), experiment=name)
    return here


def taint(here: JobContext, kind: str, day: Day, experiment: str | None = None) -> None:
    here.store.taint(Ref(kind, here.job, day, experiment), "bad")


def test_chains_that_stand_need_nothing(job: JobContext) -> None:
    assert plan_rechain(job, ["a", "b"]) == []
    assert growing_after(job, D[4]) == ()


def test_each_starts_behind_its_nearest_good_checkpoint(job: JobContext) -> None:
    taint(job, "checkpoint", D[2], "a")
    assert plan_rechain(job, ["a", "b"]) == [Rechain(D[2], D[4], {"a": 3})]


def test_chains_that_end_on_different_days_are_ranges_of_their_own(job: JobContext) -> None:
    taint(job, "checkpoint", D[3], "a")
    taint(job, "checkpoint", D[0], "b")
    assert plan_rechain(job, ["a", "b"]) == [Rechain(D[0], D[1], {"b": 2}), Rechain(D[3], D[4], {"a": 2})]
    assert plan_rechain(job, ["a"])[0].experiments == ["a"]


def test_id_maps_that_are_tainted_earlier_grow_again_first(job: JobContext) -> None:
    taint(job, "checkpoint", D[3], "a")
    taint(job, "maps", D[1])
    (found,) = plan_rechain(job, ["a"])
    assert found.growing == (D[1], D[2])


def test_id_maps_of_days_to_which_nobody_has_come(job: JobContext) -> None:
    taint(job, "maps", D[5])
    assert growing_after(job, D[4]) == (D[5],)
    assert growing_after(job, D[5]) == ()
