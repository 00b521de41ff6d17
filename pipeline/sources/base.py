"""The one way in which tables are read, whatever they are kept in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.days import Day
from pipeline.storage.urls import mask_url

if TYPE_CHECKING:
    import pyarrow as pa

@dataclass(frozen=True)
class Reading:
    """A table, or a day of it, being read.

    Attributes:
        missing: wanted columns that the source does not have.
        batches: the rows in chunks, the wanted columns that are there, under the wanted names. Values as the source has
            them; the type of a column may differ from chunk to chunk.
        others: columns of the source that were not wanted, where it can name them.
    """

    missing: tuple[str, ...]
    batches: Iterator[pa.RecordBatch]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class DaysReading:
    """Some days of a table, being read in one pass.

    Attributes:
        missing: as of ``Reading``.
        batches: as of ``Reading``, each with its day; the rows of a day are in the same order as if it were read alone.
        notes: what the source has to say of a day's rows, for the manifest; whole when ``batches`` is at its end.
        others: as of ``Reading``.
    """

    missing: tuple[str, ...]
    batches: Iterator[tuple[Day, pa.RecordBatch]]
    notes: dict[Day, dict[str, Any]] = field(default_factory=dict)
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contents:
    """What a table holds, as far as its source can tell at little cost; ``None`` is what it cannot.

    Attributes:
        filled: whether there is a row at all.
        days: of a dated table, how many days there are.
        first, last: the first day and the newest one that has rows.
        rows: of the newest day, or of an undated table.
        files: the same.
        missing: wanted columns that are not there (on the newest day).
        others: columns that are there and were not wanted, where it can name them.
    """

    filled: bool
    days: int | None = None
    first: Day | None = None
    last: Day | None = None
    rows: int | None = None
    files: int | None = None
    missing: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


class Source(ABC):
    """Tables by name, read a day at a time and in chunks. A ``day`` of ``None`` is an undated table.

    Every method raises ``SourceError``, naming the masked URL, the table and what to do, when it cannot answer;
    ``SourceInterrupted`` where reading the whole day again may help.

    Args:
        url: where the tables are.
        variable: what the URL was given in, for messages.

    Attributes:
        reads_blocks: finding a day costs a pass over the table, and one pass finds several days.
        reads_keys: rows of undated tables are found by their key (``read_keys``).
        has_columns: a table has its columns whatever its rows hold; else a column is there where a row has it.
    """

    reads_blocks = False
    reads_keys = False
    has_columns = True

    def __init__(self, url: str, variable: str) -> None:
        self.url = mask_url(url)
        self.variable = variable

    @abstractmethod
    def check(self) -> None:
        """Whether it can be reached at all."""

    @abstractmethod
    def read(self, source: str, columns: Sequence[str], day: Day | None, *, chunk_rows: int) -> Reading:
        """The named columns of a table, at most ``chunk_rows`` rows in memory at a time."""

    def read_days(self, source: str, columns: Sequence[str], days: Sequence[Day], *, chunk_rows: int) -> DaysReading:
        """The named columns of some days of a table; of one day only, unless the source ``reads_blocks``."""
        (day,) = days
        reading = self.read(source, columns, day, chunk_rows=chunk_rows)
        return DaysReading(reading.missing, ((day, batch) for batch in reading.batches), others=reading.others)

    def read_keys(self, source: str, columns: Sequence[str], keys: Sequence[str], *, chunk_rows: int) -> Reading:
        """The named columns of an undated table's rows of these keys, in their order; keys without a row are left out.

        Only of a source that ``reads_keys``.
        """
        raise NotImplementedError

    @abstractmethod
    def count(self, source: str, day: Day | None) -> int:
        """Number of rows."""

    @abstractmethod
    def has_rows(self, source: str, day: Day | None) -> bool:
        """Whether there is a row at all."""

    @abstractmethod
    def is_marked(self, source: str, day: Day) -> bool:
        """Whether the table's day is marked as complete."""

    @abstractmethod
    def contents(self, source: str, columns: Sequence[str], *, dated: bool) -> Contents:
        """What is found where a table is looked for."""

    @contextmanager
    def consistent(self) -> Iterator[None]:
        """What is read in the block is of one moment, where the store can do that; otherwise of the time of reading."""
        yield

    def version(self, source: str) -> str | None:
        """A token that changes whenever the table may have changed; ``None`` where there is no cheap one."""
        return None

    def close(self) -> None:  # noqa: B027 - a folder has nothing to let go of
        """Let go of connections."""
