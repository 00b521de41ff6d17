"""The section of a job whose requests are for homework: of packages, their chapters, sections and styles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Later, Strict
from pipeline.config.requests import Kept, Profile, RequestSettings

if TYPE_CHECKING:
    from collections.abc import Container

    from pipeline.config.features import History
    from pipeline.config.tables import Table


class Package(Strict):
    """Columns of a homework package; the same names in every table that holds packages."""

    chapters: str = "chapter_id"
    sections: str = "section_id"
    style: str | None = "style"
    reflect: str | None = "reflect_id"
    key: tuple[Literal["sections", "style"], ...] = ("sections", "style")

    @model_validator(mode="after")
    def _style_is_there(self) -> Package:
        if "style" in self.key and self.style is None:
            raise ValueError("`key` holds style, but no `style` column is named")
        return self


class Clicks(Strict):
    """Labels from the click log: positive = clicked and really set at least once."""

    table: str
    tag: str = "tag"
    clicked: tuple[str, ...] = ("click",)
    offered: str  # table with the count of how often a package was really set
    count: str = "cnt"


class HomeworkLabels(Strict):
    taken_from: Literal["clicks", "rows"] = Field(alias="from")  # rows: the package taken among the candidates
    clicks: Clicks | None = None

    @model_validator(mode="after")
    def _clicks_are_there(self) -> HomeworkLabels:
        if (self.taken_from == "clicks") != (self.clicks is not None):
            raise ValueError("`clicks` goes with `from: clicks`, and only with it")
        return self


class Candidates(Strict):
    """The packages that a request may be answered with.

    ``table``: those of the candidate table, found by base chapter, by rank. ``seen``: packages of the chapter taken on
    earlier days, most frequent first.
    """

    taken_from: Literal["table", "seen"] = Field(alias="from")
    table: str | None = None
    rank: str | None = None
    limit: int = Field(default=500, ge=1)

    @model_validator(mode="after")
    def _table_is_there(self) -> Candidates:
        if (self.taken_from == "table") != (self.table is not None):
            raise ValueError("`table` goes with `from: table`, and only with it")
        return self


class BaseChapters(Strict):
    """The mapping of chapters and sections to their base ids; −1 = no base section."""

    table: str
    chapter: str = "chapter_id"
    section: str = "section_id"
    base_chapter: str = "base_chapter_id"
    base_section: str = "base_section_id"


class Study(Strict):
    """Floats by owner and section, newest before the day; a package has the mean over its sections that have one."""

    table: str
    owner: str = "class_id"
    section: str = "section_id"
    values: tuple[str, ...]


class StyleCounts(Strict):
    """How often an owner was set each style on a day, from a table with a row a style.

    Args:
        table: dated, with the columns of ``ranking.owner``.
        style, count: its columns.
        space: id space of the table's styles. It gives each style its column for good: the first style that the table
            ever showed is the first column; the size of a feature says how many there are, and what has none is
            counted.
    """

    table: str
    style: str = "style"
    count: str = "cnt"
    space: str


class CoreWeights(Strict):
    """Sample weight by a column of the profile: ``weights[value]``, others 1."""

    column: str
    weights: dict[int, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(min_length=1)


class Homework(RequestSettings):
    """Requests of a user for packages (`kind: ranking`).

    Args:
        rows: table of what was set: requests, history and events of the counters.
        user: column of the user (the group of interval estimates).
        owner: columns that together own a history.
        per_chapter: one request per chapter set; else one per owner and day with all of its chapters.
        requests: who asked. ``rows``: those who set something, for its chapters; who looked and set nothing is counted.
            ``log``: those who looked (``labels.clicks.table``), for the chapters that they saw, whether or not they
            set anything; the log must have the columns that requests carry. Histories and counters are of the rows.
    """

    user: str
    owner: tuple[str, ...]
    per_chapter: bool = False
    package: Package = Package()
    requests: Annotated[Literal["rows", "log"], Later()] = "rows"
    labels: HomeworkLabels
    candidates: Candidates
    base_chapters: BaseChapters | None = None
    profile: Profile | None = None
    study: Study | None = None
    style_counts: Annotated[StyleCounts | None, Later()] = None
    weights: CoreWeights | None = None

    embedded: ClassVar = "sqlite:///{root}/sources/{job}.db"

    @property
    def log(self) -> str | None:
        """The table that requests are made of beside ``rows``, if any."""
        return self.labels.clicks.table if self.requests == "log" and self.labels.clicks is not None else None

    @model_validator(mode="after")
    def _log_is_there(self) -> Homework:
        if self.requests == "log" and self.labels.clicks is None:
            raise ValueError("`requests: log` needs the log of `labels: {from: clicks, clicks: {table: …}}`")
        return self

    @property
    def frames(self) -> dict[str, str]:
        return {"row": self.rows} | ({"user": self.profile.table} if self.profile is not None else {})

    @property
    def label_columns(self) -> dict[str, str]:
        clicks = self.labels.clicks
        return {} if clicks is None else {clicks.table: clicks.tag, clicks.offered: clicks.count}

    @property
    def outcomes(self) -> dict[str, set[str]]:
        package = self.package
        taken = {each for each in (package.sections, package.style, package.reflect) if each is not None}
        found = {self.rows: taken}
        for table, column in self.label_columns.items():
            found.setdefault(table, set()).add(column)
        return found

    @property
    def event_tables(self) -> set[str]:
        clicks = self.labels.clicks
        return {self.rows, *([clicks.table] if clicks is not None else [])}

    def check(self, tables: Mapping[str, Table], spaces: Container[str]) -> None:
        """The table of style counts is dated and says whose they are; counts are whole numbers."""
        settings = self.style_counts
        if settings is None:
            return
        table = tables.get(settings.table)
        if table is None or not table.dated:
            raise ValueError(f"ranking.style_counts.table: '{settings.table}' is not a dated table of `tables`")
        for column in (*self.owner, settings.style, settings.count):
            if column not in table.columns:
                raise ValueError(f"ranking.style_counts: the table '{settings.table}' declares no column '{column}'")
        for column in (*self.owner, settings.style):
            if table.columns[column].type not in ("int", "str"):
                raise ValueError(
                    f"ranking.style_counts: tables.{settings.table}.columns.{column} is declared as "
                    f"{table.columns[column].type}; a row counts one style of one owner, by ids: int or str"
                )
        if table.columns[settings.count].type != "int":
            raise ValueError(
                f"ranking.style_counts.count: tables.{settings.table}.columns.{settings.count} is declared as "
                f"{table.columns[settings.count].type}; counts are int"
            )
        if settings.space not in spaces:
            raise ValueError(f"ranking.style_counts.space: '{settings.space}' is not declared under `spaces`")

    def kept(self, history: History) -> tuple[Kept, Kept]:
        return Kept(history.length, "history.length"), Kept(history.values, "history.values")

    def idle(self, history: History, is_set: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        if self.candidates.taken_from == "seen" and self.candidates.rank is not None:
            yield "ranking.candidates.rank", "candidates that were seen are ordered by how often they were taken"
        if is_set("release.gate.calibration"):
            yield "release.gate.calibration", "it is measured of impressions alone"
        if is_set("values"):
            yield "values", "it is for `kind: impressions` and `rows`, whose events are rows with what came of each"
        for setting in ("history.of", "history.outcome"):
            if is_set(setting):
                yield setting, "it is for `kind: impressions`; the history of homework is what was set"
