from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.day_reader import DayReader, ReaderOfEachDay

DAYS = tf.constant(np.random.default_rng(0).normal(size=(2, 2, 3, 4)), tf.float32)
MASK = tf.constant([[[True] * 3, [False] * 3], [[True, False, True], [False, True, False]]])


def test_each_day_is_what_both_ways_end_with_and_none_is_zero() -> None:
    layer = DayReader(name="days")
    found = layer(DAYS, MASK).numpy()
    assert found.shape == (2, 2, 4)
    for row, day in np.ndindex(2, 2):
        _, ends = layer.reader(DAYS[row : row + 1, day], MASK[row : row + 1, day])
        np.testing.assert_allclose(found[row, day], ends[0], atol=1e-6)
    assert not found[0, 1].any()


@pytest.mark.parametrize("how", ["gru", "attention"])
def test_other_ways_of_reading_a_day(how: str) -> None:
    layer = DayReader(how, name="days")
    found = layer(DAYS, MASK).numpy()
    assert not found[0, 1].any()
    values, mask = DAYS[1, :1], MASK[1, :1]
    alone = layer.reader(values, mask)[0, 0 if how == "attention" else -1]
    np.testing.assert_allclose(found[1, 0], alone, atol=1e-6)
    # The second value of that day is masked.
    other = layer(tf.where(MASK[..., None], DAYS, 9.0), MASK).numpy()
    np.testing.assert_allclose(found, other, atol=1e-6)


def test_what_is_read_has_the_pooled_values_added_and_is_normalised() -> None:
    plain, added = DayReader("attention", name="days"), DayReader("attention", add="sum", normalise=True, name="days")
    read = plain(DAYS, MASK).numpy()
    added(DAYS, MASK)
    for weight, other in zip(added.reader.weights, plain.reader.weights, strict=True):
        weight.assign(other)
    sums = np.where(MASK.numpy()[..., None], DAYS.numpy(), 0.0).sum(axis=2)
    both = read + sums
    expected = (both - both.mean(-1, keepdims=True)) / np.sqrt(both.var(-1, keepdims=True) + 1e-3)
    expected[0, 1] = 0.0
    np.testing.assert_allclose(added(DAYS, MASK).numpy(), expected, atol=1e-5)


def test_a_reader_of_each_day_counts_from_the_newest() -> None:
    layer = ReaderOfEachDay(3, how="rnn", name="days")
    found = layer(DAYS, MASK).numpy()
    assert [reader.name for reader in layer.readers] == ["days_1", "days_2", "days_3"]
    np.testing.assert_allclose(found[:, 1:], layer.readers[0](DAYS[:, 1:], MASK[:, 1:]), atol=1e-6)
    np.testing.assert_allclose(found[:, :1], layer.readers[1](DAYS[:, :1], MASK[:, :1]), atol=1e-6)


@pytest.mark.parametrize("how", ["rnn", "gru", "attention"])
def test_readers_of_each_day_read_at_once_as_they_do_one_by_one(how: str) -> None:
    """With their gradients, which recurrences of groups take themselves."""
    layer = ReaderOfEachDay(2, how=how, add="sum", normalise=True, name="days")
    layer.build(DAYS.shape)
    for number, weight in enumerate(layer.trainable_weights):
        weight.assign(np.random.default_rng(number).normal(size=weight.shape))
    weights, probe = [each.value for each in layer.trainable_weights], np.random.default_rng(9).normal(size=(2, 2, 4))

    def one_by_one(days: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        newest, older = layer.readers
        return tf.concat([older(days[:, :1], mask[:, :1]), newest(days[:, 1:], mask[:, 1:])], axis=1)

    found = []
    for read in (layer, one_by_one):
        with tf.GradientTape() as tape:
            tape.watch([DAYS, *weights])
            told = read(DAYS, MASK)
            loss = tf.reduce_sum(told * tf.constant(probe, tf.float32))
        found.append([told, *tape.gradient(loss, [DAYS, *weights])])
    for mine, expected in zip(*found, strict=True):
        np.testing.assert_allclose(mine, expected, atol=2e-6)
    # As an exported model asks, which is told neither rows nor values.
    asked = tf.function(lambda days, mask: layer(days, mask, training=False), autograph=False)
    specs = tf.TensorSpec((None, 2, None, 4)), tf.TensorSpec((None, 2, None), tf.bool)
    np.testing.assert_allclose(asked.get_concrete_function(*specs)(DAYS, MASK), found[0][0], atol=1e-6)


@pytest.mark.parametrize("how", ["rnn", "gru", "attention"])
def test_days_of_lists_that_are_all_empty_are_zero_in_an_exported_model(how: str) -> None:
    """A batch of requests without any value may come in lists of no width."""
    for layer in (DayReader(how, name="days"), ReaderOfEachDay(2, how=how, name="days")):
        layer.build((None, 2, None, 4))
        asked = tf.function(lambda days, mask, layer=layer: layer(days, mask), autograph=False)
        specs = tf.TensorSpec((None, 2, None, 4)), tf.TensorSpec((None, 2, None), tf.bool)
        told = asked.get_concrete_function(*specs)(DAYS[:, :, :0], MASK[:, :, :0]).numpy()
        assert told.shape == (2, 2, 4)
        assert not told.any()
