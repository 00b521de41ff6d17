"""The table of style counts: how often an owner was set each style on earlier days.

A row of day D knows what the table says of days before D, as it says of D itself what D's homework will be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Array
from pipeline.features.state.histories import Entries

STYLES, COUNTS = "styles", "counts"
"""Parts of an entry: one style, and how often it was set."""


def counted(entries: Entries, day: Day, which: str, length: int, size: int) -> tuple[NDArray[np.float32], int]:
    """The counts of each request, and the sum of those whose style has no column.

    Args:
        entries: of the owners, each owner's oldest first; all of days before ``day``, styles by their columns.
        which: ``day``, the owner's newest day of the window, or ``window``, all of its days.
        length: calendar days of the window.
        size: columns: the styles that were seen first.

    Returns: float32 ``[requests, size]``. An owner without any day in the window was set nothing in it: zeros for
        ``window``, missing (NaN) for ``day``.
    """
    lengths = np.diff(entries.offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    inside = entries.days >= day.ordinal - length
    if which == "day":
        newest = np.zeros(len(lengths), np.int64)
        some = np.flatnonzero(lengths)
        newest[some] = entries.days[entries.offsets[1:][some] - 1]
        inside &= entries.days == newest[owner]
    style = entries.parts[STYLES].values
    count = entries.parts[COUNTS].values.astype(np.float64)
    fits = inside & (style >= 0) & (style < size)
    cell = owner[fits] * size + style[fits]
    table = np.bincount(cell, count[fits], minlength=len(lengths) * size).astype(np.float64)
    table = table.reshape(len(lengths), size)
    if which == "day":
        table[np.bincount(owner[inside], minlength=len(lengths)) == 0] = np.nan
    beyond: Array = np.bincount(owner[inside & ~fits], count[inside & ~fits], minlength=len(lengths))
    return table[entries.rows].astype(np.float32), int(beyond[entries.rows].sum())
