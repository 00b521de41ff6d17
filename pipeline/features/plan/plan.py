"""A job's features made ready for building: where each comes from, which id space each column is mapped in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from models.schema import FeatureSchema, Side
from pipeline.config.bags import BagCounter, Collaborative, OverBag
from pipeline.config.bins import Bins
from pipeline.config.features import Counter
from pipeline.config.job import JobConfig
from pipeline.config.requests import Kind
from pipeline.features.plan.declared import Declared, PlannedFeature, columns_of
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.plan.labelled import LabelledPlan
from pipeline.features.plan.request import RequestPlan
from pipeline.job import JobContext

REQUESTS: Mapping[Kind, type[RequestPlan]] = {
    "ranking": HomeworkPlan, "impressions": ImpressionPlan, "rows": LabelledPlan,
}  # fmt: skip


class Plan:
    """Everything about a job's features that does not change from day to day; raises ``ConfigError``.

    Attributes:
        request: what the job's kind of request makes of them.
    """

    def __init__(self, config: JobConfig) -> None:
        self.config = config
        self.schema: FeatureSchema = config.feature_schema()
        kind = REQUESTS[config.kind]
        self.features = Declared({
            name: PlannedFeature(name, settings, self.schema[name], columns_of(name, settings, kind.sides, kind.bare))
            for name, settings in config.features.items()
        })  # fmt: skip
        self.request = kind(config, self.schema, self.features)

    @classmethod
    def of(cls, context: JobContext) -> Plan:
        """The job's features, made ready once a process."""
        return context.kept(cls, lambda: cls(context.config))

    def of_frame(self, *frames: str) -> tuple[PlannedFeature, ...]:
        return self.features.of_frame(*frames)

    def counters(self, side: Side | None = None) -> dict[str, Counter]:
        return {
            f.name: f.settings.counter
            for f in self.features.values()
            if f.settings.counter is not None and (side is None or f.feature.side is side)
        }

    @cached_property
    def bag_counters(self) -> dict[str, BagCounter]:
        return {f.name: f.settings.bag_counter for f in self.features.values() if f.settings.bag_counter is not None}

    @cached_property
    def collaborative(self) -> dict[str, Collaborative]:
        found = {f.name: f.settings.collaborative for f in self.features.values()}
        return {name: each for name, each in found.items() if each is not None}

    @cached_property
    def collaborative_settings(self) -> tuple[Collaborative, ...]:
        """Each once, in declared order."""
        return tuple({each.name: each for each in self.collaborative.values()}.values())

    @property
    def over_bags(self) -> Iterator[OverBag]:
        """Settings of everything that is counted over bags."""
        yield from self.bag_counters.values()
        yield from self.collaborative_settings

    @cached_property
    def bag_features(self) -> tuple[str, ...]:
        """Features whose bags are counted, in declared order."""
        used = {each.bag for each in self.over_bags}
        return tuple(name for name in self.features if name in used)

    @cached_property
    def bins(self) -> dict[str, Bins]:
        """By feature that is a bin of a number, its rule."""
        return {f.name: f.settings.bins for f in self.features.values() if f.settings.bins is not None}

    @cached_property
    def counted(self) -> tuple[str, ...]:
        """What counters sum beside events (``Counter.counted``), in declared order."""
        return tuple(dict.fromkeys(each.counted for each in self.counters().values() if each.counted is not None))

    @cached_property
    def key_features(self) -> tuple[str, ...]:
        """Features that are part of a counter's key, in declared order."""
        used = {key for counter in self.counters().values() for key in counter.key}
        used |= {key for each in self.over_bags for key in (each.owner, each.context) if key is not None}
        return tuple(name for name in self.features if name in used)

    def space_kind(self, space: str) -> str:
        """``int`` or ``str``; spaces that no feature declares are ours and hold text."""
        return self.config.spaces.get(space, "str")

    @cached_property
    def spaces(self) -> dict[str, str]:
        """Every id space that is mapped, and its kind: those that features use, then ours."""
        used = dict.fromkeys(f.feature.space for f in self.features.values() if f.feature.space is not None)
        used.update(dict.fromkeys(self.request.own_spaces))
        return {space: self.space_kind(space) for space in used}
