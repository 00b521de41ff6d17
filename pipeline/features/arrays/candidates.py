"""The candidates of some requests with what is theirs whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.schema import Side
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.pool import Pool
from pipeline.features.arrays.request import RequestArrays
from pipeline.features.frames.frame import Array
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.rows.day import DayRows


@dataclass(frozen=True)
class Candidates:
    """What ``assemble`` makes of candidates alone.

    Attributes:
        values: by feature, ``[items, …]``.
        codes: by feature that counters are keyed by, one ``[items]`` each.
    """

    items: DayItems
    values: Mapping[str, Array]
    codes: Mapping[str, Codes]


def candidates_of(arrays: RequestArrays[Any], rows: DayRows, look: LookUp, pool: Pool | None) -> Candidates:
    """The candidates of the requests in ``rows``."""
    items = arrays.items(rows, look, pool)
    keyed = [arrays.plan.features[name] for name in arrays.plan.key_features]
    codes = {each.name: arrays.item_codes(each, items, look) for each in keyed if each.feature.side is Side.ITEM}
    return Candidates(items, arrays.item_values(items, look, rows.day), codes)
