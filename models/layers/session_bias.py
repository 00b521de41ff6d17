"""Where a behaviour stands among sessions, told by biases."""

from __future__ import annotations

import keras
import tensorflow as tf


class SessionBias(keras.layers.Layer):
    """``x[k, t, c] + session[k] + position[t] + unit[c]``, in place of what positions of a sequence are told by.

    Reference: Feng et al., Deep Session Interest Network for Click-Through Rate Prediction, 2019.
    """

    def build(self, sessions_shape: tuple[int | None, ...], *_: object) -> None:
        self.biases = [
            self.add_weight(name=name, shape=(int(size or 0),), initializer="zeros")
            for name, size in zip(("session", "position", "unit"), sessions_shape[1:], strict=True)
        ]
        self.built = True

    def call(self, sessions: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """``sessions [batch, sessions, steps, dim]`` to the same shape; zero where bool ``mask [batch, sessions,
        steps]`` says that there is no step."""
        session, position, unit = (tf.convert_to_tensor(bias) for bias in self.biases)
        told = sessions + session[:, None, None] + position[:, None] + unit
        return tf.where(tf.convert_to_tensor(mask)[..., None], told, 0.0)
