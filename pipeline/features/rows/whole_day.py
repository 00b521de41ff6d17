"""All rows of a day, and what a kind of request makes of its tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from pipeline.days import Day
from pipeline.features.frames.frame import Array
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import DayRows
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext


@dataclass(frozen=True)
class Replayed:
    """Rows of an earlier day that are trained again, and the candidates of that day."""

    rows: DayRows
    listed: Listed | None


@dataclass(frozen=True)
class WholeDay:
    """All rows of a day.

    Attributes:
        listed: the candidate table, where candidates come from it.
        replayed: by day, ascending; days without validated tables or matching rows are left out.
        missing: days that would have been replayed, and why they are not.
    """

    rows: DayRows
    listed: Listed | None
    replayed: tuple[Replayed, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)


class RequestRows(ABC):
    """One class a kind of request: a day's validated tables in, its rows out."""

    parted: str | None = None
    """The table whose rows may be joined in parts, each by itself; none where a day is one part."""

    @abstractmethod
    def whole(self, context: JobContext, tables: DayTables, day: Day, *, replay: bool) -> WholeDay:
        """The day's rows; with ``replay`` also those of earlier days that are trained beside them."""

    def item_keys(self, rows: DayRows) -> Array:
        """What tells the items of some rows from those of others of the day."""
        raise TypeError("a day of such a job is one part")
