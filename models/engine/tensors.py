"""From a batch's buffers to what a model's code is called with, feature by feature."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import tensorflow as tf

from models.engine.packing import size_of
from models.engine.tables import PADDING_ROW
from models.engine.view import Shape, View
from models.inputs import ModelInputs
from models.tables import Fused


def cut(buffer: tf.Tensor, shapes: Iterable[tuple[int, ...]]) -> list[tf.Tensor]:
    """A flat buffer taken apart; split, not slices, whose gradients pad."""
    shapes = list(shapes)
    parts = tf.split(buffer, [math.prod(shape) for shape in shapes]) if shapes else []
    return [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]


def model_inputs(
    view: View, shape: Shape, rows: tf.Tensor, floats: tf.Tensor, tables: Mapping[Fused, tf.Tensor]
) -> ModelInputs:
    """What a model is called with.

    Args:
        view: where the features stand in the buffers.
        shape: of the batch.
        rows: int32, row of ``tables`` of every value, block by block; 0 is padding.
        floats: float32, block by block.
        tables: ``[rows, width]`` of every fused table.
    """
    by_role: dict[str, dict[str, tf.Tensor]] = {}
    mask: dict[str, tf.Tensor] = {}
    dense: dict[str, tf.Tensor] = {}
    for block, row in zip(view.ids, cut(rows, (block.shape(shape) for block in view.ids)), strict=True):
        lead, axis = row.shape[:-1], row.shape.rank - 1
        values = tf.split(tf.gather(tables[block.fused], row), block.sizes, axis=axis)
        real = tf.split(row != PADDING_ROW, block.sizes, axis=axis)
        for (read, place), value, there in zip(block.places.items(), values, real, strict=True):
            vectors = by_role.setdefault(view.tables[read.table].role, {})
            vectors[read.feature] = tf.reshape(value, (*lead, *place.shape, block.fused.width))
            mask[read.feature] = tf.reshape(there, (*lead, *place.shape))
    for block, values in zip(view.dense, cut(floats, (block.shape(shape) for block in view.dense)), strict=True):
        names = [read.feature for read in block.places]
        dense.update(zip(names, tf.split(values, block.sizes, axis=-1), strict=True))
    return ModelInputs(by_role.pop("", {}), mask, dense, by_role)


def one_empty_request(view: View) -> ModelInputs:
    """Inputs of one request and one candidate without any value: enough to create a model's weights."""
    shape = (1, 1)
    return model_inputs(
        view,
        shape,
        tf.zeros(size_of(view.ids, shape), tf.int32),
        tf.zeros(size_of(view.dense, shape)),
        {block.fused: tf.zeros((1, block.fused.width)) for block in view.ids},
    )
