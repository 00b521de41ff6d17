"""What each owner did on earlier days: the entries that windows are cut from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.features.frames.frame import Column, Lists
from pipeline.features.frames.keyed import Keyed, Layered, concat_lists, join_lists, without_first
from pipeline.features.ids.fingerprints import Codes, are_known, key_of
from pipeline.features.state.events import HistoryRows
from pipeline.features.state.keys import id_columns, ids_of, in_order, no_ids, updated
from pipeline.features.state.windows import GAP

_DAYS = "days"


@dataclass(frozen=True)
class HistoryRule:
    """What a history keeps.

    Attributes:
        arity: ids in an owner's key.
        parts: names of the lists that an entry holds.
        keep: entries an owner (``active``), or days behind the next day (``calendar``).
        mode: what ``keep`` counts.
        values: distinct ids kept of a day and part where ``merge``.
        merge: one entry per owner and day, the union of its rows; else one entry a row.
    """

    arity: int
    parts: tuple[str, ...]
    keep: int
    mode: Literal["calendar", "active"]
    values: int
    merge: bool


@dataclass(frozen=True)
class Entries:
    """The entries of some owners, each owner's oldest first.

    Attributes:
        offsets: int64 ``[owners + 1]``: owner ``i`` has the entries ``offsets[i]:offsets[i + 1]``.
        days: int32 ``[entries]`` ordinals.
        parts: by name, the lists of the entries.
        rows: int64 ``[requests]`` owner of each request.
    """

    offsets: NDArray[np.int64]
    days: NDArray[np.int32]
    parts: Mapping[str, Lists]
    rows: NDArray[np.int64]


def beside_of(entries: Entries, others: Entries, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each entry in ``positions [requests, slots]`` the one of the same step among others of the same owners.

    Each has an entry for the same steps, up to the newest; the one that was begun later lacks those before.
    """
    end, other_end = (each.offsets[each.rows + 1][:, None] for each in (entries, others))
    beside = other_end - (end - positions)
    return np.where((positions == GAP) | (beside < others.offsets[others.rows][:, None]), GAP, beside)


def check_parts(rule: HistoryRule, rows: HistoryRows, day: Day) -> None:
    """Raises ``ChainError`` if the day was stored without a part that the rule keeps."""
    lacking = [name for name in rule.parts if name not in rows.parts]
    if lacking:
        raise ChainError(
            f"{day}: what was kept of histories on this day has no {', '.join(lacking)}, which the settings ask "
            f"for since; take that back, or build the chain anew in another DAYSPRING_ROOT"
        )


@dataclass(frozen=True)
class HistoryTable:
    """The histories of all owners. Owners with an unknown id have none."""

    rule: HistoryRule
    table: Layered

    @classmethod
    def empty(cls, rule: HistoryRule) -> HistoryTable:
        none = Lists(np.zeros(1, np.int64), np.zeros(0, np.int32))
        columns: dict[str, Column] = {_DAYS: none}
        for part in rule.parts:
            values = Lists(np.zeros(1, np.int64), np.zeros(0, np.int64))
            columns |= {f"{part}.lengths": none, f"{part}.values": values}
        columns |= id_columns(no_ids(rule.arity))
        return cls(rule, Layered.of(Keyed(np.zeros(0, np.int64), columns)))

    def apply(self, rows: HistoryRows, day: Day) -> HistoryTable:
        """The table after a day's rows, which are in canonical order.

        Raises:
            ChainError: the day was stored without one of the parts.
            DataError: two owners cannot be told apart.
        """
        owner, order = in_order(rows.owner)
        if not len(order):
            return self
        check_parts(self.rule, rows, day)
        new = np.concatenate([[True], owner[1:] != owner[:-1]])
        row_of = np.cumsum(new) - 1
        owners = owner[new]
        parts = {name: rows.parts[name].take(order) for name in self.rule.parts}
        if self.rule.merge:
            parts = {name: merged_values(part, row_of, len(owners), self.rule.values) for name, part in parts.items()}
            entries = np.ones(len(owners), np.int64)
        else:
            entries = np.bincount(row_of, minlength=len(owners))
        added = _by_owner(entries, np.full(entries.sum(), day.ordinal, np.int32), parts)
        earlier = self.table.at(owners, added)
        joined = {name: join_lists(_lists(earlier[name]), _lists(column)) for name, column in added.items()}
        ids = id_columns(tuple(each[order[new]] for each in rows.owner))
        trimmed = self._trimmed(Keyed(owners, {**joined, **ids}), day)
        return HistoryTable(self.rule, updated(self.table, trimmed, self.rule.arity))

    def entries(self, owner: tuple[Codes, ...]) -> Entries:
        """The entries of owners, by the codes ``[requests]`` of their ids; none for those without."""
        keys = key_of(*owner)
        if len(keys) == 1:
            return self._entries(self.table.at(keys), np.zeros(1, np.int64))
        distinct, rows = np.unique(keys, return_inverse=True)
        return self._entries(self.table.at(distinct), rows.astype(np.int64))

    def all(self, day: Day) -> tuple[tuple[Codes, ...], Entries]:
        """Every owner that has entries as of the end of ``day``, and the entries: request ``i`` is owner ``i``."""
        table = self.kept(day)
        return ids_of(table, self.rule.arity), self._entries(table.columns, np.arange(len(table)))

    def kept(self, day: Day) -> Keyed:
        """The rows without what no later window can reach, ascending: the same on every way to ``day``."""
        table = self._trimmed(self.table.merged, day) if self.rule.mode == "calendar" else self.table.merged
        there = np.flatnonzero(_lists(table.columns[_DAYS]).lengths)
        return table if len(there) == len(table) else table.take(there)

    def _entries(self, columns: Mapping[str, Column], rows: NDArray[np.int64]) -> Entries:
        days = _lists(columns[_DAYS])
        parts = {}
        for name in self.rule.parts:
            lengths = _lists(columns[f"{name}.lengths"]).values
            parts[name] = Lists(_offsets(lengths), _lists(columns[f"{name}.values"]).values)
        return Entries(days.offsets, days.values, parts, rows)

    def _trimmed(self, table: Keyed, day: Day) -> Keyed:
        """Without the entries that are out of reach for every day after ``day``."""
        days = _lists(table.columns[_DAYS])
        if self.rule.mode == "active":
            gone = np.maximum(days.lengths - self.rule.keep, 0)
        else:
            too_old = np.concatenate([[0], np.cumsum(days.values < day.ordinal + 1 - self.rule.keep)])
            gone = too_old[days.offsets[1:]] - too_old[days.offsets[:-1]]
        if not gone.any():
            return table
        columns: dict[str, Column] = {**table.columns, _DAYS: without_first(days, gone)}
        for name in self.rule.parts:
            lengths = _lists(table.columns[f"{name}.lengths"])
            ends = _offsets(lengths.values)
            dropped = ends[lengths.offsets[:-1] + gone] - ends[lengths.offsets[:-1]]
            columns[f"{name}.lengths"] = without_first(lengths, gone)
            columns[f"{name}.values"] = without_first(_lists(table.columns[f"{name}.values"]), dropped)
        return Keyed(table.keys, columns)


def distinct_values(lists: Lists) -> Lists:
    """Each list's known values, each once, in the order of first appearance."""
    known = are_known(lists.values)
    if not known.all():
        ends = np.concatenate([[0], np.cumsum(known)])
        lists = Lists(ends[lists.offsets], lists.values[known])
    return merged_values(lists, np.arange(len(lists)), len(lists), len(lists.values))


def merged_values(lists: Lists, group: NDArray[np.int64], groups: int, most: int) -> Lists:
    """One list a group: the distinct values of its rows in the order of first appearance, the first ``most`` of them.

    Args:
        group: int64 ``[rows]`` ascending, the group of each row.
    """
    of_value = np.repeat(group, lists.lengths)
    values = lists.values[lists.offsets[0] : lists.offsets[-1]]
    # A stable sort by (group, value) leaves the first appearance of each pair first.
    order = np.lexsort((values, of_value))
    again = (of_value[order][1:] == of_value[order][:-1]) & (values[order][1:] == values[order][:-1])
    if again.any():
        kept = np.sort(order[np.concatenate([[True], ~again])])
        of_value, values = of_value[kept], values[kept]
    lengths = np.bincount(of_value, minlength=groups)
    place = np.arange(len(values)) - np.repeat(_offsets(lengths)[:-1], lengths)
    return Lists(_offsets(np.minimum(lengths, most)), values[place < most])


def _by_owner(entries: NDArray[np.int64], days: NDArray[np.int32], parts: Mapping[str, Lists]) -> dict[str, Column]:
    """Columns with one row an owner, from ``entries`` of each and the lists of all entries in owner order."""
    starts = _offsets(entries)
    columns: dict[str, Column] = {_DAYS: Lists(starts, days)}
    for name, lists in parts.items():
        flat = concat_lists([lists])
        columns[f"{name}.lengths"] = Lists(starts, flat.lengths.astype(np.int32))
        columns[f"{name}.values"] = Lists(flat.offsets[starts], flat.values.astype(np.int64, copy=False))
    return columns


def _offsets(lengths: NDArray[Any]) -> NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _lists(column: Column) -> Lists:
    assert isinstance(column, Lists)
    return column
