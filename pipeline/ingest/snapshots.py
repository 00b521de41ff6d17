"""Undated tables as a day may know them: running columns only from a snapshot dated on or before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.tables import Column, Table
from pipeline.days import Day
from pipeline.ingest.check_rows import Checked, check_table
from pipeline.ingest.parse.parsed import BY_TYPE
from pipeline.ingest.records import ExtractRecord
from pipeline.ingest.row_order import key_of_rows
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import EXTRACT
from pipeline.storage.parquet_file import StoredTable


def running_columns(table: Table) -> dict[str, Column]:
    """The columns whose value is that of the day on which they are read."""
    return {name: column for name, column in table.columns.items() if column.change == "running"}


class _Extracts(dict[Day, Artifact | None]):
    """Extracts of other days, whose manifests are read once a process."""


def newest_snapshot(context: JobContext, table: str, last: Day, extracted: Artifact) -> Artifact | None:
    """The extract with the newest snapshot of an undated table that was taken on ``last`` or earlier.

    Looks at the day's own extract and those of earlier days; nothing is extracted before its day has begun, so that of
    a later day is too new. Of snapshots of one day, the latest instant counts.
    """
    # Manifests of other days are read once a process: a backfill asks for each of its days.
    known = context.kept(_Extracts, _Extracts)
    known[extracted.ref.day] = extracted
    best: tuple[str, Artifact] | None = None
    for day in context.store.days(EXTRACT, context.job):
        if day > extracted.ref.day:
            break
        if day not in known:
            known[day] = context.store.current(Ref(EXTRACT, context.job, day))
        here = known[day]
        # Of a pruned one too: what was made of it stands only where it is found again.
        stamp = ExtractRecord.of(here).as_of.get(table) if here is not None else None
        if here is None or stamp is None:
            continue
        taken = Day.of_instant(datetime.fromisoformat(stamp), context.config.timezone)
        if taken <= last and (best is None or stamp >= best[0]):
            best = (stamp, here)
    return best[1] if best is not None else None


@dataclass(frozen=True)
class Snapshot:
    """An undated table as of the end of a day, and the rows without a value for its running columns."""

    rows: pa.Table
    unavailable: int


def with_running(name: str, table: Table, static: Checked, snapshot: Artifact | None, zone: str) -> Snapshot:
    """The static rows with the running columns of a snapshot joined by the table's key; empty without one."""
    running = running_columns(table)
    if snapshot is None:
        columns = {each: pa.nulls(static.rows.num_rows, BY_TYPE[column.type]) for each, column in running.items()}
        return Snapshot(_ordered(static.rows, columns, table), static.rows.num_rows)
    keys = {each: table.columns[each] for each in table.key}
    raw = StoredTable(snapshot.file(f"{name}.parquet"))
    taken = check_table(name, table, {**keys, **running}, raw, None, zone).rows
    places = pc.index_in(key_of_rows(static.rows, table.key), value_set=key_of_rows(taken, table.key))
    columns = {each: taken[each].combine_chunks().take(places) for each in running}
    return Snapshot(_ordered(static.rows, columns, table), places.null_count)


def _ordered(static: pa.Table, running: dict[str, pa.Array], table: Table) -> pa.Table:
    """All columns in declared order."""
    return pa.table({each: running[each] if each in running else static[each] for each in table.columns})
