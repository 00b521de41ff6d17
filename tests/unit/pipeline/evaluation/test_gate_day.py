"""The gate of a day from committed tests: what it looks at, and what it leaves behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.evaluation import gate_day
from pipeline.job import JobContext
from pipeline.release.publish.release_files import Championship, ReleaseFiles
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.training.logits import LOGITS
from tests.unit.pipeline.judged import impressions, measured
from tests.unit.pipeline.release.days import commit, train
from tests.unit.pipeline.release.days import context as small
from tests.unit.pipeline.said import said

FIRST = Day.of(2024, 3, 1)
WIDE = {"calibration": [0.1, 9.0]}


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    """Every day has the rows of which AUC is 1 by good scores, 1/2 by bad ones."""
    rows = impressions()[0]
    monkeypatch.setattr(gate_day.day_arrays, "read", lambda _: rows)
    monkeypatch.setattr(gate_day.day_arrays, "key_rank", lambda _: np.zeros(0, np.int32))
    return small(tmp_path, gate=WIDE)


def judged(context: JobContext, day: Day, *, good: bool) -> Artifact:
    rows, better, worse = impressions()
    logits = np.array(better if good else worse, np.float32)
    found = measured("impressions", rows, logits)
    checkpoint = train(context, day.previous(), "a")
    features = commit(context, "features", day)
    ref = Ref("test", context.job, day, "a")
    test = context.store.current(ref)
    if test is None:
        with context.store.draft(ref) as draft:
            np.save(draft.path / LOGITS, logits)
            test = draft.commit(
                key=f"{day} {good}", digest=f"{day} {good}", inputs=[], rows={"tested": found.rows},
                extra=said("test", checkpoint=checkpoint.id, values=found.values),
            )  # fmt: skip
    return gate_day.gate_day(
        context, day, "a", features, test, promoted=ReleaseFiles.of(context.root, context.job).promoted("a")
    )


def test_a_rise_is_inconclusive_and_rests_on_the_days_before(
    context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The incumbent scores like the bad model: the new one is not worse in any case.
    monkeypatch.setattr(gate_day.Trainers, "of", lambda *_: type("Scorers", (), {"incumbent": _Incumbent()}))
    days = list(FIRST.next().through(FIRST.plus(7)))
    usual = [judged(context, day, good=False) for day in days[:5]]
    assert {gate.manifest.extra["verdict"] for gate in usual} == {"promote"}
    assert all("rise" not in gate.manifest.extra and len(gate.manifest.inputs) <= 2 for gate in usual)
    gate = judged(context, days[5], good=True)
    extra = gate.manifest.extra
    assert (extra["verdict"], extra["reasons"][0]) == ("inconclusive", extra["rise"])
    assert extra["rise"] == (
        "auc 1.0000 [1.0000, 1.0000] is too good to be believed: the best of 5 tested days before had 0.5000, "
        "the limit is 0.5500"
    )
    assert extra["incumbent"] == usual[4].manifest.extra["checkpoint"]
    tests = [each.id for each in gate.manifest.inputs if each.id.startswith("test/")]
    assert len(tests) == 6, "its own, and the five that it is judged by"
    assert judged(context, days[5], good=True).id == gate.id, "nothing to do"
    # Another such day is no more believable for it, unless somebody took the first one.
    assert judged(context, days[6], good=True).manifest.extra["verdict"] == "inconclusive"
    ReleaseFiles.of(context.root, context.job).add_champion(Championship("a", days[5], "promote"))
    taken = judged(context, days[6], good=True)
    assert (taken.manifest.extra["verdict"], taken.generation) == ("promote", 2)


def test_without_a_model_served_too_a_rise_is_not_released(context: JobContext) -> None:
    for day in FIRST.next().through(FIRST.plus(5)):
        commit(context, "test", day, "a", values={"auc": 0.5})
    extra = judged(context, FIRST.plus(6), good=True).manifest.extra
    assert extra["verdict"] == "inconclusive"
    assert extra["reasons"][1] == "no model is served yet, and the floors pass"


class _Incumbent:
    """The incumbent's trainer: it scores like the bad model."""

    def at(self, checkpoint: Artifact) -> _Incumbent:
        return self

    def scores(self, arrays: object) -> np.ndarray:
        return np.array(impressions()[2], np.float32)[:, None]
