"""The table of candidates: the packages that a chapter offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from models.schema import MISSING_INT
from pipeline.config.homework import Homework
from pipeline.features.frames.frame import Column, Lists
from pipeline.features.frames.from_arrow import codes, column_of
from pipeline.features.rows.day import flat
from pipeline.features.rows.packages import BaseIds, Packages, packages

_LISTS = ("chapters", "sections", "style", "reflect")


@dataclass(frozen=True)
class Listed:
    """The candidate table: its packages in the order of rank and key, each key once."""

    packages: Packages
    no_base: int

    def stored(self) -> tuple[dict[str, Column], dict[str, int]]:
        """Its columns by name, and whole numbers."""
        found = self.packages
        columns: dict[str, Column] = {"rows": found.rows, "key": found.key}
        columns |= {name: getattr(found, name) for name in _LISTS}
        return columns, {"no_base": self.no_base, "packages_no_base": found.no_base}

    @classmethod
    def of(cls, column: Callable[[str], Column], told: Mapping[str, int]) -> Self:
        """The table of which ``stored`` gave the columns and numbers."""
        def lists(name: str) -> Lists:
            found = column(name)
            assert isinstance(found, Lists)
            return found

        chapters, sections, style, reflect = (lists(name) for name in _LISTS)
        rows = np.asarray(flat(column("rows")), np.int64)
        key = flat(column("key"))
        return cls(Packages(rows, chapters, sections, style, reflect, key, told["packages_no_base"]), told["no_base"])


def listed(ranking: Homework, table: pa.Table, base: BaseIds | None) -> Listed:
    """The packages of the candidate table, by rank, then key; of one key the best rank counts."""
    found = packages(table, ranking.package, base)
    places = [codes(found.key)]
    if ranking.candidates.rank is not None:
        rank = flat(column_of(table, ranking.candidates.rank))[found.rows]
        # Without a rank: after all that have one.
        places.append(np.where(rank == MISSING_INT, np.iinfo(np.int64).max, rank) if rank.dtype.kind == "i" else rank)
    order = np.lexsort(places)
    ordered = found.take(order)
    key = codes(ordered.key)
    first = np.unique(key, return_index=True)[1]
    return Listed(ordered.take(np.sort(first)), found.no_base)
