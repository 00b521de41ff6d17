"""Times as spreadsheets write them: which number is the day is never guessed from one date."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import pandas as pd

Order = Literal["day-first", "month-first"]
ORDERS: tuple[Order, ...] = ("day-first", "month-first")
_NUMBERS = re.compile(
    r"\s*(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?)?\s*"
)
_DAY_BEFORE_YEAR = r"(?<!\d)\d{1,2}([/.-])\d{1,2}\1(?:\d{4}|\d{2})(?!\d)"


class UnclearDates(ValueError):
    """Nothing in the whole file says which number is the day, or two dates contradict each other."""


def order_of(values: Iterable[object]) -> Order | None:
    """Which number is the day in all dates of a file; ``None`` where no date is written with the day before the year.

    Raises:
        UnclearDates: it cannot be told, so it must be said.
    """
    seen: dict[str, str] = {}
    for value in values:
        found = _NUMBERS.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            seen.setdefault(_kind(found), found[0].strip())
    if "short" in seen:
        raise UnclearDates(f"'{seen['short']}' has a year of two digits")
    if "day-first" in seen and "month-first" in seen:
        raise UnclearDates(f"'{seen['day-first']}' has the day first and '{seen['month-first']}' the month")
    for order in ORDERS:
        if order in seen:
            return order
    if "open" in seen:
        raise UnclearDates(f"'{seen['open']}' may have the day first or the month, and no date of the file tells")
    return None


def _kind(found: re.Match[str]) -> str:
    if len(found[4]) == 2:
        return "short"
    if int(found[1]) > 12:
        return "day-first"
    return "month-first" if int(found[3]) > 12 else "open"


def is_written(values: pd.Series) -> bool:
    """Whether a column holds texts in which the day may stand before the year."""
    return any(isinstance(value, str) and _NUMBERS.fullmatch(value) for value in values)


def times(values: pd.Series, order: Order | None) -> pd.Series:
    """The instants of a column of times or texts; raises ``ValueError`` naming the first that is none."""
    text = values.map(lambda value: isinstance(value, str)).astype(bool)
    if not text.any():
        return pd.to_datetime(values)
    parts = values.where(text).astype("str").str.extract(f"^{_NUMBERS.pattern}$")
    numbers = parts[0].notna()
    others = values[text & ~numbers].astype("str")
    unread = others[others.str.match(f".*?{_DAY_BEFORE_YEAR}")]
    if len(unread):
        raise ValueError(f"'{unread.iloc[0]}'; write dates as YYYY-MM-DD HH:MM, or as DD/MM/YYYY HH:MM")
    if not numbers.any():
        return pd.to_datetime(values, format="mixed")
    day, month = (parts[0], parts[2]) if order == "day-first" else (parts[2], parts[0])
    hour = parts[4].fillna("0").astype("int64")
    half = parts[7].str.casefold()
    hour = hour.where(half.isna(), hour % 12 + 12 * (half == "pm"))
    year = parts[3].where(parts[3].str.len() == 4, "20" + parts[3])
    written = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2) + " " + hour.astype("str").str.zfill(2)
    written += ":" + parts[5].fillna("00") + ":" + parts[6].fillna("00")
    return pd.to_datetime(values.mask(numbers, written), format="mixed")
