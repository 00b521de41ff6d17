from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.transformer_block import TransformerBlock, check_heads

DRAW = np.random.default_rng(0)
STEPS = tf.constant(DRAW.normal(size=(3, 4, 4)), tf.float32)
MASK = tf.constant([[True] * 4, [True, False, True, False], [False] * 4])


@pytest.mark.parametrize("norm", ["post", "pre", "none"])
def test_the_last_step_alone_is_what_it_is_among_all(norm: str) -> None:
    block = TransformerBlock(2, 3, norm, name="block")
    np.testing.assert_allclose(block(STEPS, MASK, last_alone=True), block(STEPS, MASK)[:, -1:], atol=1e-6)


def test_what_is_no_step_is_seen_by_none_and_gives_zero() -> None:
    block = TransformerBlock(2, name="block")
    out = block(STEPS, MASK).numpy()
    other = block(tf.where(MASK[..., None], STEPS, 7.0), MASK).numpy()
    np.testing.assert_array_equal(out, other)
    assert not out[~MASK.numpy()].any()


def test_without_residual_and_norms_a_single_step_is_its_value_through_the_network() -> None:
    block = TransformerBlock(1, norm="none", residual=False, activation="relu", bias=False, name="block")
    step = STEPS[:1, :1]
    out = block(step, tf.constant([[True]]))
    value, output = (block.projections[each].kernel.numpy() for each in ("value", "output"))
    hidden, last = (layer.kernel.numpy() for layer in block.network)
    np.testing.assert_allclose(out[0, 0], np.maximum(step[0, 0].numpy() @ value @ output @ hidden, 0) @ last, atol=1e-6)


def test_heads_that_do_not_divide_the_width_are_told() -> None:
    with pytest.raises(ValueError, match="mine: 3 heads do not divide a step of 4 values; give `heads` that do"):
        check_heads(3, 4, "mine")
    with pytest.raises(ValueError, match="norm 'both'; expected one of post, pre, none"):
        TransformerBlock(2, norm="both", name="block")
