"""Which days trees are fitted on beside the new one: the chain's own, as its checkpoints name their parents."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.experiment import Experiment
from pipeline.job import JobContext
from pipeline.stages import experiment
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.training.chain import Chain
from pipeline.training.earlier_days import earlier_days, earlier_on, first_fitted
from tests.unit.pipeline.release.days import FIRST, commit, context

TRAINED = (0, 1, 3, 4)
"""Days after the first; one between was skipped."""


@pytest.fixture
def here(tmp_path: Path) -> JobContext:
    """A chain ``trees`` of four days, fitted on three each, and another of nets."""
    job = context(tmp_path)
    trees = Experiment.model_validate({"model": "gbdt", "loss": "binary", "options": {"days": 3}})
    config = job.config.model_copy(update={"experiments": {**job.config.experiments, "trees": trees}})
    return JobContext(config, tmp_path)


@pytest.fixture
def chain(here: JobContext) -> list[Artifact]:
    """Its checkpoints, the oldest first."""
    made: list[Artifact] = []
    for number, after in enumerate(TRAINED):
        features = commit(here, "features", FIRST.plus(after))
        parent = made[-1] if made else None
        on = [features, *([parent] if parent else []), *earlier_days(here, "trees", FIRST.plus(after), parent)]
        made.append(commit(
            here, "checkpoint", FIRST.plus(after), "trees", inputs=[each.as_input() for each in on],
            parent_day=str(parent.ref.day) if parent else None, trained_days=number + 1,
        ))  # fmt: skip
    return made


def days(found: list[Artifact]) -> list[int]:
    return [each.ref.day - FIRST for each in found]


def test_they_are_the_last_trained_ones_oldest_first(here: JobContext, chain: list[Artifact]) -> None:
    assert earlier_days(here, "trees", FIRST, None) == []
    found = [days(earlier_days(here, "trees", each.ref.day.next(), each)) for each in chain]
    assert found == [[0], [0, 1], [1, 3], [3, 4]]
    assert earlier_days(here, "a", FIRST.plus(5), chain[-1]) == []


@pytest.mark.usefixtures("chain")
def test_the_oldest_of_them_is_told_before_the_day_is_there(here: JobContext) -> None:
    found = [first_fitted(here, "trees", FIRST.plus(after)) - FIRST for after in (0, 1, 3, 5, 9)]
    assert found == [0, 0, 0, 3, 3]
    assert first_fitted(here, "a", FIRST.plus(5)) - FIRST == 5


@pytest.mark.usefixtures("chain")
def test_a_window_is_of_the_days_that_were_built_whether_the_chain_has_them_or_not(here: JobContext) -> None:
    """A new chain on the fifth day: of the four days before one was skipped."""
    windowed = here.config.experiments["a"].model_copy(update={"window": 4})
    job = JobContext(here.config.model_copy(update={"experiments": {"w": windowed}}), here.root)
    assert days(earlier_days(job, "w", FIRST.plus(4), None)) == [1, 3]
    assert days(earlier_days(job, "w", FIRST.plus(1), None)) == [0]


def test_a_checkpoint_says_on_which_it_was_trained(here: JobContext, chain: list[Artifact]) -> None:
    assert [days(earlier_on(here, each)) for each in chain] == [[], [0], [0, 1], [1, 3]]


def test_a_day_of_them_that_comes_out_different_taints_what_was_fitted_on_it(
    here: JobContext, chain: list[Artifact]
) -> None:
    commit(here, "features", FIRST.plus(3), digest="other")
    tainted = dict(Chain.of(here, "trees").tainted())
    assert days(chain)[2:] == [3, 4]
    assert [day - FIRST for day in tainted] == [3, 4]
    assert "features/tiny" in tainted[FIRST.plus(4)]


def test_a_day_that_is_skipped_since_is_none_of_them_and_the_days_after_it_can_be_trained_again(
    here: JobContext, chain: list[Artifact]
) -> None:
    here.store.withdraw(chain[1].ref)
    here.store.withdraw(Ref("features", here.job, FIRST.plus(1)))
    assert days(earlier_on(here, chain[2])) == [0]
    assert days(earlier_days(here, "trees", FIRST.plus(3), chain[0])) == [0]


def test_those_that_were_pruned_are_made_again_before_a_fit(
    here: JobContext, chain: list[Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = commit(here, "features", FIRST.plus(5))
    for after in (1, 3):
        found = here.store.current(new.ref.__class__("features", here.job, FIRST.plus(after)))
        assert found is not None
        here.store.prune(found)
    asked = experiment._Asked(here, FIRST.plus(5), "trees", experiment.NONE, False)
    assert days(asked.pruned(new, chain[-1])) == [3]
    # And those of a checkpoint that is to be made again, with its own.
    here.store.prune(chain[-1])
    done: list[int] = []
    monkeypatch.setattr(experiment, "build_features", lambda _, day, **__: done.append(day - FIRST))
    monkeypatch.setattr(experiment.train, "restore", lambda *_: None)
    experiment._restore(here, "trees", [chain[-1]])
    assert done == [1, 3]
