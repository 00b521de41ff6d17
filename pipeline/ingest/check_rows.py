"""One table's raw rows → typed rows in canonical order, and the rows that cannot be used with the reasons."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.tables import Column, Table
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.ingest.parse.columns import parse_column
from pipeline.ingest.parse.parsed import BY_TYPE, Parsed, mask_of
from pipeline.ingest.records import Counts
from pipeline.ingest.row_order import canonical_order, first_of_equal, key_of_rows, sortable, unique_rows
from pipeline.storage.physical_types import one_of, texts

QUARANTINE = pa.schema(
    {"table": pa.string(), "reason": pa.string(), "column": pa.string(), "value": pa.string(), "row": pa.string()}
)
"""Columns of the quarantine: where, why, which column and value (cut at 200 characters), the whole row as JSON."""

_SHOWN = 200
_DAY_MS = 86_400_000


@dataclass
class Checked:
    """A table after validation.

    Attributes:
        rows: the declared columns, typed, in canonical order.
        quarantine: as ``QUARANTINE``.
    """

    rows: pa.Table
    quarantine: pa.Table
    counts: Counts


@dataclass
class _Faults:
    """The first fault of each row: the column, and an index into ``reasons`` (0: none)."""

    columns: list[str]
    column: NDArray[np.int16]
    code: NDArray[np.int16]
    reasons: list[str]

    @classmethod
    def none(cls, rows: int) -> _Faults:
        return cls([], np.zeros(rows, np.int16), np.zeros(rows, np.int16), [""])

    @property
    def bad(self) -> NDArray[np.bool_]:
        return self.code != 0

    def add(self, rows: NDArray[np.bool_], column: str, reason: str) -> None:
        rows = rows & (self.code == 0)
        if not rows.any():
            return
        for known, name in ((self.columns, column), (self.reasons, reason)):
            if name not in known:
                known.append(name)
        self.column[rows] = self.columns.index(column)
        self.code[rows] = self.reasons.index(reason)


def check_table(
    name: str, table: Table, columns: Mapping[str, Column], raw: pa.Table, day: Day | None, zone: str
) -> Checked:
    """Validates one table.

    Args:
        name: of the table, for messages and the quarantine.
        columns: those of the table's columns to read.
        raw: the rows as extracted, under the source's names of the columns.
        day: the day that the rows are of; ``None`` for an undated table.
        zone: the business time zone.

    Raises:
        DataError: a required column is not in ``raw``, or a column's type cannot hold what is declared.
    """
    wanted = dict.fromkeys(column.source or each for each, column in columns.items())
    raw = raw.select([each for each in wanted if each in raw.column_names])
    counts = Counts(read=raw.num_rows, quarantined=0)
    sources = [columns[each].source or each for each in table.order if each in columns]
    telling = list(dict.fromkeys(each for each in sources if each in raw.column_names))
    raw, counts.duplicates = unique_rows(raw, telling)
    parsed = {each: _column(name, each, column, raw, zone, counts) for each, column in columns.items()}
    faults = _Faults.none(raw.num_rows)
    for each, column in columns.items():
        found = parsed[each]
        for code in range(1, len(found.names)):
            faults.add(found.codes == code, each, found.names[code])
        if column.required:
            faults.add(found.values.is_null().to_numpy(zero_copy_only=False) & ~found.bad, each, "missing")
    if day is not None:
        _check_day(table, parsed, faults, day, zone)
    _check_rules(table, parsed, faults)
    typed = pa.table({each: found.values for each, found in parsed.items()})
    # Outcomes come last: they order only rows that are equal in all else, so what they say moves no input.
    outcomes = [each for each in table.outcomes if each in columns]
    rows = canonical_order(typed, [each for each in table.order if each in columns], outcomes)
    if faults.bad.any():
        rows = rows.filter(pa.array(~faults.bad).take(rows))
    if day is None:
        rows, again = _check_key(table, typed, rows, faults)
        counts.duplicates += again
    if day is not None and table.time is not None:
        away = _days_away(parsed[table.time].values.take(rows), day, zone)
        counts.other_day_time = int((away != 0).sum())
    kept = typed.take(rows)
    quarantine = _quarantine(name, columns, raw, faults)
    counts.kept, counts.quarantined = kept.num_rows, quarantine.num_rows
    counts.missing = {each: kept[each].null_count for each, column in columns.items() if not column.required}
    named = Counter(
        map(": ".join, zip(quarantine["column"].to_pylist(), quarantine["reason"].to_pylist(), strict=True))
    )
    counts.reasons = dict(sorted(named.items()))
    return Checked(kept.combine_chunks(), quarantine, counts)


def _column(table: str, name: str, column: Column, raw: pa.Table, zone: str, counts: Counts) -> Parsed:
    source = column.source or name
    if source not in raw.column_names:
        if column.required and raw.num_rows:
            raise DataError(
                f"table '{table}', column '{name}': the extract has no '{source}', which is declared as required; "
                "if it was declared later, read the day again with --reprocess"
            )
        counts.missing_columns.append(name)
        return Parsed.of(pa.nulls(raw.num_rows, BY_TYPE[column.type]))
    try:
        return parse_column(raw[source].combine_chunks(), column, zone)
    except DataError as error:
        raise DataError(f"table '{table}', column '{name}': {error}") from None


def _check_day(table: Table, parsed: Mapping[str, Parsed], faults: _Faults, day: Day, zone: str) -> None:
    if table.day is not None:
        other = pc.not_equal(parsed[table.day].values, pa.scalar(day.date, pa.date32()))
        faults.add(mask_of(other), table.day, "of another day")
    if table.time is not None:
        away = np.abs(_days_away(parsed[table.time].values, day, zone))
        faults.add(away > 1, table.time, "more than a day away from the day")


def _days_away(times: pa.Array, day: Day, zone: str) -> NDArray[np.float64]:
    """How many days before (< 0) or after the day each time lies, rounded outwards; 0 within it and for empty ones."""
    start, end = (int(each.end(zone).timestamp() * 1000) for each in (day.previous(), day))
    stamps = np.asarray(pc.fill_null(times.cast(pa.int64()), start))
    before = np.minimum(stamps - start, 0) / _DAY_MS
    after = np.maximum(stamps - end + 1, 0) / _DAY_MS
    found: NDArray[np.float64] = np.floor(before) + np.ceil(after)
    return found


def _check_rules(table: Table, parsed: Mapping[str, Parsed], faults: _Faults) -> None:
    for rule in table.reject:
        first, second = (
            sortable(parsed[each].values).cast(pa.string()) if each in parsed else None for each in rule.columns
        )
        if first is None or second is None:
            continue
        same = pc.and_(pc.equal(first, second), pc.starts_with(first, rule.prefix))
        faults.add(mask_of(same), rule.columns[0], f"equal to {rule.columns[1]} and starts with {rule.prefix}")


def _check_key(table: Table, typed: pa.Table, rows: pa.Array, faults: _Faults) -> tuple[pa.Array, int]:
    """Of rows that share a key, the first in canonical order stays; and how many are equal to it once read."""
    ordered = typed.take(rows)
    coded = np.asarray(pc.fill_null(key_of_rows(ordered, table.key).dictionary_encode().indices, -1))
    _, first = np.unique(coded, return_index=True)
    if len(first) == len(rows):
        return rows, 0
    again = np.ones(len(rows), bool)
    again[first] = False
    # Equal rows of a key follow each other in canonical order only where the key comes first in it.
    shared = pa.array(np.flatnonzero(np.isin(coded, coded[again])))
    alike = first_of_equal(ordered.take(shared))
    equal = np.zeros(len(rows), bool)
    equal[np.asarray(shared)] = alike != np.arange(len(alike))
    twice = np.zeros(typed.num_rows, bool)
    twice[np.asarray(rows)[again & ~equal]] = True
    faults.add(twice, ",".join(table.key), "key stands twice, with different values")
    return rows.filter(pa.array(~again)), int(equal.sum())


def _quarantine(name: str, columns: Mapping[str, Column], raw: pa.Table, faults: _Faults) -> pa.Table:
    """The bad rows, formatted one by one: they are few, or the day fails."""
    bad = np.flatnonzero(faults.bad)
    if len(bad) == 0:
        return QUARANTINE.empty_table()
    out = []
    held = [_listed(column.combine_chunks()) for column in raw.take(pa.array(bad)).columns]
    for values, place in zip(zip(*held, strict=True), bad.tolist(), strict=True):
        row = dict(zip(raw.column_names, values, strict=True))
        column = faults.columns[faults.column[place]]
        sources = [columns[each].source or each for each in column.split(",")]
        value = ",".join(_shown(row.get(each)) for each in sources)
        whole = json.dumps(row, ensure_ascii=False, sort_keys=True, default=_plain)
        out.append((name, faults.reasons[faults.code[place]], column, value[:_SHOWN], whole))
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
