"""Counters that requests share: read when the first request asks for them, kept as long as their release."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from models.schema import MISSING_INT, MISSING_STR, Kind, Side
from pipeline.features.frames.keyed import Layered
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.state import Group, empty_counters
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.meta import CounterPart, Meta
from pipeline.serving.raw_look_up import RawCodes
from pipeline.serving.small_state import Source, counter_cells


class SharedCounters:
    """The counters of all whose keys do not begin with the owner.

    Attributes:
        own: the other parts, which every request reads for itself, with the column of the owner that they begin with.
        of_items, of_rows: those that are shared, by the side that their keys begin on.
        codes: of raw ids in keys.
        tables: by key, the cells of every first id that was asked for so far.
    """

    def __init__(self, meta: Meta) -> None:
        self._meta, self.codes = meta, RawCodes()
        self.own: list[tuple[CounterPart, str]] = []
        self.of_items: list[CounterPart] = []
        self.of_rows: list[CounterPart] = []
        for part in meta.counters:
            first = meta.plan.features[part.key[0]]
            column = owner_column(first, meta.plan.request.owner_columns)
            if column is not None:
                self.own.append((part, column))
            else:
                (self.of_items if first.feature.side is Side.ITEM else self.of_rows).append(part)
        shared = [*self.of_items, *self.of_rows]
        self.tables: dict[Group, CounterTable] = {
            part.group: empty_counters(part.group, part.half_lives) for part in shared
        }
        self._known: dict[str, set[object]] = {part.part: {MISSING_INT, MISSING_STR} for part in shared}

    def learn(self, source: Source, wanted: Mapping[str, Collection[object]]) -> None:
        """Read the cells of raw first ids by part, those that are not known yet, in one round trip."""
        new = {part: set(ids) - self._known[part] for part, ids in wanted.items()}
        if not any(new.values()):
            return
        found = source.fetch({part: [field_of(raw) for raw in ids] for part, ids in new.items()})
        for part in [*self.of_items, *self.of_rows]:
            if new.get(part.part):
                table, cells = self.tables[part.group], counter_cells(self._meta, part, found[part.part], self.codes)
                # In one layer, which every request looks into, however often some rows are put in.
                self.tables[part.group] = replace(table, table=Layered.of(table.table.updated(cells).merged))
                self._known[part.part] |= new[part.part]


def owner_column(first: PlannedFeature, owner: tuple[str, ...]) -> str | None:
    """The column of the owner that a feature is, as it is."""
    changed = first.settings.buckets is not None or first.settings.part is not None or not first.plain
    if changed or first.feature.kind is not Kind.CATEGORICAL or first.frame != "row" or first.column not in owner:
        return None
    return first.column
