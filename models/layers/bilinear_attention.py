"""Attention of a target over a history by one matrix."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import Axes, Segments

_MASKED = -1e9


class BilinearAttention(keras.layers.Layer):
    """The sum of the steps, each weighted by the softmax over real steps of ``k W q``: a step ``k``, a target ``q``.

    A history without any real step gives zero, for every target.

    Attributes:
        step_of: what the values of a step are of, ``target_of`` those of a target, as the encoder says when it calls.

    Reference: Zhou et al., Deep Interest Evolution Network for Click-Through Rate Prediction, 2019.
    """

    step_of: Segments = ()
    target_of: Segments = ()

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)
        self.kernel_initializer = keras.initializers.GlorotUniform()

    def build(self, target_shape: tuple[int | None, ...], steps_shape: tuple[int | None, ...], *_: object) -> None:
        shape = (int(steps_shape[-1] or 0), int(target_shape[-1] or 0))
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self.kernel_initializer)
        self.built = True

    @property
    def weight_axes(self) -> dict[str, Axes]:
        """Of the matrix, if the encoder says what steps and targets are of."""
        return {"kernel": (self.step_of, self.target_of)} if self.step_of and self.target_of else {}

    def call(self, target: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """``target [batch, candidates, of]``, ``steps [batch, steps, dim]``, bool ``mask [batch, steps]`` to ``[batch,
        candidates, dim]``."""
        return tf.matmul(self.attend(target, steps, mask), steps * tf.cast(mask, steps.dtype)[..., None])

    def attend(self, target: tf.Tensor, steps: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """The weights of the steps, ``[batch, candidates, steps]``; zero of what is no step."""
        scores = tf.matmul(target, tf.tensordot(steps, tf.convert_to_tensor(self.kernel), 1), transpose_b=True)
        weights = tf.nn.softmax(tf.where(mask[:, None, :], scores, _MASKED), axis=-1)
        return weights * tf.cast(mask, steps.dtype)[:, None, :]
