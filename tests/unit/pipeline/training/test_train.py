from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from models.engine.engine import Engine, configure
from models.engine.packing import Batch
from models.randomness import HiddenState
from models.schema import DayArrays
from pipeline.config.experiment import Experiment
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.training import train
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
    assert train.learning_rate(settings, trained_days) == pytest.approx(rate, rel=1e-12)


def test_a_floor_above_the_rate_does_not_raise_it() -> None:
    assert train.learning_rate(experiment(learning_rate=1e-4, decay=0.5, floor=1e-3), 3) == pytest.approx(1e-4)


class Recorder:
    """In an engine's place of training: the weight and number of requests of each batch that it is given."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.seen = engine, cast(list[tuple[int, float]], [])

    def train_epoch(self, batches: Iterable[Batch], rate: float, bucket: object) -> np.ndarray:
        every = list(batches)
        weight = np.concatenate([batch.weight[batch.weight > 0] for batch in every])
        self.seen.append((len(weight), float(weight[0])))
        assert len(np.unique(weight)) == 1
        return np.full(len(every), rate, np.float32)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


@pytest.fixture(scope="module")
def engine() -> Engine:
    configure(2)
    made = Engine(
        school_schema(), "pooled", {"units": [4]}, dims=dict.fromkeys(SIZES, 4), compile="graph"
    )
    made.fresh(SIZES)
    return made


def run(engine: Engine, settings: Experiment) -> list[tuple[int, float]]:
    """What is trained of today's 9 impressions and of 5 and 7 replayed ones: (rows, their weight) in order."""
    parts = train._parts(TODAY, settings, cast(Artifact, None), {BEFORE: "older", LAST_YEAR: "old"})
    for part, rows in zip(parts, [{TODAY: 9, BEFORE: 5, LAST_YEAR: 7}[part.day] for part in parts], strict=True):
        part.__dict__["arrays"] = one_pair_each(rows)
    config: JobConfig = small_job.config(experiments={"pooled": settings}, replay={"match": ["row.user"]})
    recorder = Recorder(engine)
    train._run(cast(Any, None), config, TODAY, "pooled", cast(Engine, recorder), parts, 1e-3, dict(SIZES))
    return recorder.seen


def one_pair_each(rows: int) -> DayArrays:
    return make_day(school_schema(), requests=rows, most=1)


def test_replayed_rows_come_before_the_day_s_own_with_their_weight(engine: Engine) -> None:
    assert run(engine, experiment(replay="new", replay_weight=0.25, batch=4)) == [(5, 0.25), (7, 0.25), (9, 1.0)]


def test_replayed_rows_come_after_the_day_s_own_where_it_is_said(engine: Engine) -> None:
    settings = experiment(replay="new", replay_order="after", batch=4)
    assert run(engine, settings) == [(9, 1.0), (5, 1.0), (7, 1.0)]


def test_every_epoch_of_a_part_comes_before_the_next_part(engine: Engine) -> None:
    settings = experiment(replay="always", epochs=2, replay_weight=2.0, batch=4)
    assert run(engine, settings) == [(5, 2.0), (5, 2.0), (7, 2.0), (7, 2.0), (9, 1.0), (9, 1.0)]


def test_a_model_whose_step_hangs_on_hidden_state_fails_the_day_by_its_name(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its step is traced with the first batch only, long after `config check`."""

    class Leaky(Recorder):
        def train_epoch(self, batches: Iterable[Batch], rate: float, bucket: object) -> np.ndarray:
            raise HiddenState("model 'leaky': its noise")

    monkeypatch.setattr(f"{__name__}.Recorder", Leaky)
    monkeypatch.setattr(train.Session, "of", lambda *_: SimpleNamespace(trainer=SimpleNamespace()))
    with pytest.raises(ChainError, match=r"^experiments\.pooled: model 'leaky': its noise"):
        run(engine, experiment())
