"""One table's raw rows → typed rows in canonical order, and the rows that cannot be used with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.tables import Column, Table
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.ingest.parse.columns import parse_column
from pipeline.ingest.parse.parsed import BY_TYPE, Parsed, mask_of
from pipeline.ingest.quarantine import Faults, quarantined
from pipeline.ingest.records import Counts
from pipeline.ingest.row_order import canonical_order, equal_to_another, first_of_equal, key_of_rows, sortable
from pipeline.storage.physical_types import usual

_DAY_MS = 86_400_000


class RawRows(Protocol):
    """Rows as extracted, under the source's names of the columns."""

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def rows(self) -> int: ...

    def pieces(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows in order; one piece without rows where there are none."""
        ...

    def read(self, columns: Sequence[str]) -> pa.Table: ...


@dataclass
class Checked:
    """A table after validation.

    Attributes:
        rows: the declared columns, typed, in canonical order; text within lists with a dictionary.
        quarantine: as ``QUARANTINE``.
    """

    rows: pa.Table
    quarantine: pa.Table
    counts: Counts


@dataclass
class _Read:
    """A table read piece by piece, for its raw rows are several times as large as what they say.

    Attributes:
        typed: columns of the declared types, of all rows.
        raw: the rows that were asked for and those with a fault, as extracted; ``numbers``: which they are.
    """

    typed: dict[str, pa.Array]
    faults: Faults
    raw: pa.Table
    numbers: NDArray[np.int64]


def check_table(
    name: str, table: Table, columns: Mapping[str, Column], raw: RawRows, day: Day | None, zone: str
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
    sources = {each: column.source or each for each, column in columns.items()}
    counts = Counts(read=raw.rows, quarantined=0, missing_columns=_missing(name, columns, sources, raw))
    present = list(dict.fromkeys(each for each in sources.values() if each in raw.names))
    # Few rows are equal in the columns that order them, and only those are compared in every column.
    telling = list(dict.fromkeys(sources[each] for each in table.order if sources.get(each) in present))
    suspects = equal_to_another(raw.read(telling)) if telling else np.ones(raw.rows, bool)
    read = _read(name, table, columns, raw, suspects, present, day, zone)
    faults = read.faults
    again = _repeated(read, suspects)
    counts.duplicates = len(again)
    faults.code[again] = 0
    kept = ~faults.bad
    kept[again] = False
    typed = pa.table(read.typed)
    # Outcomes come last: they order only rows that are equal in all else, so what they say moves no input.
    outcomes = [each for each in table.outcomes if each in columns]
    rows = canonical_order(typed, [each for each in table.order if each in columns], outcomes)
    rows = rows.filter(pa.array(kept).take(rows))
    if day is None:
        rows, equal = _check_key(table, typed, rows, faults)
        counts.duplicates += equal
        _hold_late(read, raw, present)
    del typed
    # A column at a time, so that the table is not there twice.
    found = pa.table({each: read.typed.pop(each).take(rows) for each in columns})
    if day is not None and table.time is not None:
        away = _days_away(found[table.time].combine_chunks(), day, zone)
        counts.other_day_time = int((away != 0).sum())
    quarantine = quarantined(name, columns, read.raw, faults, read.numbers)
    counts.kept, counts.quarantined = found.num_rows, quarantine.num_rows
    counts.missing = {each: found[each].null_count for each, column in columns.items() if not column.required}
    named = Counter(
        map(": ".join, zip(quarantine["column"].to_pylist(), quarantine["reason"].to_pylist(), strict=True))
    )
    counts.reasons = dict(sorted(named.items()))
    return Checked(found, quarantine, counts)


def _missing(table: str, columns: Mapping[str, Column], sources: Mapping[str, str], raw: RawRows) -> list[str]:
    """The declared columns that the extract lacks."""
    missing = [each for each in columns if sources[each] not in raw.names]
    for each in missing:
        if columns[each].required and raw.rows:
            raise DataError(
                f"table '{table}', column '{each}': the extract has no '{sources[each]}', which is declared as "
                "required; if it was declared later, read the day again with --reprocess"
            )
    return missing


def _read(
    name: str, table: Table, columns: Mapping[str, Column], raw: RawRows, asked: NDArray[np.bool_],
    present: Sequence[str], day: Day | None, zone: str,
) -> _Read:  # fmt: skip
    typed: dict[str, list[pa.Array]] = {each: [] for each in columns}
    faults, held, begin = Faults.none(raw.rows), [], 0
    for piece in raw.pieces(present):
        end = begin + piece.num_rows
        here = faults.part(begin, end)
        for each, found in check_piece(name, table, columns, piece, here, day, zone).items():
            typed[each].append(found.values)
        held.append(_usual(piece.filter(pa.array(asked[begin:end] | here.bad))))
        begin = end
    return _Read(
        {each: pa.concat_arrays(typed.pop(each)) for each in columns}, faults, pa.Table.from_batches(held),
        np.flatnonzero(asked | faults.bad),
    )  # fmt: skip


def check_piece(
    name: str, table: Table, columns: Mapping[str, Column], piece: pa.RecordBatch, faults: Faults, day: Day | None,
    zone: str,
) -> dict[str, Parsed]:  # fmt: skip
    """The columns of a piece of the table; what is wrong with its rows is added to ``faults``."""
    parsed = {each: _column(name, each, column, piece, zone) for each, column in columns.items()}
    for each, column in columns.items():
        found = parsed[each]
        for code in range(1, len(found.names)):
            faults.add(found.codes == code, each, found.names[code])
        if column.required and found.values.null_count:
            faults.add(np.asarray(found.values.is_null()) & ~found.bad, each, "missing")
    if day is not None:
        _check_day(table, parsed, faults, day, zone)
    _check_rules(table, parsed, faults)
    return parsed


def _column(table: str, name: str, column: Column, piece: pa.RecordBatch, zone: str) -> Parsed:
    source = column.source or name
    if source not in piece.schema.names:
        return Parsed.of(pa.nulls(piece.num_rows, BY_TYPE[column.type]))
    try:
        return parse_column(piece.column(source), column, zone)
    except DataError as error:
        raise DataError(f"table '{table}', column '{name}': {error}") from None


def _repeated(read: _Read, suspects: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Numbers of the rows that are equal to an earlier one in every column of the source."""
    places = np.flatnonzero(suspects[read.numbers])
    if not len(places) or not read.raw.num_columns:
        return places[:0]
    first = first_of_equal(read.raw.take(pa.array(places)))
    return read.numbers[places[first != np.arange(len(places))]]


def _hold_late(read: _Read, raw: RawRows, present: Sequence[str]) -> None:
    """Hold also the raw rows whose fault only the whole table shows; they are rare enough to be read again."""
    late = read.faults.bad
    late[read.numbers] = False
    if not late.any():
        return
    held, begin = [read.raw], 0
    for piece in raw.pieces(present):
        some = _usual(piece.filter(pa.array(late[begin : begin + piece.num_rows])))
        held.append(pa.Table.from_batches([some]))
        begin += piece.num_rows
    read.raw, read.numbers = pa.concat_tables(held), np.append(read.numbers, np.flatnonzero(late))


def _usual(piece: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([usual(column) for column in piece.columns], piece.schema.names)


def _check_day(table: Table, parsed: Mapping[str, Parsed], faults: Faults, day: Day, zone: str) -> None:
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


def _check_rules(table: Table, parsed: Mapping[str, Parsed], faults: Faults) -> None:
    for rule in table.reject:
        first, second = (
            sortable(parsed[each].values).cast(pa.string()) if each in parsed else None for each in rule.columns
        )
        if first is None or second is None:
            continue
        same = pc.and_(pc.equal(first, second), pc.starts_with(first, rule.prefix))
        faults.add(mask_of(same), rule.columns[0], f"equal to {rule.columns[1]} and starts with {rule.prefix}")


def _check_key(table: Table, typed: pa.Table, rows: pa.Array, faults: Faults) -> tuple[pa.Array, int]:
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
