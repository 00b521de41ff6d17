"""The parts of a release that only ranking jobs have: packages by chapter, contexts, study values, last year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST
from pipeline.config.features import History
from pipeline.features.arrays.homework_arrays import HomeworkArrays
from pipeline.features.arrays.look_up import Indices
from pipeline.features.arrays.pool import Pool
from pipeline.features.frames.frame import Column, Lists
from pipeline.features.frames.from_arrow import column_of
from pipeline.features.ids.fingerprints import PADDING, Codes
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.rows.candidate_table import listed
from pipeline.features.rows.day import flat
from pipeline.features.rows.homework import base_ids
from pipeline.features.state.in_memory import ranks_of
from pipeline.features.state.keys import ids_of
from pipeline.features.state.last_year import last_year_days, last_year_windows
from pipeline.features.state.style_counts import COUNTS, STYLES
from pipeline.ingest.day_tables import DayTables
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.columns_json import kind_of, plain
from pipeline.release.contents.keyed_parts import (
    distinct,
    field_of,
    grouped,
    grouped_by_owner,
    owners_of,
    starts_of,
    user_profiles,
)
from pipeline.release.contents.known_ids import looked_up
from pipeline.release.contents.parts import Part, encoded

CONTEXT_DAYS = 28
"""How far back an owner's own columns (edition, grade, term) are looked for, at least."""


def homework_parts(
    here: AsOf, request: HomeworkPlan, meta: dict[str, Any], sizes: Mapping[str, int]
) -> list[Part]:
    """Ids, histories, candidates, packages and what else requests of a ranking need."""
    settings = request.settings
    parts = [
        *looked_up(here, sizes), *_candidates(here, request), *_contexts(here, request, meta),
        *_base_chapters(here, request), *_study(here, request), *_last_year(here, request),
    ]  # fmt: skip
    parts += _style_counts(here, request, meta)
    parts += user_profiles(here, settings.profile, request.user_columns, meta)
    counts = request.style_counts()
    if counts is not None:
        # The columns of this feature are the styles that were seen first.
        space = request.history_parts["styles"]
        known = min(FIRST + counts.feature.size, here.maps[space].size_at(here.day))
        meta["styles"] = here.maps[space].raw(np.arange(FIRST, known)).tolist()
    return parts


def candidate_pool(here: AsOf, request: HomeworkPlan) -> Pool:
    """Every package that may be offered the day after."""
    settings = request.settings
    table = settings.candidates.table
    known = listed(settings, here.tables(table), base_ids(settings, here.tables)) if table is not None else None
    return HomeworkArrays(here.plan, request).pool(here.state, known, Indices(here.maps))


def _candidates(here: AsOf, request: HomeworkPlan) -> Iterable[Part]:
    settings = request.settings
    pool = candidate_pool(here, request)
    members = pool.members
    place = np.arange(len(members.values)) - np.repeat(members.offsets[:-1], members.lengths)
    kept = place < settings.candidates.limit
    ends = np.concatenate([[0], np.cumsum(kept)])[members.offsets]
    packages = members.values[kept]
    keys = here.raw(request.item_space, pool.keys)
    chapters = here.raw(request.roles["chapters"], pool.chapters).tolist()
    columns = {"keys": keys[packages].tolist(), "order": pool.order[packages].tolist()}
    yield grouped("candidates", chapters, ends.tolist(), columns)
    used = np.unique(packages)
    attributes = {
        role: plain(Lists(lists.offsets, here.raw(request.roles[role], lists.values)))
        for role, lists in ((role, lists.take(used)) for role, lists in pool.roles.items())
    }
    rows = zip(*attributes.values(), strict=True)
    fields = {
        field_of(key): encoded(dict(zip(attributes, row, strict=True)))
        for key, row in zip(keys[used].tolist(), rows, strict=True)
    }
    yield Part("packages", fields)


def context_days(history: History) -> int:
    """Of how many days up to a release's own the tables are read for it."""
    return max(CONTEXT_DAYS, history.length + history.lead if history.days == "calendar" else 0)


def _contexts(here: AsOf, request: HomeworkPlan, meta: dict[str, Any]) -> Iterable[Part]:
    """The columns of each owner's newest row, of those that are its own and not the day's."""
    settings, history = request.settings, here.config.history
    names = [name for name in request.row_columns if name not in (*settings.owner, settings.user)]
    if not names:
        return
    fields: dict[str, bytes] = {}
    for back in range(context_days(history)):
        tables = DayTables.on(here.context, here.day.plus(-back))
        if tables is None:
            continue
        for table in (settings.rows, settings.log):
            if table is None:
                continue
            rows = tables(table)
            owners = [flat(column_of(rows, name)).tolist() for name in settings.owner]
            columns: dict[str, Column] = {f"row.{name}": column_of(rows, name) for name in names}
            meta["frames"]["contexts"] = [[name, kind_of(values)] for name, values in columns.items()]
            values = zip(*(plain(column) for column in columns.values()), strict=True)
            today = {field_of(*owner): row for owner, row in zip(zip(*owners, strict=True), values, strict=True)}
            fields |= {name: encoded(row) for name, row in today.items() if name not in fields}
    yield Part("contexts", fields)


def _base_chapters(here: AsOf, request: HomeworkPlan) -> Iterable[Part]:
    settings = request.settings
    base = base_ids(settings, here.tables)
    if base is None or settings.base_chapters is None:
        return
    chapters = distinct(flat(column_of(here.tables(settings.base_chapters.table), settings.base_chapters.chapter)))
    lists = base.chapters(Lists(np.arange(len(chapters) + 1, dtype=np.int64), chapters))
    pairs = zip(chapters.tolist(), lists.values.tolist(), strict=True)
    yield Part("base_chapters", {field_of(chapter): encoded(to) for chapter, to in pairs})


def _study(here: AsOf, request: HomeworkPlan) -> Iterable[Part]:
    space = request.study_owner_space
    if space is None:
        return
    merged = here.state.latest.table.merged
    owner, section = ids_of(merged, 2)
    order = np.lexsort((section, owner))
    merged, owner, section = merged.take(order), owner[order], section[order]
    values = merged.columns["values"]
    assert not isinstance(values, Lists)
    width = values.shape[1]
    rows = plain(Lists(np.arange(0, values.size + 1, max(width, 1), dtype=np.int64), values.reshape(-1)))
    days = merged.columns["day"]
    assert not isinstance(days, Lists)
    columns = {
        "sections": here.raw(request.roles["sections"], section).tolist(), "day": days.tolist(), "values": rows,
    }  # fmt: skip
    starts = starts_of(owner)
    yield grouped("study", here.raw(space, owner[starts]).tolist(), [*starts.tolist(), len(owner)], columns)


def _style_counts(here: AsOf, request: HomeworkPlan, meta: dict[str, Any]) -> Iterable[Part]:
    """The counts of each owner's days that the next day's window reaches, and the styles that have a column."""
    space, table = request.counted_space, here.state.counts_by_id
    if space is None or table is None:
        return
    size = max(each.feature.size for each in here.plan.of_frame("style_counts"))
    known = min(FIRST + size, here.maps[space].size_at(here.day))
    meta["counted_styles"] = here.maps[space].raw(np.arange(FIRST, known)).tolist()
    owner, entries = table.all(here.day)
    owners = owners_of(here, owner)
    columns = {
        "days": entries.days.tolist(), STYLES: here.raw(space, entries.parts[STYLES].values).tolist(),
        COUNTS: entries.parts[COUNTS].values.tolist(),
    }  # fmt: skip
    yield grouped_by_owner("style_counts", owners, entries.offsets, columns)


def _last_year(here: AsOf, request: HomeworkPlan) -> Iterable[Part]:
    """Windows for the day after, of every group (and class) that had homework in last year's window."""
    settings = here.config.history.last_year
    names = sorted({f.column for f in here.plan.of_frame("last_year")})
    if settings is None or not names:
        return
    slots = [
        [found for each in days if (found := here.states.history_rows(each)) is not None]
        for days in last_year_days(here.day.next(), here.config.history.length, settings.years)
    ]
    places = {part: ranks_of(here.context, here.maps[request.history_parts[part]]) for part in names}
    wanted: list[tuple[str, Any]] = [("last_year", "groups")]
    if settings.own_class_first:
        wanted.append(("last_year_own", "own"))
    for name, by in wanted:
        keys = [np.zeros(0, np.int64), *(getattr(each, by) for rows in slots for each in rows)]
        groups: NDArray[np.int64] = np.unique(np.concatenate(keys))
        windows = last_year_windows(slots, groups, places, values=settings.values, by=by)
        yield Part(name, _windows(here, request, groups.tolist(), windows))


def _windows(here: AsOf, request: HomeworkPlan, groups: Sequence[int], found: Mapping[str, Codes]) -> dict[str, bytes]:
    columns = {}
    for part, windows in found.items():
        lengths = (windows != PADDING).sum(axis=2)  # values come first, then padding
        raw = here.raw(request.history_parts[part], windows[windows != PADDING])
        days = plain(Lists(np.concatenate([[0], np.cumsum(lengths.ravel())]).astype(np.int64), raw))
        size = windows.shape[1]
        columns[part] = [days[start : start + size] for start in range(0, len(days), size)]
    return {
        str(group): encoded({part: rows[at] for part, rows in columns.items()})
        for at, group in enumerate(groups)
        if any(any(day) for rows in columns.values() for day in rows[at])
    }
