from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.engine.optimizers import OPTIMIZERS, Adam, CatchUpAdam, TableVariables

ROWS, WIDTH, RATE = 40, 3, 0.01


def table(weights: np.ndarray) -> TableVariables:
    zeros = tf.zeros_like(weights)
    return TableVariables(
        tf.Variable(weights), tf.Variable(zeros), tf.Variable(zeros), tf.Variable(tf.zeros(len(weights), tf.int32))
    )


def train(name: str, steps: int) -> tuple[TableVariables, np.ndarray]:
    """Pull rows, drawn with a skew, towards targets; the loss of every step is that of the rows read."""
    draw = np.random.default_rng(1)
    weights = draw.normal(0, 0.1, (ROWS, WIDTH)).astype(np.float32)
    weights[0] = 0.0
    goal = draw.normal(0, 1, (ROWS, WIDTH)).astype(np.float32)
    variables, optimizer = table(weights), OPTIMIZERS[name](Adam())

    @tf.function
    def step(rows: tf.Tensor, number: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
        state = optimizer.read(variables, rows, number, tf.constant(RATE))
        off = (state.w - tf.gather(goal, rows) + noise) * tf.cast(rows != 0, tf.float32)[:, None]
        optimizer.write(variables, rows, state, off, number, tf.constant(RATE))
        return tf.reduce_sum(off * off) / tf.cast(tf.size(off), tf.float32)

    losses = []
    for number in range(1, steps + 1):
        rows = np.unique(np.append((ROWS * draw.random(6) ** 3).astype(np.int32), 0))
        rows = np.pad(rows, (0, 8 - len(rows)))
        noise = draw.normal(0, 0.3, (8, WIDTH)).astype(np.float32)
        losses.append(float(step(tf.constant(rows), tf.constant(number), tf.constant(noise))))
    optimizer.sweep(variables, tf.constant(steps), tf.constant(RATE))
    return variables, np.asarray(losses)


def test_catch_up_follows_dense_adam_and_lazy_does_not() -> None:
    _, dense = train("dense_adam", 300)
    _, catch_up = train("catch_up_adam", 300)
    _, lazy = train("lazy_adam", 300)
    near, far = np.abs(catch_up - dense).max(), np.abs(lazy - dense).max()
    assert near < 0.05 * far
    assert far > 0.1


def test_missed_steps_by_hand() -> None:
    """A row trained at step 1 only, read again at step 5, against dense Adam written out."""
    optimizer = CatchUpAdam(Adam(epsilon=1e-30))
    variables = table(np.array([[0.0], [1.0]], np.float32))
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
    np.testing.assert_allclose(read.m.numpy(), [[0.9**3 * m]], rtol=1e-5)
    np.testing.assert_allclose(read.v.numpy(), [[0.999**3 * v]], rtol=1e-5)


@pytest.mark.parametrize(("last", "missed"), [(0, 1), (3, 200), (4000, 300), (20_000, 1), (20_000, 5000)])
def test_missed_steps_equal_their_sum_one_by_one(last: int, missed: int) -> None:
    optimizer = CatchUpAdam(Adam(epsilon=1e-30))
    variables = table(np.array([[0.0], [0.0]], np.float32))
    variables.m.assign([[0.0], [1.0]])
    variables.v.assign([[0.0], [1.0]])
    variables.last.assign([last, last])
    after = np.arange(1, missed + 1, dtype=np.float64)
    correction = np.sqrt(1 - 0.999 ** (last + after)) / (1 - 0.9 ** (last + after))
    expected = -(correction * (0.9 / np.sqrt(0.999)) ** after).sum()
    read = optimizer.read(variables, tf.constant([1]), tf.constant(last + missed + 1), tf.constant(1.0))
    assert float(read.w[0, 0]) == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_a_first_step_is_that_of_keras(name: str) -> None:
    import keras

    optimizer = OPTIMIZERS[name](Adam())
    variables = table(np.array([[0.0, 0.0], [1.0, -2.0]], np.float32))
    rows, rate, gradient = tf.constant([1]), tf.constant(RATE), tf.constant([[0.5, -3.0]])
    optimizer.write(
        variables, rows, optimizer.read(variables, rows, tf.constant(1), rate), gradient, tf.constant(1), rate
    )
    theirs = keras.Variable(np.array([[1.0, -2.0]], np.float32))
    keras.optimizers.Adam(RATE, epsilon=1e-8).apply([gradient], [theirs])
    np.testing.assert_allclose(variables.w.numpy()[1:], theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["catch_up_adam", "lazy_adam"])
def test_rows_out_of_the_batch_keep_their_bits_until_the_sweep(name: str) -> None:
    optimizer = OPTIMIZERS[name](Adam())
    draw = np.random.default_rng(2)
    variables = table(draw.normal(size=(6, 2)).astype(np.float32))
    variables.m.assign(draw.normal(size=(6, 2)).astype(np.float32))
    variables.v.assign(np.abs(draw.normal(size=(6, 2)).astype(np.float32)))
    before = [part.numpy() for part in (variables.w, variables.m, variables.v)]
    rows, rate = tf.constant([2, 4]), tf.constant(RATE)
    state = optimizer.read(variables, rows, tf.constant(3), rate)
    optimizer.write(variables, rows, state, tf.ones((2, 2)), tf.constant(3), rate)
    for part, old in zip((variables.w, variables.m, variables.v), before, strict=True):
        np.testing.assert_array_equal(np.delete(part.numpy(), [2, 4], axis=0), np.delete(old, [2, 4], axis=0))
        assert np.all(part.numpy()[[2, 4]] != old[[2, 4]])


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_the_padding_row_stays_zero_whatever_its_gradient(name: str) -> None:
    optimizer = OPTIMIZERS[name](Adam())
    variables = table(np.zeros((4, 2), np.float32))
    rows, rate = tf.constant([0, 3, 0, 0]), tf.constant(RATE)
    for step in (1, 2):
        state = optimizer.read(variables, rows, tf.constant(step), rate)
        optimizer.write(variables, rows, state, tf.fill((4, 2), 5.0), tf.constant(step), rate)
    optimizer.sweep(variables, tf.constant(9), rate)
    for part in (variables.w, variables.m, variables.v):
        assert np.all(part.numpy()[0] == 0.0)
    assert np.all(variables.w.numpy()[3] != 0.0)


@pytest.mark.parametrize("xla", [False, True])
def test_a_second_sweep_changes_no_bit(xla: bool) -> None:
    variables, _ = train("catch_up_adam", 20)
    before = [part.numpy() for part in (variables.w, variables.m, variables.v)]
    optimizer = CatchUpAdam(Adam())
    tf.function(lambda: optimizer.sweep(variables, tf.constant(20), tf.constant(RATE)), jit_compile=xla)()
    for part, old in zip((variables.w, variables.m, variables.v), before, strict=True):
        np.testing.assert_array_equal(part.numpy(), old)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"beta_1": 1.0}, "beta_1 1.0"), ({"beta_2": -0.1}, "beta_2 -0.1"), ({"epsilon": 0}, "epsilon 0")],
)
def test_settings_that_are_no_adam_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Adam(**settings)


def test_betas_that_have_no_closed_form_are_refused() -> None:
    with pytest.raises(ValueError, match="beta_1 < sqrt"):
        CatchUpAdam(Adam(beta_1=0.999, beta_2=0.9))
