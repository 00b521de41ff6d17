"""What requests for homework read of the feature state besides: style counts and study values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.frames.frame import Column, Lists
from pipeline.features.ids.fingerprints import MISSING, Codes
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.state.histories import HistoryTable
from pipeline.features.state.latest import LatestTable
from pipeline.features.state.style_counts import COUNTS, STYLES
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.small_state import Found, keyed, one_row, over


def small_style_counts(
    request: HomeworkPlan, look: RawIds, owner: tuple[Codes, ...], found: Found | None, empty: HistoryTable | None
) -> HistoryTable | None:
    """The owner's entries in the table of style counts."""
    space = request.counted_space
    if empty is None or space is None or found is None:
        return empty
    one_each = one_row(np.ones(len(found[STYLES]), np.int32))
    columns: dict[str, Column] = {
        "days": one_row(np.array(found["days"], np.int32)),
        f"{STYLES}.lengths": one_each, f"{STYLES}.values": one_row(look.codes(space, found[STYLES])),
        f"{COUNTS}.lengths": one_each, f"{COUNTS}.values": one_row(np.array(found[COUNTS], np.int64)),
    }  # fmt: skip
    return replace(empty, table=over(empty.table, keyed(owner, columns)))


@dataclass(frozen=True)
class OwnLatest(LatestTable):
    """The newest values of one owner, by what it is rated on.

    Attributes:
        owner: its code.
    """

    owner: Codes

    def _filled(self, rated: Lists) -> NDArray[np.int64]:
        known = np.append(0, np.cumsum(self.table.holds(rated.values)))
        return np.flatnonzero(known[rated.offsets[1:]] > known[rated.offsets[:-1]])

    def _keys(self, owner: Codes, rated: Codes) -> Codes:
        return np.where(owner == self.owner, rated, MISSING)


def small_latest(
    request: HomeworkPlan, look: RawIds, space: str, owner: Any, found: Found | None, empty: LatestTable
) -> LatestTable:
    """The newest study values of one owner, an id of ``space``, by section."""
    if found is None:
        return empty
    section = look.codes(request.roles["sections"], found["sections"])
    rows = [[np.nan if value is None else value for value in row] for row in found["values"]]
    values = np.array(rows, np.float32).reshape(len(section), empty.size)
    columns: dict[str, Column] = {"day": np.array(found["day"], np.int32), "values": values}
    return OwnLatest(empty.size, over(empty.table, keyed((section,), columns)), look.codes(space, [owner]))
