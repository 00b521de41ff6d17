"""What a release is derived from: the feature state, id maps and tables of a day, as of its end."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.frames.frame import Array
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.ids.idmap import IdMap
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.state.factor_store import factors_for
from pipeline.features.state.in_memory import states_of
from pipeline.features.state.state import FeatureState, StatePlan
from pipeline.features.state.store import StateStore
from pipeline.ingest.day_tables import NextTables
from pipeline.job import JobContext


class AsOf:
    """Everything that a release's contents are derived from, as of the end of a day.

    Attributes:
        tables: the day's, as the next day may know them.
        factors: by name of their settings, the vectors that the next day reads.
    """

    def __init__(self, context: JobContext, config: JobConfig, day: Day) -> None:
        self.context, self.config, self.day = context, config, day
        of_now = config is context.config
        self.plan = Plan.of(context) if of_now else Plan(config)
        same = of_now or StatePlan.of(config) == StatePlan.of(context.config)
        self.states = states_of(context) if same else StateStore(context.store, config)
        self.state: FeatureState = self.states.as_of(day)
        # Maps only grow: what they hold beyond the day is not looked at, as nothing of the day refers to it.
        self.maps: Mapping[str, IdMap] = {
            space: IdMapStore.of(context).read(space, kind) for space, kind in self.plan.spaces.items()
        }
        self.factors = factors_for(context, self.states, self.plan.collaborative_settings, day.next())
        self.tables = NextTables.needed(context, day)

    def raw(self, space: str, codes: Codes) -> Array:
        """Raw ids by their codes."""
        return self.maps[space].raw_of(codes)

    def space_of(self, feature: str) -> str:
        """The id space of a feature; raises ``UsageError`` for one of numbers."""
        space = self.plan.features[feature].feature.space
        if space is None:
            raise UsageError(f"feature '{feature}' holds numbers, so it has no id space")
        return space
