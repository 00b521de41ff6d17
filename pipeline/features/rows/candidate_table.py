"""The table of candidates: the packages that a chapter offers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.config.homework import Homework
from pipeline.features.frames.from_arrow import codes, column_of
from pipeline.features.rows.day import flat
from pipeline.features.rows.packages import BaseIds, Packages, packages
from pipeline.ingest.canonical_ids import MISSING_INT


@dataclass(frozen=True)
class Listed:
    """The candidate table: its packages in the order of rank and key, each key once."""

    packages: Packages
    no_base: int


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
