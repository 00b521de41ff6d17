"""The validated tables of a day: read, or read once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import pyarrow as pa

from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.ingest.records import ValidatedRecord
from pipeline.ingest.validate import NEXT
from pipeline.job import JobContext
from pipeline.storage import parquet_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import VALIDATED


def read_table(
    artifact: Artifact, table: str, columns: Sequence[str] | None = None, *, words: bool = False
) -> pa.Table:
    """A table of a validated day, typed, in canonical order; of an undated one, as the day may know it.

    Args:
        words: text as places in a dictionary.
    """
    return parquet_file.read(artifact.file(f"{table}.parquet"), columns, words=words)


def read_next(
    artifact: Artifact, table: str, columns: Sequence[str] | None = None, *, words: bool = False
) -> pa.Table:
    """An undated table as the day after may know it: what a release built in this day's run serves."""
    name = f"{table}{NEXT}"
    return read_table(artifact, name if f"{name}.parquet" in artifact.manifest.files else table, columns, words=words)


class DayTables:
    """Calling it with a table's name in the settings gives the table, its text as places in a dictionary."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._tables: dict[str, pa.Table] = {}

    @classmethod
    def on(cls, context: JobContext, day: Day) -> Self | None:
        """The tables of a validated day; ``None`` if it was skipped or never validated.

        Where they were pruned they still say what was made of them; reading one raises ``PrunedPayload``.
        """
        artifact = context.store.current(Ref(VALIDATED, context.job, day))
        return cls(artifact) if artifact is not None and artifact.manifest.state != "skipped" else None

    @classmethod
    def needed(cls, context: JobContext, day: Day) -> Self:
        """The tables of a day that cannot be done without; raises ``DataError`` where they are not there."""
        tables = cls.on(context, day)
        if tables is None:
            raise DataError(
                f"{context.job} {day}: nothing is validated; run `python -m pipeline stage validate --job "
                f"{context.job} --day {day}`"
            )
        return tables

    def __call__(self, name: str) -> pa.Table:
        if name not in self._tables:
            self._tables[name] = read_table(self.artifact, name, words=True)
        return self._tables[name]

    def digest(self, name: str) -> str:
        """Digest of a table's content."""
        return ValidatedRecord.of(self.artifact).digests[name]


class PartTables(DayTables):
    """A day's tables with some rows of one of them; the others are read once a process.

    Args:
        parted: the table that is read in parts.
        rows: its first row, and that behind its last.
    """

    def __init__(self, context: JobContext, artifact: Artifact, parted: str, rows: tuple[int, int]) -> None:
        super().__init__(artifact)
        self._parted, self._rows = parted, rows
        self._whole = context.kept(_Whole, _Whole)
        if self._whole.artifact != artifact.id:
            self._whole.artifact, self._whole.tables = artifact.id, {}

    def __call__(self, name: str) -> pa.Table:
        if name == self._parted:
            return parquet_file.read_rows(self.artifact.file(f"{name}.parquet"), *self._rows)
        if name not in self._whole.tables:
            self._whole.tables[name] = super().__call__(name)
        return self._whole.tables[name]


@dataclass
class _Whole:
    """The tables of the day whose parts this process works on."""

    artifact: str = ""
    tables: dict[str, pa.Table] = field(default_factory=dict)


class NextTables(DayTables):
    """A day's validated tables, undated ones as the day after may know them."""

    def __call__(self, name: str) -> pa.Table:
        if name not in self._tables:
            self._tables[name] = read_next(self.artifact, name, words=True)
        return self._tables[name]
