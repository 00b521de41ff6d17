"""Where a step stands, told by what is added to it."""

from __future__ import annotations

from typing import Literal, get_args

import keras
import tensorflow as tf

Positions = Literal["none", "sinusoid", "learnt", "ages"]
"""What is added to a step: nothing, sines and cosines of its place, or a vector that is learnt of its place or age."""

PLACES = 256
"""Places that have a learnt vector of their own; further ones have that of the last."""

SPANS = 25
"""Ages that have one: below 1, below 3, below 7, …, as many as doublings; the first is the target's."""


def sinusoid(places: tf.Tensor, dim: int) -> tf.Tensor:
    """``[...]`` to ``[..., dim]``: of each place sine and cosine, in turn, of ``place / 10000^(2i/dim)``.

    Reference: Vaswani et al., Attention Is All You Need, 2017.
    """
    columns = tf.range(dim)
    slowing = tf.pow(10_000.0, -tf.cast(columns - columns % 2, tf.float32) / dim)
    angles = tf.cast(places, tf.float32)[..., None] * slowing
    return tf.where(columns % 2 == 0, tf.sin(angles), tf.cos(angles))


def places_from_end(mask: tf.Tensor) -> tf.Tensor:
    """Of each step of bool ``[batch, steps]`` how many real ones there are from it on: 1 for the newest; 0 of none.

    So no place hangs on the padding, and the same distance is the same place in every history.
    """
    real = tf.cast(mask, tf.int32)
    return tf.cumsum(real, axis=1, reverse=True) * real


def spans_of(ages: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Of each age ``[batch, steps]``, at least 0, its span: ``1 + floor(log2(1 + age))``; 0 where there is no step."""
    doublings = tf.math.log1p(tf.maximum(ages, 0.0)) / tf.math.log(2.0)
    # A power of two less one is exactly at the border, which rounding must not move.
    spans = 1 + tf.cast(tf.floor(doublings + 1e-4), tf.int32)
    return tf.where(mask, tf.minimum(spans, SPANS - 1), 0)


class AddPositions(keras.layers.Layer):
    """Steps, and with each what tells its place: added, so that they keep their width, or beside it.

    Args:
        how: see :data:`Positions`.
        beside: width of what tells the place, where it stands beside a step; none: it is added.
    """

    def __init__(self, how: str, beside: int | None = None, *, name: str) -> None:
        super().__init__(name=name)
        if how not in get_args(Positions):
            raise ValueError(f"positions '{how}'; expected one of {', '.join(get_args(Positions))}")
        self.how = how
        self.beside = beside
        self.table_initializer = keras.initializers.RandomNormal(stddev=0.02)

    def build(self, steps_shape: tuple[int | None, ...], *_: object) -> None:
        if self.how in ("learnt", "ages"):
            rows = PLACES if self.how == "learnt" else SPANS
            shape = (rows, int(steps_shape[-1] or 0) if self.beside is None else self.beside)
            self.table = self.add_weight(name="table", shape=shape, initializer=self.table_initializer)
        self.built = True

    def call(self, steps: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        """``steps [..., dim]`` and int32 ``places [...]`` (of ages, spans) to ``[..., dim]``, or wider."""
        if self.how == "none":
            return steps
        if self.how == "sinusoid":
            told = sinusoid(places, int(steps.shape[-1]) if self.beside is None else self.beside)
        else:
            table = tf.convert_to_tensor(self.table)
            told = tf.gather(table, tf.minimum(places, int(table.shape[0]) - 1))
        return steps + told if self.beside is None else tf.concat([steps, told], axis=-1)
