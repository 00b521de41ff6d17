"""The parts of the feature state that one request reads, made of what Redis gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.features.frames.frame import Array, Column, Lists
from pipeline.features.frames.keyed import Keyed, Layered
from pipeline.features.ids.fingerprints import MISSING, Codes, are_known, key_of
from pipeline.features.state.counters import Cells, CounterTable
from pipeline.features.state.events import TIMES
from pipeline.features.state.histories import HistoryTable
from pipeline.features.state.keys import id_columns
from pipeline.serving.meta import CounterPart, Meta
from pipeline.serving.raw_look_up import RawCodes, RawIds

Found = Mapping[str, Any]
"""Columns of one field of a release's part."""


class Source(Protocol):
    """Where the parts of a release are read from."""

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]: ...


@dataclass(frozen=True)
class OwnCounters(CounterTable):
    """The cells of the keys that begin with one id, by what the key is besides: a look-up has less to mix.

    Attributes:
        first: the id's code.
    """

    first: Codes

    def lookup(self, *codes: Codes) -> Cells:
        return self._cells(self._rest(codes))

    def distinct(self, *codes: Codes) -> tuple[Cells, NDArray[np.int64]]:
        """The owner's few cells and an absent one behind them: what is made of cells is made of these alone."""
        none, known = _none(self.half_lives), self.table.base.columns
        cells = {name: np.concatenate([known[name], each]) for name, each in none.columns().items()}
        return Cells(half_lives=self.half_lives, **cells), self.table.base.find(self._rest(codes))

    def _rest(self, codes: tuple[Codes, ...]) -> Codes:
        """The keys by what they are besides the owner, where it is the owner's."""
        return np.where(codes[0] == self.first, key_of(*codes[1:]), MISSING)


@lru_cache(maxsize=64)
def _none(half_lives: tuple[float, ...]) -> Cells:
    """The cells of one absent key."""
    return Cells.absent((1,), half_lives)


def own_counters(
    meta: Meta, part: CounterPart, first: Codes, found: Mapping[str, Found], empty: CounterTable, codes_of: RawCodes
) -> CounterTable:
    """The counters of the keys that begin with the owner's id, if any was found."""
    if not found:
        return empty
    codes, columns = _cells_of(meta, part, found, codes_of)
    if len(codes) == 1:
        return replace(empty, table=over(empty.table, keyed(codes, columns)))
    return OwnCounters(empty.arity, empty.half_lives, over(empty.table, keyed(codes[1:], columns)), first)


def counter_cells(meta: Meta, part: CounterPart, found: Mapping[str, Found], codes_of: RawCodes) -> Keyed:
    """The cells of the keys that begin with one of the raw ids found."""
    return keyed(*_cells_of(meta, part, found, codes_of))


def _cells_of(
    meta: Meta, part: CounterPart, found: Mapping[str, Found], codes_of: RawCodes
) -> tuple[tuple[Codes, ...], dict[str, Column]]:
    """The codes of the keys' ids, and the cells."""
    kinds = [meta.plan.space_kind(str(meta.plan.features[name].feature.space)) for name in part.key]
    rows = list(found.values())
    first = codes_of((int(raw) if kinds[0] == "int" else raw for raw in found), kinds[0])
    codes = [np.repeat(first, [len(row["count"]) for row in rows])]
    for name, kind in zip(part.key[1:], kinds[1:], strict=True):
        codes.append(codes_of(_together(rows, name), kind))
    columns: dict[str, Column] = {}
    for name, template in meta.overall.columns().items():
        source = name
        if part.counts_only:
            source = {"positive": "count", "last_positive": "last_day", "decayed_positive": "decayed"}.get(name, name)
        # Of a counter without half-lives nothing decayed is stored.
        stored = _together(rows, source) if part.half_lives or "decayed" not in name else []
        shape = (len(codes[0]), len(part.half_lives)) if "decayed" in name else (len(codes[0]),)
        dtype = np.float64 if part.sums and name == "positive" else template.dtype
        columns[name] = np.array(stored, dtype).reshape(shape)
    return tuple(codes), columns


def _together(rows: Sequence[Found], name: str) -> list[Any]:
    """The values of all rows; an owner's counters are one row, which is taken as it is."""
    return rows[0][name] if len(rows) == 1 else [value for row in rows for value in row[name]]


def small_history(
    meta: Meta, look: RawIds, owner: tuple[Codes, ...], found: Found | None, empty: HistoryTable
) -> HistoryTable:
    """The owner's entries."""
    if found is None or not found["days"]:
        return empty
    columns: dict[str, Column] = {"days": one_row(np.array(found["days"], np.int32))}
    spaces = meta.plan.request.history_parts
    for part in empty.rule.parts:
        lists = found[part]
        values = [value for each in lists for value in each]
        codes = np.array(values, np.int64) if part == TIMES else look.codes(spaces[part], values)
        columns[f"{part}.lengths"] = one_row(np.array([len(each) for each in lists], np.int32))
        columns[f"{part}.values"] = one_row(codes)
    return replace(empty, table=over(empty.table, keyed(owner, columns)))


def keyed(codes: tuple[Codes, ...], columns: Mapping[str, Column]) -> Keyed:
    """Rows whose ids are all known, ascending by key."""
    table, known = Keyed(key_of(*codes), {**columns, **id_columns(codes)}), are_known(*codes)
    if known.all() and (table.keys[1:] > table.keys[:-1]).all():
        return table
    kept = np.flatnonzero(known)
    return table.take(kept[np.argsort(table.keys[kept], kind="stable")])


def over(empty: Layered, rows: Keyed) -> Layered:
    """A table of these rows, of an empty one's layer."""
    return Layered(rows, empty.layer)


def one_row(values: Array) -> Lists:
    return Lists(np.array([0, len(values)], np.int64), values)
