"""The encoder transformer: steps that look at each other, the same for every candidate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.encoders.history import History
from models.encoders.transformer import Transformer, TransformerOptions
from tests.unit.models.histories import CLICKED

STEPS = tf.constant(np.random.default_rng(0).normal(size=(3, 4, 4)), tf.float32)
MASK = tf.constant([[True] * 4, [True, False, True, False], [False] * 4])
AGES = tf.constant([[9.0, 5.0, 1.0, 0.0]] * 3)


def made(**options: Any) -> Transformer:
    return Transformer(TransformerOptions.model_validate(options), CLICKED, name="seq_ads")


def test_the_mean_of_what_blocks_make_of_the_steps() -> None:
    encoder = made(blocks=2)
    told = encoder.read(History(STEPS, MASK, None), False).told.numpy()
    first, second = encoder.blocks
    steps = second(first(STEPS, MASK), MASK).numpy()
    np.testing.assert_allclose(told[:2], [steps[0].mean(0), steps[1, [0, 2]].mean(0)], atol=1e-6)
    assert not told[2].any()


@pytest.mark.parametrize("positions", ["sinusoid", "learnt", "ages"])
def test_order_matters_where_places_are_told_and_padding_never_does(positions: str) -> None:
    def told(encoder: Transformer, steps: tf.Tensor, mask: tf.Tensor, ages: tf.Tensor) -> np.ndarray:
        return encoder.read(History(steps, mask, None, ages), False).told.numpy()

    encoder, plain = made(positions=positions), made()
    assert encoder.reads_ages == (positions == "ages")
    turned = tf.reverse(STEPS, [1])
    assert np.abs(told(encoder, STEPS, MASK, AGES)[0] - told(encoder, turned, MASK, AGES)[0]).max() > 1e-4
    np.testing.assert_allclose(told(plain, STEPS, MASK, AGES)[0], told(plain, turned, MASK, AGES)[0], atol=1e-6)
    wide = [tf.concat([each, each[:, :1]], axis=1) for each in (STEPS, tf.zeros_like(MASK), AGES)]
    longer = told(encoder, wide[0], tf.concat([MASK, wide[1][:, :1]], axis=1), wide[2])
    np.testing.assert_allclose(longer, told(encoder, STEPS, MASK, AGES), atol=1e-6)


def test_heads_divide_the_width_of_a_step() -> None:
    made(heads=2).check_width(4)
    with pytest.raises(ValueError, match="history 'clicked', option 'heads': 2 heads do not divide a step of 5 values"):
        made(heads=2).check_width(5)


@pytest.mark.parametrize("positions", ["sinusoid", "learnt", "ages"])
def test_places_may_stand_beside_the_steps(positions: str) -> None:
    encoder = made(positions=positions, beside=2)
    assert encoder.placed(History(STEPS, MASK, None, AGES)).numpy()[..., :4].tolist() == STEPS.numpy().tolist()
    assert encoder.read(History(STEPS, MASK, None, AGES), False).told.shape == (3, 6)
    encoder.check_width(4)
    with pytest.raises(ValueError, match="2 heads do not divide a step of 5 values"):
        made(positions=positions, beside=1).check_width(4)
    with pytest.raises(ValueError, match="history 'clicked', option 'beside' would have no effect"):
        made(beside=2)
