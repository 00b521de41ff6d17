"""Days of impressions lived one after the other in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.features.arrays.assemble import Built, build
from pipeline.features.arrays.day_events import events_of
from pipeline.features.arrays.day_ids import raw_ids
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.impressions import impression_rows
from pipeline.features.state.events import Events
from pipeline.features.state.state import FeatureState
from tests.unit.pipeline.features import shows

DAY = Day.of(2024, 3, 4)


class Shows:
    """Days of the job one after the other, in memory."""

    def __init__(self, config: JobConfig | None = None) -> None:
        self.config = config or shows.config()
        self.plan = Plan(self.config)
        self.maps = {
            space: IdMap(space, kind, np.zeros(0, np.int64 if kind == "int" else object))
            for space, kind in self.plan.spaces.items()
        }
        self.state = FeatureState.empty(self.config)
        self.events: dict[Day, Events] = {}

    def day(self, day: Day, log: Any = shows.LOG) -> Built:
        """The arrays of a day, after which the state is as of its end."""
        # A validated table has -1 as null.
        ads = shows.ADS.set_column(2, "tag_1", [[5, None, 6]]).set_column(3, "tag_2", [[6, None, None]])
        tables = {"log": log, "users": shows.USERS, "ads": ads}
        rows = impression_rows(self.plan.request, tables.__getitem__, day)
        for space, raw in raw_ids(self.plan, rows).items():
            self.maps[space] = self.maps[space].grown(raw, day)
        built = build(self.plan, rows, self.maps, self.state)
        self.events[day] = events_of(self.plan, rows)
        self.state = self.state.apply(self.events[day])
        return built

    def raw(self, space: str, index: Any) -> list[Any]:
        found: list[Any] = self.maps[space].raw(np.asarray(index)).tolist()
        return found


def values(matrix: Any, places: Any, name: str) -> Any:
    place = places[name]
    return np.asarray(matrix)[:, place.start : place.stop].reshape(len(matrix), *place.shape)
