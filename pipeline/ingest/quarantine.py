"""Rows that cannot be used: the first fault of each, and how they are kept to be looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.tables import Column
from pipeline.storage.physical_types import one_of, texts

QUARANTINE = pa.schema(
    {"table": pa.string(), "reason": pa.string(), "column": pa.string(), "value": pa.string(), "row": pa.string()}
)
"""Columns of the quarantine: where, why, which column and value (cut at 200 characters), the whole row as JSON."""

_SHOWN = 200


@dataclass
class Faults:
    """The first fault of each row: indices into ``columns`` and ``reasons`` (0: none)."""

    columns: list[str]
    column: NDArray[np.int16]
    code: NDArray[np.int16]
    reasons: list[str]

    @classmethod
    def none(cls, rows: int) -> Self:
        return cls([], np.zeros(rows, np.int16), np.zeros(rows, np.int16), [""])

    @property
    def bad(self) -> NDArray[np.bool_]:
        return self.code != 0

    def part(self, begin: int, end: int) -> Self:
        """Those of some rows; what is added to them is added here."""
        return type(self)(self.columns, self.column[begin:end], self.code[begin:end], self.reasons)

    def add(self, rows: NDArray[np.bool_], column: str, reason: str) -> None:
        """Note a fault of the rows (a mask) that have none yet."""
        rows = rows & (self.code == 0)
        if not rows.any():
            return
        for known, name in ((self.columns, column), (self.reasons, reason)):
            if name not in known:
                known.append(name)
        self.column[rows] = self.columns.index(column)
        self.code[rows] = self.reasons.index(reason)


def quarantined(
    name: str, columns: Mapping[str, Column], raw: pa.Table, faults: Faults, numbers: NDArray[np.int64]
) -> pa.Table:
    """The bad rows as ``QUARANTINE``, formatted one by one: they are few, or the day fails.

    Args:
        raw: rows as extracted, the bad ones among them.
        numbers: of these rows, by which ``faults`` knows them.
    """
    places = np.flatnonzero(faults.bad[numbers])
    if len(places) == 0:
        return QUARANTINE.empty_table()
    out = []
    held = [_listed(column.combine_chunks()) for column in raw.take(pa.array(places)).columns]
    for values, number in zip(zip(*held, strict=True), numbers[places].tolist(), strict=True):
        row = dict(zip(raw.column_names, values, strict=True))
        column = faults.columns[faults.column[number]]
        sources = [columns[each].source or each for each in column.split(",")]
        value = ",".join(_shown(row.get(each)) for each in sources)
        whole = json.dumps(row, ensure_ascii=False, sort_keys=True, default=_plain)
        out.append((name, faults.reasons[faults.code[number]], column, value[:_SHOWN], whole))
    out.sort()
    return pa.table(
        [pa.array(part, pa.string()) for part in zip(*out, strict=True)], schema=QUARANTINE
    )  # fmt: skip


def _listed(array: pa.Array) -> list[Any]:
    try:
        return [one_of(value) for value in array.to_pylist()]
    except (ValueError, OverflowError):  # a time of a year that Python does not have
        written: list[Any] = texts(array).to_pylist()
        return written


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
