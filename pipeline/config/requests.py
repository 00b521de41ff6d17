"""How a job's rows become requests with candidates and labels: one model per kind of job."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Later, Strict


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


class RankingLabels(Strict):
    taken_from: Literal["clicks", "rows"] = Field(alias="from")  # rows: the package taken among the candidates
    clicks: Clicks | None = None

    @model_validator(mode="after")
    def _clicks_are_there(self) -> RankingLabels:
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


class Profile(Strict):
    """The undated table with one row a user."""

    table: str
    key: str
    register_day: str | None = None  # tells new users from old users with an empty history


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


class Ranking(Strict):
    """Requests of a user for packages (`homework`).

    Args:
        rows: table of what was set: requests, history and events of the counters.
        user: column of the user (the group of interval estimates).
        owner: columns that together own a history.
        per_chapter: one request per chapter set; else one per owner and day with all of its chapters.
        requests: who asked. ``rows``: those who set something, for its chapters; who looked and set nothing is counted.
            ``log``: those who looked (``labels.clicks.table``), for the chapters that they saw, whether or not they
            set anything; the log must have the columns that requests carry. Histories and counters are of the rows.
    """

    rows: str
    user: str
    owner: tuple[str, ...]
    per_chapter: bool = False
    package: Package = Package()
    requests: Annotated[Literal["rows", "log"], Later()] = "rows"
    labels: RankingLabels
    candidates: Candidates
    base_chapters: BaseChapters | None = None
    profile: Profile | None = None
    study: Study | None = None
    style_counts: Annotated[StyleCounts | None, Later()] = None
    weights: CoreWeights | None = None

    @property
    def log(self) -> str | None:
        """The table that requests are made of beside ``rows``, if any."""
        return self.labels.clicks.table if self.requests == "log" and self.labels.clicks is not None else None

    @model_validator(mode="after")
    def _log_is_there(self) -> Ranking:
        if self.requests == "log" and self.labels.clicks is None:
            raise ValueError("`requests: log` needs the log of `labels: {from: clicks, clicks: {table: …}}`")
        return self


class Impressions(Strict):
    """Impressions of one item each (`ads`).

    Args:
        rows: table of impressions.
        user, item, label: its columns.
        items: undated table with one row an item.
        candidate_days: `recommend` and the release rank the items shown in the last so many days.
        history_length: last clicked items kept a user, strictly before the impression's day.
        history_parts: item columns that each history step carries besides the item, and as ``row.<column>`` columns of
            the impression's own row, outcomes too: they are read by later days only.
    """

    rows: str
    user: str
    item: str
    label: str
    profile: Profile | None = None
    items: Profile | None = None
    candidate_days: int = Field(default=7, ge=1)
    history_length: int = Field(default=20, ge=1)
    history_parts: tuple[str, ...] = ()
