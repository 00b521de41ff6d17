"""What an encoder gives beside what it reads: auxiliary losses, and what its layers add, in training alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import Field

from models.encoders import registry
from models.encoders.base import Encoder, Reading
from models.encoders.history import History, HistoryGroup
from models.engine.batching import DayBatches
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.export.saved_model import module_of
from models.layers.pooling import pool
from models.options import ModelOptions
from models.outputs import Auxiliary
from models.schema import DayArrays
from tests.unit.models.asked import id_maps

RATE = 1e-2


class ApartOptions(ModelOptions):
    weight: float = Field(0.0, description="of the loss `apart`")


class Scale(keras.layers.Layer):
    """Ones at first; adds a tenth of the sum of their squares, and a quarter of their sum."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.scale = self.add_weight(
            name="scale", shape=shape[-1:], initializer="ones", regularizer=keras.regularizers.L2(0.1)
        )
        self.built = True

    def call(self, values: tf.Tensor) -> tf.Tensor:
        self.add_loss(0.25 * tf.reduce_sum(tf.convert_to_tensor(self.scale)))
        return values


class Apart(Encoder[ApartOptions]):
    """The mean of the steps, and as its loss the sum of three weights that begin at one."""

    Options = ApartOptions
    keeps_places = True

    def __init__(self, options: ApartOptions, group: HistoryGroup, *, name: str) -> None:
        super().__init__(options, group, name=name)
        self.layer = Scale(name=name)

    def read(self, history: History, training: bool) -> Reading:
        told = pool(self.layer(history.steps), history.mask, "mean")
        if not training or not self.options.weight:
            return Reading(told)
        of_scale = tf.exp(tf.reduce_sum(tf.convert_to_tensor(self.layer.scale)), name="only_in_training")
        return Reading(told, {"apart": Auxiliary(of_scale, self.options.weight)})


@pytest.fixture
def engine(make_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Engine]:
    def make(weight: float) -> Engine:
        monkeypatch.setitem(registry.ENCODERS, "apart", Apart)  # type: ignore[arg-type]
        return make_engine("pooled", {"encoders": {"clicks": {"type": "apart", "weight": weight}}})

    return make


def one_step(engine: Engine, day: DayArrays) -> dict[str, float]:
    batch = DayBatches(engine, day, Settings(16, 3)).batch(0)
    ((whole, *parts),) = engine.train_epoch([batch], RATE).tolist()
    return {"whole": whole, **dict(zip(engine.loss_parts, parts, strict=True))}


def test_a_loss_of_an_encoder_enters_by_its_weight_and_is_told_apart(
    engine: Callable[[float], Engine], day: DayArrays
) -> None:
    """Of scales of 1: their layer adds .1 · width + .25 · width; the loss of the encoder is e^width, by .5."""
    without, with_loss = engine(0.0), engine(0.5)
    width = len(without.state()["dense/seq_clicks/scale"])
    plain, told = one_step(without, day), one_step(with_loss, day)
    assert set(plain) == {"whole", "label", "added by layers"}
    assert set(told) == {*plain, "clicks/apart"}
    assert told["added by layers"] == plain["added by layers"] == pytest.approx(0.35 * width)
    assert told["clicks/apart"] == pytest.approx(np.exp(width), rel=1e-5)
    assert told["label"] == pytest.approx(plain["label"], rel=1e-5)
    assert plain["whole"] == pytest.approx(plain["label"] + 0.35 * width, rel=1e-5)
    assert told["whole"] == pytest.approx(plain["whole"] + 0.5 * np.exp(width), rel=1e-5)
    # The first moment of Adam is a tenth of the gradient: 2 · .1 · 1 + .25, and .5 · e^width.
    moments = [each.state()["slot/dense/seq_clicks/scale/m"] for each in (without, with_loss)]
    np.testing.assert_allclose(moments[0], np.full(width, 0.045), rtol=1e-4)
    np.testing.assert_allclose(moments[1], np.full(width, 0.045 + 0.05 * np.exp(width)), rtol=1e-4)


def test_a_loss_of_an_encoder_is_not_in_what_is_exported(
    engine: Callable[[float], Engine], day: DayArrays, tmp_path: Path
) -> None:
    trained = engine(0.5)
    one_step(trained, day)
    trained.score(DayBatches(trained, day, Settings(16, 3)).batch(0))
    maps = id_maps()
    module = module_of(trained, {space: kind for space, (kind, _) in maps.items()})
    module.write(tmp_path / "model", trained.sizes, maps, {})
    ((_, step),) = trained._steps._training.values()  # the step that was trained has it
    assert "only_in_training" in str(step.graph.as_graph_def())
    assert b"only_in_training" not in (tmp_path / "model" / "saved_model.pb").read_bytes()


def test_a_loss_where_nothing_is_trained_is_refused(
    engine: Callable[[float], Engine], day: DayArrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    def always(self: Any, history: History, training: bool) -> Reading:
        return Reading(pool(history.steps, history.mask, "mean"), {"apart": Auxiliary(tf.constant(1.0))})

    monkeypatch.setattr(Apart, "read", always)
    asked = engine(0.25)
    with pytest.raises(ValueError, match="gives the losses clicks/apart where it is asked with `training=False`"):
        asked.score(DayBatches(asked, day, Settings(16, 3)).batch(0))
