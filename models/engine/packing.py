"""A batch as two flat buffers: every array handed to a compiled step costs time, so there are two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.engine.selection import Block, Selection
from models.engine.tables import PADDING_ROW, Table, step_of_ladder


@dataclass(frozen=True)
class Batch:
    """Some requests with their candidates, as a step takes them.

    Attributes:
        selection: where the features stand in the matrices.
        request_rows: int32 ``[batch, columns]`` rows of the fused tables.
        item_rows: int32 ``[batch, candidates, columns]``.
        request_dense: float32 ``[batch, columns]``.
        item_dense: float32 ``[batch, candidates, columns]``.
        pair_dense: float32 ``[batch, candidates, columns]``.
        label: float32 ``[batch, candidates]``, 1 for a positive.
        candidate_mask: float32 ``[batch, candidates]``, 0 for a padding candidate.
        weight: float32 ``[batch]``; 0 for a padding row.
    """

    selection: Selection
    request_rows: NDArray[np.int32]
    item_rows: NDArray[np.int32]
    request_dense: NDArray[np.float32]
    item_dense: NDArray[np.float32]
    pair_dense: NDArray[np.float32]
    label: NDArray[np.float32]
    candidate_mask: NDArray[np.float32]
    weight: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int]:
        """Batch and candidates."""
        return self.label.shape[0], self.label.shape[1]


class Packed(NamedTuple):
    """Buffers of a batch, and the number of distinct rows of each table after padding."""

    ints: NDArray[np.int32]
    floats: NDArray[np.float32]
    buckets: tuple[int, ...]


class Parts(NamedTuple):
    """The buffers taken apart, on the device; ``request`` and ``item`` hold one flat tensor a table."""

    unique: list[tf.Tensor]
    request: list[tf.Tensor]
    item: list[tf.Tensor]
    request_dense: tf.Tensor
    item_dense: tf.Tensor
    pair_dense: tf.Tensor
    label: tf.Tensor
    mask: tf.Tensor
    weight: tf.Tensor


@dataclass(frozen=True)
class Shapes:
    """How the buffers of batches of one shape are taken apart."""

    unique: tuple[int, ...]
    request: tuple[int, ...]
    item: tuple[int, ...]
    dense: tuple[tuple[int, ...], ...]

    @property
    def ints(self) -> int:
        return sum(self.unique) + sum(self.request) + sum(self.item)

    @property
    def floats(self) -> int:
        return sum(int(np.prod(shape, dtype=np.int64)) for shape in self.dense)

    def unpack(self, ints: tf.Tensor, floats: tf.Tensor) -> Parts:
        parts = tf.split(ints, [*self.unique, *self.request, *self.item])
        first, second = len(self.unique), len(self.unique) + len(self.request)
        sizes = [int(np.prod(shape, dtype=np.int64)) for shape in self.dense]
        dense = [tf.reshape(part, shape) for part, shape in zip(tf.split(floats, sizes), self.dense, strict=True)]
        return Parts(parts[:first], parts[first:second], parts[second:], *dense)


def shapes_of(batch: Batch, tables: tuple[Table, ...], buckets: tuple[int, ...]) -> Shapes:
    """Shapes of the buffers; no buckets for scoring, where rows are not listed."""
    requests, candidates = batch.shape
    selection = batch.selection
    return Shapes(
        unique=buckets,
        request=tuple(requests * _columns(selection.request_ids.blocks[t.width]) for t in tables),
        item=tuple(requests * candidates * _columns(selection.item_ids.blocks[t.width]) for t in tables),
        dense=tuple(array.shape for array in _dense(batch)),
    )


def plain(batch: Batch) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Buffers for scoring: rows of the tables as they are."""
    ints = [
        np.ravel(matrix[..., block.start : block.stop])
        for matrix, blocks in (
            (batch.request_rows, batch.selection.request_ids.blocks),
            (batch.item_rows, batch.selection.item_ids.blocks),
        )
        for block in blocks.values()
    ]
    return np.concatenate(ints), np.concatenate([np.ravel(array) for array in _dense(batch)])


class Packer:
    """Packs batches; for training each distinct row is listed once, and the batch points into that list.

    The list begins with the padding row, so that a position of 0 is padding, and ends with more of it up to
    the bucket: a step of the ladder 64, 96, 128, 192, …, so that few shapes are ever compiled.
    """

    def __init__(self) -> None:
        self._scratch = np.zeros(0, np.int32)

    def pack(self, batch: Batch, tables: tuple[Table, ...], least: tuple[int, ...]) -> Packed:
        """Buffers for training, the list of distinct rows of each table padded to at least ``least``."""
        unique: list[NDArray[np.int32]] = []
        request: list[NDArray[np.int32]] = []
        item: list[NDArray[np.int32]] = []
        for table, smallest in zip(tables, least, strict=True):
            of_request = batch.selection.request_ids.blocks[table.width]
            of_item = batch.selection.item_ids.blocks[table.width]
            in_request = batch.request_rows[:, of_request.start : of_request.stop].ravel()
            in_item = batch.item_rows[:, :, of_item.start : of_item.stop].ravel()
            rows = np.concatenate([in_request, in_item])
            distinct, inverse = self._distinct(rows, table.rows)
            bucket = step_of_ladder(max(len(distinct), smallest))
            unique.append(np.concatenate([distinct, np.full(bucket - len(distinct), PADDING_ROW, np.int32)]))
            request.append(inverse[: len(in_request)])
            item.append(inverse[len(in_request) :])
        floats = np.concatenate([np.ravel(array) for array in _dense(batch)])
        return Packed(np.concatenate([*unique, *request, *item]), floats, tuple(len(rows) for rows in unique))

    def _distinct(self, rows: NDArray[np.int32], size: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Distinct rows, padding first, and for each row its place among them.

        Every row writes its position into a scratch array as long as the table: the last writer of a row
        stands for it. No sort, no hash.
        """
        if len(self._scratch) < size:
            self._scratch = np.zeros(size, np.int32)
        scratch = self._scratch
        scratch[PADDING_ROW] = -1
        positions = np.arange(len(rows), dtype=np.int32)
        scratch[rows] = positions
        scratch[PADDING_ROW] = -1
        distinct = rows[scratch[rows] == positions]
        distinct = np.concatenate([np.asarray([PADDING_ROW], np.int32), distinct])
        scratch[distinct] = np.arange(len(distinct), dtype=np.int32)
        return distinct, scratch[rows]


def power_of_two(count: int) -> int:
    """The smallest power of two that is at least ``count``."""
    return 1 << max(0, count - 1).bit_length()


def _columns(block: Block) -> int:
    return block.stop - block.start


def _dense(batch: Batch) -> tuple[NDArray[np.float32], ...]:
    return (
        batch.request_dense,
        batch.item_dense,
        batch.pair_dense,
        batch.label,
        batch.candidate_mask,
        batch.weight,
    )
