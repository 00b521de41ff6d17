"""A request of a job of impressions: which of some items the user would take."""

from __future__ import annotations

import numpy as np

from pipeline.features.frames.frame import Array, Frame
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.rows.day import DayRows
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.raw_look_up import array_of
from pipeline.serving.request import canonical
from pipeline.serving.situation import Posed, Situation, repeated


class ImpressionRequest(Situation):
    """Every candidate as if it were shown to the user, one impression each."""

    kind: ImpressionPlan

    def posed(self) -> Posed | None:
        settings = self.kind.settings
        name = field_of(*self.ids)
        history = self.source.fetch({"histories": [name]})["histories"].get(name)
        kind = self.plan.space_kind(self.kind.item_space)
        if self.request.items is None:
            keys = self.source.shared({"candidates": ["all"]})["candidates"].get("all", [])
        else:
            keys = canonical(settings.item, list(self.request.items), kind).tolist()
        if not keys:
            self.note = f"no item was shown in the last {settings.candidate_days} days"
            return None
        names = dict.fromkeys([settings.user, *(c for f in self.plan.of_frame("row") for _, c in f.columns)])
        columns = {f"row.{each}": self.owner[each] if each in self.owner else self.given(each) for each in names}
        frame = self.frame(columns, settings.user)
        fields = [field_of(key) for key in keys]
        rows = self.source.shared({"items": fields})["items"]
        items = self.meta.frame("items", [rows.get(each) for each in fields])
        items[f"item.{settings.item}"] = array_of(keys, kind)
        requests = Frame(len(keys), repeated(frame, len(keys)))
        shown = DayRows(
            day=self.day, events=requests, label=np.zeros(len(keys), np.int8), items=Frame(len(keys), items),
            event_item=np.arange(len(keys)), requests=requests, weight=np.ones(len(keys), np.float32),
        )  # fmt: skip
        return Posed(shown, history)

    def item_ids(self, planned: PlannedFeature, rows: DayRows) -> Array:
        return self.frame_ids(planned, rows.items)
