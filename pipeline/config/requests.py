"""What a job's section says of its requests: one class a kind of request, and what every kind answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from models.tasks import IN_BATCH
from pipeline.config.base import Strict

if TYPE_CHECKING:
    from collections.abc import Container

    from pipeline.config.experiment import Experiment
    from pipeline.config.features import History
    from pipeline.config.tables import Table
    from pipeline.config.tasks import TaskSettings

Kind = Literal["ranking", "impressions", "rows"]
"""The kinds of request; each has a section of its name in the job's YAML, a field of ``JobConfig``."""


class Profile(Strict):
    """The undated table with one row a user."""

    table: str
    key: str
    register_day: str | None = None  # tells new users from old users with an empty history


class Kept(NamedTuple):
    """How many of something the feature state keeps, and the setting that says so."""

    most: int
    setting: str


class RequestSettings(Strict, ABC):
    """The section of a job's kind.

    Args:
        rows: table that requests, counters and histories are made of.
    """

    rows: str

    embedded: ClassVar[str]
    """URL of the tables where none is given, with ``{root}`` and ``{job}``."""
    ranks: ClassVar[bool] = True
    """Whether requests have candidates that differ, so that a model needs something to tell them apart by."""

    pairs_rows: ClassVar[bool] = False
    """Whether a user has rows of his own that can be told apart two by two, as impressions are."""

    @property
    @abstractmethod
    def frames(self) -> dict[str, str]:
        """By frame, the table that ``row``, ``user`` and ``item`` are columns of, where the job has it."""

    @property
    @abstractmethod
    def label_columns(self) -> dict[str, str]:
        """The column of each table that says what became of a row, and may say so later."""

    @property
    @abstractmethod
    def outcomes(self) -> dict[str, set[str]]:
        """By table, the columns that hold labels: no input of their own row."""

    @property
    @abstractmethod
    def event_tables(self) -> set[str]:
        """The tables whose rows are events that the job learns from, so that most of them recurring is no chance."""

    @property
    def unmeasured(self) -> Mapping[str, str]:
        """Measures of the kind that this job's settings rule out, and what would have to be declared."""
        return {}

    @abstractmethod
    def check(self, tables: Mapping[str, Table], spaces: Container[str]) -> None:
        """The tables can be what the section says; raises ``ValueError`` naming the setting."""

    def check_tasks(self, tasks: Mapping[str, TaskSettings], tables: Mapping[str, Table]) -> None:
        """The rows can be asked what the job's tasks are; raises ``ValueError`` naming the setting."""
        if tasks:
            raise ValueError(
                "tasks: is for rows whose columns hold labels (`kind: impressions` and `rows`); what a request for "
                "homework is judged by comes from `ranking.labels`"
            )

    def check_experiment(self, name: str, experiment: Experiment) -> None:
        """The experiment can learn of such requests; raises ``ValueError`` naming the setting."""
        refuse_in_batch(name, experiment)

    @abstractmethod
    def idle(self, history: History, is_set: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        """Settings of the job that nothing reads of such requests, and why.

        Args:
            is_set: whether a setting is given, ``release.gate.calibration``.
        """

    def kept(self, history: History) -> tuple[Kept, Kept] | None:
        """The most sessions of a history, and the most steps of one, that what is kept can hold; none of no history."""
        return None

    def idle_of(self, experiment: Experiment) -> Iterator[tuple[str, str]]:
        """Settings of an experiment that nothing reads of such requests, and why."""
        yield from ()

    def negatives(self, experiment: Experiment) -> int | None:
        """Candidates drawn beside each positive; ``None`` where a request has one candidate."""
        return experiment.negatives


class OwnLabel(RequestSettings):
    """The section of a kind whose rows hold their label in a column of their own, and have one candidate or none.

    Args:
        label: the column.
    """

    label: str

    @property
    def label_columns(self) -> dict[str, str]:
        return {self.rows: self.label}

    @property
    def outcomes(self) -> dict[str, set[str]]:
        return {self.rows: {self.label}}

    @property
    def event_tables(self) -> set[str]:
        return {self.rows}

    def negatives(self, experiment: Experiment) -> int | None:
        return None


def check_label(section: str, tables: Mapping[str, Table], rows: str, label: str) -> None:
    """The rows are a dated table, and what is read as their label can be nothing but 0 or 1; else ``ValueError``."""
    table = tables.get(rows)
    if table is None or not table.dated:
        raise ValueError(f"{section}.rows: '{rows}' is not a dated table of `tables`")
    column = table.columns.get(label)
    if column is None:
        raise ValueError(f"{section}.label: '{label}' is no column of the table '{rows}'")
    if column.type != "int" or column.allowed is None or not set(column.allowed) <= {0, 1} or not column.required:
        raise ValueError(
            f"{section}.label: tables.{rows}.columns.{label} must be declared as "
            "{type: int, required: true, allowed: [0, 1]}, so that other values go to quarantine"
        )


def check_task_labels(
    section: str, tasks: Mapping[str, TaskSettings], tables: Mapping[str, Table], rows: str, label: str
) -> None:
    """The first task is of the rows' label, and every label can be nothing but 0 or 1; else ``ValueError``."""
    for number, (name, task) in enumerate(tasks.items()):
        check_label(f"tasks.{name}", tables, rows, task.label)
        if not number and task.label != label:
            raise ValueError(
                f"tasks.{name}.label: the first task is of '{label}' (`{section}.label`), which histories and rates "
                f"are made of; write it first, or make '{task.label}' the label"
            )


def refuse_softmax(name: str, experiment: Experiment, has: str) -> None:
    """Raises ``ValueError`` for an experiment that compares candidates where there is one: ``has`` says what is so."""
    if experiment.loss == "softmax":
        raise ValueError(
            f"experiments.{name}.loss: softmax compares the candidates of a request, and {has}: "
            "nothing would be learnt; write `loss: binary`"
        )


def refuse_in_batch(name: str, experiment: Experiment) -> None:
    """Raises ``ValueError`` for an experiment that compares a request's item with those of others, where it has not one
    item."""
    if experiment.loss in IN_BATCH:
        raise ValueError(
            f"experiments.{name}.loss: {experiment.loss} compares the item of a row with those of other rows, and is "
            "for `kind: impressions`, whose rows have one item each"
        )
