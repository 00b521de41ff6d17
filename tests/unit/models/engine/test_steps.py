"""Training steps: what a layer brings into one, losses that it adds and random draws; when one is compiled."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import registry
from models.engine.batching import DayBatches
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.engine.packing import Batch
from models.engine.steps import Padding, Steps
from models.inputs import ModelInputs
from models.outputs import Auxiliary, Outputs
from models.schema import DayArrays, FeatureSchema
from models.tasks import Task
from models.zoo.pooled import Pooled, PooledOptions
from tests.unit.models.school import SIZES

Make = Callable[..., Engine]
RATE = 1e-2


class Extra(Pooled):
    """`pooled` with a weight that no score reads, three ones; ``kind`` says which loss it adds."""

    kind = "none"

    def __init__(self, schema: FeatureSchema, options: PooledOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks)
        regularizer = keras.regularizers.L2(0.1) if self.kind == "regulariser" else None
        self.idle = self.add_weight(name="idle", shape=(3,), initializer="ones", regularizer=regularizer)
        self.kept = tf.Variable(0.0, name="kept")
        if self.kind == "by name":
            self.drawn = self.add_weight(name="drawn", shape=(3,), initializer="random_normal")
            self.late = Late(name="late")

    def call(self, inputs: ModelInputs, training: bool = False) -> Outputs:
        answer = super().call(inputs, training)
        logits = {task: self.changed(logit, training) for task, logit in answer.logits.items()}
        auxiliary = {"auxiliary": Auxiliary(tf.reduce_sum(tf.convert_to_tensor(self.idle)), 2.0)}
        return Outputs(logits, auxiliary if training and self.kind == "auxiliary" else {}, {})

    def changed(self, logit: tf.Tensor, training: bool) -> tf.Tensor:
        if self.kind == "add_loss":
            self.add_loss(0.25 * tf.reduce_sum(tf.square(tf.convert_to_tensor(self.idle))))
        if self.kind == "draw" and training:
            return logit + tf.random.uniform(())
        if self.kind == "keras draw" and training:
            return keras.random.dropout(logit, 0.5)
        if self.kind == "variable" and training:
            return logit + self.kept.assign_add(1.0)
        if self.kind == "python" and training:
            return logit + tf.numpy_function(lambda: np.float32(1.0), [], tf.float32)
        if self.kind == "by name":
            return logit + self.late(tf.ones((1, 2)))
        return logit


class Late(keras.layers.Layer):
    """Makes its only layer when it is built."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.inner = keras.layers.Dense(1, name="inner")
        self.inner.build(shape)
        self.built = True

    def call(self, values: tf.Tensor) -> tf.Tensor:
        return self.inner(values)


@pytest.fixture
def extra(monkeypatch: pytest.MonkeyPatch, make_engine: Make) -> Callable[..., Engine]:
    def make(kind: str, **settings: Any) -> Engine:
        model = type("Extra", (Extra,), {"kind": kind, "Options": PooledOptions})
        monkeypatch.setitem(registry._MODELS, "extra", model)
        return make_engine("extra", tasks=(Task(),), **settings)

    return make


def one_step(engine: Engine, day: DayArrays) -> tuple[float, dict[str, np.ndarray]]:
    batch = DayBatches(engine, day, Settings(16, 3)).batch(0)
    return float(engine.train_epoch([batch], RATE)[0, 0]), engine.state()


@pytest.mark.parametrize(
    ("kind", "added", "compile"),
    [("add_loss", 0.75, "graph"), ("regulariser", 0.3, "graph"), ("add_loss", 0.75, "xla")],
)
def test_what_a_layer_adds_to_the_loss_is_added_and_moves_its_weights(
    kind: str, added: float, compile: str, extra: Make, day: DayArrays
) -> None:
    """¼ · 3 · 1² and .1 · 3 · 1²; the first step of Adam moves a weight by the rate, whatever its gradient."""
    plain, untouched = one_step(extra("none", compile=compile), day)
    engine = extra(kind, compile=compile)
    loss, state = one_step(engine, day)
    assert loss - plain == pytest.approx(added, rel=1e-5)
    assert engine.loss_parts == ("label", "added by layers")
    np.testing.assert_array_equal(untouched["dense/idle"], np.ones(3))
    np.testing.assert_allclose(state["dense/idle"], np.full(3, 1 - RATE), rtol=1e-5)
    for name in state:
        if name.startswith("table/"):
            np.testing.assert_allclose(state[name], untouched[name], rtol=1e-5, atol=1e-7)


def test_a_step_that_draws_what_no_seed_determines_is_refused(extra: Make, day: DayArrays) -> None:
    with pytest.raises(ValueError, match="model 'pooled' draws random numbers that no seed determines"):
        one_step(extra("draw"), day)


@pytest.mark.parametrize(
    ("kind", "told"), [("keras draw", "seed_generator_state"), ("variable", "kept"), ("python", "PyFunc")]
)
def test_a_step_whose_result_hangs_on_what_no_checkpoint_holds_is_refused(
    kind: str, told: str, extra: Make, day: DayArrays
) -> None:
    """Keras's generator for all of the process, a variable that is no weight, Python's own random numbers."""
    with pytest.raises(ValueError, match=f"model 'pooled'.*{told}"):
        one_step(extra(kind), day)


def test_first_weights_are_the_same_wherever_their_initialisers_come_from(extra: Make) -> None:
    """An initialiser by its name, and a layer that is made when another is built: Keras draws seeds for both."""
    first, again = extra("by name").state(), extra("by name").state()
    assert {"dense/drawn", "dense/late/inner/kernel"} <= set(first)
    for name, value in first.items():
        np.testing.assert_array_equal(again[name], value, err_msg=name)


@pytest.mark.parametrize("compile", ["graph", "xla"])
def test_dropout_draws_anew_each_step_and_a_resumed_chain_has_the_same_bits(
    compile: str, make_engine: Make, day: DayArrays
) -> None:
    whole, resumed = (make_engine("pooled", {"dropout": 0.4}, compile=compile) for _ in range(2))

    def afresh() -> Engine:
        """What is compiled already, at the beginning of a chain."""
        whole.fresh(SIZES)
        return whole

    batches = list(DayBatches(whole, day, Settings(16, 3)))
    whole.train_epoch(batches[:2], RATE)
    resumed.load(whole.state())
    for each in (whole, resumed):
        each.train_epoch(batches[2:], RATE)
    for name, value in whole.state().items():
        np.testing.assert_array_equal(resumed.state()[name], value, err_msg=name)
    still = [afresh().train_epoch([batch], 1e-12)[0, 0] for batch in (batches[0], replace(batches[0]))]
    assert still[0] == still[1]
    again = afresh().train_epoch([batches[0], batches[0]], 1e-12)
    assert again[0, 0] != again[1, 0]


def test_scores_leave_nothing_out(make_engine: Make, day: DayArrays) -> None:
    plain, dropping = make_engine("pooled"), make_engine("pooled", {"dropout": 0.9})
    batch = DayBatches(plain, day, Settings(16, 3)).batch(0)
    np.testing.assert_array_equal(plain.score(batch), dropping.score(batch))


@pytest.mark.parametrize(("base_rate", "logit"), [(0.04, -3.1780538), (0.5, 0.0), (0.9, 2.1972246), (None, 0.0)])
@pytest.mark.parametrize("units", [[8, 4], []])
def test_a_fresh_output_starts_at_the_base_rate(
    base_rate: float | None, logit: float, units: list[int], make_engine: Make, day: DayArrays
) -> None:
    """ln(.04/.96) and ln(.9/.1); all else is as it was without."""
    engine, before = make_engine("pooled", {"units": units}), make_engine("pooled", {"units": units})
    batch = DayBatches(engine, day, Settings(16, 3)).batch(0)
    engine.fresh({space: len(table) for space, table in before.tables().items()}, base_rate and [base_rate])
    np.testing.assert_allclose(engine.score(batch), before.score(batch) + logit, atol=1e-5)
    changed = [name for name, value in engine.state().items() if not np.array_equal(value, before.state()[name])]
    assert len(changed) == (0 if not logit else 1)


def test_an_auxiliary_loss_is_added_and_told_apart(extra: Make, day: DayArrays) -> None:
    """1 + 1 + 1, of weight 2; the first step of Adam moves a weight by the rate, whatever its gradient."""
    plain, auxiliary = extra("none"), extra("auxiliary")
    batch = DayBatches(plain, day, Settings(16, 3)).batch(0)
    (alone,), ((whole, task, added),) = (engine.train_epoch([batch], RATE) for engine in (plain, auxiliary))
    assert (plain.loss_parts, auxiliary.loss_parts) == ((), ("label", "auxiliary"))
    assert (float(task), float(added)) == (pytest.approx(float(alone[0])), pytest.approx(3.0))
    assert float(whole) == pytest.approx(float(alone[0]) + 6.0)
    np.testing.assert_allclose(auxiliary.state()["dense/idle"], np.full(3, 1 - RATE), rtol=1e-5)


TWO = (Task("click"), Task("view", weight=0.5))


def test_two_tasks_are_heads_of_one_tower_with_known_gradients(make_engine: Make, day: DayArrays) -> None:
    """The gradient of a head's bias: the weighted mean of p − y over the pairs that its task judged.

    The first step of Adam divides it by itself, so it is read from the moment, a tenth of it.
    """
    label = np.where(np.arange(day.pairs) % 3 == 0, -1, np.arange(day.pairs) % 2).astype(np.int8)
    both = replace(day, label=np.stack([np.maximum(day.label[:, 0], 0), label], axis=1), tasks=("click", "view"))
    engine = make_engine("pooled", tasks=TWO)
    batch = DayBatches(engine, both, Settings(4096, order="stored")).batch(0)
    score = engine.score(batch)
    assert score.shape[-1] == 2
    labels, mask = np.stack(batch.told[:2], axis=-1), batch.told[2]
    judged = (labels >= 0) & (mask[..., None] > 0)
    error = np.where(judged, 1 / (1 + np.exp(-score)) - labels, 0.0).sum(axis=(0, 1)) / judged.sum(axis=(0, 1))
    (told,) = engine.train_epoch([batch], RATE)
    assert engine.loss_parts == ("click", "view")
    assert told[0] == pytest.approx(told[1] + 0.5 * told[2])
    each = np.logaddexp(0, np.where(labels == 1, -score, score))
    means = np.where(judged, each, 0).sum(axis=(0, 1)) / judged.sum(axis=(0, 1))
    np.testing.assert_allclose(told[1:], means, rtol=1e-5)
    moment = engine.state()["slot/dense/tower_main/tower_main_hidden_3/bias/m"]
    np.testing.assert_allclose(moment, 0.1 * error * [1.0, 0.5], rtol=1e-4)


def test_an_engine_learns_the_tasks_that_it_is_asked_alone(make_engine: Make, day: DayArrays) -> None:
    """A model of `view` alone trains on the pairs that were judged in it."""
    label = np.where(np.arange(day.pairs) % 3 == 0, -1, np.arange(day.pairs) % 2).astype(np.int8)
    both = replace(day, label=np.stack([day.label[:, 0], label], axis=1), tasks=("click", "view"))
    batches = DayBatches(make_engine("pooled", tasks=(Task("view"),)), both, Settings(16, order="stored"))
    assert batches.examples.pairs[:, 0].tolist() == np.flatnonzero(label >= 0).tolist()
    (only,) = {tuple(np.unique(batch.label)) for batch in batches}
    assert only == (0.0, 1.0)


def test_a_step_is_compiled_for_a_wider_padding_alone_and_takes_the_place_of_the_one_before(
    day: DayArrays, make_engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(compile="graph")
    batches = DayBatches(engine, day, Settings(16, 3))
    compiled, compile_train = [], Steps._compile_train

    def noted(steps: Steps, batch: Batch, padding: Padding) -> Any:
        step = compile_train(steps, batch, padding)
        compiled.append((padding, weakref.ref(step)))
        return step

    monkeypatch.setattr(Steps, "_compile_train", noted)
    for wanted in ((256, 1024), (128, 256), (512, 256), (64, 64)):
        engine.train_epoch([batches.batch(0)], RATE, dict(zip((t.fused for t in engine.fused), wanted, strict=True)))
    (first, dropped), (second, kept) = compiled
    assert (first, second) == ((256, 1024), (512, 1024))
    assert dropped() is None
    assert kept() is not None
