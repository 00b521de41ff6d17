"""One file of a table: its columns, and its rows in pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from pipeline.config.tables import TextFiles
from pipeline.errors import SourceError

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
_PACKED = (".gz", ".bz2", ".zst", ".lz4")
_PARQUET = ".parquet"
_ENCODINGS = ("utf-8", "gb18030")
"""Looked for where text is written in another one than was said."""
_BLOCK = 1 << 22
"""Bytes of text that are parsed at once."""
_BEGUN = 1 << 16
Misshapen = Callable[[str, str], None]
"""Told why a line is none of the table, and the line."""


class TableFile(ABC):
    """A file whose rows all have the same columns.

    Attributes:
        path: of the file.
        is_text: its first line names the columns, and every cell is text.
    """

    is_text = False

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Its columns; raises ``SourceError`` where they cannot be told."""

    @abstractmethod
    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """The named columns of all rows, in the file's order; raises ``SourceError`` where they cannot be read."""


def kinds(path: Path, stem: str | None = None) -> bool:
    """Whether a file is one of a table by its name; of the table ``stem`` if that is given."""
    name = path.name
    for packed in _PACKED:
        name = name.removesuffix(packed)
    found = Path(name)
    known = found.suffix in _DELIMITERS or (found.suffix == _PARQUET and name == path.name)
    return known and (stem is None or found.stem == stem)


def table_file(path: Path, form: TextFiles, misshapen: Misshapen | None = None) -> TableFile:
    """The file as what its name says it is.

    Args:
        misshapen: is told of lines of text with another number of cells, which are then left out; without it they are
            errors.
    """
    return _Parquet(path) if path.suffix == _PARQUET else _Text(path, form, misshapen)


class _Parquet(TableFile):
    @cached_property
    def names(self) -> list[str]:
        try:
            return list(pq.read_schema(self.path).names)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        try:
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                yield from file.iter_batches(rows, columns=list(columns), use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: Exception) -> SourceError:
        return SourceError(f"{self.path}: cannot be read as Parquet: {error}; write the file again")


class _Text(TableFile):
    """Every cell is text, an empty one missing."""

    is_text = True

    def __init__(self, path: Path, form: TextFiles, misshapen: Misshapen | None) -> None:
        super().__init__(path)
        self._misshapen = misshapen
        suffix = next((each for each in reversed(path.suffixes) if each in _DELIMITERS), "")
        self._delimiter = form.delimiter or _DELIMITERS[suffix]
        self._form = form

    @cached_property
    def names(self) -> list[str]:
        with self._errors(), pa.input_stream(str(self.path), compression="detect") as file:
            begun = file.read(_BEGUN)
            if not begun:
                raise SourceError(f"{self.path}: is empty; its first line names the columns")
            # What is no text at all is told of here: its lines are none that could be asked about.
            getincrementaldecoder(self._form.encoding)().decode(begun)
        with self._errors(), pa.input_stream(str(self.path), compression="detect") as file:
            # Of the lines that are parsed for it some may be misshapen: they are told of as rows are read.
            return list(self._reader(file, [], lambda row: "skip").schema.names)

    def batches(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise SourceError(f"{self.path}: its first line names {', '.join(twice)} more than once")
        with self._errors(), pa.input_stream(str(self.path), compression="detect") as file:
            for batch in self._reader(file, columns, self._left_out if self._misshapen is not None else None):
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows)

    def _left_out(self, row: pa_csv.InvalidRow) -> str:
        assert self._misshapen is not None
        self._misshapen(f"{row.actual_columns} cells, where the header has {row.expected_columns}", row.text)
        return "skip"

    def _reader(
        self, file: pa.NativeFile, columns: Sequence[str], invalid: Callable[[pa_csv.InvalidRow], str] | None
    ) -> pa_csv.CSVStreamingReader:
        """Of the named columns; of all, where none is named."""
        return pa_csv.open_csv(
            file,
            pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK, encoding=self._form.encoding),
            pa_csv.ParseOptions(
                delimiter=self._delimiter, quote_char=self._form.quote or False, newlines_in_values=True,
                invalid_row_handler=invalid,
            ),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True, null_values=[""],
                include_columns=list(columns),
            ),
        )  # fmt: skip

    def _errors(self) -> _Told:
        return _Told(self.path, self._delimiter, self._form)


class _Told:
    """What a file of text is refused for, with the settings that say how it is written."""

    def __init__(self, path: Path, delimiter: str, form: TextFiles) -> None:
        self._path, self._delimiter, self._form = path, delimiter, form

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, UnicodeError) or (isinstance(error, pa.ArrowException) and "UTF8" in str(error)):
            raise SourceError(
                f"{self._path}: is not {self._form.encoding} ({error}); {self._encodings()}; a packed file's name ends "
                "so too (.csv.gz)"
            ) from None
        if isinstance(error, OSError):
            raise SourceError(f"{self._path}: cannot be read or unpacked: {error}; write the file again") from None
        if isinstance(error, pa.ArrowException):
            told = (
                f"correct the line; the table's `text: {{delimiter: {self._delimiter!r}}}` says so"
                if self._form.delimiter is not None
                else "correct the line, or say how the table's text is written: `text: {delimiter: ';'}`, for example"
            )
            raise SourceError(
                f"{self._path}: cannot be read as text with {self._delimiter!r} between its cells: {error}; {told}"
            ) from None

    def _encodings(self) -> str:
        """What to write where the letters are others than was said."""
        other = next((each for each in _ENCODINGS if each != self._form.encoding and self._is(each)), None)
        if "encoding" not in self._form.model_fields_set:
            return f"say how the table's text is written: `text: {{encoding: {other or 'cp1252'}}}`, for example"
        instead = "leave `encoding` out" if other == _ENCODINGS[0] else f"write `encoding: {other}`" if other else ""
        likely = f"it seems to be {other}: {instead}" if other else "write the encoding that it has, or the file again"
        return f"the table's `text: {{encoding: {self._form.encoding}}}` says so; {likely}"

    def _is(self, encoding: str) -> bool:
        """Whether the file's beginning can be read so."""
        with pa.input_stream(str(self._path), compression="detect") as file:
            head = file.read(_BEGUN)
        try:
            # A letter that the end of the piece cuts through is no fault.
            getincrementaldecoder(encoding)().decode(head)
        except UnicodeError:
            return False
        return True
