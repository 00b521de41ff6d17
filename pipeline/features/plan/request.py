"""What a kind of request makes of a job's features: whose they are, what they are made of, what settings may name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from models.schema import FeatureSchema, Kind, Side
from pipeline.config.job import JobConfig
from pipeline.config.negatives import Negatives
from pipeline.config.requests import Profile, RequestSettings
from pipeline.errors import ConfigError
from pipeline.features.plan.declared import Declared, PlannedFeature, one_space
from pipeline.features.plan.groups import check_groups
from pipeline.features.plan.id_rules import rule_problem
from pipeline.features.plan.outcomes import check_outcomes, column_problem, outcome_problem

_ASIDE: Mapping[tuple[str, Side], str] = {
    ("listed", Side.ITEM): "of a request's list: `side: request`",
    ("rank", Side.ITEM): "of a candidate in its list: `side: pair`",
    ("rank", Side.REQUEST): "of a candidate in its list: `side: pair`",
}
"""Sides on which a measure of a candidate's list is nobody's, and whose it is."""


class RequestPlan(ABC):
    """One class a kind of request; raises ``ConfigError`` where a setting does not fit the job's tables.

    Attributes:
        sides: by frame that requests of this kind have, the sides on which its features may be.
        bare: frames that are a source as they are, without a column.
        settings: the section of the job's kind.
        history_parts: every part that the job's histories keep, with its id space.
        row_parts: parts that are columns of the row itself, with the feature that says how their values become ids.
        negatives: what is drawn for the steps of histories, if anything, and the parts of it that are kept.
    """

    sides: ClassVar[Mapping[str, tuple[str, ...]]]
    bare: ClassVar[tuple[str, ...]] = ()
    settings: RequestSettings
    history_parts: Mapping[str, str]
    row_parts: Mapping[str, PlannedFeature]
    negatives: Negatives | None
    negative_parts: tuple[str, ...]

    @property
    def time(self) -> str | None:
        """The column of the rows that says when each was; none where no feature is made of moments."""
        return None

    def __init__(self, config: JobConfig, schema: FeatureSchema, features: Declared) -> None:
        self.config = config
        self.settings = config.request
        self.features = features
        self._check_sources()
        self._check_columns()
        frames = {frame: config.tables[table] for frame, table in self.settings.frames.items()}
        check_groups(schema, features, frames, self._unpaired())
        # Looked at now, so that a mistake is told at `config check` and not by a day's run.
        self._spaces = self._identities()
        self.history_parts = self._history_parts()
        self.row_parts = self._row_parts()
        drawn = [features[str(each.of)] for each in schema.features if each.kind is Kind.NEGATIVES]
        self.negative_parts = tuple(dict.fromkeys(planned.column for planned in drawn))
        self.negatives = next((f.settings.negatives for f in drawn if f.settings.negatives is not None), None)

    @property
    def own_spaces(self) -> Iterable[str]:
        """Id spaces that are mapped whatever the features: of whose the rows are, and of the parts of histories."""
        return (*self._spaces.values(), *self.history_parts.values())

    @property
    def user_space(self) -> str:
        return self._spaces["user"]

    @property
    @abstractmethod
    def owner_columns(self) -> tuple[str, ...]:
        """Columns of the rows that together own a history."""

    @property
    def owner_spaces(self) -> tuple[str, ...]:
        """Spaces of ``owner_columns``."""
        return tuple(self._spaces[f"owner.{column}"] for column in self.owner_columns)

    @property
    def item_space(self) -> str:
        """Space of what is ranked."""
        return self._spaces["item"]

    @property
    @abstractmethod
    def row_columns(self) -> list[str]:
        """Columns of the rows' table that an event carries."""

    @property
    def context_columns(self) -> list[str]:
        """Columns of the rows that a request may tell of itself: what features are made of, and not whose it is."""
        named = dict.fromkeys(column for each in self.features.of_frame("row") for _, column in each.columns)
        moment = [self.time] if self.time is not None else []
        return [name for name in dict.fromkeys([*named, *moment]) if name not in self.owner_columns]

    @property
    @abstractmethod
    def user_columns(self) -> list[str]:
        """Columns of the profile that an event carries."""

    @property
    def item_columns(self) -> list[str]:
        """Columns of the items' table that features or histories use, besides the key."""
        return []

    @property
    def read_tables(self) -> set[str]:
        """The tables that anything is made of."""
        frames, columns = self.settings.frames, {"user": self.user_columns, "item": self.item_columns}
        return {table for frame, table in frames.items() if frame == "row" or columns[frame]}

    @abstractmethod
    def _identities(self) -> dict[str, str]:
        """The id spaces of ``user``, ``owner.<column>`` and ``item``, and of what else a kind maps beside features."""

    @abstractmethod
    def _history_parts(self) -> dict[str, str]: ...

    def _row_parts(self) -> dict[str, PlannedFeature]:
        return {}

    @abstractmethod
    def _named_tables(self) -> Iterator[tuple[str, str]]:
        """Settings of the job's section that name a table, with the table."""

    @abstractmethod
    def _named_columns(self) -> Iterator[tuple[str, str, str]]:
        """Setting, table and column, where a day would fail on a column that is not there."""

    @abstractmethod
    def _deciding(self) -> Iterator[tuple[str, str, str]]:
        """Setting, table and column of what decides what a row is: no outcome may."""

    def _check_columns(self) -> None:
        """Columns that settings name are there, and none that decides is an outcome; raises ``ConfigError``."""
        for setting, table, column in self._named_columns():
            if column not in self.config.tables[table].columns:
                raise ConfigError(f"{setting}: the table '{table}' declares no column '{column}'")
        check_outcomes(self.config, self._deciding())

    def _unpaired(self) -> dict[str, str]:
        """Columns whose lists stand in step with no other, and why."""
        return {}

    @abstractmethod
    def _label_problem(self, column: str) -> str | None:
        """Why a column of the rows would give the label away, if it would."""

    @property
    def _task_labels(self) -> set[str]:
        return {task.label for task in self.config.tasks.values()}

    def part_space(self, part: str) -> str | None:
        """The id space of the features made of a part of the histories."""
        kept = self.features.of_frame("history", "last_year")
        found = {f.feature.space for f in kept if f.column == part and f.plain}
        return one_space(found, f"history.{part}")

    def source_problem(self, planned: PlannedFeature, frame: str, column: str) -> str | None:
        """What is wrong with one source, if anything: of the calendar or of a table's column, or as the kind says."""
        if frame == "calendar":
            there = column == "weekday" and planned.feature.kind not in (Kind.VECTOR, Kind.SESSIONS, Kind.AGES)
            return None if there else "the calendar has `weekday` only, one id or number"
        config, table = self.config, self.settings.frames.get(frame)
        if table is None:
            return f"the job has no {'profile' if frame == 'user' else 'items'} table"
        undeclared = column_problem(config, table, column) if table in config.tables else None
        if undeclared is not None:
            return undeclared
        floats = table in config.tables and self._floats_problem(planned, table, column)
        if floats:
            return floats
        if planned.feature.kind is Kind.BAG_SEQUENCE:
            return "is a column of one row; a bag_sequence is made of `history.` or `last_year.`"
        if planned.feature.kind in (Kind.SESSIONS, Kind.AGES):
            return f"is a column of one row; {planned.feature.kind} are made of `history.`"
        label = self._label_problem(column) if frame == "row" else None
        return label or outcome_problem(config, table, column)

    def _floats_problem(self, planned: PlannedFeature, table: str, column: str) -> str | None:
        """Why a column is no vector, or its floats are no ids, if it is so."""
        declared, kind = self.config.tables[table].columns[column], planned.feature.kind
        where = f"tables.{table}.columns.{column}"
        if kind is Kind.VECTOR:
            if declared.type != "float_list":
                return f"a vector is a float_list, and {where} is declared as {declared.type}"
            size = planned.feature.size
            alike = declared.items == size
            return None if alike else f"the vector has `size: {size}`, so {where} has to declare `items: {size}`"
        if declared.type == "float_list" and kind.has_ids:
            return f"{where} is declared as float_list, and floats are no ids; it can be a vector"
        return None

    def rule_problem(self, planned: PlannedFeature, frame: str, column: str) -> str | None:
        """What stands against making ids of one source by a rule, if anything."""
        return rule_problem(planned.settings, self.config.tables, self.settings.frames.get(frame), column)

    def negatives_problem(self, planned: PlannedFeature, negatives: Negatives) -> str | None:
        """What stands against drawing others for the steps of a history, if anything."""
        if planned.frame == "history":
            return None
        return f"are drawn as a day enters the histories that are kept (`history.`), not for '{planned.keys[0]}'"

    def _check_sources(self) -> None:
        """Every feature has a source of its side, and every table that the job names is declared."""
        for planned in self.features.values():
            counter, side = planned.settings.counter, planned.feature.side
            whose = _ASIDE.get((counter.measure, side)) if counter is not None else None
            if counter is not None and whose is not None:
                raise ConfigError(f"features.{planned.name}.side: '{side}', but `{counter.measure}` is {whose}")
            if planned.settings.source is None:
                continue
            self._check_side(planned)
            for frame, column in planned.columns:
                problem = self.source_problem(planned, frame, column)
                if problem is None and not planned.plain:
                    problem = self.rule_problem(planned, frame, column)
                if problem:
                    raise ConfigError(f"features.{planned.name}.source: '{frame}.{column}': {problem}")
            negatives = planned.settings.negatives
            undrawn = self.negatives_problem(planned, negatives) if negatives is not None else None
            if undrawn:
                raise ConfigError(f"features.{planned.name}.negatives: {undrawn}")
        for setting, table in self._named_tables():
            if table not in self.config.tables:
                raise ConfigError(f"{self.config.kind}.{setting}: '{table}' is not declared under `tables`")

    def _check_side(self, planned: PlannedFeature) -> None:
        allowed, side = self.sides[planned.frame or "row"], planned.feature.side.value
        if side not in allowed:
            raise ConfigError(
                f"features.{planned.name}.side: '{side}', but `{planned.frame}.` columns are on the side "
                f"{' or '.join(allowed)}"
            )


def kept_as_it_is(planned: PlannedFeature) -> str | None:
    """Why a feature of a history cannot change its ids, if it would."""
    changed = planned.settings.buckets is not None or planned.settings.part is not None
    return "a history keeps the ids of its items: `buckets` and `part` change nothing of it" if changed else None


def columns_of_profile(setting: str, profile: Profile | None) -> Iterator[tuple[str, str, str]]:
    """Setting, table and column of what a profile names."""
    if profile is not None:
        yield f"{setting}.key", profile.table, profile.key
        if profile.register_day is not None:
            yield f"{setting}.register_day", profile.table, profile.register_day
