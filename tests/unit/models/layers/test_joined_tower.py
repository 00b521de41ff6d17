"""Scores that are read of more than the last hidden layer."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.joined_tower import JoinedTower

EARLY = (tf.constant([[1.0]]), tf.constant([[[2.0], [3.0]]]))
LATE = (tf.constant([[5.0, 1.0]]), tf.zeros((1, 2, 0)))


@pytest.mark.parametrize(("skip", "late"), [(True, ()), (False, (2,)), (True, (2,))])
def test_scores_are_read_of_what_is_told(skip: bool, late: tuple[int, ...]) -> None:
    tower = JoinedTower((1, 1), "relu", skip=skip, late=late, scores=1, name="t")
    tower.reading((("user", 1), ("ad", 1)), (("core", 2),))(EARLY, LATE if late else None)
    for layer in (*tower.hidden, *([tower.late] if tower.late else [])):
        layer.layers.kernel.assign(tf.ones_like(layer.layers.kernel))
    width = tower.head.kernel.shape[0]
    assert width == 1 + skip + sum(late)
    tower.head.kernel.assign(10.0 ** np.arange(width)[:, None])
    # Hidden layers of 1 + 2 = 3 and of 1 + 3 = 4, each handed on as it is; two late ones of 5 + 1.
    told = [[each, each] if skip else [each] for each in (3.0, 4.0)]
    expected = [sum(v * 10.0**place for place, v in enumerate([*each, *[6.0] * sum(late)])) for each in told]
    answered = tower(EARLY, LATE if late else None)
    np.testing.assert_allclose(answered.numpy()[0, :, 0], expected)
    assert sum(size for _, size in tower.head.weight_axes["kernel"][0] or ()) == width
