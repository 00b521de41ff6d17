from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from models.engine.engine import configure
from models.engine.packing import Batch
from models.randomness import HiddenState
from models.schema import DayArrays
from pipeline.config.experiment import Experiment
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.training import day_training
from pipeline.training.keras_trainer import KerasTrainer
from tests.unit.models.school import SIZES, make_day, school_schema
from tests.unit.pipeline import small_job

TODAY, LAST_YEAR, BEFORE = Day.of(2024, 3, 4), Day.of(2023, 3, 4), Day.of(2022, 3, 4)


def experiment(**given: Any) -> Experiment:
    return Experiment.model_validate({"model": "pooled", "loss": "binary", **given})


@pytest.mark.parametrize(
    ("trained_days", "rate"),
    [(0, 1e-3), (1, 9e-4), (2, 8.1e-4), (6, 5.31441e-4), (7, 5e-4), (700, 5e-4)],
)
def test_the_rate_falls_by_the_decay_a_trained_day_to_the_floor(trained_days: int, rate: float) -> None:
    """.001 · .9^7 = .00047830 is below the floor of .0005."""
    settings = experiment(learning_rate=1e-3, decay=0.9, floor=5e-4)
    assert day_training.learning_rate(settings, trained_days) == pytest.approx(rate, rel=1e-12)


def test_a_floor_above_the_rate_does_not_raise_it() -> None:
    assert day_training.learning_rate(experiment(learning_rate=1e-4, decay=0.5, floor=1e-3), 3) == pytest.approx(1e-4)


class Recorder(KerasTrainer):
    """The weight and number of requests of each batch that it is given."""

    seen: list[tuple[int, float]]

    def train_epoch(self, batches: Iterable[Batch], rate: float, *_: object) -> np.ndarray:
        every = list(batches)
        weight = np.concatenate([batch.weight[batch.weight > 0] for batch in every])
        self.seen.append((len(weight), float(weight[0])))
        assert len(np.unique(weight)) == 1
        return np.full((len(every), 1), rate, np.float32)


class Leaky(KerasTrainer):
    """Its step is traced with the first batch only, long after `config check`."""

    def train_epoch(self, batches: Iterable[Batch], rate: float, *_: object) -> np.ndarray:
        raise HiddenState("model 'leaky': its noise")


def made(cls: type[KerasTrainer]) -> KerasTrainer:
    configure(2)
    trainer = cls(school_schema(), "pooled", {"units": [4]}, dims=dict.fromkeys(SIZES, 4), compile="graph")
    trainer.fresh(SIZES)
    return trainer


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return cast(Recorder, made(Recorder))


def day_of(trainer: KerasTrainer, settings: Experiment) -> np.ndarray:
    """Today's 9 impressions and 5 and 7 replayed ones, trained."""
    no = cast(Artifact, None)
    work = day_training.Work(TODAY, "pooled", no, no, replays={BEFORE: "older", LAST_YEAR: "old"})
    parts = work.parts(settings)
    for part, rows in zip(parts, [{TODAY: 9, BEFORE: 5, LAST_YEAR: 7}[part.day] for part in parts], strict=True):
        part.__dict__["arrays"] = one_pair_each(rows)
    config: JobConfig = small_job.config(experiments={"pooled": settings}, replay={"match": ["row.user"]})
    rows_of_day = day_training._rows(config, "pooled", TODAY, parts)
    return day_training._run(cast(Any, None), TODAY, "pooled", trainer, rows_of_day, 1e-3, dict(SIZES))


def run(recorder: Recorder, settings: Experiment) -> list[tuple[int, float]]:
    """What is trained: (rows, their weight) in order."""
    recorder.seen = []
    day_of(recorder, settings)
    return recorder.seen


def one_pair_each(rows: int) -> DayArrays:
    return make_day(school_schema(), requests=rows, most=1)


def test_replayed_rows_come_before_the_day_s_own_with_their_weight(recorder: Recorder) -> None:
    assert run(recorder, experiment(replay="new", replay_weight=0.25, batch=4)) == [(5, 0.25), (7, 0.25), (9, 1.0)]


def test_replayed_rows_come_after_the_day_s_own_where_it_is_said(recorder: Recorder) -> None:
    settings = experiment(replay="new", replay_order="after", batch=4)
    assert run(recorder, settings) == [(9, 1.0), (5, 1.0), (7, 1.0)]


def test_every_epoch_of_a_part_comes_before_the_next_part(recorder: Recorder) -> None:
    settings = experiment(replay="always", epochs=2, replay_weight=2.0, batch=4)
    assert run(recorder, settings) == [(5, 2.0), (5, 2.0), (7, 2.0), (7, 2.0), (9, 1.0), (9, 1.0)]


def test_a_model_whose_step_hangs_on_hidden_state_fails_the_day_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_training.Trainers, "of", lambda *_: SimpleNamespace(trainer=SimpleNamespace()))
    with pytest.raises(ChainError, match=r"^experiments\.pooled: model 'leaky': its noise"):
        day_of(made(Leaky), experiment())


def test_the_first_day_of_a_process_says_what_it_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"pooled": experiment(), "graph": experiment(compile="graph"), "counted": experiment(model="popularity")}
    here = small_job.context(tmp_path, monkeypatch, small_job.config(experiments=small))
    for name in small:
        day_training._tell_of_compiling(here, TODAY, name)
        day_training._tell_of_compiling(here, TODAY.next(), name)
    assert capsys.readouterr().err == f"{TODAY} pooled: compiling the training step (once a process)\n"
