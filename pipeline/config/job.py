"""A job: the whole of one YAML file, typed."""

from __future__ import annotations

import hashlib
import json
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from models.options import meant
from models.schema import ONLY, FeatureSchema, Kind, Side
from models.tasks import SCORE, Score, Task
from pipeline.config.alerts import Alerts
from pipeline.config.base import DayField, Later, Strict
from pipeline.config.blends import check_alike, check_members
from pipeline.config.cross_checks import (
    check_bins,
    check_keys,
    check_measures,
    check_names,
    check_night,
    check_over_bag,
    check_retention,
    check_several,
    check_shards,
    check_tables,
    check_widths,
)
from pipeline.config.experiment import TWO_TOWERS, Experiment, Measures, Release
from pipeline.config.features import FeatureSettings, History
from pipeline.config.homework import Homework
from pipeline.config.impressions import Impressions
from pipeline.config.labelled import LabelledRows
from pipeline.config.labels import Labels
from pipeline.config.last_year import Replay
from pipeline.config.measures import PRIMARY, Measure, in_task, of_job, task_of
from pipeline.config.negatives import check_negatives, drawn_features
from pipeline.config.outcome_levels import check_chosen
from pipeline.config.requests import Kind as RequestKind
from pipeline.config.requests import RequestSettings
from pipeline.config.retention import Retention
from pipeline.config.row_weights import check_rules
from pipeline.config.tables import Table, Validation
from pipeline.config.tasks import TaskSettings, check_givens, check_late, check_score, joints
from pipeline.config.values import RowValue, check_values
from pipeline.days import ZONE, Day, checked_zone

SpaceType = Literal["int", "str"]


class JobConfig(Strict):
    """One recommender: its tables, features and experiments.

    Args:
        start: first day that may be trained; none = the first day asked for.
        state_from: id maps, feature state and candidates are built from this day on without training.
        dirty_days: known-bad days; they are skipped.
        tasks: what is asked of a row, where it is more than its one label, in order: the first ranks.
        score: what ranks instead of the first task, the product of powers of the tasks' probabilities: a power by task.
        values: numbers of a row that counters of later days are made of.
        labels: when a day's labels have come; none = with the day. Says when a day is read, not what is made of it.
        retention: what is kept on disk; changes nothing that is made.
        grids: the experiments of each grid, by its name: expanded they are experiments like those written by hand.
        shards: in how many parts a day's rows are worked on, each by itself; ``auto``: by their number. It, ``engine``
            and ``processes`` (how many parts at once; none = as many as there are CPUs) change nothing that is made.
        deadline_hours: hours after the end of the business day, when its run starts, until which a day may still
            arrive; not later than ``release.by``.
        extract_block: days that one extraction reads together from a source in which finding a day costs a pass over
            the table (HBase); other sources are read a day at a time.
    """

    job: str
    kind: RequestKind
    timezone: str = ZONE
    seed: int = 1
    threads: int = Field(default=2, ge=1)
    chunk_rows: int = Field(default=50_000, ge=1)
    shards: Literal["auto"] | int = Field(default="auto", exclude=True)
    engine: Literal["local", "spark"] = Field(default="local", exclude=True)
    processes: int | None = Field(default=None, ge=1, exclude=True)
    extract_block: int = Field(default=10, ge=1)
    start: DayField | None = None
    state_from: DayField | None = None
    dirty_days: tuple[DayField, ...] = ()
    deadline_hours: float = Field(default=6, allow_inf_nan=False)
    labels: Labels | None = Field(default=None, exclude=True)
    retention: Retention = Field(default=Retention(), exclude=True)
    tables: dict[str, Table]
    validation: Validation = Validation()
    spaces: dict[str, SpaceType]
    ranking: Homework | None = None
    impressions: Impressions | None = None
    rows: Annotated[LabelledRows | None, Later()] = None
    values: Annotated[dict[str, RowValue], Later()] = Field(default_factory=dict)
    features: dict[str, FeatureSettings]
    history: History = History()
    replay: Replay | None = None
    tasks: Annotated[dict[str, TaskSettings], Later()] = Field(default_factory=dict)
    score: Annotated[dict[str, float], Later()] = Field(default_factory=dict)
    experiments: dict[str, Experiment]
    grids: dict[str, tuple[str, ...]] = Field(default_factory=dict, exclude=True)
    release: Release
    measures: Measures = Measures()
    alerts: Alerts = Alerts()

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return checked_zone(value)

    @field_validator("deadline_hours")
    @classmethod
    def _after_the_start(cls, value: float) -> float:
        if value < 0:
            raise ValueError("before the end of the day, when its run starts; give the hours after it, 0 or more")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> JobConfig:
        if getattr(self, self.kind) is None:
            raise ValueError(f"`kind: {self.kind}` needs the section `{self.kind}`")
        for other in get_args(RequestKind):
            if other != self.kind and getattr(self, other) is not None:
                raise ValueError(f"`{other}` has no meaning with `kind: {self.kind}`")
        if not self.experiments:
            raise ValueError("`experiments` is empty; declare at least one")
        if self.release.champion not in self.experiments:
            raise ValueError(
                f"release.champion: '{self.release.champion}' is not an experiment; "
                f"one of {', '.join(self.experiments)}"
            )
        check_members(self.experiments)
        check_names("job", [self.job])
        check_names("grids", self.grids)
        for section in ("tables", "spaces", "experiments", "tasks", "values"):
            check_names(section, getattr(self, section))
        check_tables(self.tables)
        check_givens(self.tasks)
        check_score(self.score, self.tasks)
        check_late(self.tasks, self.labels, self.retention.feature_days)
        check_names("tasks.….joint", self.joints)
        self.request.check(self.tables, self.spaces)
        self.request.check_tasks(self.tasks, self.tables)
        check_measures(self.known_measures, self.request.unmeasured, self.release, self.measures, self.alerts)
        check_widths(self.experiments)
        check_night(self.deadline_hours, self.release.by, self.labels)
        check_retention(self.retention, self.labels, self.validation, self.release, self.experiments)
        check_several(self.kind, self.measures, self.features)
        check_shards(self.kind, self.shards, self.features)
        self._check_keys()
        check_values(self.values, self.features)
        self._check_features()
        for name, experiment in self.experiments.items():
            self._check_tasks_of(name, experiment)
            for field, asked in (("only", experiment.only or ()), ("without", experiment.without)):
                unknown = sorted(set(asked) - set(self.features))
                if unknown:
                    told = f"{', '.join(unknown)}{meant(unknown[0], self.features)}"
                    raise ValueError(f"experiments.{name}.{field}: no such features: {told}")
            if self.request.ranks and all(self.features[each].side is Side.REQUEST for each in self.inputs(name)):
                raise ValueError(f"experiments.{name}: needs at least one item feature: there is nothing to rank by")
            if experiment.replay != "off" and self.replay is None:
                raise ValueError(f"experiments.{name}.replay: the job has no `replay` section")
            check_rules(name, experiment.weights, self.features)
            strange = sorted(set(experiment.dims) - set(self.spaces))
            if strange:
                raise ValueError(f"experiments.{name}.dims: no such id spaces: {', '.join(strange)}")
        check_alike(self)
        self._check_learnt()
        return self

    def _check_tasks_of(self, name: str, experiment: Experiment) -> None:
        if not self.tasks and experiment.loss is None and not experiment.members:
            raise ValueError(f"experiments.{name}.loss: is missing; write `binary` or `softmax`")
        if self.tasks and experiment.loss is not None:
            raise ValueError(f"experiments.{name}.loss: the job's `tasks` have losses of their own; leave it out")
        if experiment.score_loss and SCORE not in self.judged_of(name):
            raise ValueError(
                f"experiments.{name}.score_loss: there is no score that it learns; "
                f"{'add the tasks of it to its `tasks`' if self.score else 'declare one: `score: {task: power}`'}"
            )
        late = [task.name for task in self.tasks_of(name) if task.name in self.tasks and self.tasks[task.name].late]
        if experiment.window > 1 and late:
            raise ValueError(
                f"experiments.{name}.window: its days teach all tasks again, and labels of '{late[0]}' come late "
                f"(tasks.{late[0]}.late); leave one of them out"
            )
        if experiment.tasks is None:
            return
        strange = [each for each in experiment.tasks if each not in self.tasks]
        if strange or not experiment.tasks:
            known = ", ".join(self.tasks) or "none, as the job has no `tasks`"
            raise ValueError(f"experiments.{name}.tasks: {strange or 'it is empty'}; the job's tasks: {known}")
        twice = sorted({each for each in experiment.tasks if experiment.tasks.count(each) > 1})
        if twice:
            raise ValueError(f"experiments.{name}.tasks: {', '.join(twice)} stands twice")

    def _check_learnt(self) -> None:
        """The champion is asked what ranks and what it is judged by, and every task is learnt by somebody."""
        champion, gate = self.release.champion, self.release.gate
        learnt = {name: set(self.judged_of(name)) for name in self.experiments}
        named = {self.primary: "measures.primary", **dict.fromkeys(gate.margins, "release.gate.margins")}
        asked = {task_of(self.task_names, measure): place for measure, place in named.items()}
        asked |= {task_of(self.task_names, measure): "release.gate.floors" for measure in gate.floors}
        asked |= {SCORE: "`score`, which ranks"} if self.score else {
            self.task_names[0]: "the first of `tasks`, which ranks"
        }  # fmt: skip
        for task, place in asked.items():
            if task not in learnt[champion]:
                raise ValueError(
                    f"release.champion: '{champion}' does not learn '{task}' ({place}), so it can neither rank nor be "
                    f"judged by it; add it to experiments.{champion}.tasks, or name another champion"
                )
        for task in self.tasks:
            if not any(task in each for each in learnt.values()):
                raise ValueError(f"tasks.{task}: no experiment learns it; take it out, or add it to one's `tasks`")

    def _check_keys(self) -> None:
        for name, table in self.tables.items():
            if table.keys is None:
                continue
            other = self.tables.get(table.keys.table)
            if other is None or not other.dated or table.keys.column not in other.columns:
                raise ValueError(
                    f"tables.{name}.keys: '{table.keys.column}' is no column of a dated table '{table.keys.table}'"
                )

    def _check_features(self) -> None:
        check_negatives(self.features)
        check_chosen(self.features, self.history.outcome)
        for name, feature in self.features.items():
            if feature.input and (not name.isidentifier() or keyword.iskeyword(name)):
                raise ValueError(
                    f"features.{name}: names an input of the exported model, so it must be an identifier that Python "
                    f"does not reserve; call it '{re.sub(r'[^0-9A-Za-z_]', '_', name)}_id'"
                )
            if feature.space is not None and feature.space not in self.spaces:
                raise ValueError(f"features.{name}.space: '{feature.space}' is not declared under `spaces`")
            if feature.bins is not None:
                check_bins(name, feature, self.features, self.spaces)
            if feature.compose is not None and self.spaces[feature.space or ""] != "str":
                raise ValueError(f"features.{name}.space: '{feature.space}' is of int, and composed ids are text: str")
            for reference in (feature.of, feature.stand_in):
                if reference is not None and reference not in self.features:
                    raise ValueError(f"features.{name}: refers to '{reference}', which is not a feature")
            check_keys(name, feature, self.features)
            for setting, over in (("bag_counter", feature.bag_counter), ("collaborative", feature.collaborative)):
                if over is not None:
                    check_over_bag(f"features.{name}.{setting}", over, self.features)

    @property
    def request(self) -> RequestSettings:
        """The section of the job's kind."""
        section: RequestSettings = getattr(self, self.kind)
        return section

    @property
    def primary(self) -> str:
        """The measure that the job is judged by."""
        ranks = SCORE if self.score else self.task_names[0]
        return self.measures.primary or in_task(ranks, PRIMARY[self.kind], self.judged)

    @property
    def task_names(self) -> tuple[str, ...]:
        """What a row is asked, the first task first; of a job that declares none, its only one."""
        return tuple(self.tasks) or (ONLY,)

    def tasks_of(self, experiment: str) -> tuple[Task, ...]:
        """What an experiment's model is asked, in the job's order."""
        settings = self.experiments[experiment]
        if settings.members:
            return self.tasks_of(settings.members[0])
        if not self.tasks:
            return (Task(ONLY, settings.loss or "binary"),)
        wanted = self.task_names if settings.tasks is None else settings.tasks
        chains = self.joints
        return tuple(
            Task(
                n, each.loss, each.weight, each.given if each.given in wanted else None,
                each.joint if each.joint and set(chains[each.joint]) <= set(wanted) else None,
            )
            for n, each in self.tasks.items() if n in wanted
        )  # fmt: skip

    @property
    def joints(self) -> dict[str, tuple[str, ...]]:
        """What is answered and measured beside the tasks, by name: the tasks that all have to come true."""
        return joints(self.tasks, self.score)

    @property
    def judged(self) -> tuple[str, ...]:
        """All that is measured: tasks, what several of them come to together, the score."""
        return (*self.task_names, *self.joints)

    def judged_of(self, experiment: str) -> tuple[str, ...]:
        """What of it an experiment's model answers."""
        learnt = [task.name for task in self.tasks_of(experiment)]
        needs = {name: set(self.score) if name == SCORE else set(chain) for name, chain in self.joints.items()}
        return (*learnt, *(name for name, tasks in needs.items() if tasks <= set(learnt)))

    def powers_of(self, experiment: str) -> dict[str, float]:
        """The powers of the score that an experiment's model answers; none where it answers none."""
        return self.score if SCORE in self.judged_of(experiment) else {}

    def score_of(self, experiment: str) -> Score | None:
        """The score whose loss an experiment learns by, if it does."""
        weight = self.experiments[experiment].score_loss
        return Score(self.score, weight) if weight else None

    @property
    def known_measures(self) -> Mapping[str, Measure]:
        """The measures of the job's tests by name."""
        return of_job(self.kind, self.judged)

    def feature_schema(self) -> FeatureSchema:
        """Every feature that is mapped or fed, as the models see them."""
        history = self.history
        features = [f.feature(name, steps=history.length, lead=history.lead) for name, f in self.features.items()]
        slots = {each.group: each.slots for each in reversed(features) if each.kind.is_history}
        declared = [replace(f, size=slots.get(f.group, f.size)) if f.kind is Kind.AGES else f for f in features]
        drawn = drawn_features(self.features, declared, "history.outcome" if history.outcome else None)
        return FeatureSchema((*declared, *drawn), dict(self.spaces))

    def experiment_schema(self, experiment: str) -> FeatureSchema:
        """The features that one experiment's model is fed with."""
        return self.feature_schema().subset(self.inputs(experiment))

    def inputs(self, experiment: str) -> set[str]:
        """The features that one experiment's model is fed with, by name."""
        settings = self.experiments[experiment]
        if settings.members:
            return set().union(*(self.inputs(member) for member in settings.members))
        names = set(settings.only) if settings.only is not None else {n for n, f in self.features.items() if f.input}
        return names - set(settings.without)

    def widths(self, experiment: str) -> dict[str, int]:
        """The embedding width of each id space for one experiment."""
        settings = self.experiments[experiment]
        return {space: settings.dims.get(space, settings.dim) for space in self.spaces}

    def stage_settings(self, stage: str, experiment: str | None = None) -> str:
        """Digest of the settings that a stage reads; changed ones apply from the next untrained day."""
        dump = self.model_dump(mode="json", by_alias=True)
        tables = {
            name: {key: each for key, each in table.items() if key not in ("ready", "required", "keys", "when", "text")}
            for name, table in dump["tables"].items()
        }
        shared: dict[str, Any] = {"job": self.job, "kind": self.kind, "timezone": self.timezone}
        tasks = {"tasks": dump["tasks"]} if self.tasks else {}
        score = {"score": self.score} if self.score else {}
        # Levels are asked in order, which sorted keys do not tell.
        levels = {"levels": list(self.history.outcome)} if self.history.outcome else {}
        values = {"values": dump["values"]} if self.values else {}
        content: dict[str, Any] = {
            "features": dump["features"], "spaces": dump["spaces"], "history": dump["history"],
            # Those of the first two kinds always, as in chains that there are.
            "ranking": dump["ranking"], "impressions": dump["impressions"], self.kind: dump[self.kind],
            **tasks, **levels, **values,
        }  # fmt: skip
        by_stage: dict[str, dict[str, Any]] = {
            "extract": {"columns": {n: [t["source"], t["sources"], sorted(t["columns"])] for n, t in tables.items()}},
            "validate": {"tables": tables},
            "update_id_maps": content,
            "build_features": {**content, "replay": dump["replay"]},
        }
        if stage in by_stage:
            relevant = by_stage[stage]
        elif experiment is not None:
            own = dump["experiments"][experiment]
            # Trained by it alone where its loss is learnt by.
            ranks = score if stage != "train" or "score_loss" in own else {}
            relevant = {"seed": self.seed, "threads": self.threads, "experiment": own, **tasks, **ranks}
        else:
            relevant = {"release": dump["release"], "measures": dump["measures"], **tasks, **score}
        text = json.dumps({**shared, **relevant}, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def recalls(self) -> bool:
        """Whether what is released may recall items by their vectors."""
        return any(experiment.model in TWO_TOWERS for experiment in self.experiments.values())

    def in_training_order(self, experiments: Iterable[str]) -> list[str]:
        """As given, but a blend after the others: its members are trained before it."""
        return sorted(experiments, key=lambda name: bool(self.experiments[name].members))

    def is_dirty(self, day: Day) -> bool:
        return day in self.dirty_days
