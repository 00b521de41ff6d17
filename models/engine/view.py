"""What one model reads of a day: columns of its matrices, in the order in which the model's step takes them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.schema import Columns, FeatureSchema, Layout, Side
from models.tables import Fused, TableSpec

Shape = tuple[int, int]
"""Requests and candidates of a batch."""


class Read(NamedTuple):
    """A feature, and the table that its ids are looked up in; floats are looked up nowhere."""

    feature: str
    table: str = ""


@dataclass(frozen=True)
class Block:
    """Columns that are read together: ids of one side that are looked up in one table, or the floats of a side.

    Attributes:
        side: whose rows they are.
        fused: the table that the ids are looked up in; of width 0 for floats.
        source: for each column of the block, its column in the day's matrix.
        places: for each feature and each of its tables that stand in this one, its columns in the block.
    """

    side: Side
    fused: Fused
    source: NDArray[np.int64]
    places: Mapping[Read, Columns]

    @classmethod
    def of(cls, side: Side, fused: Fused, reads: Sequence[Read], columns: Mapping[str, Columns]) -> Block:
        source: list[int] = []
        places: dict[Read, Columns] = {}
        for read in reads:
            name = read.feature
            if name not in columns:
                held = ", ".join(columns) or "none"
                raise ValueError(f"feature '{name}' is not in the day's arrays; they hold: {held}")
            start = len(source)
            source.extend(range(columns[name].start, columns[name].stop))
            places[read] = Columns(start, len(source), columns[name].shape)
        return cls(side, fused, np.asarray(source, np.int64), places)

    @property
    def sizes(self) -> list[int]:
        """Columns of each place."""
        return [place.stop - place.start for place in self.places.values()]

    def shape(self, batch: Shape) -> tuple[int, ...]:
        """``[batch, columns]`` or ``[batch, candidates, columns]``."""
        return (*(batch[:1] if self.side is Side.REQUEST else batch), len(self.source))

    def select(self, matrix: NDArray[Any]) -> NDArray[Any]:
        """The block's columns of a day's matrix; the matrix itself where they are all of it."""
        if len(self.source) == matrix.shape[1] and np.array_equal(self.source, np.arange(matrix.shape[1])):
            return matrix
        return matrix[:, self.source]


@dataclass(frozen=True)
class View:
    """Where what one model reads stands in the matrices of a day.

    Attributes:
        schema: the model's features.
        tables: the model's tables by name.
        ids: blocks of ids, fused table by fused table, the narrowest first; of each the request's before the items'.
        dense: blocks of floats by side.
    """

    schema: FeatureSchema
    tables: Mapping[str, TableSpec]
    ids: tuple[Block, ...]
    dense: tuple[Block, ...]

    @classmethod
    def of(cls, schema: FeatureSchema, tables: Sequence[TableSpec], layout: Layout) -> View:
        """The columns of ``schema``'s features in ``layout``, which may hold more features.

        Args:
            tables: that the features with ids are looked up in.

        Raises:
            ValueError: a feature of the schema is not in the layout.
        """
        ids = []
        for fused in sorted({table.fused for table in tables}):
            inside = [table for table in tables if table.fused == fused]
            for side in (Side.REQUEST, Side.ITEM):
                features = [feature.name for feature in schema.on(side, ids=True)]
                reads = [Read(name, table.name) for name in features for table in inside if name in table.features]
                ids.append(Block.of(side, fused, reads, layout.on(side, ids=True)))
        dense = [
            Block.of(
                side, Fused(0), [Read(each.name) for each in schema.on(side, ids=False)], layout.on(side, ids=False)
            )
            for side in Side
        ]
        filled = (tuple(block for block in blocks if block.places) for blocks in (ids, dense))
        return cls(schema, {table.name: table for table in tables}, *filled)

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal for views that a compiled step may take one for the other, whatever columns of a day they are of."""
        return tuple(
            (block.side, block.fused, tuple((n, p.start, p.stop, p.shape) for n, p in block.places.items()))
            for block in (*self.ids, *self.dense)
        )
