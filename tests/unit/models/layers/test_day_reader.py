from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.day_reader import DayReader, check_even


def test_each_day_is_what_both_ways_end_with_and_none_is_zero() -> None:
    days = tf.constant(np.random.default_rng(0).normal(size=(2, 2, 3, 4)), tf.float32)
    mask = tf.constant([[[True] * 3, [False] * 3], [[True, False, True], [False, True, False]]])
    layer = DayReader(name="days")
    found = layer(days, mask).numpy()
    assert found.shape == (2, 2, 4)
    for row, day in np.ndindex(2, 2):
        _, ends = layer.both(days[row : row + 1, day], mask[row : row + 1, day])
        np.testing.assert_allclose(found[row, day], ends[0], atol=1e-6)
    assert not found[0, 1].any()


def test_an_id_of_an_odd_width_is_told() -> None:
    check_even("ad", 4)
    with pytest.raises(ValueError, match="two units of half the width of an id, and 'ad' is 3 wide; give it an even"):
        check_even("ad", 3)
