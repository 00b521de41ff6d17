from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from models.layers.attention import TargetAttention

DRAW = np.random.default_rng(0)
TARGET = DRAW.normal(size=(4, 3, 6)).astype(np.float32)
STEPS = DRAW.normal(size=(4, 5, 6)).astype(np.float32)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], bool)


def naive(layer: TargetAttention, target: np.ndarray, steps: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """DIN's attention as the paper writes it, one pair at a time; what a step holds beyond the target is of its key."""
    dim = target.shape[-1]
    out = np.zeros((*target.shape[:2], steps.shape[-1]), np.float32)
    for b, c in np.ndindex(target.shape[:2]):
        scores = []
        for k in steps[b]:
            q, k, rest = target[b, c], k[:dim], k[dim:]
            hidden = np.concatenate([q, k, q - k, q * k, rest]) @ layer.kernel.numpy() + layer.bias.numpy()
            hidden = 1 / (1 + np.exp(-hidden))
            for dense in layer.hidden:
                hidden = 1 / (1 + np.exp(-(hidden @ dense.kernel.numpy() + dense.bias.numpy())))
            scores.append((hidden @ layer.score.kernel.numpy() + layer.score.bias.numpy())[0])
        score = np.where(mask[b], scores, -np.inf) if layer.normaliser == "softmax" else np.where(mask[b], scores, 0.0)
        if layer.normaliser == "softmax":
            score = np.exp(score - score.max()) if mask[b].any() else np.zeros(len(score))
            score = score / max(score.sum(), 1e-30)
        out[b, c] = score @ steps[b]
    return out


@pytest.mark.parametrize("normaliser", ["softmax", "none"])
def test_the_factorised_layer_equals_the_naive_one(normaliser: str) -> None:
    layer = TargetAttention((8, 4), "sigmoid", normaliser, name="attention")
    out = layer(TARGET, STEPS, tf.constant(MASK)).numpy()
    np.testing.assert_allclose(out, naive(layer, TARGET, STEPS, MASK), atol=1e-5)


@pytest.mark.parametrize("width", [6, 4])
@pytest.mark.parametrize("length", [5, None])
def test_candidates_whose_number_is_not_known_beforehand_are_seen_alike(width: int, length: int | None) -> None:
    layer = TargetAttention((8, 4), "sigmoid", "softmax", name="attention")
    target, mask = TARGET[..., :width], tf.constant(MASK)
    expected = layer(target, STEPS, mask).numpy()
    many = tf.function(layer.call, autograph=False).get_concrete_function(
        tf.TensorSpec((None, None, width)), tf.TensorSpec((None, length, 6)), tf.TensorSpec((None, length), tf.bool)
    )
    np.testing.assert_allclose(many(tf.constant(target), tf.constant(STEPS), mask).numpy(), expected, atol=1e-6)
    assert many(tf.constant(target[:, :0]), tf.constant(STEPS), mask).shape == (4, 0, 6)


@pytest.mark.parametrize("normaliser", ["softmax", "none"])
def test_a_part_without_a_target_is_of_the_key_and_the_value_not_of_the_query(normaliser: str) -> None:
    layer = TargetAttention((8, 4), "sigmoid", normaliser, name="attention")
    target = TARGET[..., :4]
    out = layer(target, STEPS, tf.constant(MASK)).numpy()
    assert (layer.kernel.shape, out.shape) == ((4 * 4 + 2, 8), (4, 3, 6))
    np.testing.assert_allclose(out, naive(layer, target, STEPS, MASK), atol=1e-5)
    # It moves the weight of its step: were it summed only, the first four values would stay.
    other = STEPS + np.array([0, 0, 0, 0, 3, -3], np.float32) * np.arange(5)[:, None].astype(np.float32)
    assert np.abs(layer(target, other, tf.constant(MASK)).numpy()[0, :, :4] - out[0, :, :4]).max() > 1e-3


def test_a_target_wider_than_the_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="a target of 6 values is wider than the steps, of 4"):
        TargetAttention((8,), "sigmoid", "softmax", name="attention")(TARGET, STEPS[..., :4], tf.constant(MASK))


@pytest.mark.parametrize("normaliser", ["softmax", "none"])
def test_an_empty_history_is_zero_for_every_target(normaliser: str) -> None:
    layer = TargetAttention((8,), "sigmoid", normaliser, name="attention")
    out = layer(TARGET, STEPS, tf.constant(MASK)).numpy()
    assert np.all(out[3] == 0.0)


@pytest.mark.parametrize("normaliser", ["softmax", "none"])
def test_what_stands_in_a_padding_step_does_not_matter(normaliser: str) -> None:
    layer = TargetAttention((8,), "sigmoid", normaliser, name="attention")
    other = np.where(MASK[..., None], STEPS, 1000.0).astype(np.float32)
    longer = np.concatenate([STEPS, np.full((4, 2, 6), 7.0, np.float32)], axis=1)
    longer_mask = np.concatenate([MASK, np.zeros((4, 2), bool)], axis=1)
    expected = layer(TARGET, STEPS, tf.constant(MASK)).numpy()
    np.testing.assert_allclose(layer(TARGET, other, tf.constant(MASK)).numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(layer(TARGET, longer, tf.constant(longer_mask)).numpy(), expected, atol=1e-6)


def test_softmax_weights_of_real_steps_add_up_to_one() -> None:
    layer = TargetAttention((8,), "sigmoid", "softmax", name="attention")
    ones = np.ones_like(STEPS)
    np.testing.assert_allclose(layer(TARGET, ones, tf.constant(MASK)).numpy()[:3], 1.0, atol=1e-6)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'hardmax'.*softmax, none"):
        TargetAttention((8,), "sigmoid", "hardmax", name="attention")
    with pytest.raises(ValueError, match="at least one hidden layer"):
        TargetAttention((), "sigmoid", "softmax", name="attention")
