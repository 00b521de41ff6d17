"""The columns that a model reads of a day's matrices, in the order in which its step takes them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.schema import Columns, FeatureSchema, Layout, Side


@dataclass(frozen=True)
class Block:
    """Columns of one matrix that belong together: those of one table's ids, or dense ones.

    Attributes:
        start: first column of the block in the model's own matrix.
        stop: end of the block.
        places: for each feature, its columns counted from the block's start, and its shape.
    """

    start: int
    stop: int
    places: Mapping[str, Columns]


@dataclass(frozen=True)
class Matrix:
    """One of a day's matrices as a model reads it: the source's columns, and blocks of them.

    Attributes:
        source: for each own column, its column in the day's matrix.
        blocks: one for each embedding width, or one keyed 0 for a dense matrix.
    """

    source: NDArray[np.int64]
    blocks: Mapping[int, Block]

    @property
    def width(self) -> int:
        return len(self.source)

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for matrices that a compiled step may take one for the other."""
        return tuple(
            (width, block.start, block.stop, tuple((n, p.start, p.stop, p.shape) for n, p in block.places.items()))
            for width, block in self.blocks.items()
        )

    def select(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """The own columns of a day's matrix; the matrix itself where they are all of it."""
        if len(self.source) == matrix.shape[1] and np.array_equal(self.source, np.arange(matrix.shape[1])):
            return matrix
        return matrix[:, self.source]


@dataclass(frozen=True)
class Selection:
    """What a model reads of a day: five matrices."""

    request_ids: Matrix
    item_ids: Matrix
    request_dense: Matrix
    item_dense: Matrix
    pair_dense: Matrix

    @classmethod
    def of(cls, schema: FeatureSchema, dims: Mapping[str, int], layout: Layout) -> Selection:
        """The columns of ``schema``'s features in ``layout``, which may hold more features.

        Raises:
            ValueError: a feature of the schema is not in the layout.
        """
        widths = sorted(set(dims.values()))
        return cls(
            request_ids=_ids(schema, Side.REQUEST, dims, widths, layout.request_ids),
            item_ids=_ids(schema, Side.ITEM, dims, widths, layout.item_ids),
            request_dense=_dense(schema, Side.REQUEST, layout.request_dense),
            item_dense=_dense(schema, Side.ITEM, layout.item_dense),
            pair_dense=_dense(schema, Side.PAIR, layout.pair_dense),
        )

    @property
    def key(self) -> tuple[object, ...]:
        return tuple(
            matrix.key
            for matrix in (self.request_ids, self.item_ids, self.request_dense, self.item_dense, self.pair_dense)
        )


def _ids(
    schema: FeatureSchema, side: Side, dims: Mapping[str, int], widths: list[int], columns: Mapping[str, Columns]
) -> Matrix:
    source: list[int] = []
    blocks: dict[int, Block] = {}
    for width in widths:
        start = len(source)
        names = [f.name for f in schema.on(side, ids=True) if dims[str(f.space)] == width]
        blocks[width] = _block(names, columns, source, start)
    return Matrix(np.asarray(source, np.int64), blocks)


def _dense(schema: FeatureSchema, side: Side, columns: Mapping[str, Columns]) -> Matrix:
    source: list[int] = []
    block = _block([f.name for f in schema.on(side, ids=False)], columns, source, 0)
    return Matrix(np.asarray(source, np.int64), {0: block})


def _block(names: list[str], columns: Mapping[str, Columns], source: list[int], start: int) -> Block:
    places: dict[str, Columns] = {}
    for name in names:
        if name not in columns:
            raise ValueError(f"feature '{name}' is not in the day's arrays; they hold: {', '.join(columns) or 'none'}")
        place = columns[name]
        begin = len(source) - start
        source.extend(range(place.start, place.stop))
        places[name] = Columns(begin, len(source) - start, place.shape)
    return Block(start, len(source), places)
