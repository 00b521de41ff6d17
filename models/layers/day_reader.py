"""The ids of each day, or of each bag, read as one vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from models.layers.grouped_products import plus, times
from models.layers.gru import GRU, Bidirectional, last_of_each
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
        return self.completed(tf.reshape(read, (shape[0], days.shape[1] or shape[1], dim)), days, mask, self.norm)

    def completed(
        self, read: tf.Tensor, days: tf.Tensor, mask: tf.Tensor, norm: Callable[[tf.Tensor], tf.Tensor] | None
    ) -> tf.Tensor:
        """What is read of days, ``[batch, days, dim]``, with what the layer adds to it, normalised by ``norm``."""
        told = read if self.add is None else read + pool(days, mask, self.add)
        return told if norm is None else tf.where(tf.reduce_any(mask, axis=-1, keepdims=True), norm(told), 0.0)

    def _read(self, values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """``[rows, values, dim]`` to ``[rows, dim]``."""
        if isinstance(self.reader, Bidirectional):
            return self.reader(values, mask)[1]
        if isinstance(self.reader, SelfAttentivePooling):
            return self.reader(values, mask)[:, 0]
        return self.reader(values, mask, last_alone=True)


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

    def call(self, days: tf.Tensor, mask: tf.Tensor, training: bool = True) -> tf.Tensor:
        """As of :class:`DayReader`; there may be fewer days."""
        count, (batch, _, values, dim) = int(days.shape[1]), tf.unstack(tf.shape(days))
        readers = self.readers[count - 1 :: -1]
        # One loop for all days: a loop for each takes as many times as long to compile.
        rows = tf.reshape(tf.transpose(days, (1, 0, 2, 3)), (count * batch, values, days.shape[-1]))
        real = tf.reshape(tf.transpose(mask, (1, 0, 2)), (count * batch, values))
        read = tf.reshape(_read_each([each.reader for each in readers], rows, real, training), (count, batch, dim))

        norms = [each.norm for each in readers if each.norm is not None]

        def normal(told: tf.Tensor) -> tf.Tensor:
            return tf.stack([norm(day) for norm, day in zip(norms, tf.unstack(told, axis=1), strict=True)], axis=1)

        return readers[0].completed(tf.transpose(read, (1, 0, 2)), days, mask, normal if norms else None)


def _read_each(readers: Sequence[Any], values: tf.Tensor, mask: tf.Tensor, training: bool) -> tf.Tensor:
    """``[rows, values, dim]`` to ``[rows, dim]``: the first rows by the first reader, as many by each."""
    if isinstance(readers[0], SelfAttentivePooling):
        return _attend_each(readers, values, mask)
    if not isinstance(readers[0], Bidirectional):
        return last_of_each(readers, values, mask, training)
    last = last_of_each([each.forwards for each in readers], values, mask, training)
    back = (tf.reverse(values, [1]), tf.reverse(mask, [1]))
    return tf.concat([last, last_of_each([each.backwards for each in readers], *back, training)], axis=-1)


def _attend_each(readers: Sequence[SelfAttentivePooling], values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    hidden, scores, bias = (
        tf.stack([tf.convert_to_tensor(weight) for weight in each])
        for each in zip(*((r.hidden.kernel, r.scores.kernel, r.hidden.bias) for r in readers), strict=True)
    )
    flat = tf.reshape(values, (-1, values.shape[-1]))
    told = tf.reshape(times(tf.tanh(plus(times(flat, hidden), bias)), scores), tf.shape(mask))
    weights = tf.where(mask, tf.nn.softmax(tf.where(mask, told, -1e9), axis=1), 0.0)
    return tf.squeeze(tf.matmul(weights[:, None], tf.where(mask[..., None], values, 0.0)), axis=1)


AnyReader = DayReader | ReaderOfEachDay
