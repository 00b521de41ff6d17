"""An undated table as its source holds it now: checked as a day's is, of no day, kept nowhere."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa

from pipeline.days import Day
from pipeline.errors import DataError, UsageError
from pipeline.ingest.check_rows import check_table
from pipeline.ingest.read_tables import read_now
from pipeline.job import JobContext
from pipeline.storage.parquet_file import StoredTable


def table_now(context: JobContext, name: str) -> pa.Table:
    """The table, typed, in canonical order; rows that a day would put into quarantine are left out.

    Raises:
        UsageError: the source finds the table's rows by key alone.
        DataError: more of its rows cannot be read than a day may have.
        SourceError: it cannot be read, or lacks what is required of it.
    """
    config, source = context.config, context.source()
    table = config.tables[name]
    if source.reads_keys and table.keys is not None:
        raise UsageError(
            f"tables.{name}.keys: of {source.url} the rows that a day names are read, never all; leave `keys` out, or "
            "name a day"
        )
    with tempfile.TemporaryDirectory(prefix="dayspring-now-") as folder:
        path = Path(folder) / f"{name}.parquet"
        with source.consistent():
            read_now(source, config, name, Day.today(config.timezone), path)
        checked = check_table(name, table, table.columns, StoredTable(path), None, config.timezone)
    limit, counts = config.validation.max_quarantined, checked.counts
    if not counts.read:
        raise DataError(f"{context.job}: table '{name}' of {source.url} has no rows now; fill it")
    if counts.quarantined > limit * (counts.read - counts.duplicates):
        worst = max(counts.reasons, key=lambda reason: counts.reasons[reason])
        raise DataError(
            f"{context.job}: of table '{name}' of {source.url} {counts.quarantined} of {counts.read} rows cannot be "
            f"read, more than validation.max_quarantined = {limit:.0%} (most often {worst}); correct them there"
        )
    return checked.rows
