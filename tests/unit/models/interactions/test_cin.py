"""Compressed interactions by hand; golden numbers stand in test_golden."""

from __future__ import annotations

import pytest
import tensorflow as tf

from models.interactions.cin import Cin

FIELDS = tf.constant([[[1.0, 2.0], [3.0, 4.0]]])
READS = (("a", 1), ("b", 1))


def test_maps_are_weighted_products_of_all_pairs_added_up_over_the_width() -> None:
    layer = Cin((1,), False, False, name="cin")
    layer(FIELDS)
    layer.layers[0].kernel.assign([[[1.0, 10.0], [0.0, 100.0]]])
    # By value: 1·1 + 10·1·3 + 100·3·3, and 2·2 + 10·2·4 + 100·4·4
    assert layer(FIELDS).numpy().tolist() == [[931.0 + 1684.0]]


def test_the_first_half_goes_on_and_the_second_to_the_output() -> None:
    layer = Cin((2, 1), True, False, name="cin")
    layer(FIELDS)
    first, second = layer.layers
    first.kernel.assign([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]]])
    second.kernel.assign([[[0.0, 1.0]]])
    # The first map is (1, 4), the second (3, 8); the last (1·3, 4·4).
    assert layer(FIELDS).numpy().tolist() == [[11.0, 19.0]]
    assert layer.told == 2
    first, second = layer.reading(READS).layers
    assert first.weight_axes == {"kernel": (None, READS, READS)}
    assert second.weight_axes == {"kernel": (None, None, READS)}


def test_an_odd_number_of_maps_has_no_half() -> None:
    with pytest.raises(ValueError, match=r"`split_half` .* 3 is odd"):
        Cin((3, 2), True, False, name="cin")
    assert Cin((4, 3), True, False, name="cin").told == 5
    assert Cin((4, 3), False, True, name="cin").told == 7
