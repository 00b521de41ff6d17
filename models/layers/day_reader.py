"""The ids of each day, or of each bag, read as one vector."""

from __future__ import annotations

from typing import Any, Literal

import keras
import tensorflow as tf

from models.layers.gru import GRU, Bidirectional
from models.layers.pooling import pool
from models.layers.self_attentive_pooling import SelfAttentivePooling

Reading = Literal["rnn", "gru", "attention"]
"""What the ids of a day become: what two plain recurrent units end with, one over them and one over them turned round;
the last state of a gated one; or their sum, weighted by a network of each."""
ATTENTION_UNITS = 32


class DayReader(keras.layers.Layer):
    """The values of a day as one, as wide as a value, the same for all days; zero of a day without any.

    Args:
        how: see :data:`Reading`.
        add: how the values are pooled (``sum``, ``mean``) that are added to what is read; none: they are not.
        normalise: whether what is given is normalised (layer normalisation).

    Reference: Schuster and Paliwal, Bidirectional Recurrent Neural Networks, 1997 (``rnn``); Lin et al., A Structured
    Self-attentive Sentence Embedding, 2017 (``attention``).
    """

    def __init__(self, how: str = "rnn", *, add: str | None = None, normalise: bool = False, name: str) -> None:
        super().__init__(name=name)
        self.add = add
        self.norm = keras.layers.LayerNormalization(name=f"{name}_norm") if normalise else None
        self.reader: Any = {
            "rnn": lambda: Bidirectional(None, "none", name=name),
            "gru": lambda: GRU(None, name=name),
            "attention": lambda: SelfAttentivePooling(ATTENTION_UNITS, name=name),
        }[how]()

    def build(self, days_shape: tuple[int | None, ...], *_: object) -> None:
        self.reader.build((None, None, days_shape[-1]))
        if self.norm is not None:
            self.norm.build((None, None, days_shape[-1]))
        self.built = True

    def call(self, days: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """``days [batch, days, values, dim]`` and bool ``mask [batch, days, values]`` to ``[batch, days, dim]``."""
        shape, dim = tf.shape(days), int(days.shape[-1])
        rows = shape[0] * shape[1]
        read = self._read(tf.reshape(days, (rows, shape[2], dim)), tf.reshape(mask, (rows, shape[2])))
        told = tf.reshape(read, (shape[0], days.shape[1] or shape[1], dim))
        if self.add is not None:
            told += pool(days, mask, self.add)
        if self.norm is not None:
            told = tf.where(tf.reduce_any(mask, axis=-1, keepdims=True), self.norm(told), 0.0)
        return told

    def _read(self, values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """``[rows, values, dim]`` to ``[rows, dim]``."""
        if isinstance(self.reader, Bidirectional):
            return self.reader(values, mask)[1]
        told = self.reader(values, mask)
        return told[:, 0] if isinstance(self.reader, SelfAttentivePooling) else told[:, -1]


class ReaderOfEachDay(keras.layers.Layer):
    """A :class:`DayReader` of its own for each day, counted from the newest, which is 1.

    Args:
        days: the most that there are.
        settings: of each reader.
    """

    def __init__(self, days: int, *, name: str, **settings: Any) -> None:
        super().__init__(name=name)
        self.readers = [DayReader(**settings, name=f"{name}_{number}") for number in range(1, days + 1)]

    def build(self, days_shape: tuple[int | None, ...], *_: object) -> None:
        for reader in self.readers:
            reader.build(days_shape)
        self.built = True

    def call(self, days: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """As of :class:`DayReader`; there may be fewer days."""
        count = int(days.shape[1])
        each = zip(
            reversed(self.readers[:count]), tf.split(days, count, axis=1), tf.split(mask, count, axis=1), strict=True
        )
        return tf.concat([reader(day, real) for reader, day, real in each], axis=1)


AnyReader = DayReader | ReaderOfEachDay
