"""A day of a blend: made of its members' checkpoints and tests, again where one of them is another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.config.experiment import Experiment
from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.training import blend_weights, checkpoint_file, train
from pipeline.training.chain import Chain
from pipeline.training.records import CheckpointRecord, Fitted
from tests.unit.pipeline.evaluation.tested import Days
from tests.unit.pipeline.judged import day as requests
from tests.unit.pipeline.release.days import FIRST, commit, context

SECOND = FIRST.next()


def member(here: JobContext, name: str, digest: str = "") -> Artifact:
    return commit(here, "checkpoint", SECOND, name, digest=digest or name, sizes={"ad": 7, name: 3})


def test_a_day_is_made_of_its_members_and_made_again_with_them(tmp_path: Path) -> None:
    job = context(tmp_path)
    both = Experiment(model="blend", options={"of": ["b", "a"]})
    here = JobContext(job.config.model_copy(update={"experiments": {**job.config.experiments, "all": both}}), tmp_path)
    for kind in ("features", "maps"):
        commit(here, kind, SECOND)
    features, parent = here.needed("features", SECOND), commit(here, "checkpoint", FIRST, "all", trained_days=4)
    members = [member(here, name) for name in "ab"]
    made, new = train.train(here, SECOND, "all", features, parent)
    said = CheckpointRecord.of(made)
    assert new
    assert (said.parent, said.trained_days, said.batches, said.loss) == (parent.id, 5, 0, None)
    assert said.sizes == {"ad": 7, "a": 3, "b": 3}
    assert said.architecture is not None
    assert {name: each.model for name, each in said.architecture.members.items()} == {"a": "pooled", "b": "pooled"}
    assert [each.id for each in made.manifest.inputs] == [each.id for each in (features, parent, *members)]
    ((name, weights),) = checkpoint_file.read(made).items()
    assert (name, weights.tolist()) == ("weights.label", [0.5, 0.5, 0])
    assert train.stands(here, SECOND, "all", features, parent) == made
    assert train.train(here, SECOND, "all", features, parent) == (made, False)
    member(here, "b", "another")
    assert train.stands(here, SECOND, "all", features, parent) is None
    again, new = train.train(here, SECOND, "all", features, parent)
    assert new
    assert again.manifest.digest != made.manifest.digest, "the weights are the same, what they weigh is not"


@dataclass
class Blend:
    """A blend of `a` and `b` with fitted weights, and days on which they were tested, made of logits alone."""

    here: JobContext
    days: Days
    parent: Artifact | None = None

    def day(self, day: Day, label: list[int], **logits: list[float]) -> Artifact:
        """The blend's checkpoint of a day; without logits its members were not tested on it."""
        self.days.rows[day] = requests(list(range(len(label) + 1)), label, [0] * len(label))
        features = commit(self.here, "features", day, digest=f"{day} {label}")
        for name, each in logits.items():
            self.days.test(features, name, each)
        commit(self.here, "maps", day)
        for name in "ab":
            commit(self.here, "checkpoint", day, name)
        made, _ = train.train(self.here, day, "all", features, self.parent)
        return made


@pytest.fixture
def blend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Blend:
    monkeypatch.setattr(blend_weights, "RIDGE", 1 / (math.log(3) - 0.5))
    job = context(tmp_path)
    both = Experiment(model="blend", options={"of": ["b", "a"], "weights": "fitted"})
    here = JobContext(job.config.model_copy(update={"experiments": {**job.config.experiments, "all": both}}), tmp_path)
    return Blend(here, Days(here, monkeypatch))


def weights(checkpoint: Artifact) -> list[float]:
    return [float(each) for each in checkpoint_file.read(checkpoint)["weights.label"]]


CLICKS = [1, 1, 0, 0]
SIDES = {"a": [1.0, 1.0, -1.0, -1.0], "b": [0.0] * 4}


def test_weights_are_those_of_the_tests_until_the_day(blend: Blend) -> None:
    """By hand in the test of the weights: ln 3 for `a`; the first day has no test, and the mean."""
    first = blend.day(FIRST, CLICKS)
    assert weights(first) == [0.5, 0.5, 0]
    assert list(checkpoint_file.read(first)) == ["weights.label"]
    assert CheckpointRecord.of(first).fitted == Fitted(days=0, weights={"label": {"a": 0.5, "b": 0.5}})
    blend.parent = first
    made = blend.day(SECOND, CLICKS, **SIDES)
    assert weights(made) == pytest.approx([math.log(3), 0.5, 0])
    said = CheckpointRecord.of(made).fitted
    assert said is not None
    assert (said.days, said.weights["label"]["a"]) == (1, pytest.approx(math.log(3)))
    assert [each.id for each in made.manifest.inputs if each.id.startswith("test/")] == [
        f"test/tiny/{name}/day={SECOND}/gen=0001" for name in "ab"
    ]
    blend.parent = made
    third = blend.day(SECOND.next(), CLICKS, **SIDES)
    assert weights(third)[0] > weights(made)[0], "what the day before said is known still"


def test_a_day_that_judges_nothing_is_not_counted(blend: Blend) -> None:
    blend.parent = blend.day(FIRST, CLICKS)
    said = CheckpointRecord.of(blend.day(SECOND, [-1] * 4, **SIDES)).fitted
    assert said == Fitted(days=0, weights={"label": {"a": 0.5, "b": 0.5}})


def test_a_day_s_own_rows_do_not_move_what_it_is_tested_with(blend: Blend) -> None:
    """They move what the next day is tested with; a day that is tried again comes to the same bits."""
    blend.parent = blend.day(FIRST, CLICKS)
    second = blend.parent = blend.day(SECOND, CLICKS, **SIDES)
    before = (second.manifest.digest, second.manifest.tensors)
    third = SECOND.next()
    made = blend.day(third, CLICKS, **SIDES)
    other = blend.day(third, [0, 0, 1, 1], **SIDES)
    assert other.manifest.tensors != made.manifest.tensors
    assert blend.day(third, CLICKS, **SIDES).manifest.tensors == made.manifest.tensors
    kept = Chain.of(blend.here, "all").parent(third)
    assert kept is not None
    assert (kept.manifest.digest, kept.manifest.tensors) == before


def test_a_day_that_stands_is_not_fitted_anew_because_the_settings_changed(blend: Blend) -> None:
    blend.parent = blend.day(FIRST, CLICKS)
    made = blend.day(SECOND, CLICKS, **SIDES)
    features, config = blend.here.needed("features", SECOND), blend.here.config
    mean = config.experiments["all"].model_copy(update={"options": {"of": ["b", "a"]}})
    now = JobContext(config.model_copy(update={"experiments": {**config.experiments, "all": mean}}), blend.here.root)
    assert train.train(now, SECOND, "all", features, blend.parent) == (made, False)
    again, new = train.train(now, SECOND, "all", features, blend.parent, reprocess=True)
    assert new
    assert weights(again) == [0.5, 0.5, 0]
    assert CheckpointRecord.of(again).fitted is None
    # And the other way round: the tests of a day are asked for only as it is made.
    assert train.train(blend.here, SECOND, "all", features, blend.parent) == (again, False)


def test_tests_of_other_rows_are_refused(blend: Blend) -> None:
    features = blend.days.put(SECOND, requests([0, 1], [1], [0]), {"a": [1.0], "b": [0.0]})
    for name in "ab":
        commit(blend.here, "checkpoint", SECOND, name)
    other = commit(blend.here, "features", SECOND, digest="late labels")
    with pytest.raises(ChainError, match=r"tiny \S+: 'a' was tested on other rows than the day has now; run `python"):
        train.train(blend.here, SECOND, "all", other, None)
    assert train.train(blend.here, SECOND, "all", features, None)[1]
