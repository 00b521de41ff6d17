from __future__ import annotations

import numpy as np
import tensorflow as tf

from models.layers.self_attentive_pooling import SelfAttentivePooling


def test_steps_weigh_what_they_say_of_themselves_and_what_is_none_nothing() -> None:
    """Steps 1 and -1, one hidden unit tanh(x), hops that weigh it by 2 and by -2."""
    layer = SelfAttentivePooling(1, 2, name="pool")
    steps, mask = tf.constant([[[1.0], [-1.0], [9.0]]] * 2), tf.constant([[True, True, False], [False] * 3])
    layer(steps, mask)
    layer.hidden.kernel.assign([[1.0]])
    layer.scores.kernel.assign([[2.0, -2.0]])
    share = 1 / (1 + np.exp(-4 * np.tanh(1.0)))
    found = layer(steps, mask).numpy()[..., 0]
    np.testing.assert_allclose(found, [[2 * share - 1, 1 - 2 * share], [0.0, 0.0]], rtol=1e-5)
