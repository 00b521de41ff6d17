"""Rows to score, in pieces: of a file, of a folder of files, or of a day of a source's table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from pipeline.config.tables import Table
from pipeline.days import Day
from pipeline.errors import DataError, SourceError, UsageError
from pipeline.sources.open import open_source
from pipeline.sources.parquet_folders import day_above
from pipeline.sources.table_file import kinds, table_file

PIECE = 16_384
"""Rows that are scored together."""
_URL = re.compile(r"[a-z][a-z0-9+]+:(?!\\)")
_TOLD, _LONGEST = 6, 100
"""Names, and letters of them, that are told of a header."""


class RowsIn:
    """The rows of an input, in its own order; every cell of text files is text, an empty one missing.

    Args:
        given: a file (``.parquet``, ``.csv``, ``.tsv``; text may be packed), a folder of such, or a source's URL.
        table: what the job declares of the rows.
        carried: columns that are wanted besides, by their names in the input.
        day: that the rows are of, where it is known; of a source, the day that is read.

    Attributes:
        day: of the piece that was given last, as a folder above its file (``dt=2024-03-04``) says, else as was given.
        misshapen: lines of text files with another number of cells than their header, and why, since ``pieces`` began
            or they were last taken away.

    Raises:
        UsageError: nothing is there, or it cannot be told what it is.
    """

    def __init__(self, given: str, table: Table, carried: Sequence[str], day: Day | None) -> None:
        self._table, self._carried = table, carried
        self._given = self.day = day
        self.misshapen: list[tuple[str, str]] = []
        self._url = given if _URL.match(given) and not Path(given).exists() else None
        if self._url is not None and day is None:
            raise UsageError(f"--input {given}: of a source one day is read; name it with --day")
        self.files = [] if self._url is not None else _files(Path(given))

    def pieces(self) -> Iterator[pa.RecordBatch]:
        """Up to ``PIECE`` rows at a time.

        Raises:
            DataError: a file is not what its name says.
        """
        found = self._of_source(self._url) if self._url is not None else self._of_files()
        for batch in found:
            for start in range(0, batch.num_rows, PIECE):
                yield batch.slice(start, PIECE)

    def _of_source(self, url: str) -> Iterator[pa.RecordBatch]:
        assert self._given is not None
        columns = [column.source or name for name, column in self._table.columns.items()]
        source = open_source(url, "--input", {"rows": self._table})
        try:
            wanted = list(dict.fromkeys([*columns, *self._carried]))
            named = self._table.source_on(self._given)
            yield from source.read(named, wanted, self._given, chunk_rows=PIECE).batches
        finally:
            source.close()

    def _of_files(self) -> Iterator[pa.RecordBatch]:
        for path in self.files:
            self.day = day_above(path) or self._given
            file = table_file(path, self._table.text, self._misshapen)
            try:
                if file.is_text:
                    self._guard_header(path, file.names)
                yield from file.batches(file.names, PIECE)
            except SourceError as error:
                raise DataError(str(error)) from None

    def _guard_header(self, path: Path, names: Sequence[str]) -> None:
        declared = [column.source or name for name, column in self._table.columns.items()]
        if not {*declared} & {*names}:
            alike = {name.casefold() for name in names} & {name.casefold() for name in declared}
            cased = " (capitals are told from small letters)" if alike else ""
            raise DataError(
                f"{path}: its first line names none of the declared columns ({_shortened(declared)}): "
                f"{_shortened(names)}{cased}; put a line with the names of the cells above the others (cells of .csv "
                "stand between commas, of .tsv and .txt between tabs, unless the table's `text: {delimiter: …, "
                "encoding: …}` says so)"
            )

    def _misshapen(self, why: str, line: str) -> None:
        self.misshapen.append((why, line))


def _shortened(names: Sequence[str]) -> str:
    told = f"{', '.join(names[:_TOLD])}{', …' if len(names) > _TOLD else ''}"
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def _files(given: Path) -> list[Path]:
    if given == Path():
        raise UsageError("--input: names nothing to read; for the files of this folder write its path")
    if not given.exists():
        raise UsageError(f"--input {given}: no such file or folder, and no URL of a source")
    if given.is_file():
        if not kinds(given):
            raise UsageError(f"--input {given}: end its name in .parquet, .csv, .tsv (or .csv.gz)")
        return [given]
    inside = sorted(path for path in given.rglob("*") if path.is_file() and kinds(path))
    shown = [path for path in inside if not any(part.startswith((".", "_")) for part in path.relative_to(given).parts)]
    if not shown:
        raise UsageError(f"--input {given}: the folder holds no .parquet, .csv or .tsv file")
    return shown
