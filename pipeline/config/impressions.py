"""The section of a job whose requests are impressions of one item each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pipeline.config.base import Later, Strict
from pipeline.config.requests import Kept, OwnLabel, Profile, check_label, check_task_labels, refuse_softmax

if TYPE_CHECKING:
    from collections.abc import Container

    from pipeline.config.experiment import Experiment
    from pipeline.config.features import History
    from pipeline.config.tables import Table
    from pipeline.config.tasks import TaskSettings


class RecalledFrom(Strict):
    """Where the candidates of a request come from.

    Args:
        from_: ``recall``: the items that another job's two towers recall for the user.
        job: of the same namespace and object store, whose users and items have the same ids.
        top: how many.
    """

    from_: Literal["recall"] = Field(alias="from")
    job: str
    top: int = Field(default=100, ge=1)


class Impressions(OwnLabel):
    """Impressions of one item each (`kind: impressions`).

    Args:
        rows: table of impressions.
        user, item, label: its columns.
        items: undated table with one row an item.
        candidate_days: `recommend` and the release rank the items shown in the last so many days.
        history_length: last items kept a user, those that he clicked or (``history.of: all``) all that he was shown,
            strictly before the impression's day.
        history_parts: item columns that each history step carries besides the item, and as ``row.<column>`` columns of
            the impression's own row, outcomes too: they are read by later days only.
        candidates: what `recommend` and ``OnlineReader`` rank instead of the items shown lately.
    """

    user: str
    item: str
    profile: Profile | None = None
    items: Profile | None = None
    candidate_days: int = Field(default=7, ge=1)
    history_length: int = Field(default=20, ge=1)
    history_parts: tuple[str, ...] = ()
    candidates: Annotated[RecalledFrom | None, Later()] = None

    pairs_rows: ClassVar = True
    embedded: ClassVar = "parquet:{root}/sources/{job}"

    @property
    def frames(self) -> dict[str, str]:
        named = {"user": self.profile, "item": self.items}
        return {"row": self.rows} | {frame: each.table for frame, each in named.items() if each is not None}

    def check(self, tables: Mapping[str, Table], spaces: Container[str]) -> None:
        """The rows are a dated table, and what is read as their label can be nothing but 0 or 1."""
        check_label("impressions", tables, self.rows, self.label)
        for what in ("user", "item"):
            column = getattr(self, what)
            if column not in tables[self.rows].columns:
                raise ValueError(f"impressions.{what}: '{column}' is no column of the table '{self.rows}'")

    def check_tasks(self, tasks: Mapping[str, TaskSettings], tables: Mapping[str, Table]) -> None:
        """The first task is the job's label, and every label a column that can be nothing but 0 or 1."""
        check_task_labels("impressions", tasks, tables, self.rows, self.label)

    def check_experiment(self, name: str, experiment: Experiment) -> None:
        refuse_softmax(name, experiment, "an impression has one")

    def idle(self, history: History, is_set: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        why = "it is for `kind: ranking`"
        if is_set("history.days") and history.days == "calendar":
            yield "history.days", f"{why}; the histories of impressions are the last items, as with `days: active`"
        for setting in ("values", "last_year", "lead"):
            if is_set(f"history.{setting}") and getattr(history, setting):
                yield f"history.{setting}", f"{why}, whose histories are days"
        for setting, profile in (("profile", self.profile), ("items", self.items)):
            if profile is not None and profile.register_day is not None:
                yield f"impressions.{setting}.register_day", f"{why}, which reports new users apart"
        if is_set("replay"):
            yield "replay", f"{why}: last year's rows are those of homework"
        if is_set("measures.composite"):
            yield "measures.composite", f"{why}, whose requests have candidates"

    def kept(self, history: History) -> tuple[Kept, Kept]:
        steps = Kept(self.history_length, "impressions.history_length")
        return steps, steps

    def idle_of(self, experiment: Experiment) -> Iterator[tuple[str, str]]:
        if "negatives" in experiment.model_fields_set:
            yield "negatives", "they are drawn among a request's candidates, and an impression has one"
        if experiment.replay != "off":
            yield "replay", "last year's rows are those of homework"
