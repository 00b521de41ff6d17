"""What a column seems to hold, by its values and its name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipeline.config.tables import ColumnType

_INT = re.compile(r"[+-]?\d{1,18}(\.0+)?")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DAY = re.compile(r"(19|20)\d{2}([-/.])\d{1,2}\2\d{1,2}|(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_TIME = re.compile(r"(19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}[ T]\d{1,2}:\d{2}.*")
_INTS = re.compile(r"\d+([,]\d+)+|\d+")
_ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})\s*$")
_CLOCK = re.compile(r"time|stamp|(^|_)(ts|at)$|时间", re.IGNORECASE)
_LOOKED = 2000
_FEW = 1000
"""Whole numbers of at most so many kinds are ids of something; of more, or named an amount, they say how much."""
_AMOUNT = re.compile(
    r"duration|seconds?$|price|amount|(^|_)(age|count|size|length|sum|total|score)$|时长|秒|价格?$|金额|数量|次数|年龄|长度|评分",
    re.IGNORECASE,
)
_ID = re.compile(r"id$|code|no$|编号|类|号$", re.IGNORECASE)


@dataclass(frozen=True)
class Guess:
    """What a column seems to hold.

    Attributes:
        unit: of a time or day in numbers since 1970.
        zoned: instants with an offset, which fall on a day in some zone only.
        is_label: 0 and 1, both of them.
        is_id: values name something, rather than say how much.
        missing: share of the rows without a value.
        distinct: how many values there are among those looked at.
    """

    type: ColumnType
    unit: str | None = None
    zoned: bool = False
    is_label: bool = False
    is_id: bool = False
    missing: float = 0.0
    distinct: int = 0


def guess(name: str, values: Sequence[Any]) -> Guess:
    """What the column holds; text where it is nothing else."""
    known = [each for each in values if each is not None and each != ""]
    missing = 1 - len(known) / max(len(values), 1)
    if any(isinstance(each, list) for each in known):
        items = [item for each in known for item in each]
        kind: ColumnType = "int_list" if items and all(isinstance(item, int) for item in items) else "str_list"
        return Guess(kind, missing=missing)
    distinct = len(set(known))
    sample = [_text(each) for each in known[:_LOOKED]]
    kind, unit = _kind(name, known, sample)
    texts = {_text(each) for each in set(known)} if kind == "int" else set()
    # Of all that was looked at: a sample of whole numbers may have a word behind it.
    is_label = all(map(_INT.fullmatch, texts)) and {int(float(each)) for each in texts} == {0, 1}
    few = distinct <= _FEW and not _AMOUNT.search(name)
    is_id = kind == "str" or (kind == "int" and (few or bool(_ID.search(name))))
    zoned = kind in ("time", "day") and (
        any(isinstance(each, datetime) and each.tzinfo is not None for each in known)
        or any(_TIME.fullmatch(each) and _ZONE.search(each) for each in sample)
    )
    return Guess(kind, unit, zoned, is_label, is_id, missing, distinct)


def _kind(name: str, known: Sequence[Any], sample: Sequence[str]) -> tuple[ColumnType, str | None]:
    if not sample:
        return "str", None
    if any(isinstance(each, datetime) for each in known) or all(map(_TIME.fullmatch, sample)):
        return "time", None
    if any(isinstance(each, date) for each in known) or all(map(_DAY.fullmatch, sample)):
        return "day", None
    if all(map(_INT.fullmatch, sample)):
        unit = _unit(name, sample)
        return ("time", unit) if unit is not None else ("int", None)
    if all(map(_FLOAT.fullmatch, sample)):
        return "float", None
    if all(each.startswith("[") and each.endswith("]") for each in sample):
        inside = [part.strip() for each in sample for part in each[1:-1].split(",") if part.strip()]
        return ("int_list" if all(map(_INT.fullmatch, inside)) else "str_list"), None
    if all(map(_INTS.fullmatch, sample)):
        return "int_list", None
    return "str", None


def _unit(name: str, sample: Sequence[str]) -> str | None:
    """Of whole numbers that are called a time, since 1970 in what, between 2001 and 2100."""
    if not _CLOCK.search(name):
        return None
    for unit, scale in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        if all(978e6 <= float(each) / scale <= 4103e6 for each in sample):
            return unit
    return None


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value).strip()
