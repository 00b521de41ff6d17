"""The items of a release, as far as they were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.days import Day
from pipeline.features.arrays.candidates import Candidates, candidates_of
from pipeline.features.arrays.over_bags import with_bags, with_bags_of_nobody
from pipeline.features.frames.frame import Frame
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.rows.day import DayRows
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.frame_ids import first_ids
from pipeline.serving.known_release import KnownRelease
from pipeline.serving.meta import Meta
from pipeline.serving.raw_look_up import array_of
from pipeline.serving.small_state import Source


class KnownItems(KnownRelease):
    """What impressions share."""

    def __init__(self, meta: Meta) -> None:
        super().__init__(meta)
        self._rows: dict[Any, Sequence[Any] | None] = {}
        self._candidates: Frame | None = None
        self._made: tuple[Day, Candidates] | None = None

    def candidates(self, source: Source) -> Frame:
        """The release's own candidates."""
        if self._candidates is None:
            keys = source.fetch({"candidates": ["all"]})["candidates"].get("all", [])
            self._candidates = self.items(source, keys)
        return self._candidates

    def made(self, rows: DayRows) -> Candidates:
        """The candidates of ``rows``: if they are the release's own, those of the request before."""
        if rows.items is self._candidates and self._made is not None and self._made[0] == rows.day:
            return self._made[1]
        items = self.arrays.items(rows, self.look, None)
        made = candidates_of(self.arrays, items, self.look, self.shared, rows.day)
        for more in (with_bags, with_bags_of_nobody):
            made = more(self.meta.plan, made, self.shared, rows.day)
        if rows.items is self._candidates:
            self._made = rows.day, made
        return made

    def items(self, source: Source, keys: Sequence[Any]) -> Frame:
        """The columns of items; those of which there is none are missing."""
        new = [key for key in keys if key not in self._rows]
        if new:
            found = source.fetch({"items": [field_of(key) for key in new]})["items"]
            self._rows.update({key: found.get(field_of(key)) for key in new})
        frame = self._frame(keys)
        features = self.meta.plan.features
        self.counters.learn(source, {
            part.part: first_ids(self.meta.plan, features[part.key[0]], frame) for part in self.counters.of_items
        })  # fmt: skip
        self.bags.learn(source, {
            key: first_ids(self.meta.plan, features[key[0]], frame) for key in self.bags.of_items
        })  # fmt: skip
        return frame

    def _frame(self, keys: Sequence[Any]) -> Frame:
        kind: Any = self.meta.plan.request
        plan: ImpressionPlan = kind
        columns = self.meta.frame("items", [self._rows[key] for key in keys])
        columns[f"item.{plan.settings.item}"] = array_of(keys, self.meta.plan.space_kind(plan.item_space))
        return Frame(len(keys), columns)
