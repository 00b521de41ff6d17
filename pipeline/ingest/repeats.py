"""Rows that were there on an earlier day: yesterday's rows, delivered again under a new date.

A row is known by a fingerprint, 64 bits over all that it holds but when it was: its columns of type ``day`` and
``time``, and those that the table lists under ``when``. The fingerprints of a day are kept with its validated tables.
Columns that were the same in all rows of the earlier day, such as its weekday, tell no rows apart and are left out of
the comparison with it.

Short rows recur by chance. How often is seen in the day itself, in the rows that are equal to another of it, and in
what all other earlier days have too: what the day with most of them has beyond that is what counts.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.ingest.records import Counts, ValidatedRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import VALIDATED
from pipeline.storage.parquet_file import PIECE, StoredTable

Hashes = NDArray[np.uint64]

SUFFIX = ".fingerprints.npy"
"""Of the file beside a table's rows: uint64, ascending, one a row."""
ENOUGH = 20
"""Of fewer rows, that they recur says nothing."""

_FEW, _FEW_SHARE = 10, 0.01
"""Where at least so many rows differ from the others, one in 20,000 days has none by chance."""
_NULL = np.uint64(0x9AE16A3B2F90404F)
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Repeats:
    """Rows of a table that earlier days had too.

    Attributes:
        rows: how many; of equal rows as many as one earlier day had.
        most: how many of them one day had, …
        day: … and which.
        usual: how many one day has by chance.
    """

    rows: int
    most: int
    day: Day | None
    usual: int

    def count(self, counts: Counts) -> None:
        """Enter them in a table's counts."""
        counts.repeated = self.rows
        counts.repeated_of = {str(self.day): self.most} if self.day is not None else {}
        counts.repeated_usually = self.usual


@dataclass(frozen=True)
class ColumnHashes:
    """What one column says in the rows of a part.

    Attributes:
        first: hash of the first row.
        varied: whether another row differs from it.
        middle: hash of the row that all but a few have, if there is such a one.
        others: rows that differ from it.
        least: how many differ at least from every other value.
    """

    first: np.uint64
    varied: bool
    middle: np.uint64
    others: int
    least: int

    @classmethod
    def of(cls, hashes: Hashes) -> ColumnHashes:
        # If fewer than a few differ from one value, it is the middle one of any twice as many, in order.
        some = np.sort(hashes[: 2 * int(_few(len(hashes))) + 1])
        half = len(some) // 2
        return cls(
            hashes[0], bool((hashes != hashes[0]).any()), some[half], int(np.count_nonzero(hashes != some[half])),
            len(some) - half,
        )  # fmt: skip


@dataclass(frozen=True)
class PartHashes:
    """The fingerprints of a part of a table's rows.

    Attributes:
        rows: how many.
        columns: what the compared ones say; none of no rows.
        file: of fingerprints over those of them that vary in the part.
    """

    rows: int
    columns: Mapping[str, ColumnHashes]
    file: Path

    @classmethod
    def of(cls, rows: pa.Table, table: Table, file: Path) -> PartHashes:
        """Those of some rows; one column's hashes are in memory at a time."""
        total, columns = np.zeros(rows.num_rows, np.uint64), {}
        for name in compared_columns(table) if rows.num_rows else ():
            hashes = _hashes(name, rows.select([name]).to_batches(max_chunksize=PIECE))
            columns[name] = ColumnHashes.of(hashes)
            if columns[name].varied:
                total += hashes
        np.save(file, total)
        return cls(rows.num_rows, columns, file)


class Fingerprints:
    """The rows of one table on one day.

    Args:
        parts: those of its rows, in order.
        stored: the rows.

    Attributes:
        rows: how many.
        columns: those that are compared.
        varied: those of them that are not the same in all rows.
        rarely: those of them in which so few rows differ from the others that none might on another day.
    """

    def __init__(self, parts: Sequence[PartHashes], table: Table, stored: StoredTable) -> None:
        parts = [part for part in parts if part.rows]
        self._stored, self.rows = stored, sum(part.rows for part in parts)
        self.columns = compared_columns(table)
        self.varied = [name for name in self.columns if _varies([part.columns[name] for part in parts])]
        self.rarely = [name for name in self.varied if self._is_rare(name, [part.columns[name] for part in parts])]
        total = [np.zeros(0, np.uint64)]
        for part in parts:
            same = [part.columns[name] for name in self.varied if not part.columns[name].varied]
            total.append(np.load(part.file) + np.sum([each.first for each in same], dtype=np.uint64))
        self._known = {tuple(self.varied): np.concatenate(total)}

    def _is_rare(self, name: str, parts: Sequence[ColumnHashes]) -> bool:
        few = _few(self.rows)
        for value in {each.middle for each in parts}:
            if sum(each.others if each.middle == value else each.least for each in parts) < few:
                # Of a part that has another value in the middle, only its rows tell how many differ.
                hashes = None if all(each.middle == value for each in parts) else self._hashes(name)
                if hashes is None or np.count_nonzero(hashes != value) < few:
                    return True
        return False

    def over(self, columns: Sequence[str]) -> Hashes:
        """One fingerprint a row, of these columns."""
        known = self._known.get(tuple(columns))
        if known is None:
            known = self._known[tuple(self.varied)].copy()
            for name in set(columns) ^ set(self.varied):
                known += self._hashes(name) if name in columns else -self._hashes(name)
            self._known[tuple(columns)] = known
        return known

    def write(self, path: Path) -> list[str]:
        """Keep them for later days; the columns that they are of."""
        np.save(path, np.sort(self.over(self.varied)))
        return self.varied

    def count(self, counts: Counts) -> None:
        """Enter the columns of which all, or nearly all rows hold the same in a table's counts."""
        counts.constant = [name for name in self.columns if name not in self.varied]
        counts.rarely = self.rarely

    def _hashes(self, name: str) -> Hashes:
        return _hashes(name, self._stored.pieces([name]))


def _few(rows: int) -> float:
    return max(_FEW, _FEW_SHARE * rows)


def _varies(parts: Sequence[ColumnHashes]) -> bool:
    return any(each.varied for each in parts) or len({each.first for each in parts}) > 1


def _hashes(name: str, pieces: Iterable[pa.RecordBatch]) -> Hashes:
    hashes = [_mixed(_column(each.column(0)) ^ _of_name(name)) for each in pieces]
    return np.concatenate(hashes) if hashes else np.zeros(0, np.uint64)


def compared_columns(table: Table) -> list[str]:
    """The columns that say what a row is, not when it was."""
    when = {*table.when, table.day, table.time}
    return [name for name, each in table.columns.items() if each.type not in ("day", "time") and name not in when]


def repeats(context: JobContext, name: str, day: Day, here: Fingerprints) -> Repeats | None:
    """Rows of a day that the days before it had, as far back as ``validation.repeated_days`` says.

    Days without fingerprints, pruned (which is told) or of an earlier version, are passed over. One day's are in memory
    at a time.

    Returns:
        ``None`` where there is no earlier day to compare with.
    """
    again = np.zeros(here.rows, bool)
    days: dict[Day, int] = {}
    pruned: list[str] = []
    for back in range(1, context.config.validation.repeated_days + 1):
        earlier = context.store.current(Ref(VALIDATED, context.job, day.plus(-back)))
        found = _stored(earlier, name, here) if earlier is not None else None
        if found is None:
            if earlier is not None and earlier.manifest.pruned:
                pruned.append(str(earlier.ref.day))
            continue
        columns, theirs = found
        recurring = _recurring(here.over(columns), theirs)
        again |= recurring
        days[day.plus(-back)] = int(recurring.sum())
    if pruned:
        print(
            f"{context.job} {day}: rows of '{name}' that were delivered before are not looked for in "
            f"{', '.join(pruned)}: pruned (retention.validated_days)",
            file=sys.stderr,
        )
    if not days:
        return None
    where = max(days, key=lambda each: (days[each], each.date))
    others = [rows for each, rows in days.items() if each != where]
    # One other day might itself have been delivered again in part.
    usual = max(min(others) if len(others) > 1 else 0, _equal_to_another(here.over(here.varied)))
    return Repeats(int(again.sum()), days[where], where if days[where] else None, usual)


def _stored(earlier: Artifact, name: str, here: Fingerprints) -> tuple[list[str], Hashes] | None:
    """The columns that tell the earlier day's rows apart, and its fingerprints; ``None`` where they cannot be used."""
    columns = ValidatedRecord.of(earlier).fingerprints.get(name)
    file = name + SUFFIX
    # Of rows that are all the same, or that have other columns now, nothing can be said.
    if not columns or earlier.manifest.pruned or not set(columns) <= set(here.columns):
        return None
    try:
        return list(columns), np.load(earlier.file(file), mmap_mode="r", allow_pickle=False)
    except (CorruptArtifact, OSError, ValueError):
        # What is damaged is found by `audit`; it is no fault of today's rows.
        return None


def _equal_to_another(rows: Hashes) -> int:
    """How many rows of the day are equal to another of it."""
    _, counts = np.unique(rows, return_counts=True)
    return int(counts[counts > 1].sum())


def _recurring(rows: Hashes, earlier: Hashes) -> NDArray[np.bool_]:
    """Which rows the earlier day had; of equal rows as many as it had."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    first = np.searchsorted(ordered, ordered)
    there = np.searchsorted(earlier, ordered, "right") - np.searchsorted(earlier, ordered)
    found = np.zeros(len(rows), bool)
    found[order] = np.arange(len(rows)) - first < there
    return found


def _column(array: pa.Array) -> Hashes:
    """A hash a row of one column's values."""
    if pa.types.is_list(array.type):
        hashes = _list(array)
    elif pa.types.is_string(array.type) or pa.types.is_dictionary(array.type):
        coded = array.dictionary_encode()
        places = np.asarray(pc.fill_null(coded.indices, 0))
        there = np.flatnonzero(np.bincount(np.asarray(coded.indices.drop_null())))
        each = np.zeros(len(coded.dictionary) + 1, np.uint64)
        each[there] = [_of_text(text) for text in coded.dictionary.take(pa.array(there)).to_pylist()]
        hashes = each[places]
    else:
        kind = pa.float64() if pa.types.is_floating(array.type) else pa.int64()
        # 0.0 and -0.0 are one number.
        plain = np.asarray(pc.fill_null(array.cast(kind), 0)) + 0
        hashes = _mixed(plain.view(np.uint64))
    return np.where(np.asarray(array.is_valid()), hashes, _NULL) if array.null_count else hashes


def _list(array: pa.Array) -> Hashes:
    """Of the items and their places."""
    lengths = np.asarray(pc.fill_null(pc.list_value_length(array), 0)).astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    places = np.arange(int(lengths.sum())) - np.repeat(starts, lengths)
    items = _mixed(_column(array.flatten()) + places.astype(np.uint64) * _STEP)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(items, dtype=np.uint64)])
    return sums[starts + lengths] - sums[starts] + _mixed(lengths.astype(np.uint64))


def _mixed(bits: Hashes) -> Hashes:
    """Each value's bits spread over all 64 (the finaliser of SplitMix64)."""
    bits = (bits + _STEP).astype(np.uint64)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = bits ^ (bits >> np.uint64(31))
    return mixed


def _of_text(text: str | None) -> int:
    return int.from_bytes(hashlib.blake2b((text or "").encode(), digest_size=8).digest(), "big")


def _of_name(name: str) -> np.uint64:
    return np.uint64(_of_text(name))


def beyond_limit(name: str, counts: Counts, limit: float) -> str | None:
    """In words, more rows that one earlier day had than the share ``limit`` of those that do not recur by chance."""
    for day, most in counts.repeated_of.items():
        usual = counts.repeated_usually
        if most > usual + limit * (counts.kept - usual):
            chance = f", where {usual:,} are to be expected" if usual else ""
            return (
                f"{name}: {most:,} of {counts.kept:,} rows were there on {day}, but for their day and time{chance}: "
                f"more than validation.max_repeated = {limit:.0%}; either they were delivered again, or it is too low"
            )
    return None


def in_words(kept: int, repeated: int, repeated_of: Mapping[str, int]) -> str:
    """How many of a table's rows earlier days had, and which day had most."""
    told = f"{repeated:,} of {kept:,} rows were there on earlier days, but for their day and time"
    return told + "".join(f" ({most:,} of them on {day})" for day, most in repeated_of.items())
