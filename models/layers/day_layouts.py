"""How the days of a history, each with several ids of several parts, become steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import tensorflow as tf

from models.layers.day_reader import AnyReader
from models.layers.history import every_value, fill_gaps
from models.layers.pooling import pool

DayLayout = Literal["paired", "stacked", "packed", "flat"]
"""What a step is: a day with its parts side by side (``paired``), or such a day with those that have none left out
(``packed``); one part of a day (``stacked``: day after day, and in a day the parts in their order, so that steps stay
oldest first); one id (``flat``)."""


def laid_out(
    layout: DayLayout, vectors: Sequence[tf.Tensor], masks: Sequence[tf.Tensor], ages: tf.Tensor | None,
    *, pooling: str, readers: Sequence[AnyReader | None] = (), forward: int, backward: int, window: int,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:  # fmt: skip
    """The window's steps, gaps filled. A step that was filled is as old as the day that it was taken from.

    Args:
        vectors: of each part ``[batch, lead + window, values, dim]``; of ``flat`` there is one.
        masks: of each part bool ``[batch, lead + window, values]``.
        ages: ``[batch, lead + window]``, finite.
        pooling: how the ids of a day and part become one vector.
        readers: of each part what reads them instead, if anything does.
        forward: most days that a day is carried forward, ``backward`` backward (see ``models.layers.history``).

    Returns:
        ``[batch, steps, dim]``, zero where there is no step, their bool mask ``[batch, steps]``, and their ages.
    """
    fill = {"forward": forward, "backward": backward, "window": window}
    if layout == "flat":
        steps, mask = every_value(_aged(vectors[0], ages), masks[0], **fill)
        return _parted(steps, mask, ages)
    pooled = [
        pool(vector, mask, pooling) if reader is None else reader(vector, mask)
        for vector, mask, reader in zip(vectors, masks, readers or [None] * len(masks), strict=True)
    ]
    known = [tf.reduce_any(mask, axis=-1) for mask in masks]
    if layout == "stacked":
        steps, mask = every_value(_aged(tf.stack(pooled, axis=2), ages), tf.stack(known, axis=2), **fill)
        return _parted(steps, mask, ages)
    steps, mask = fill_gaps(_aged(tf.concat(pooled, axis=-1), ages), tf.reduce_any(tf.stack(known), axis=0), **fill)
    if layout == "packed":
        steps, mask = together(steps, mask)
    return _parted(steps, mask, ages)


def together(steps: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The real steps moved to the front in their order, the gaps behind the last: as a history of events has them."""
    length = int(mask.shape[1])
    here = tf.range(length)
    order = tf.argsort(tf.where(mask, here, here + length), axis=1)
    return tf.gather(steps, order, axis=1, batch_dims=1), tf.gather(mask, order, axis=1, batch_dims=1)


def _aged(days: tf.Tensor, ages: tf.Tensor | None) -> tf.Tensor:
    """With the age of its day as a last value of each vector, so that it goes where the day goes."""
    if ages is None:
        return days
    ages = ages[..., None] if days.shape.rank == 3 else ages[..., None, None] * tf.ones_like(days[..., :1])
    return tf.concat([days, ages], axis=-1)


def _parted(steps: tf.Tensor, mask: tf.Tensor, ages: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
    return (steps, mask, None) if ages is None else (steps[..., :-1], mask, steps[..., -1])
