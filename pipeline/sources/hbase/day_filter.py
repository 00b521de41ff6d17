"""The rows of some days, as a filter that HBase's region servers apply."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.days import Day

KEYS_ONLY = "KeyOnlyFilter()"
FIRST_CELL = "FirstKeyOnlyFilter() AND KeyOnlyFilter()"


def slashed(day: Day) -> str:
    """How ``log_day`` holds a day: ``YYYY/MM/DD``, so that the order of the texts is that of the days."""
    return str(day).replace("-", "/")


def day_filter(cells: Sequence[bytes], days: Sequence[Day]) -> str:
    """The filter that lets the rows pass whose day, in any of the cells, is from the first to the last of the days.

    One comparison at each end costs the server less than one a day; rows between that are of no wanted day are few.
    """
    low, high = slashed(min(days)), slashed(max(days))
    return " OR ".join(f"({_within(cell.decode(), low, high)})" for cell in cells)


def _within(cell: str, low: str, high: str) -> str:
    if low == high:
        return _compare(cell, "=", low)
    return f"{_compare(cell, '>=', low)} AND {_compare(cell, '<=', high)}"


def _compare(cell: str, operator: str, value: str) -> str:
    """Rows without the cell do not pass (the first ``true``); only the newest version counts (the second)."""
    family, _, qualifier = cell.replace("'", "''").partition(":")
    return f"SingleColumnValueFilter('{family}','{qualifier}',{operator},'binary:{value}',true,true)"
