"""What a model is called with: the embedded, masked features of a batch of requests."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class ModelInputs(NamedTuple):
    """Features by name; item and pair features have a candidates axis after the batch axis.

    Attributes:
        vectors: ``[batch, …, dim]`` or ``[batch, candidates, …, dim]`` embedded values, zero where padding.
        mask: bool, the shape of ``vectors`` less ``dim``; false where padding.
        dense: ``[batch, size]`` or ``[batch, candidates, size]`` raw floats; NaN where missing.
        roles: for each role of further tables (``models.tables.TableSpec.role``), what ``vectors`` is of the first.
        real: bool ``[batch, candidates]``, which candidates are any, of rows that are no padding; in training alone.
    """

    vectors: dict[str, tf.Tensor]
    mask: dict[str, tf.Tensor]
    dense: dict[str, tf.Tensor]
    roles: dict[str, dict[str, tf.Tensor]]
    real: tf.Tensor | None = None
