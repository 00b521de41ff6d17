"""A matrix a pair by hand; golden numbers stand in test_golden."""

from __future__ import annotations

import tensorflow as tf

from models.interactions.field_pairs import FieldPairs


def test_pairs_stand_in_order_and_their_matrices_are_symmetric() -> None:
    layer = FieldPairs(name="pairs")
    fields = tf.constant([[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]])
    layer(fields)
    layer.kernel.assign([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]])
    # 2·1·3 of (0, 1); 1·6 + 2·5 of (0, 2); 2·4·6 of (1, 2)
    assert layer(fields).numpy().tolist() == [[[6.0, 16.0, 48.0]]]
    layer.reads = (("a * b", 1), ("a * c", 1), ("b * c", 1))
    assert layer.weight_axes == {"kernel": (layer.reads, None, None)}
