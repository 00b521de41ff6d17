"""The chain of each experiment as a calendar."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.school_year import JOB
from pipeline.errors import DataError
from pipeline.monitoring.failures import noted
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training.chain import Chain
from tests.unit.pipeline.monitoring.overview.drawn import FIRST, LAST, ONE, SKIPPED, TWO, drawn, experiment


def test_the_calendar_of_an_undisturbed_chain(written: Path) -> None:
    picture = drawn(written)
    assert (picture["first"], picture["last"], picture["count"]) == ("2024-01-01", "2024-02-14", 45)
    assert [each["name"] for each in picture["experiments"]] == [TWO, ONE]
    one = experiment(picture, ONE)
    assert one["states"] == "t" * SKIPPED + "s" + "t" * (LAST - SKIPPED)
    assert one["champion"]
    assert not one["removed"]
    assert one["parents"][SKIPPED + 1] == str(FIRST.plus(SKIPPED - 1))
    assert picture["skips"] == {str(SKIPPED): "no rows in any required table, after the deadline"}
    assert picture["damaged"] == []
    assert picture["problem"] is None


def test_its_letters_are_the_chains_states(root: Path) -> None:
    store = ArtifactStore(root)
    store.taint(Ref("features", JOB, FIRST.plus(20)), "half of the log was missing")
    with store.draft(Ref("checkpoint", JOB, FIRST.plus(30), ONE)) as draft:
        draft.commit(key="", digest="", inputs=[], state="skipped", reason="by hand")
    picture = drawn(root)
    letters = {"t": "trained", "s": "skipped", "x": "tainted", "m": "missing"}
    for name in (ONE, TWO):
        chain = Chain(store, JOB, name, None)
        states = chain.states(FIRST, FIRST.plus(LAST)).values()
        shown = experiment(picture, name)
        assert [letters[each] for each in shown["states"]] == list(states)
        assert shown["tainted"] == sum(state == "tainted" for state in states) > 0
        tainted = dict(chain.tainted())
        assert shown["why"] == {str(day - FIRST): reason for day, reason in tainted.items()}
        assert shown["rechain"] == chain.rechain(sorted(tainted))


def test_a_failed_day_is_told_from_one_that_was_never_run(root: Path) -> None:
    for kind in ("checkpoint", "test"):
        for number in (LAST - 1, LAST):
            for path in (root / kind / JOB / TWO / f"day={FIRST.plus(number)}").glob("*"):
                if path.name == "current":
                    path.unlink()
                else:
                    (path / "manifest.json").unlink()
                    path.rmdir()
            (root / kind / JOB / TWO / f"day={FIRST.plus(number)}").rmdir()
    with pytest.raises(DataError), noted(root, JOB, FIRST.plus(LAST - 1), "experiment", TWO):
        raise DataError("the loss is not finite")
    with pytest.raises(DataError), noted(root, JOB, FIRST.plus(LAST + 1), "extract"):
        raise DataError("the source is away")
    with pytest.raises(DataError), noted(root, JOB, FIRST.plus(3), "experiment", ONE):
        raise DataError("trained since")
    picture = drawn(root)
    assert picture["count"] == LAST + 2, "a day of which there is nothing but its failure"
    assert experiment(picture, TWO)["states"][-3:] == "mmm"
    assert experiment(picture, ONE)["states"][-3:] == "ttm"
    assert set(picture["failures"][TWO]) == {str(LAST - 1), str(LAST + 1)}
    assert picture["failures"][TWO][str(LAST - 1)]["message"] == "the loss is not finite"
    assert set(picture["failures"][ONE]) == {str(LAST + 1)}
    assert [each["message"] for each in picture["failed_stages"]] == ["the source is away"]
