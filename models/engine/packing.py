"""A batch as two flat buffers: every array handed to a compiled step costs time, so there are two."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.engine.tables import PADDING_ROW, Table, step_of_ladder
from models.engine.view import Block, Shape, View
from models.randomness import Part
from models.tables import Fused


@dataclass(frozen=True)
class Batch:
    """Some requests with their candidates, as a step takes them. What is cut out of the buffers shares their memory.

    Attributes:
        view: what the buffers hold, block by block.
        shape: requests and candidates.
        ints: int32, rows of the fused tables.
        floats: float32, the dense blocks; to train on, then what the loss is told (:func:`told_shapes`).
        tasks: whose labels it is told.
        by_user: it is told whose each row is.
        by_item: it is told which item each pair is of, and how often that is among the rows.
    """

    view: View
    shape: Shape
    ints: NDArray[np.int32]
    floats: NDArray[np.float32]
    tasks: int = 1
    by_user: bool = False
    by_item: bool = False

    @property
    def rows(self) -> list[NDArray[np.int32]]:
        """Rows of the tables, of each block of ids ``[batch, columns]`` or ``[batch, candidates, columns]``."""
        return _cut(self.ints, (block.shape(self.shape) for block in self.view.ids))

    @property
    def dense(self) -> list[NDArray[np.float32]]:
        """Floats of each dense block, shaped likewise."""
        return _cut(self.floats, (block.shape(self.shape) for block in self.view.dense))

    @property
    def told(self) -> list[NDArray[np.float32]]:
        """What the losses are told (:func:`told_shapes`)."""
        floats = self.floats[size_of(self.view.dense, self.shape) :]
        return _cut(floats, told_shapes(self))

    @property
    def label(self) -> NDArray[np.float32]:
        """``[batch, candidates]`` of the first task, 1 for a positive."""
        return self.told[0]

    @property
    def weight(self) -> NDArray[np.float32]:
        """``[batch]``; 0 for a padding row."""
        return self.told[self.tasks + 1]

    def by_table(self) -> dict[Fused, NDArray[np.int32]]:
        """Rows of each fused table, flat: the request's, then the items'."""
        sizes: dict[Fused, int] = {}
        for block in self.view.ids:
            sizes[block.fused] = sizes.get(block.fused, 0) + math.prod(block.shape(self.shape))
        return dict(zip(sizes, _cut(self.ints, ((size,) for size in sizes.values())), strict=True))


def told_shapes(batch: Batch) -> tuple[tuple[int, ...], ...]:
    """Shapes of what the losses are told: a label a task, mask of real candidates, weight; whose rows they are; which
    item each pair is of, and the logarithm of the share that it has of the day's."""
    shape, tasks = batch.shape, batch.tasks
    return (*(shape,) * (tasks + 1), *(shape[:1],) * (1 + batch.by_user), *(shape,) * (2 * batch.by_item))


def own_rows(batch: Batch, packed: NDArray[np.int32], part: Part) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """What a step over a part of a batch's rows takes, of what :meth:`Packer.pack` made of all of them.

    Returns:
        The lists of distinct rows as they are, then the part's positions; its floats, then what the losses are told of
        the whole batch, as their means are over all of it.
    """
    lists = len(packed) - len(batch.ints)
    size = batch.shape[0] // part.of
    mine = slice(part.number * size, (part.number + 1) * size)
    positions = _cut(packed[lists:], (block.shape(batch.shape) for block in batch.view.ids))
    told = batch.floats[size_of(batch.view.dense, batch.shape) :]
    return (
        np.concatenate([packed[:lists], *(each[mine].ravel() for each in positions)]),
        np.concatenate([*(each[mine].ravel() for each in batch.dense), told]),
    )


def size_of(blocks: Iterable[Block], shape: Shape) -> int:
    """Values that blocks have in a batch of a shape."""
    return sum(math.prod(block.shape(shape)) for block in blocks)


def _cut(buffer: NDArray[Any], shapes: Iterable[tuple[int, ...]]) -> list[NDArray[Any]]:
    parts, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        parts.append(buffer[start:stop].reshape(shape))
        start = stop
    return parts


class Packer:
    """For training each distinct row is listed once, and the batch points into that list.

    The list begins with the padding row, so that a position of 0 is padding, and ends with more of it up to
    the bucket: a step of the ladder 64, 96, 128, 192, …, so that few shapes are ever compiled.
    """

    def __init__(self) -> None:
        self._scratch = np.zeros(0, np.int32)

    def pack(
        self, batch: Batch, tables: tuple[Table, ...], least: tuple[int, ...]
    ) -> tuple[NDArray[np.int32], tuple[int, ...]]:
        """The lists of distinct rows, table by table, then positions in them in the order of the batch's own rows.

        Args:
            least: distinct rows to which the list of each table is padded at least.

        Returns:
            int32 buffer, and the bucket of each table.
        """
        lists: list[NDArray[np.int32]] = []
        positions: list[NDArray[np.int32]] = []
        buckets: list[int] = []
        rows_by_table = batch.by_table()
        before: NDArray[np.int32] | None = None
        for table, smallest in zip(tables, least, strict=True):
            rows = rows_by_table[table.fused]
            # A linear part beside wide vectors is read at the same rows of its own table.
            if before is None or not np.array_equal(rows, before):
                distinct, position = self._distinct(rows, table.rows)
            before = rows
            bucket = step_of_ladder(max(len(distinct), smallest))
            lists += [distinct, np.full(bucket - len(distinct), PADDING_ROW, np.int32)]
            positions.append(position)
            buckets.append(bucket)
        # A model that reads no ids has nothing to put together.
        return np.concatenate([np.zeros(0, np.int32), *lists, *positions]), tuple(buckets)

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
