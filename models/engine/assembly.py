"""From flat columns of embedded values to the inputs of a model, feature by feature."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.engine.selection import Matrix, Selection
from models.inputs import ModelInputs

Columns = Mapping[int, tuple[tf.Tensor, tf.Tensor]]
"""For each embedding width, flat vectors ``[rows * columns, width]`` and masks of a side's columns."""


def assemble(
    selection: Selection,
    shape: tuple[int, int],
    request: Columns,
    item: Columns,
    request_dense: tf.Tensor,
    item_dense: tf.Tensor,
    pair_dense: tf.Tensor,
) -> ModelInputs:
    """Model inputs of a batch of ``shape`` (requests, candidates)."""
    vectors: dict[str, tf.Tensor] = {}
    mask: dict[str, tf.Tensor] = {}
    dense: dict[str, tf.Tensor] = {}
    for matrix, lead, columns in ((selection.request_ids, shape[:1], request), (selection.item_ids, shape, item)):
        for width, (values, real) in columns.items():
            _take_apart(matrix, width, lead, values, real, vectors, mask)
    for matrix, floats in (
        (selection.request_dense, request_dense),
        (selection.item_dense, item_dense),
        (selection.pair_dense, pair_dense),
    ):
        places = matrix.blocks[0].places
        if places:
            sizes = [place.stop - place.start for place in places.values()]
            dense.update(zip(places, tf.split(floats, sizes, axis=-1), strict=True))
    return ModelInputs(vectors, mask, dense)


def one_empty_request(selection: Selection) -> ModelInputs:
    """Inputs of one request and one candidate without any value: enough to create a model's weights."""
    request, item = (
        {
            width: (tf.zeros((block.stop - block.start, width)), tf.zeros(block.stop - block.start, tf.bool))
            for width, block in matrix.blocks.items()
        }
        for matrix in (selection.request_ids, selection.item_ids)
    )
    return assemble(
        selection,
        (1, 1),
        request,
        item,
        tf.zeros((1, selection.request_dense.width)),
        tf.zeros((1, 1, selection.item_dense.width)),
        tf.zeros((1, 1, selection.pair_dense.width)),
    )


def _take_apart(
    matrix: Matrix,
    width: int,
    lead: tuple[int, ...],
    values: tf.Tensor,
    real: tf.Tensor,
    vectors: dict[str, tf.Tensor],
    mask: dict[str, tf.Tensor],
) -> None:
    """Split a side's columns of one width by feature; split, not slices, whose gradients pad."""
    block = matrix.blocks[width]
    if not block.places:
        return
    sizes = [place.stop - place.start for place in block.places.values()]
    axis = len(lead)
    values = tf.split(tf.reshape(values, (*lead, block.stop - block.start, width)), sizes, axis=axis)
    real = tf.split(tf.reshape(real, (*lead, block.stop - block.start)), sizes, axis=axis)
    for (name, place), value, there in zip(block.places.items(), values, real, strict=True):
        vectors[name] = tf.reshape(value, (*lead, *place.shape, width))
        mask[name] = tf.reshape(there, (*lead, *place.shape))
