"""A trainer is read from disk only where it stands elsewhere; seeds are functions of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from models.engine.state import StateMismatch
from models.engine.update_rules import Sgd
from models.optimizer_settings import SgdSettings
from pipeline.config.experiment import Experiment
from pipeline.errors import ChainError, PrunedPayload
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.training import loaded_trainers
from pipeline.training.keras_trainer import KerasTrainer
from pipeline.training.loaded_trainers import Loaded, made, seed_of
from tests.unit.pipeline import small_job
from tests.unit.pipeline.release.days import FIRST, commit, context


class Recording:
    """A trainer that counts how often it is loaded, and with what."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.loaded: list[Any] = []
        self.fault = fault

    def load(self, state: Any, then: object) -> None:
        if self.fault is not None:
            raise self.fault
        self.loaded.append(state)


@pytest.fixture
def here(tmp_path: Path) -> JobContext:
    return context(tmp_path)


@pytest.fixture
def checkpoints(here: JobContext, monkeypatch: pytest.MonkeyPatch) -> list[Artifact]:
    monkeypatch.setattr(loaded_trainers, "state_of", lambda _, artifact: artifact.id)
    return [commit(here, "checkpoint", FIRST.plus(number), "a") for number in range(2)]


def test_who_stands_at_the_checkpoint_is_not_read_again(here: JobContext, checkpoints: list[Artifact]) -> None:
    first, second = checkpoints
    loaded = Loaded(Recording(), here.store)  # type: ignore[arg-type]
    assert loaded.at(first) is loaded.at(first) is loaded.trainer
    loaded.at(second)
    loaded.at(first)
    assert loaded.trainer.loaded == [first.id, second.id, first.id]  # type: ignore[attr-defined]
    loaded.checkpoint = None  # trained on since
    loaded.at(first)
    assert len(loaded.trainer.loaded) == 4  # type: ignore[attr-defined]


def test_a_state_that_does_not_fit_is_the_settings_fault_and_stands_nowhere(
    here: JobContext, checkpoints: list[Artifact]
) -> None:
    broken = Recording(StateMismatch("tensor 'table/user': expected [any, 4]"))
    loaded = Loaded(broken, here.store, checkpoint="another")  # type: ignore[arg-type]
    with pytest.raises(ChainError, match=r"expected \[any, 4\]. The experiment's settings no longer fit its chain"):
        loaded.at(checkpoints[0])
    assert loaded.checkpoint is None


def test_a_pruned_checkpoint_names_itself(here: JobContext, checkpoints: list[Artifact]) -> None:
    here.store.prune(checkpoints[0])
    pruned = here.store.load(checkpoints[0].id)
    assert pruned is not None
    with pytest.raises(PrunedPayload) as caught:
        Loaded(Recording(), here.store).at(pruned)  # type: ignore[arg-type]
    assert caught.value.artifact == checkpoints[0].id


def test_a_seed_of_its_own_stands_for_the_name_of_an_experiment(tmp_path: Path) -> None:
    config = context(tmp_path).config
    seeded = {name: config.experiments["a"].model_copy(update={"seed": seed}) for name, seed in
              (("a", None), ("b", 1), ("c", 1), ("d", 2))}  # fmt: skip
    config = config.model_copy(update={"experiments": seeded})
    assert seed_of(config, "b", FIRST) == seed_of(config, "c", FIRST)
    assert len({seed_of(config, name, FIRST) for name in "abd"}) == 3
    assert seed_of(config, "a") == seed_of(context(tmp_path).config, "a")
    assert config.stage_settings("train", "a") == context(tmp_path).config.stage_settings("train", "a")
    assert config.stage_settings("train", "b") != config.stage_settings("train", "d")


def test_a_seed_is_a_function_of_the_settings_and_of_the_day(tmp_path: Path) -> None:
    config = context(tmp_path).config
    seeds = {
        seed_of(config, "a"), seed_of(config, "b"), seed_of(config, "a", FIRST), seed_of(config, "a", FIRST.next()),
        seed_of(config.model_copy(update={"seed": 2}), "a"), seed_of(config.model_copy(update={"job": "other"}), "a"),
    }  # fmt: skip
    assert len(seeds) == 6
    assert seed_of(config, "a", FIRST, "rows", 0) == seed_of(context(tmp_path).config, "a", FIRST, "rows", 0)
    assert all(np.iinfo(np.int64).min <= seed <= np.iinfo(np.int64).max for seed in seeds)


def test_rates_of_optimisers_own_decay_from_the_rate_that_the_experiment_begins_with() -> None:
    settings = Experiment(
        model="pooled", loss="binary", optimizer={"dense": {"type": "sgd", "rate": 0.5}}, learning_rate=0.02, decay=0.5
    )
    trainer = cast(KerasTrainer, made(small_job.config(experiments={"pooled": settings}), "pooled"))
    assert trainer._dense._rule == Sgd(SgdSettings(rate=0.5), first_rate=0.02)
