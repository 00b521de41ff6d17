"""The tables that a job reads: where they are, what their columns hold, when a day of them is ready."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.config.base import DayField, Later, Strict
from pipeline.days import Day

ColumnType = Literal["int", "float", "str", "int_list", "str_list", "path_list", "float_list", "day", "time"]


class Column(Strict):
    """One column of a table, as validation reads it.

    ``int`` accepts 12, 12.0 and '12'. Lists are ``12,13`` or ``[12, 13]``, and text that is an array in JSON is read as
    one; a ``path_list`` is a list of paths such as ``/homework/exam/list``, a ``float_list`` one of finite numbers.
    ``time`` is a number since 1970 (without a
    ``unit``, milliseconds) or an ISO timestamp (in the job's time zone if it has none). ``day`` is a date; an instant
    falls on its day in the job's time zone.
    """

    type: ColumnType
    source: str | None = None  # its name in the source, where it differs
    part: int | None = Field(default=None, ge=0)  # of a key such as userId_adId, the part between `_` that is read
    required: bool = False  # a missing value sends the row to quarantine
    min: float | None = None
    max: float | None = None
    allowed: tuple[int | float | str, ...] | None = None
    absent: tuple[int | float | str, ...] = ()  # values that mean "missing", such as -1
    max_items: int = Field(default=1000, ge=1)  # longer lists send the row to quarantine
    items: Annotated[int | None, Later()] = Field(default=None, ge=1)  # of a float_list, how many a list has
    separator: Annotated[str | None, Later()] = None  # between the items of a list in text; unset = a comma
    map: Annotated[str | None, Later()] = None  # of keys with a number each, what stands between: their keys are read
    unit: Annotated[Literal["s", "ms", "us", "ns"] | None, Later()] = None  # of a time or day in numbers since 1970
    # running, of an undated table: read as of a snapshot's day only; outcome, of a dated one: known only after its row,
    # so never an input of it
    change: Literal["static", "running", "outcome"] = "static"

    @model_validator(mode="after")
    def _part_fits(self) -> Column:
        if self.part is not None and self.type not in ("int", "str"):
            raise ValueError(f"`part` is for int and str, not for {self.type}")
        if self.unit is not None and self.type not in ("time", "day"):
            raise ValueError(f"`unit` is for time and day, not for {self.type}")
        if self.items is not None and self.type != "float_list":
            raise ValueError(f"`items` is for a float_list, not for {self.type}")
        if self.separator is not None:
            if not self.type.endswith("_list"):
                raise ValueError(f"`separator` is for lists, not for {self.type}")
            if not self.separator or set(self.separator) & set("[]\"'"):
                raise ValueError("`separator` is text such as '|' without brackets and quotes")
        if self.map is not None:
            if self.type not in ("int_list", "str_list"):
                raise ValueError(f"`map` gives a list of keys: it is for int_list and str_list, not for {self.type}")
            if not self.map.strip() or set(self.map) & set("{}\"'") or self.map == (self.separator or ","):
                raise ValueError("`map` is what stands between a key and its number, such as ':', and no `separator`")
        return self


class DatedSource(Strict):
    """Another source that stands in for the table on some days."""

    source: str
    first: DayField | None = None
    last: DayField | None = None

    def covers(self, day: Day) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Ready(Strict):
    """When a day of a table may be read: by its marker, or by its row count."""

    marker: bool = True  # a row in `day_ready` (SQL) or a `_SUCCESS` file (Parquet)
    unchanged_minutes: int | None = Field(default=None, ge=0)  # or: row count unchanged for so long …
    weekday_share: float = Field(default=0.5, ge=0, le=1)  # … and at least this share of the same weekday's median


class Reject(Strict):
    """A rule on whole rows: rows that it matches go to quarantine."""

    rule: Literal["equal_with_prefix"]  # both columns hold the same value, and it starts with the prefix
    columns: tuple[str, str]
    prefix: str


class Keys(Strict):
    """Which rows of an undated table a day needs: those of the values of a column of a dated table."""

    table: str
    column: str


class TextFiles(Strict):
    """How the table's rows are written in files of text.

    Args:
        delimiter: between cells; unset = by the file's name, a comma in ``.csv``, a tab in ``.tsv``.
        encoding: of the letters, by a name that Python knows: gbk, utf-16, cp1252.
        quote: around cells that hold a delimiter; null = there is none.
    """

    delimiter: str | None = Field(default=None, pattern=r"^[\t !#-~]$")
    encoding: str = "utf-8"
    quote: str | None = Field(default='"', pattern=r"^[!-~]$")

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            "".encode(name)
        except (LookupError, ValueError):
            raise ValueError(f"'{name}' is no encoding of text that Python knows, such as utf-8, gbk, cp1252") from None
        return name


class Table(Strict):
    """A table of the job.

    Args:
        source: the query file ``sql/queries/<source>.sql``, or the folder of that name under a Parquet root.
        sources: others that stand in for it by range of days; the manifest says which was read.
        dated: has rows per day; an undated table is snapshotted at extraction.
        required: an empty day of it, while other required tables have rows, fails the day.
        key: columns that identify a row of an undated table.
        keys: the day's keys of an undated table. Where rows are found by key (HBase) only those rows are read, and
            those of the extract before; other sources give the whole table.
        day: column that must hold the day read; rows of another day go to quarantine.
        time: column with the instant; up to a day away from the day is accepted and counted.
        order: columns that come first in the canonical order of rows (then all others).
        when: columns that say when a row was, beside ``day``, ``time`` and all of these types, such as its hour or a
            running number: rows that differ in nothing else are the same rows, delivered again.
        text: how its files of text are written, those that ``files:`` reads and those that `predict` is given.
    """

    source: str
    sources: tuple[DatedSource, ...] = ()
    dated: bool = True
    required: bool = True
    key: tuple[str, ...] = ()
    keys: Keys | None = None
    day: str | None = None
    time: str | None = None
    order: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    ready: Ready = Ready()
    reject: tuple[Reject, ...] = ()
    text: Annotated[TextFiles, Later()] = TextFiles()
    columns: dict[str, Column]

    def source_on(self, day: Day) -> str:
        """The source that is read for ``day``."""
        return next((other.source for other in self.sources if other.covers(day)), self.source)

    @model_validator(mode="after")
    def _names_known(self) -> Table:
        named = [*self.key, *self.order, *self.when, *(name for rule in self.reject for name in rule.columns)]
        named += [name for name in (self.day, self.time) if name is not None]
        unknown = sorted(set(named) - set(self.columns))
        if unknown:
            raise ValueError(f"names columns that it does not declare: {', '.join(unknown)}")
        if not self.dated and not self.key:
            raise ValueError("an undated table needs `key`: the columns that identify a row")
        if self.keys is not None and (self.dated or len(self.key) != 1):
            raise ValueError("`keys` is for an undated table whose `key` is one column")
        running = sorted(name for name, column in self.columns.items() if column.change == "running")
        if running and self.dated:
            raise ValueError(f"a dated table holds each day as it was: `change: running` of {', '.join(running)}")
        if set(running) & set(self.key):
            raise ValueError("a column of `key` cannot be `running`")
        self._check_outcomes()
        return self

    @property
    def outcomes(self) -> list[str]:
        """Columns that are declared to be known only after their row, by name."""
        return sorted(name for name, column in self.columns.items() if column.change == "outcome")

    def _check_outcomes(self) -> None:
        outcomes = self.outcomes
        if outcomes and not self.dated:
            raise ValueError(
                f"an undated table has no row of a moment: `change: outcome` of {', '.join(outcomes)}; a value that "
                f"changes there is `running`"
            )
        placed = {"day": (self.day,), "time": (self.time,), "order": self.order, "key": self.key}
        for setting, names in placed.items():
            found = sorted({name for name in names if name is not None} & set(outcomes))
            if found:
                raise ValueError(
                    f"`{setting}` names {', '.join(found)}, which is declared `change: outcome`: what is known only "
                    f"after a row cannot say where the row belongs"
                )
        for name in self.columns:
            other = next((each for each in outcomes if self.same_cell(name, self, each)), None)
            if other is not None and name not in outcomes:
                raise ValueError(
                    f"'{name}' and '{other}' are read from the same column '{self.columns[other].source or other}', "
                    f"but only '{other}' is declared `change: outcome`; declare both"
                )

    def same_cell(self, name: str, other: Table, others: str) -> bool:
        """Whether a column and another's of a table read from the same source hold the same, or one a part of it."""
        here, there = self.columns[name], other.columns[others]
        names = [(here.source or name).casefold(), (there.source or others).casefold()]
        if not all(":" in each for each in names):  # HBase: without a family it is looked for in all of them
            names = [each.rpartition(":")[2] for each in names]
        parts = {here.part, there.part}
        return names[0] == names[1] and (len(parts) == 1 or None in parts)

    def in_source(self, name: str) -> str:
        """A column by its name in the source, with what the job calls it where that is another."""
        source = self.columns[name].source if name in self.columns else None
        return f"{source} (`{name}`)" if source not in (None, name) else name

    @property
    def all_sources(self) -> frozenset[str]:
        """Every source that the table is read from on some day."""
        return frozenset({self.source, *(each.source for each in self.sources)})


class Validation(Strict):
    """Limits beyond which a day fails before anything grows from it."""

    max_quarantined: float = Field(default=0.05, ge=0, le=1)  # share of a table's rows
    min_weekday_share: float = Field(default=0.30, ge=0, le=1)  # of the median of the same weekday
    weekdays: int = Field(default=8, ge=1)  # how many of the same weekday the median is over
    max_repeated: float = Field(default=0.4, ge=0, le=1)  # share of the job's own rows that an earlier day had too
    repeated_days: int = Field(default=7, ge=1, le=366)  # how many days back they are looked for
