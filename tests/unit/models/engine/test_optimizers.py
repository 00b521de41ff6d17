from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.engine.batching import DayBatches
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.engine.optimizers import (
    CatchUpAdam,
    RowsAlone,
    TableOptimizer,
    TableVariables,
    fused_by_optimizer,
    table_optimizer,
)
from models.engine.update_rules import Adam, Ftrl, Rule, Sgd
from models.optimizer_settings import (
    OF_TABLES,
    CatchUpAdamSettings,
    FtrlSettings,
    LazyAdamSettings,
    SgdOfTableSettings,
    SgdSettings,
    read_optimizers,
)
from models.schema import DayArrays
from models.tables import Fused, TableSpec
from tests.unit.models import linear_and_wide
from tests.unit.models.school import SIZES, digest

ROWS, WIDTH, RATE = 40, 3, 0.01
ADAMS = ["catch_up_adam", "dense_adam", "lazy_adam"]


def made(given: Any) -> TableOptimizer:
    return table_optimizer(read_optimizers({"tables": given}).tables)


def table(weights: np.ndarray, rule: Rule) -> TableVariables:
    """As the engine has it: the slots of padding are zero."""
    slots = {}
    for name, first in rule.slots.items():
        values = np.full_like(weights, first)
        values[0] = 0.0
        slots[name] = tf.Variable(values)
    return TableVariables(tf.Variable(weights), slots, tf.Variable(tf.zeros(len(weights), tf.int32)))


def adam_table(weights: list[list[float]]) -> TableVariables:
    return table(np.array(weights, np.float32), CatchUpAdam(CatchUpAdamSettings()).rule)


def first_weights(at_zero: bool) -> tuple[np.ndarray, np.ndarray]:
    """Weights, and the targets that they are pulled towards."""
    draw = np.random.default_rng(1)
    weights = draw.normal(0, 0.1, (ROWS, WIDTH)).astype(np.float32) * (not at_zero)
    weights[0] = 0.0
    return weights, draw.normal(0, 1, (ROWS, WIDTH)).astype(np.float32)


def batches(steps: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows, drawn with a skew, and noise on their gradients."""
    draw = np.random.default_rng(2)
    for _ in range(steps):
        rows = np.unique(np.append((ROWS * draw.random(6) ** 3).astype(np.int32), 0))
        yield np.pad(rows, (0, 8 - len(rows))), draw.normal(0, 0.3, (8, WIDTH)).astype(np.float32)


def train(given: Any, steps: int, at_zero: bool = False) -> tuple[TableVariables, np.ndarray]:
    """Pull rows towards targets; the loss of every step is that of the rows read."""
    weights, goal = first_weights(at_zero)
    optimizer = made(given)
    variables = table(weights, optimizer.rule)

    @tf.function
    def step(rows: tf.Tensor, number: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        state = optimizer.read(variables, rows, number, tf.constant(RATE))
        off = (state.w - tf.gather(goal, rows) + noise) * tf.cast(rows != 0, tf.float32)[:, None]
        optimizer.write(variables, rows, state, off, number, tf.constant(RATE))
        return tf.reduce_sum(off * off) / tf.cast(tf.size(off), tf.float32)

    losses = []
    for number, (rows, noise) in enumerate(batches(steps), start=1):
        losses.append(float(step(tf.constant(rows), tf.constant(number), tf.constant(noise))))
    optimizer.sweep(variables, tf.constant(steps), tf.constant(RATE))
    return variables, np.asarray(losses)


Move = Callable[[np.ndarray, np.ndarray], np.ndarray]


def densely(move: Move, steps: int, at_zero: bool) -> np.ndarray:
    """The same by a table that is given whole gradients, and which rows have one: ``move`` gives the new table."""
    weights, goal = first_weights(at_zero)
    for rows, noise in batches(steps):
        gradient, touched = np.zeros_like(weights), np.zeros(ROWS, bool)
        gradient[rows] = weights[rows] - goal[rows] + noise
        touched[rows] = True
        gradient[0], touched[0] = 0.0, False
        weights = move(gradient, touched)
    return weights


def by_keras(optimizer: keras.optimizers.Optimizer, at_zero: bool) -> Move:
    variable = keras.Variable(first_weights(at_zero)[0])

    def move(gradient: np.ndarray, touched: np.ndarray) -> np.ndarray:
        optimizer.apply([tf.constant(gradient)], [variable])
        return variable.numpy()

    return move


@pytest.mark.parametrize(
    ("given", "dense", "at_zero"),
    [
        ("dense_adam", keras.optimizers.Adam(RATE, epsilon=1e-8), False),
        ("adagrad", keras.optimizers.Adagrad(RATE), False),
        ({"type": "adagrad", "rate": 0.3, "initial": 0.5}, keras.optimizers.Adagrad(0.3, 0.5), False),
        ("sgd", keras.optimizers.SGD(RATE), False),
        ("ftrl", keras.optimizers.Ftrl(RATE), True),
        (
            {"type": "ftrl", "rate": 0.5, "l1": 0.4, "l2": 0.1, "initial": 0.2},
            keras.optimizers.Ftrl(
                0.5, initial_accumulator_value=0.2, l1_regularization_strength=0.4, l2_regularization_strength=0.1
            ),
            True,
        ),
    ],
    ids=["dense_adam", "adagrad", "adagrad_rate", "sgd", "ftrl", "ftrl_l1_l2"],
)
def test_300_steps_of_rows_are_those_of_keras_on_the_whole_table(
    given: Any, dense: keras.optimizers.Optimizer, at_zero: bool
) -> None:
    """Of these none moves a row without a gradient but Adam, which is given the whole table here too."""
    variables, _ = train(given, 300, at_zero)
    expected = densely(by_keras(dense, at_zero), 300, at_zero)
    np.testing.assert_allclose(variables.w.numpy(), expected, rtol=1e-4, atol=2e-5)
    assert np.abs(expected[1:]).max() > 0.01
    if isinstance(given, dict) and given.get("l1"):
        assert np.any(expected[1:10] == 0.0)
        assert np.any(expected[1:10] != 0.0)


def lazy_adam() -> Move:
    """Adam of the touched rows, written out: the others keep weight and moments."""
    w = first_weights(False)[0].astype(np.float64)
    m, v, step = np.zeros_like(w), np.zeros_like(w), 0

    def move(gradient: np.ndarray, touched: np.ndarray) -> np.ndarray:
        nonlocal step
        step += 1
        m[touched] = 0.9 * m[touched] + 0.1 * gradient[touched]
        v[touched] = 0.999 * v[touched] + 0.001 * gradient[touched] ** 2
        rate = RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        w[touched] -= rate * m[touched] / (np.sqrt(v[touched]) + 1e-8)
        return w.astype(np.float32)

    return move


def sgd_with_momentum_and_l2() -> Move:
    """Momentum .8 and a penalty of .05 times the squares of the touched rows, written out."""
    w = first_weights(False)[0].astype(np.float64)
    momentum = np.zeros_like(w)

    def move(gradient: np.ndarray, touched: np.ndarray) -> np.ndarray:
        momentum[touched] = 0.8 * momentum[touched] - RATE * (gradient[touched] + 2 * 0.05 * w[touched])
        w[touched] += momentum[touched]
        return w.astype(np.float32)

    return move


@pytest.mark.parametrize(
    ("given", "reference"),
    [("lazy_adam", lazy_adam), ({"type": "sgd", "momentum": 0.8, "l2": 0.05}, sgd_with_momentum_and_l2)],
    ids=["lazy_adam", "sgd"],
)
def test_300_steps_of_lazy_rows_are_those_of_a_dense_table_where_it_is_touched(
    given: Any, reference: Callable[[], Move]
) -> None:
    variables, _ = train(given, 300)
    np.testing.assert_allclose(variables.w.numpy(), densely(reference(), 300, False), rtol=1e-4, atol=2e-5)


def test_a_penalty_counts_the_rows_of_the_batch_once_and_no_others() -> None:
    """2 - .1 · (1 + 2 · .5 · 2) = 1.7; a row of the batch without a gradient: 4 - .1 · 2 · .5 · 4 = 3.6."""
    optimizer = RowsAlone(Sgd(SgdSettings()), l2=0.5)
    variables = table(np.array([[0.0], [2.0], [4.0], [8.0]], np.float32), optimizer.rule)
    rows, step, rate = tf.constant([0, 1, 2, 0]), tf.constant(1), tf.constant(0.1)
    state = optimizer.read(variables, rows, step, rate)
    optimizer.write(variables, rows, state, tf.constant([[1.0], [1.0], [0.0], [1.0]]), step, rate)
    np.testing.assert_allclose(variables.w.numpy(), [[0.0], [1.7], [3.6], [8.0]], rtol=1e-6)


def test_catch_up_follows_dense_adam_and_lazy_does_not() -> None:
    _, dense = train("dense_adam", 300)
    _, catch_up = train("catch_up_adam", 300)
    _, lazy = train("lazy_adam", 300)
    near, far = np.abs(catch_up - dense).max(), np.abs(lazy - dense).max()
    assert near < 0.05 * far
    assert far > 0.1


def test_missed_steps_by_hand() -> None:
    """A row trained at step 1 only, read again at step 5, against dense Adam written out."""
    optimizer = CatchUpAdam(CatchUpAdamSettings(epsilon=1e-30))
    variables = adam_table([[0.0], [1.0]])
    rows, rate = tf.constant([1]), tf.constant(0.1)
    state = optimizer.read(variables, rows, tf.constant(1), rate)
    optimizer.write(variables, rows, state, tf.constant([[2.0]]), tf.constant(1), rate)
    w, m, v = 1.0, 0.1 * 2.0, 0.001 * 4.0
    w -= 0.1 * np.sqrt(0.001) / 0.1 * m / np.sqrt(v)
    ratio = 0.9 / np.sqrt(0.999)
    for missed in (1, 2, 3):
        correction = np.sqrt(1 - 0.999 ** (1 + missed)) / (1 - 0.9 ** (1 + missed))
        w -= 0.1 * correction * ratio**missed * m / np.sqrt(v)
    read = optimizer.read(variables, rows, tf.constant(5), rate)
    np.testing.assert_allclose(read.w.numpy(), [[w]], rtol=1e-5)
    np.testing.assert_allclose(read.slots[0].numpy(), [[0.9**3 * m]], rtol=1e-5)
    np.testing.assert_allclose(read.slots[1].numpy(), [[0.999**3 * v]], rtol=1e-5)


@pytest.mark.parametrize(("last", "missed"), [(0, 1), (3, 200), (4000, 300), (20_000, 1), (20_000, 5000)])
def test_missed_steps_equal_their_sum_one_by_one(last: int, missed: int) -> None:
    optimizer = CatchUpAdam(CatchUpAdamSettings(epsilon=1e-30))
    variables = adam_table([[0.0], [0.0]])
    variables.slots["m"].assign([[0.0], [1.0]])
    variables.slots["v"].assign([[0.0], [1.0]])
    variables.last.assign([last, last])
    after = np.arange(1, missed + 1, dtype=np.float64)
    correction = np.sqrt(1 - 0.999 ** (last + after)) / (1 - 0.9 ** (last + after))
    expected = -(correction * (0.9 / np.sqrt(0.999)) ** after).sum()
    read = optimizer.read(variables, tf.constant([1]), tf.constant(last + missed + 1), tf.constant(1.0))
    assert float(read.w[0, 0]) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("name", ADAMS)
def test_a_first_step_is_that_of_keras(name: str) -> None:
    optimizer = made(name)
    variables = adam_table([[0.0, 0.0], [1.0, -2.0]])
    rows, rate, gradient = tf.constant([1]), tf.constant(RATE), tf.constant([[0.5, -3.0]])
    optimizer.write(
        variables, rows, optimizer.read(variables, rows, tf.constant(1), rate), gradient, tf.constant(1), rate
    )
    theirs = keras.Variable(np.array([[1.0, -2.0]], np.float32))
    keras.optimizers.Adam(RATE, epsilon=1e-8).apply([gradient], [theirs])
    np.testing.assert_allclose(variables.w.numpy()[1:], theirs.numpy(), rtol=1e-6)


SPARSE = ["catch_up_adam", "lazy_adam", "adagrad", {"type": "sgd", "momentum": 0.5}, "ftrl"]


@pytest.mark.parametrize("given", SPARSE, ids=str)
def test_rows_out_of_the_batch_keep_their_bits_until_the_sweep(given: Any) -> None:
    optimizer = made(given)
    draw = np.random.default_rng(2)
    variables = table(draw.normal(size=(6, 2)).astype(np.float32), optimizer.rule)
    for slot in variables.slots.values():
        slot.assign(np.abs(draw.normal(size=(6, 2)).astype(np.float32)))
    before = [part.numpy() for part in variables.parts.values()]
    rows, rate = tf.constant([2, 4]), tf.constant(RATE)
    state = optimizer.read(variables, rows, tf.constant(3), rate)
    optimizer.write(variables, rows, state, tf.ones((2, 2)), tf.constant(3), rate)
    assert len(before) == 1 + len(optimizer.rule.slots)
    for part, old in zip(variables.parts.values(), before, strict=True):
        np.testing.assert_array_equal(np.delete(part.numpy(), [2, 4], axis=0), np.delete(old, [2, 4], axis=0))
        assert np.all(part.numpy()[[2, 4]] != old[[2, 4]])


@pytest.mark.parametrize("given", [*sorted(OF_TABLES), {"type": "sgd", "momentum": 0.5, "l2": 0.1}], ids=str)
def test_the_padding_row_stays_zero_whatever_its_gradient(given: Any) -> None:
    optimizer = made(given)
    variables = table(np.zeros((4, 2), np.float32), optimizer.rule)
    rows, rate = tf.constant([0, 3, 0, 0]), tf.constant(RATE)
    for step in (1, 2):
        state = optimizer.read(variables, rows, tf.constant(step), rate)
        optimizer.write(variables, rows, state, tf.fill((4, 2), 5.0), tf.constant(step), rate)
    optimizer.sweep(variables, tf.constant(9), rate)
    for part in variables.parts.values():
        assert np.all(part.numpy()[0] == 0.0)
    assert np.all(variables.w.numpy()[3] != 0.0)


@pytest.mark.parametrize("xla", [False, True])
def test_a_second_sweep_changes_no_bit(xla: bool) -> None:
    variables, _ = train("catch_up_adam", 20)
    before = [part.numpy() for part in variables.parts.values()]
    optimizer = CatchUpAdam(CatchUpAdamSettings())
    tf.function(lambda: optimizer.sweep(variables, tf.constant(20), tf.constant(RATE)), jit_compile=xla)()
    for part, old in zip(variables.parts.values(), before, strict=True):
        np.testing.assert_array_equal(part.numpy(), old)


def test_tables_of_one_width_and_optimiser_stand_in_one() -> None:
    wide, other, third = (TableSpec(name, "ad", 8, ("ad",)) for name in ("ad", "b", "c"))
    narrow = TableSpec("linear.ad", "ad", 1, ("ad",), "linear", "zeros")
    given = {"named": {"linear.*": "ftrl", "b": {"type": "sgd"}}, "tables": {"type": "lazy_adam", "rate": 0.5}}
    specs, ways = fused_by_optimizer([wide, narrow, other, third], read_optimizers(given))
    assert {spec.name: spec.fused for spec in specs} == {"ad": (8, 0), "linear.ad": (1, 0), "b": (8, 1), "c": (8, 0)}
    moved_by: dict[Fused, Rule] = {
        Fused(1): Ftrl(FtrlSettings()), Fused(8): Adam(LazyAdamSettings(rate=0.5)),
        Fused(8, 1): Sgd(SgdOfTableSettings()),
    }  # fmt: skip
    assert {fused: way.rule for fused, way in ways.items()} == moved_by


def test_a_name_of_no_table_and_ftrl_of_drawn_rows_are_refused() -> None:
    wide, other = (TableSpec(name, "ad", 8, ("ad",)) for name in ("ad", "b"))
    with pytest.raises(ValueError, match=r"no table is named 'lin\*'; the model's: ad, b"):
        fused_by_optimizer([wide, other], read_optimizers({"named": {"lin*": "sgd"}}))
    with pytest.raises(ValueError, match=r"ftrl is for tables that start at zero, and the rows of 'ad' are drawn"):
        fused_by_optimizer([wide], read_optimizers("ftrl"))


def epochs(engine: Engine, day: DayArrays, count: int = 1) -> np.ndarray:
    batches = DayBatches(engine, day, Settings(16, 3))
    return np.concatenate([engine.train_epoch(batches, 1e-2, batches.unique_bucket) for _ in range(count)])


OTHERS: dict[str, dict[str, Any]] = {
    "adagrad": {"tables": {"type": "adagrad", "rate": 0.05, "decay_by_day": 0.5}, "dense": "adagrad"},
    "sgd": {"tables": {"type": "sgd", "momentum": 0.5, "l2": 1e-4}, "dense": {"type": "sgd", "momentum": 0.9}},
    "lazy": {"tables": {"type": "lazy_adam", "l2": 1e-4}, "dense": {"type": "adam", "rate": 0.02}},
    "apart": {"named": {"chapter": {"type": "sgd", "rate": 0.2}}},
    "linear": {"tables": "catch_up_adam", "named": {"linear.*": {"type": "ftrl", "rate": 0.1, "l2": 0.01}}},
}


@pytest.mark.parametrize("name", list(OTHERS))
def test_every_optimiser_goes_on_bit_for_bit_and_grows_with_slots_as_they_start(
    name: str, day: DayArrays, make_engine: Callable[..., Engine]
) -> None:
    model = linear_and_wide.NAME if name == "linear" else "pooled"
    one = make_engine(model, optimizer=OTHERS[name])
    one.begin_day()
    losses = epochs(one, day, 3)
    assert np.all(np.isfinite(losses))
    assert losses[-5:].mean() < losses[:5].mean()
    stored = one.state()
    other = make_engine(model, optimizer=OTHERS[name])
    other.load(stored)
    sizes = {space: size + 7 for space, size in SIZES.items()}
    for engine in (one, other):
        engine.grow(sizes)
        grown = engine.state()
        for tensor, old in stored.items():
            np.testing.assert_array_equal(grown[tensor][: len(old)] if old.ndim else grown[tensor], old)
        engine.begin_day()
        epochs(engine, day)
    assert digest(one.state()) == digest(other.state())
    if name == "adagrad":
        assert np.all(grown["slot/style/accumulator"][SIZES["style"] :] == np.float32(0.1))
        assert not grown["slot/style/accumulator"][0].any()
    if name == "linear":
        assert {each for each in stored if each.startswith("slot/linear.style/")} == {
            "slot/linear.style/accumulator", "slot/linear.style/linear",
        }  # fmt: skip
        assert "slot/style/m" in stored


def test_a_day_begins_with_half_of_what_an_accumulator_had_above_its_start(
    day: DayArrays, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine("pooled", optimizer={"tables": {"type": "adagrad", "decay_by_day": 0.5}})
    epochs(engine, day)
    before = engine.state()["slot/style/accumulator"]
    engine.begin_day()
    after = engine.state()["slot/style/accumulator"]
    assert before[1:].max() > 0.1
    np.testing.assert_allclose(after[1:], 0.1 + (before[1:] - 0.1) * 0.5, rtol=1e-6)


def test_tables_that_stand_apart_move_as_in_one(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    """The rate of the one is what the others have anyhow."""
    together = make_engine("pooled")
    apart = make_engine("pooled", optimizer={"named": {"chapter": {"type": "catch_up_adam", "rate": 1e-2}}})
    assert {table.fused: len(table.sizes) for table in apart.fused} == {(4, 0): 1, (8, 0): 1, (8, 1): 2}
    for engine in (together, apart):
        epochs(engine, day)
    assert digest(together.state()) == digest(apart.state())


def test_a_rate_of_its_own_decays_as_the_experiments(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    """.04 · .01 / .02 = .02; dense weights have the experiment's .01."""
    given = {"type": "catch_up_adam", "rate": 0.04}
    decayed = make_engine("pooled", optimizer={"tables": given}, learning_rate=0.02)
    fixed = make_engine("pooled", optimizer={"tables": given | {"rate": 0.02}})
    for engine in (decayed, fixed):
        epochs(engine, day)
    expected = fixed.state()
    for name, values in decayed.state().items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-3, atol=1e-6, err_msg=name)
