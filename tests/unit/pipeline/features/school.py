"""Days of the lessons lived one after the other in memory, and what stands in their columns and matrices."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from models.schema import Columns
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.features.arrays.assemble import Built, build
from pipeline.features.arrays.day_events import events_of
from pipeline.features.arrays.day_ids import raw_ids
from pipeline.features.arrays.pool import listed_pool
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import PADDING
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import listed
from pipeline.features.rows.homework import base_ids, homework_rows
from pipeline.features.rows.homework_day import HomeworkDay
from pipeline.features.state.state import FeatureState
from tests.unit.pipeline.features import lessons


class School:
    """Days of the job one after the other, in memory."""

    def __init__(self, config: JobConfig | None = None) -> None:
        self.config = config or lessons.config()
        self.plan = Plan(self.config)
        self.maps: dict[str, IdMap] = {
            space: IdMap(space, kind, np.zeros(0, np.int64 if kind == "int" else object))
            for space, kind in self.plan.spaces.items()
        }
        self.state = FeatureState.empty(self.config)

    def rows(self, day: Day, **changed: Any) -> HomeworkDay:
        """The day's rows, mapped."""
        rows = homework_rows(self.plan.request, lessons.tables(**changed), day)
        settings = self.plan.request.settings
        found = listed(settings, lessons.tables(**changed)("candidates"), base_ids(settings, lessons.tables()))
        for space, raw in raw_ids(self.plan, rows, found).items():
            self.maps[space] = self.maps[space].grown(raw, day)
        return rows

    def lived(self, day: Day, **changed: Any) -> None:
        """The state after a day."""
        self.state = self.state.apply(events_of(self.plan, self.rows(day, **changed)))

    def built(self, rows: HomeworkDay, last_year: Any = None) -> Built:
        settings = self.plan.request.settings
        found = listed(settings, lessons.CANDIDATES, base_ids(settings, lessons.tables()))
        pool = listed_pool(self.plan, self.plan.request, found)
        last_year = last_year or {"sections": np.full((rows.requests.rows, 3, 2), PADDING)}
        return build(self.plan, rows, self.maps, self.state, pool=pool, last_year=last_year)

    def raw(self, space: str, index: Any) -> Any:
        return self.maps[space].raw(np.asarray(index)).tolist()


def cell(matrix: Any, places: Any, name: str) -> Any:
    place: Columns = places[name]
    return np.asarray(matrix)[:, place.start : place.stop].reshape(len(matrix), *place.shape)


def pair(built: Built, name: str) -> list[Any]:
    return np.asarray(cell(built.arrays.pair_dense, built.arrays.layout.pair_dense, name)).squeeze(-1).tolist()


def lists(column: Any) -> list[list[Any]]:
    assert isinstance(column, Lists)
    ends = column.offsets.tolist()
    return [column.values[a:b].tolist() for a, b in pairwise(ends)]
