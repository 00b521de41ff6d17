"""The encoder bst: a candidate as the last step of a history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.encoders.bst import Bst, BstOptions
from models.encoders.history import History
from tests.unit.models.histories import CLICKED

DRAW = np.random.default_rng(0)
STEPS = tf.constant(DRAW.normal(size=(3, 4, 4)), tf.float32)
MASK = tf.constant([[True] * 4, [True, False, True, False], [False] * 4])
TARGET = tf.constant(DRAW.normal(size=(3, 2, 3)), tf.float32)


def made(**options: Any) -> Bst:
    return Bst(BstOptions.model_validate(options), CLICKED, name="seq_ads")


def read(encoder: Bst, target: tf.Tensor = TARGET) -> np.ndarray:
    return encoder.read(History(STEPS, MASK, target), False).told.numpy()


@pytest.mark.parametrize("blocks", [1, 2])
def test_each_candidate_stands_in_the_last_slot_with_zeros_for_what_it_lacks(blocks: int) -> None:
    target, mean, flat = (made(out=out, blocks=blocks) for out in ("target", "mean", "flat"))
    told = {encoder.options.out: read(encoder) for encoder in (target, mean, flat)}
    for encoder in (target, mean, flat):
        for candidate in range(2):
            last = tf.pad(TARGET[:, candidate : candidate + 1], [[0, 0], [0, 0], [0, 1]])
            slots, mask = tf.concat([STEPS, last], axis=1), tf.pad(MASK, [[0, 0], [0, 1]], constant_values=True)
            for block in encoder.blocks:
                slots = block(slots, mask)
            wanted = {
                "target": slots[:, -1],
                "mean": tf.reduce_sum(slots, axis=1) / tf.constant([[5.0], [3.0], [1.0]]),
                "flat": tf.reshape(slots, (3, 20)),
            }[encoder.options.out]
            np.testing.assert_allclose(told[encoder.options.out][:, candidate], wanted, atol=1e-6)


def test_a_place_beside_the_candidate_is_that_of_the_newest() -> None:
    encoder = made(positions="learnt", beside=2)
    assert read(encoder).shape == (3, 2, 6)
    table = encoder.positions.table.numpy()
    last = tf.concat([tf.pad(TARGET[:1, :1], [[0, 0], [0, 0], [0, 1]]), table[None, :1]], axis=-1)
    steps = tf.concat([STEPS[:1], table[None, [4, 3, 2, 1]]], axis=-1)
    slots = encoder.blocks[0](tf.concat([steps, last], axis=1), tf.ones((1, 5), tf.bool))
    np.testing.assert_allclose(read(encoder)[0, 0], slots[0, -1], atol=1e-6)


def test_a_request_without_candidates_is_answered() -> None:
    encoder = made(positions="learnt")
    read(encoder)
    assert read(encoder, TARGET[:, :0]).shape == (3, 0, 4)


def test_what_cannot_be_read_is_told() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide a step of 4 values"):
        made(heads=3).check_width(4)
    encoder = made(out="flat")
    several = tf.function(lambda steps, mask: encoder.read(History(steps, mask, TARGET), False).told, autograph=False)
    with pytest.raises(ValueError, match="'flat' sets steps side by side"):
        several.get_concrete_function(tf.TensorSpec((3, None, 4)), tf.TensorSpec((3, None), tf.bool))
