from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.transformer_block import TransformerBlock, check_heads
from models.randomness import drawn_at, seed_initializers, uniform

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


def test_what_each_part_gives_is_left_out_in_training_alone() -> None:
    """Without norms what is left of a step is the step itself, of either part alone, or of both."""
    block, rate = TransformerBlock(1, norm="none", activation="relu", dropout=0.5, name="block"), 0.5
    whole = block(STEPS, MASK).numpy()
    with drawn_at(3, tf.constant(1)):
        told, again = (block(STEPS, MASK, training=True).numpy() for _ in range(2))
        kept = [uniform(f"block_dropout_{part}", (3, 4, 4)).numpy() >= rate for part in (1, 2)]
    np.testing.assert_array_equal(told, again)
    assert 10 < kept[0].sum() < 38
    assert not np.allclose(told[:2], whole[:2])
    first = STEPS + np.where(kept[0], 2 * block._attention(STEPS * 1.0, STEPS * 1.0, MASK).numpy(), 0.0)
    out = block.network[1](block.network[0](first)).numpy()
    np.testing.assert_allclose(told[0], (first + np.where(kept[1], 2 * out, 0.0))[0], atol=1e-5)


def test_first_weights_follow_from_their_names() -> None:
    """Not from the order in which layers are made, nor from what else there is."""
    drawn = []
    for name in ("block", "block", "other"):
        block = TransformerBlock(2, name=name)
        seed_initializers(block, 7)
        block(STEPS, MASK)
        drawn.append([layer.kernel.numpy() for layer in (*block.projections.values(), *block.network)])
    for one, same, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)
    assert not np.array_equal(drawn[0][0], drawn[0][1])
