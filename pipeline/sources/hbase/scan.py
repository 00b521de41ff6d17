"""Scanning: the pieces of a table, and the rows of one piece, going on where a broken connection left off."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.sources.hbase.cells import Row
from pipeline.sources.hbase.day_filter import FIRST_CELL
from pipeline.sources.hbase.key_ranges import KeyRange, cuts_between, ranges_between
from pipeline.sources.hbase.link import FAULTS, Link, Trouble, is_timeout

_PIECES = 16
"""Pieces of a table at least …"""
_PIECES_A_REGION = 8
"""… and of a region: a fault in one of them, or a time-out, costs so much less than the region."""


@dataclass(frozen=True)
class Question:
    """What is asked of every range of a table.

    Attributes:
        columns: cells that travel; none = all, which only a filter on the first cell makes sensible.
        batch: rows in one answer at most.
        limit: rows of a range at most.
    """

    table: str
    columns: tuple[bytes, ...]
    filter: str | None
    batch: int
    limit: int | None = None


def pieces_of(link: Link, table: str) -> list[KeyRange]:
    """The whole key space in small ranges: the table's regions, each in pieces. Raises ``SourceError``."""
    regions = link.ask(f"the regions of table '{table}'", lambda here: here.table(table).regions())
    ranges = ranges_between(region["start_key"] for region in regions)
    parts = max(_PIECES_A_REGION, -(-_PIECES // len(ranges)))
    return [piece for each in ranges for piece in _cut(link, table, each, parts)]


def scan_range(link: Link, question: Question, whole: KeyRange) -> Iterator[list[Row]]:
    """The rows of a range in the order of their keys, at most ``question.batch`` at a time.

    It is at its end only when the scanner has ended normally. After a fault the scan goes on behind the last row that
    came; after an answer that took too long, in smaller pieces and with smaller answers, so that it gets further also
    where the filter lets nothing pass for a long time. Raises ``SourceError`` after too many faults in a row.
    """
    trouble = Trouble(link, f"reading table '{question.table}'")
    todo, batch = [whole], question.batch
    while todo:
        here, fault = todo[0], None
        try:
            for rows in _answers(link, question, here, batch):
                yield rows
                here = here.from_after(rows[-1][0])
                trouble.over()
                if question.limit is not None:
                    return
        except FAULTS as error:
            fault = error
        if fault is None:
            trouble.over()
            todo.pop(0)
            continue
        todo[0] = here
        trouble.meet(fault)
        if is_timeout(fault):
            todo[:1] = _cut(link, question.table, here, _PIECES_A_REGION)
            batch = max(1, batch // 4)


def _answers(link: Link, question: Question, here: KeyRange, batch: int) -> Iterator[list[Row]]:
    """The rows of a range; those that came before a fault are given before it is raised."""
    scanner = link.table(question.table).scan(
        row_start=here.start, row_stop=here.stop or None, columns=list(question.columns) or None,
        filter=question.filter, batch_size=batch, limit=question.limit,
    )  # fmt: skip
    rows: list[Row] = []
    fault = None
    try:
        try:
            for row in scanner:
                rows.append(row)
                if len(rows) == batch:
                    yield rows
                    rows = []
        except FAULTS as error:
            fault = error
        if rows:
            yield rows
    finally:
        _close(scanner)
    if fault is not None:
        raise fault


def _close(scanner: Generator[Any, None, None]) -> None:
    """Ends a scanner here and now, and not whenever its memory is freed; on a broken connection it is gone anyway."""
    try:
        scanner.close()
    except (*FAULTS, AssertionError, AttributeError):
        return


def _cut(link: Link, table: str, whole: KeyRange, parts: int) -> list[KeyRange]:
    """The range in pieces between its first and its last key; itself where it holds less than two rows."""
    what = f"the first and the last key of a range of table '{table}'"
    first, last = link.ask(what, lambda here: _ends(here, table, whole))
    return ranges_between(cuts_between(first, last, parts) if first < last else [], whole)


def _ends(link: Link, table: str, whole: KeyRange) -> tuple[bytes, bytes]:
    """The range's first and last key; empty without rows."""
    here = link.table(table)
    first = list(here.scan(
        row_start=whole.start, row_stop=whole.stop or None, filter=FIRST_CELL, batch_size=1, limit=1
    ))  # fmt: skip
    if not first:
        return b"", b""
    # Backwards, the start counts in and the stop does not.
    last = list(here.scan(
        row_start=whole.stop, row_stop=whole.start or None, filter=FIRST_CELL, batch_size=2, limit=2, reverse=True
    ))  # fmt: skip
    inside = [key for key, _ in last if not whole.stop or key < whole.stop]
    return first[0][0], max([first[0][0], *inside])
