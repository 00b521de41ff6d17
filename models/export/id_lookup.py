"""Raw ids to indices, and numbers to the bins that are ids, inside the exported graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR, PAD_INT, PAD_STR, UNKNOWN

_LARGEST = np.iinfo(np.int64).max


class _IntIds(tf.Module):
    """Index of integer ids: sorted keys and a binary search."""

    dtype = tf.int64
    padding = PAD_INT

    def __init__(self) -> None:
        super().__init__()
        # One row, as the search takes them: to cut it out and put it together is as many operations as to search.
        self._keys = tf.Variable(tf.zeros((1, 0), tf.int64), shape=[1, None], trainable=False, name="keys")
        self._indices = tf.Variable(tf.zeros(0, tf.int32), shape=[None], trainable=False, name="indices")

    def set(self, ids: NDArray[Any]) -> None:
        keys = np.concatenate([np.asarray([PAD_INT, MISSING_INT], np.int64), np.asarray(ids, np.int64)])
        order = np.argsort(keys, kind="stable")
        # Behind them the largest number there is, so that a search never ends beyond the keys.
        self._keys.assign(np.append(keys[order], _LARGEST)[None])
        self._indices.assign(np.append(order.astype(np.int32), np.int32(UNKNOWN)))

    def look_up(self, ids: tf.Tensor) -> tf.Tensor:
        row, keys = tf.reshape(ids, [1, -1]), self._keys.read_value()
        # `tf.searchsorted` is a dozen operations around this one; a small request is made of such.
        place = tf.raw_ops.LowerBound(sorted_inputs=keys, values=row)
        known = tf.equal(tf.gather(keys, place, axis=1, batch_dims=1), row)
        return tf.reshape(tf.where(known, tf.gather(self._indices, place), UNKNOWN), tf.shape(ids))


class _StrIds(tf.Module):
    """Index of text ids: a hash table."""

    dtype = tf.string
    padding = PAD_STR

    def __init__(self) -> None:
        super().__init__()
        self._table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int32, UNKNOWN)
        # No list: TensorFlow wraps each value of one, and goes through all of them whenever a module is looked over.
        self._known = np.zeros(0, object)

    def set(self, ids: NDArray[Any]) -> None:
        wanted = np.array([PAD_STR, MISSING_STR, *map(str, ids)], object)
        known = self._known
        if not np.array_equal(known, wanted[: len(known)]):
            self._table.remove(tf.constant(known, tf.string))
            known = known[:0]
        if len(wanted) > len(known):
            new = tf.constant(wanted[len(known) :], tf.string)
            self._table.insert(new, tf.range(len(known), len(wanted), dtype=tf.int32))
        self._known = wanted

    def look_up(self, ids: tf.Tensor) -> tf.Tensor:
        return tf.ensure_shape(self._table.lookup(ids), ids.shape)


class _Limits(tf.Module):
    """The bin of a number, as a raw id: how many limits it reaches."""

    def __init__(self) -> None:
        super().__init__()
        self._limits = tf.Variable(tf.zeros(0), shape=[None], trainable=False, name="limits")

    def set(self, limits: NDArray[np.float32]) -> None:
        self._limits.assign(limits)

    def bins(self, numbers: tf.Tensor) -> tf.Tensor:
        """``[batch]``; missing where there is no number, and of all where there are no limits."""
        limits = self._limits.read_value()
        place = tf.raw_ops.UpperBound(sorted_inputs=limits[None], values=numbers[None], out_type=tf.int64)[0]
        known = tf.math.is_finite(numbers) & (tf.size(limits) > 0)
        return tf.where(known, place, MISSING_INT)
