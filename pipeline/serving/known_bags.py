"""What requests read of counters over bags: contexts once a release, an owner's own events with each request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.schema import MISSING_INT, MISSING_STR, Side
from pipeline.config.bags import Collaborative
from pipeline.features.arrays.fitted_scores import LAST, VECTOR, Near, Scores, Vectors
from pipeline.features.frames.frame import Column, Frame, Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.state.bags import CONTEXTS, EVENT, VALUES, AllEvents, BagTables, joined
from pipeline.features.state.factor_store import kind_of
from pipeline.features.state.histories import HistoryTable
from pipeline.features.state.neighbours import NEAR, WEIGHT
from pipeline.features.state.state import Group
from pipeline.release.contents.bags import bags_part, own_bags_part
from pipeline.release.contents.factors import VECTORS, factors_part, own_factors_part, vectors_of
from pipeline.release.contents.keyed_parts import field_of
from pipeline.serving.frame_ids import first_ids
from pipeline.serving.meta import Meta
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.shared_counters import owner_column
from pipeline.serving.small_state import Found, Source, keyed, one_row, over


@dataclass(frozen=True)
class Bags:
    """What one request reads of bags.

    Attributes:
        tables: by context feature and bag, what was taken.
        scores: by name of the settings that they are fitted by.
    """

    tables: Mapping[Group, BagTables]
    scores: Mapping[str, Scores]


class KnownBags:
    """The bags of a release.

    Attributes:
        tables: by context feature and bag, what all have taken in the contexts that were asked for so far.
        of_items: those whose context is the candidates'; it is learnt with them.
    """

    def __init__(self, meta: Meta, look: RawIds) -> None:
        self._plan, self._look = meta.plan, look
        self._settings = meta.plan.collaborative_settings
        self._values = {each.name: kind_of(each).none(each).table for each in self._settings}
        self.tables = {key: BagTables.empty(rule) for key, rule in meta.state_plan.bags.items()}
        self.of_items = [key for key in self.tables if meta.plan.features[key[0]].feature.side is Side.ITEM]
        self._known: dict[Group, set[Any]] = {key: {MISSING_INT, MISSING_STR} for key in self.tables}

    def of_owner(self, owner: Mapping[str, str]) -> dict[str, list[str]]:
        """Fields by part that the columns of the owner tell to be wanted, as fields."""
        found = {}
        for key, tables in self.tables.items():
            for name in tables.own:
                column = owner_column(self._plan.features[name], tuple(owner))
                if column is not None:
                    found[own_bags_part(name, key)] = [owner[column]]
        for each in self._settings:
            column = owner_column(self._plan.features[each.owner], tuple(owner))
            if column is not None:
                found[own_factors_part(each)] = [owner[column]]
        return found

    def learn(self, source: Source, contexts: Mapping[Group, Iterable[Any]]) -> None:
        """Read what is known of contexts, by their raw ids, that were not asked for yet."""
        wanted = {key: set(ids) - self._known[key] for key, ids in contexts.items()}
        fields = {key: [field_of(raw) for raw in ids] for key, ids in wanted.items() if ids}
        if not fields:
            return
        fitted = {factors_part(each): fields.get((each.context, each.bag), []) for each in self._settings}
        found = source.fetch({**{bags_part(key): names for key, names in fields.items()}, **fitted})
        for key in fields:
            self._learn(key, found[bags_part(key)])
            self._known[key] |= wanted[key]
        for each in self._settings:
            for row in found[factors_part(each)].values():
                self._learn_values(each, row)

    def asked(self, source: Source, look: RawIds, requests: Frame) -> Bags:
        """What is known of bags as far as a request reads it, whose candidates' contexts are learnt."""
        if not self.tables:
            return Bags({}, {})
        features = self._plan.features
        self.learn(source, {
            key: first_ids(self._plan, features[key[0]], requests) for key in self.tables if key not in self.of_items
        })  # fmt: skip
        owners = {
            (name, key): list(dict.fromkeys(first_ids(self._plan, features[name], requests)))
            for key, tables in self.tables.items() for name in tables.own
        }  # fmt: skip
        own = {own_bags_part(name, key): [field_of(raw) for raw in raws] for (name, key), raws in owners.items()}
        for each in self._settings:
            own[own_factors_part(each)] = [field_of(raw) for raw in owners[each.owner, (each.context, each.bag)]]
        found = source.fetch(own)
        tables = {
            key: replace(tables, own={
                name: self._own(look, name, key, owners[name, key], found[own_bags_part(name, key)], table)
                for name, table in tables.own.items()
            })
            for key, tables in self.tables.items()
        }  # fmt: skip
        return Bags(tables, {
            each.name: self._scores(each, look, found[own_factors_part(each)]) for each in self._settings
        })  # fmt: skip

    def _learn_values(self, settings: Collaborative, row: Found) -> None:
        """Put in what was fitted of one more context's values."""
        columns: dict[str, Column]
        if settings.method == "cosine":
            near = np.full((len(row[NEAR]), settings.neighbours), MISSING, np.int64)
            for place, each in enumerate(row[NEAR]):
                near[place, : len(each)] = self._codes(settings.bag, each, self._look)
            columns = {NEAR: near, WEIGHT: vectors_of(row[WEIGHT], settings.neighbours)}
        else:
            columns = {VECTOR: vectors_of(row[VECTORS], settings.factors)}
        new = keyed((self._codes(settings.bag, row[VALUES], self._look),), columns)
        known = self._values[settings.name]
        self._values[settings.name] = Keyed(known.keys, {n: known.columns[n] for n in columns}).overridden(new)

    def _scores(self, settings: Collaborative, look: RawIds, found: Mapping[str, Any]) -> Scores:
        """By what values score for those who ask."""
        codes = (self._codes(settings.owner, self._raw(settings.owner, found), self._look.own()),)
        values = self._values[settings.name]
        if settings.method != "cosine":
            return Vectors(keyed(codes, {VECTOR: vectors_of(list(found.values()), settings.factors)}), values)
        lists = Lists.of(list(found.values()), object)
        last = Lists(lists.offsets, self._codes(settings.bag, lists.values.tolist(), look))
        return Near(keyed(codes, {LAST: last}), values)

    def _learn(self, key: Group, found: Mapping[str, Found]) -> None:
        """Put in what all have taken in more contexts."""
        tables = self.tables[key]
        context = self._codes(key[0], self._raw(key[0], found), self._look)
        rows = list(found.values())
        every = _cells([row["context"][0] for row in rows], [row["context"][1] for row in rows], tables)
        each = _cells(
            [day for row in rows for day in row["last_day"]], [cell for row in rows for cell in row["decayed"]], tables
        )
        of = np.repeat(context, [len(row[VALUES]) for row in rows])
        values = self._codes(key[1], [value for row in rows for value in row[VALUES]], self._look)
        # In one layer, which every request looks into.
        contexts = replace(tables.all.contexts, table=_with(tables.all.contexts.table, (context,), every))
        held = replace(tables.all.values, table=_with(tables.all.values.table, (of, values), each))
        self.tables[key] = replace(tables, all=AllEvents(contexts, held))

    def _own(
        self, look: RawIds, owner: str, key: Group, raws: list[Any], found: Mapping[str, Found], empty: HistoryTable
    ) -> HistoryTable:
        """The events of those who ask, who are one."""
        found_rows = [found[name] for raw in raws if (name := field_of(raw)) in found]
        if not found_rows:
            return empty
        if len(raws) > 1:
            raise TypeError(f"a request has one '{owner}'")
        (row,) = found_rows
        ends = np.concatenate([[0], np.cumsum([len(each) for each in row[VALUES]])]).astype(np.int64)
        values = self._codes(key[1], (value for each in row[VALUES] for value in each), look)
        events = joined(self._codes(key[0], row[CONTEXTS], look), Lists(ends, values))
        columns: dict[str, Column] = {
            "days": one_row(np.array(row["days"], np.int32)),
            f"{EVENT}.lengths": one_row(events.lengths.astype(np.int32)), f"{EVENT}.values": one_row(events.values),
        }  # fmt: skip
        return replace(empty, table=over(empty.table, keyed((self._codes(owner, raws, look),), columns)))

    def _codes(self, feature: str, raw: Iterable[Any], look: RawIds) -> Any:
        return look.codes(str(self._plan.features[feature].feature.space), raw)

    def _raw(self, feature: str, fields: Iterable[str]) -> list[Any]:
        kind = self._plan.space_kind(str(self._plan.features[feature].feature.space))
        return [int(each) if kind == "int" else each for each in fields]


def _cells(last_day: list[int], decayed: list[list[float]], tables: BagTables) -> dict[str, Column]:
    """The columns of cells of which every event is positive."""
    days, number = np.array(last_day, np.int32), len(last_day)
    weights = np.array(decayed, np.float64).reshape(number, len(tables.rule.half_lives))
    counts = np.ones(number, np.int64)
    return {
        "count": counts, "positive": counts, "last_day": days, "last_positive": days,
        "decayed": weights, "decayed_positive": weights,
    }  # fmt: skip


def _with(table: Layered, codes: tuple[Any, ...], cells: Mapping[str, Column]) -> Layered:
    return Layered.of(table.updated(keyed(codes, cells)).merged)
