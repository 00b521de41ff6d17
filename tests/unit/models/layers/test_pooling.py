from __future__ import annotations

import pytest
import tensorflow as tf

from models.layers.pooling import pool, read_out

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
