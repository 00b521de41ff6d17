"""HBase as a source: a day is found by a filter on the servers, in one pass for a block of days."""

from __future__ import annotations

import heapq
import zlib
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.errors import SourceError
from pipeline.sources.base import Contents, DaysReading, Reading, Source
from pipeline.sources.hbase.address import Address
from pipeline.sources.hbase.cells import ROW_KEY, Cells, Row, Wanted, overwrites, wanted_columns
from pipeline.sources.hbase.day_filter import FIRST_CELL, KEYS_ONLY, day_filter, slashed
from pipeline.sources.hbase.in_order import in_order
from pipeline.sources.hbase.key_ranges import KeyRange, Progress
from pipeline.sources.hbase.link import Gateway, Link
from pipeline.sources.hbase.scan import Question, pieces_of, scan_range

T = TypeVar("T")

DAY_READY = "day_ready"
"""The table whose rows ``<table>/<YYYY-MM-DD>`` mark a table's day as complete."""
_DAY_COLUMN = "log_day"
_COUNT_BATCH = 10_000
_KEYS_AT_ONCE = 500
_LOOKED_AT = 200
"""Keys of a day whose older versions are counted."""


class HBaseSource(Source):
    """Tables behind a Thrift gateway, all values text.

    A dated table's day is in its column ``day`` (see ``Table``) as ``YYYY/MM/DD``. The column ``row_key`` is the row's
    key; of a key ``userId_adId_timeMs_n`` it is ``userId_adId``. What is guaranteed while others write: every row that
    is not changed during the pass is read once, whole; a row written meanwhile is read or not, never in part.

    Args:
        url: as of ``Address.parse``.
        variable: what it was given in.
        tables: the job's, for their columns that hold the day.
    """

    reads_blocks = True
    reads_keys = True
    has_columns = False

    def __init__(self, url: str, variable: str, tables: Mapping[str, Table]) -> None:
        address = Address.parse(url, variable)
        super().__init__(str(address), variable)
        self._address = address
        self._gateway = Gateway(address, variable)
        self._link = Link(self._gateway)
        self._families: dict[str, dict[str, dict[str, Any]]] = {}
        self._day_columns = {
            name: (table.columns[table.day].source or table.day) if table.day is not None else None
            for table in tables.values() if table.dated
            for name in (table.source, *(other.source for other in table.sources))
        }  # fmt: skip

    def check(self) -> None:
        self._tables()

    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        if day is not None:
            found = self.read_days(source, columns, [day], chunk_rows=chunk_rows)
            return Reading(found.missing, (batch for _, batch in found.batches))
        wanted, missing = wanted_columns(columns, self._families_of(source))
        cells = _cells(wanted)
        question = Question(source, cells, None if cells else FIRST_CELL, min(self._address.batch, chunk_rows))

        return Reading(tuple(missing), self._scan(question, lambda rows: Cells(wanted).batch(rows)))

    def read_days(self, source: str, columns: Sequence[str], days: Sequence[Day], *, chunk_rows: int) -> DaysReading:
        wanted, missing = wanted_columns(columns, self._families_of(source))
        day = self._day_of(source)
        cells = tuple(dict.fromkeys([*_cells(wanted), *day.cells]))
        question = Question(source, cells, day_filter(day.cells, days), min(self._address.batch, chunk_rows))
        notes: dict[Day, dict[str, Any]] = {}
        pass_ = _Pass(wanted, day, days)

        def batches() -> Iterator[tuple[Day, pa.RecordBatch]]:
            found: dict[Day, _Found] = defaultdict(_Found)
            for parts in self._scan(question, pass_.by_day):
                for each, batch, more in parts:
                    found[each].add(more)
                    yield each, batch
            for each in days:
                notes[each] = self._notes(source, day, found[each])

        return DaysReading(tuple(missing), batches(), notes)

    def read_keys(self, source: str, columns: Sequence[str], keys: Sequence[str], *, chunk_rows: int) -> Reading:
        wanted, missing = wanted_columns(columns, self._families_of(source))
        cells = list(_cells(wanted)) or None
        encoded = [key.encode() for key in keys]
        step = min(_KEYS_AT_ONCE, chunk_rows)
        tasks = [encoded[start : start + step] for start in range(0, len(encoded), step)]

        def work(some: list[bytes], link: Link) -> Iterator[pa.RecordBatch]:
            what = f"reading {len(some)} rows of table '{source}' by key"
            rows = link.ask(what, lambda here: here.table(source).rows(some, columns=cells))
            if rows:
                yield Cells(wanted).batch(rows)

        return Reading(tuple(missing), in_order(tasks, work, self._links(len(tasks))) if tasks else iter(()))

    def count(self, source: str, day: Day | None) -> int:
        return sum(self._scan(self._keys_only(source, day, _COUNT_BATCH), len))

    def has_rows(self, source: str, day: Day | None) -> bool:
        # A server looks for as many rows as it is asked for before it answers.
        with closing(self._scan(self._keys_only(source, day, 1, limit=1), len)) as found:
            return next(found, None) is not None

    def is_marked(self, source: str, day: Day) -> bool:
        if DAY_READY not in self._tables():
            return False
        key = f"{source}/{day}".encode()
        return bool(self._link.ask(f"the marker of {source} on {day}", lambda here: here.table(DAY_READY).row(key)))

    def contents(self, source: str, columns: Sequence[str], *, dated: bool) -> Contents:
        """Whether there is a row; days and rows would cost a pass over the table. A column lacks if its family does."""
        missing = wanted_columns(columns, self._families_of(source))[1]
        return Contents(self.has_rows(source, None), missing=tuple(missing))

    def close(self) -> None:
        self._link.close()

    def _keys_only(self, source: str, day: Day | None, batch: int, limit: int | None = None) -> Question:
        self._families_of(source)
        if day is None:
            return Question(source, (), FIRST_CELL, batch, limit)
        cells = self._day_of(source).cells
        return Question(source, cells, f"({day_filter(cells, [day])}) AND {KEYS_ONLY}", batch, limit)

    def _scan(self, question: Question, turn: Callable[[list[Row]], T]) -> Generator[T, None, None]:
        """What the threads ``turn`` the rows of every piece of the table into, in the order of the rows' keys."""
        pieces = pieces_of(self._link, question.table)
        progress = Progress(pieces)

        def work(piece: KeyRange, link: Link) -> Iterator[T | KeyRange]:
            for rows in scan_range(link, question, piece):
                yield turn(rows)
            yield piece

        for result in in_order(pieces, work, self._links(len(pieces))):
            if isinstance(result, KeyRange):
                progress.ended(result)
            else:
                yield result
        if not progress.whole:
            raise SourceError(f"{self.url}: table '{question.table}' was not read to its end; run the day again")

    def _links(self, tasks: int) -> list[Link]:
        return [Link(self._gateway) for _ in range(min(self._address.connections, tasks))]

    def _tables(self) -> list[str]:
        prefix = self._address.prefix
        names = self._link.ask("the list of tables", lambda here: here.connection().tables())
        return [name.decode()[len(prefix) :] for name in names if name.decode().startswith(prefix)]

    def _families_of(self, source: str) -> list[str]:
        if source not in self._families:
            if source not in self._tables():
                known = ", ".join(sorted(self._tables())) or "none"
                raise SourceError(
                    f"{self.url}: HBase has no table '{source}', though a table of the job names it; make it, or name "
                    f"one of: {known}"
                )
            found = self._link.ask(f"the families of table '{source}'", lambda here: here.table(source).families())
            self._families[source] = {name.decode(): options for name, options in found.items()}
        return list(self._families[source])

    def _day_of(self, source: str) -> Wanted:
        """The column that holds a dated table's day."""
        name = self._day_columns.get(source, _DAY_COLUMN)
        families = self._families_of(source)
        if name is None or name == ROW_KEY:
            raise SourceError(
                f"{self.url}: table '{source}' is dated, but its `day:` names no column in which HBase holds the day"
            )
        found, missing = wanted_columns([name], families)
        if missing:
            raise SourceError(
                f"{self.url}: table '{source}' has no family '{name.partition(':')[0]}', in which `day: {name}` looks "
                f"for the day; it has: {', '.join(families)}"
            )
        return found[0]

    def _notes(self, source: str, day: Wanted, found: _Found) -> dict[str, Any]:
        """What is known of a day's cells, and of exposures that later ones under the same key may have overwritten."""
        notes: dict[str, Any] = {"cells_not_text": found.not_text, "keys_that_overwrite": found.overwriting}
        if not found.overwriting:
            return notes
        families = self._families[source]
        kept = max(int(families[cell.decode().partition(":")[0]]["max_versions"]) for cell in day.cells)
        if kept == 1:
            return {**notes, "overwritten": "unknown: one version of a cell is kept"}
        older = 0
        for _, key in found.sample:
            for cell in day.cells:
                versions = self._link.ask(
                    f"the versions of a row of table '{source}'", partial(_versions, source, key, cell)
                )
                older += max(0, versions - 1)
        return {**notes, "keys_looked_at": len(found.sample), "overwritten": older}


@dataclass
class _Found:
    """What was seen of a day: cells that are not text, keys that overwrite, and a sample of those, by hash."""

    not_text: int = 0
    overwriting: int = 0
    sample: list[tuple[int, bytes]] = field(default_factory=list)

    def add_keys(self, keys: pa.Array) -> None:
        self.overwriting += len(keys)
        if len(keys):
            hashed = ((zlib.crc32(key), key) for key in keys.to_pylist())
            self.sample = heapq.nsmallest(_LOOKED_AT, [*self.sample, *hashed])

    def add(self, more: _Found) -> None:
        self.not_text += more.not_text
        self.overwriting += more.overwriting
        self.sample = heapq.nsmallest(_LOOKED_AT, self.sample + more.sample)


class _Pass:
    """Turns rows into batches of their days; one object for all threads, so it keeps nothing."""

    def __init__(self, wanted: Sequence[Wanted], day: Wanted, days: Sequence[Day]) -> None:
        self._names = [each.name for each in wanted]
        self._columns = list(wanted) if day.name in self._names else [*wanted, day]
        self._day = day.name
        self._days = days

    def by_day(self, rows: Sequence[Row]) -> list[tuple[Day, pa.RecordBatch, _Found]]:
        cells = Cells(self._columns)
        batch = cells.batch(rows)
        keys = pa.array([key for key, _ in rows], pa.binary())
        plain = overwrites(keys)
        written = batch.column(self._day)
        parts = []
        for day in self._days:
            places = pa.array(np.flatnonzero(pc.fill_null(pc.equal(written, slashed(day)), False)))
            if len(places):
                found = _Found(self._not_text(rows, places) if cells.not_text else 0)
                found.add_keys(keys.take(places).filter(plain.take(places)))
                parts.append((day, batch.take(places).select(self._names), found))
        return parts

    def _not_text(self, rows: Sequence[Row], places: pa.Array) -> int:
        """Of the rows of one day only; seldom needed, so looked at twice."""
        cells = Cells(self._columns)
        cells.batch([rows[place] for place in places.to_pylist()])
        return cells.not_text


def _versions(source: str, key: bytes, cell: bytes, link: Link) -> int:
    return len(link.table(source).cells(key, cell))


def _cells(wanted: Sequence[Wanted]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(cell for each in wanted for cell in each.cells))
