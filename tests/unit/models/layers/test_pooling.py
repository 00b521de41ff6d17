from __future__ import annotations

import pytest
import tensorflow as tf

from models.layers.pooling import pool, read_out, read_out_so_far

VECTORS = tf.constant([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]], [[9.0, 9.0], [9.0, 9.0], [9.0, 9.0]]])
MASK = tf.constant([[True, True, False], [False, False, False]])


def test_sum_and_mean_read_real_values_only() -> None:
    assert pool(VECTORS, MASK, "sum").numpy().tolist() == [[4.0, 8.0], [0.0, 0.0]]
    assert pool(VECTORS, MASK, "mean").numpy().tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_another_pooling_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'max'.*sum, mean"):
        pool(VECTORS, MASK, "max")


def test_the_last_real_step_is_read_out_wherever_the_gaps_stand() -> None:
    gaps = tf.constant([[True, False, False], [False, True, False]])
    assert read_out(VECTORS, gaps, "last").numpy().tolist() == [[1.0, 2.0], [9.0, 9.0]]
    assert read_out(VECTORS, MASK, "last").numpy().tolist() == [[3.0, 6.0], [0.0, 0.0]]
    assert read_out(VECTORS, MASK, "mean").numpy().tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_another_readout_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'first'.*sum, mean, last"):
        read_out(VECTORS, MASK, "first")


def test_what_is_read_so_far_is_what_is_read_of_the_steps_up_to_each() -> None:
    steps = tf.constant([[[9.0], [2.0], [9.0], [4.0], [9.0]], [[9.0]] * 5])
    mask = tf.constant([[False, True, False, True, False], [False] * 5])
    expected = {"sum": [0, 2, 2, 6, 6], "mean": [0, 2, 2, 3, 3], "last": [0, 2, 2, 4, 4]}
    for how, told in expected.items():
        assert read_out_so_far(steps, mask, how).numpy()[..., 0].tolist() == [told, [0] * 5], how
        for each in range(5):
            up_to = read_out(steps[:, : each + 1], mask[:, : each + 1], how)
            assert up_to.numpy().tolist() == read_out_so_far(steps, mask, how)[:, each].numpy().tolist()
