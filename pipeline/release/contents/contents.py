"""What changes daily, as of the end of a day: candidates, histories, profiles, counters, each a part of the release.

Derived from the feature state, the id maps and the day's validated tables, all in raw ids. Values are compact JSON:

* ``meta``: settings, columns and other small things, one field each; of labelled rows also ``id_maps``, which ids the
  released model knows: of these jobs nothing else is here but the counters, where there are any;
* ``ids.<space>``: raw id → index, of the ids that the released model knows;
* ``counters.<feature>+<feature>``: raw id of the first feature → columns over the other ones and the counted values;
* ``bags.<context>+<bag>``: context → its cell and those of its values; ``own_bags.<owner>+…``: owner → its events;
* ``factors.<settings>``: context → its values and their vectors; ``own_factors.<settings>``: owner → its vector;
* ``histories``: owner → the days and lists of its entries;
* ``profiles``, ``contexts``, ``items``: user, owner, item → its columns (order and kinds in ``meta``);
* ``candidates``: chapter → keys and places of its packages, or ``all`` → items; ``packages``: key → its attributes;
* ``base_chapters``: chapter → base chapter; ``study``: owner → sections and their values;
* ``style_counts``: owner → days, styles and counts of the days that a window reaches;
* ``last_year``, ``last_year_own``: group → windows of last year's histories for the day after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.config.job import JobConfig
from pipeline.config.requests import Kind
from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.plan.counted import features_of
from pipeline.features.state.counters import Cells, CounterTable
from pipeline.features.state.keys import ids_of
from pipeline.features.state.state import TOTALS
from pipeline.job import JobContext
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.bags import bag_parts
from pipeline.release.contents.factors import factor_parts
from pipeline.release.contents.homework import homework_parts
from pipeline.release.contents.impressions import impression_parts
from pipeline.release.contents.keyed_parts import grouped, starts_of
from pipeline.release.contents.labelled import labelled_parts
from pipeline.release.contents.parts import Part, encoded

PARTS: Mapping[Kind, Callable[[AsOf, Any, dict[str, Any], Mapping[str, int]], list[Part]]] = {
    "ranking": homework_parts, "impressions": impression_parts, "rows": labelled_parts,
}  # fmt: skip
"""What else a kind of request needs; each takes the plan of its kind, and how many ids the released model knows."""
ENCODING = 2
"""Raised when the stored form changes: the same contents are then another release. 1 keyed last year by indices."""


def contents(
    context: JobContext, config: JobConfig, day: Day, sizes: Mapping[str, int], kept: Mapping[str, Any] | None = None
) -> list[Part]:
    """Every part of the release of ``day``.

    Args:
        config: the settings in force when the release was built.
        sizes: by id space, how many indices the released model knows.
        kept: the same settings as the release keeps them: of before there were some that the configuration now has.
    """
    here = AsOf(context, config, day)
    meta: dict[str, Any] = {
        "encoding": ENCODING, "config": as_kept(config, kept), "day": str(day), "frames": {},
        "overall": _listed(here.state.overall),
    }  # fmt: skip
    if here.state.totals:
        meta[TOTALS] = {name: _listed(cells) for name, cells in here.state.totals.items()}
    parts = [*_counters(here, meta), *bag_parts(here), *factor_parts(here)]
    parts += PARTS[config.kind](here, here.plan.request, meta, sizes)
    return [*parts, Part("meta", {name: encoded(value) for name, value in meta.items()})]


def as_kept(config: JobConfig, kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings, without those that were not there when the release was built: it is to be the same release."""
    whole: dict[str, Any] = config.model_dump(mode="json", by_alias=True)
    unkept = {name: whole[name] for name in ("state_from", "start") if name in whole}
    return whole if kept is None else _known(whole, {**kept, **unkept})


def _known(value: Any, before: Any) -> Any:
    if isinstance(value, dict) and isinstance(before, Mapping):
        return {name: _known(each, before[name]) for name, each in value.items() if name in before}
    if isinstance(value, list) and isinstance(before, list) and len(value) == len(before):
        return [_known(each, old) for each, old in zip(value, before, strict=True)]
    return value


def _listed(cells: Cells) -> dict[str, Any]:
    return {name: np.asarray(column).tolist() for name, column in cells.columns().items()}


def _counters(here: AsOf, meta: dict[str, Any]) -> Iterable[Part]:
    meta["counters"] = {}
    for group, table in here.state.counters.items():
        name = f"counters.{'+'.join(group)}"
        part, plain_counts = _counter(here, name, features_of(group), table)
        meta["counters"][name] = {"key": list(group), "half_lives": list(table.half_lives), "counts_only": plain_counts}
        yield part


def _counter(here: AsOf, name: str, group: Sequence[str], table: CounterTable) -> tuple[Part, bool]:
    """The cells of one key; where every event is positive, the columns of positive ones are left out."""
    merged = table.table.merged
    ids = ids_of(merged, table.arity)
    order = np.lexsort(ids[::-1])  # by the first id, and in it by the others
    merged, ids = merged.take(order), tuple(each[order] for each in ids)
    raws = [here.raw(here.space_of(feature), codes) for feature, codes in zip(group, ids, strict=True)]
    cells = {column: values for column, values in merged.columns.items() if not isinstance(values, Lists)}
    pairs = (("count", "positive"), ("last_day", "last_positive"), ("decayed", "decayed_positive"))
    counts_only = all(np.array_equal(cells[every], cells[positive]) for every, positive in pairs)
    wanted = [column for pair in pairs for column in (pair[:1] if counts_only else pair)]
    if not table.half_lives:
        wanted = [column for column in wanted if not column.startswith("decayed")]
    columns = {feature: raw.tolist() for feature, raw in zip(group[1:], raws[1:], strict=True)}
    columns |= {column: np.asarray(cells[column]).tolist() for column in wanted}
    starts = starts_of(ids[0])
    return grouped(name, raws[0][starts].tolist(), [*starts.tolist(), len(order)], columns), counts_only
