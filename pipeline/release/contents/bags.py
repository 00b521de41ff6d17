"""The parts of a release that counters over bags are read from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.features.frames.frame import Array, Column, Lists
from pipeline.features.state.bags import CONTEXTS, EVENT, VALUES, BagTables, parted
from pipeline.features.state.histories import HistoryTable
from pipeline.features.state.keys import ids_of
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.columns_json import plain
from pipeline.release.contents.keyed_parts import field_of, grouped_by_owner
from pipeline.release.contents.parts import Part, encoded


def bags_part(key: Sequence[str]) -> str:
    """The part of what all have taken, by context."""
    return f"bags.{'+'.join(key)}"


def own_bags_part(owner: str, key: Sequence[str]) -> str:
    """The part of what each owner has taken."""
    return f"own_bags.{'+'.join((owner, *key))}"


def bag_parts(here: AsOf) -> Iterable[Part]:
    """By context and by owner, what is kept of every bag that counters are over."""
    for key, tables in here.state.bags.items():
        yield _of_contexts(here, key, tables)
        for owner, table in tables.own.items():
            yield _of_owners(here, owner, key, table)


def _of_contexts(here: AsOf, key: Sequence[str], tables: BagTables) -> Part:
    """Of each context its own cell, and the values that were taken in it with theirs."""
    context, bag = (here.space_of(name) for name in key)
    every, each = tables.all.contexts.table.merged, tables.all.values.table.merged
    of, values = ids_of(each, 2)
    order = np.lexsort((values, of))
    ends = np.append(np.searchsorted(of[order], every.keys), len(order)).tolist()
    raw = here.raw(bag, values[order]).tolist()
    last_day, decayed = (_flat(each.columns[name])[order].tolist() for name in ("last_day", "decayed"))
    own = zip(*(_flat(every.columns[name]).tolist() for name in ("last_day", "decayed")), strict=True)
    return Part(bags_part(key), {
        field_of(name): encoded({
            "context": list(cell), VALUES: raw[start:end],
            "last_day": last_day[start:end], "decayed": decayed[start:end],
        })
        for name, cell, start, end in zip(here.raw(context, every.keys).tolist(), own, ends, ends[1:], strict=False)
    })  # fmt: skip


def _of_owners(here: AsOf, owner: str, key: Sequence[str], table: HistoryTable) -> Part:
    context, bag = (here.space_of(name) for name in key)
    codes, entries = table.all(here.day)
    contexts, bags = parted(entries.parts[EVENT])
    columns = {
        "days": entries.days.tolist(), CONTEXTS: here.raw(context, contexts).tolist(),
        VALUES: plain(Lists(bags.offsets, here.raw(bag, bags.values))),
    }  # fmt: skip
    return grouped_by_owner(own_bags_part(owner, key), [here.raw(here.space_of(owner), codes[0]).tolist()],
                            entries.offsets, columns)  # fmt: skip


def _flat(column: Column) -> Array:
    if isinstance(column, Lists):
        raise TypeError("cells are one a key")
    return column
