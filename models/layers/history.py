"""Histories of days: gap fill within bounds, the window, and what stands in for an empty one."""

from __future__ import annotations

import tensorflow as tf

ALL = "all"

_NOWHERE = 1 << 30


def reach(setting: int | str, days: int) -> int:
    """A fill setting as a number of days: ``k``, or ``all`` for the whole history."""
    return days if setting == ALL else int(setting)


def fill_sources(present: tf.Tensor, forward: int, backward: int) -> tuple[tf.Tensor, tf.Tensor]:
    """For every day the day whose values it takes, and whether it then has any.

    A missing day takes the last known day at most ``forward`` days before it; failing that, the next known
    day at most ``backward`` days after it. Only days that were really there are ever copied:

    * ``0 0 0 1`` with backward 2 gives ``0 1 1 1``;
    * ``1 0 0 0`` with forward 2 gives ``1 1 1 0``.

    Args:
        present: bool ``[batch, days]``, oldest first.
        forward: most days that a value is carried forward; 0 for none.
        backward: most days that a value is carried backward; 0 for none.

    Returns:
        int32 ``[batch, days]`` source days and bool ``[batch, days]`` presence after the fill.
    """
    days = int(present.shape[1])
    here = tf.range(days)
    earlier, later = here[None, :] <= here[:, None], here[None, :] >= here[:, None]
    known = present[:, None, :]
    before = tf.reduce_max(tf.where(tf.logical_and(known, earlier), here, -_NOWHERE), axis=2)
    after = tf.reduce_min(tf.where(tf.logical_and(known, later), here, _NOWHERE), axis=2)
    from_before = here - before <= forward
    from_after = after - here <= backward
    filled = tf.logical_or(from_before, from_after)
    source = tf.where(from_before, before, tf.where(from_after, after, here))
    return source, filled


def fill_gaps(
    vectors: tf.Tensor, present: tf.Tensor, *, forward: int, backward: int, window: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gap fill over all days, the lead before the window included, then the window alone.

    Args:
        vectors: ``[batch, lead + window, dim]``, one vector a day, oldest first, zero on a missing day.
        present: bool ``[batch, lead + window]``.
        forward: see :func:`fill_sources`.
        backward: see :func:`fill_sources`.
        window: the number of last days to keep.

    Returns:
        ``[batch, window, dim]`` vectors, zero where still missing, and the bool mask ``[batch, window]``.
    """
    if forward or backward:
        source, filled = fill_sources(present, forward, backward)
        source, filled = source[:, -window:], filled[:, -window:]
        vectors = tf.gather(vectors, source, axis=1, batch_dims=1)
    else:
        vectors, filled = vectors[:, -window:], present[:, -window:]
    return tf.where(filled[..., None], vectors, 0.0), filled


def every_value(
    vectors: tf.Tensor, present: tf.Tensor, *, forward: int, backward: int, window: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gaps filled as by :func:`fill_gaps`, and every value of every day a step of its own, day after day.

    Args:
        vectors: ``[batch, lead + window, values, dim]``.
        present: bool ``[batch, lead + window, values]``.

    Returns:
        ``[batch, window · values, dim]`` vectors, zero where there is none, and their bool mask.
    """
    days, dim = vectors.shape[1], vectors.shape[3]
    values = tf.shape(vectors)[2]
    flat = tf.reshape(vectors, (-1, days, values * dim))
    # A day's mask goes where its values go.
    beside = tf.concat([flat, tf.cast(present, flat.dtype)], axis=-1)
    found, _ = fill_gaps(beside, tf.reduce_any(present, axis=-1), forward=forward, backward=backward, window=window)
    real = tf.reshape(found[..., values * dim :], (-1, window * values)) > 0
    steps = tf.reshape(found[..., : values * dim], (-1, window * values, dim))
    return tf.where(real[..., None], steps, 0.0), real


def stand_in(
    vectors: tf.Tensor, mask: tf.Tensor, other_vectors: tf.Tensor, other_mask: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The other history for those rows whose own has no day at all; ``[batch, days, dim]``, ``[batch, days]``."""
    own = tf.reduce_any(mask, axis=1)
    return (
        tf.where(own[:, None, None], vectors, other_vectors),
        tf.where(own[:, None], mask, other_mask),
    )
