"""What ``doctor`` says of each table of a job's source."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config.tables import Table
from pipeline.errors import SourceError
from pipeline.job import JobContext
from pipeline.monitoring.table_watch import lacking
from pipeline.sources.base import Contents, Source


def read_tables(context: JobContext) -> Iterator[tuple[str, Table, str]]:
    """Every source of every table: the table's name, the table, and the source's name."""
    for name, table in context.config.tables.items():
        for wanted in dict.fromkeys([table.source, *(each.source for each in table.sources)]):
            yield name, table, wanted


def found(source: Source, table: Table, wanted: str) -> list[str]:
    """What was found of a table in words, then a line each of what is not as declared and no error.

    Raises:
        SourceError: it cannot be read, has nothing where it is looked for, or lacks a required column.
    """
    columns = {column.source or name: column.required for name, column in table.columns.items()}
    here = source.contents(wanted, list(columns), dated=table.dated)
    if not here.filled and table.required:
        days = f", though there are {here.days} days from {here.first} on" if here.days else ""
        raise SourceError(f"{source.url}: '{wanted}' has no rows{days}; load it, or name the right source of it")
    lost = [name for name in here.missing if columns[name]]
    if lost:
        raise SourceError(
            f"{source.url}: '{wanted}' has no column {', '.join(lost)}, which is declared as required; there are "
            f"{_amount(here)}"
        )
    told = [f"{wanted}: {_span(here, table)}{_amount(here)}"]
    missing = [name for name, each in table.columns.items() if (each.source or name) in here.missing]
    return [*told, *([f"{wanted} {lacking(table, missing, here.others)}"] if missing else [])]


def _span(here: Contents, table: Table) -> str:
    if not table.dated:
        return ""
    if here.days is None:
        return "days not counted, "
    if here.last is None or here.first is None:
        return f"{here.days} days, "
    between = here.last - here.first + 1
    of = f" of {between}" if here.days != between else ""
    return f"{here.days}{of} days {here.first} to {here.last}, the newest with "


def _amount(here: Contents) -> str:
    if here.rows is None:
        return "has rows" if here.filled else "no rows"
    files = f" in {here.files} {'file' if here.files == 1 else 'files'}" if here.files is not None else ""
    return f"{here.rows} rows{files}"
