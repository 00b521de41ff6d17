"""A request of a job of impressions: which of some items the user would take."""

from __future__ import annotations

import numpy as np

from pipeline.features.plan.impressions import ImpressionPlan
from pipeline.features.rows.day import DayRows
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.known_items import KnownItems
from pipeline.serving.request import canonical
from pipeline.serving.situation import Posed, Situation


class ImpressionRequest(Situation):
    """Every candidate as if it were shown to the user, all in one request."""

    kind: ImpressionPlan
    known: KnownItems

    def posed(self) -> Posed | None:
        settings = self.kind.settings
        name = field_of(*self.ids)
        history = self.source.fetch({"histories": [name]})["histories"].get(name)
        if self.request.items is None:
            items = self.known.candidates(self.source)
        else:
            kind = self.plan.space_kind(self.kind.item_space)
            keys = canonical(settings.item, list(self.request.items), kind).tolist()
            items = self.known.items(self.source, keys)
        if not items.rows:
            self.note = f"no item was shown in the last {settings.candidate_days} days"
            return None
        asked = [c for f in self.plan.of_frame("row") for _, c in f.columns]
        names = dict.fromkeys([settings.user, *asked, *([self.kind.time] if self.kind.time is not None else [])])
        columns = {f"row.{each}": self.owner[each] if each in self.owner else self.given(each) for each in names}
        frame = self.frame(columns, settings.user)
        shown = DayRows(
            day=self.day, events=frame, label=np.zeros(items.rows, np.int8), items=items,
            event_item=np.arange(items.rows), requests=frame, weight=np.ones(1, np.float32),
        )  # fmt: skip
        return Posed(shown, history, self.known.made(shown))
