"""From a day's validated tables to the requests, labels and events of a job for homework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.schema import MISSING_INT
from pipeline.config.homework import Clicks, Homework
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.frames.frame import Array, Column, Frame, Lists, singles
from pipeline.features.frames.from_arrow import codes, column_of
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.rows.day import Tables, flat
from pipeline.features.rows.homework_day import HomeworkDay, Judged, StudyRows
from pipeline.features.rows.packages import BaseIds, Packages, packages, sorted_distinct
from pipeline.features.rows.profiles import Profiles
from pipeline.features.rows.style_counts import style_count_rows


def homework_rows(plan: HomeworkPlan, tables: Tables, day: Day) -> HomeworkDay:
    """The day's requests: one per owner, day and chapter, or one per owner and day (``ranking.per_chapter``).

    Of those who set something, or of those who looked (``ranking.requests``); events are what was set in any case.
    """
    settings = plan.settings
    base = base_ids(settings, tables)
    table = tables(settings.rows)
    taken = packages(table, settings.package, base)
    events = context(plan, tables, day, table, taken)
    rows, request, event = _grouped(plan, day, events, taken)
    counts = {"rows": table.num_rows, "no_base_section": taken.no_base}
    if settings.labels.clicks is None:
        judged = Judged(*_distinct_pairs(request, taken.key[event]), others=0)
    else:
        log_table = tables(settings.labels.clicks.table)
        log = packages(log_table, settings.package.model_copy(update={"reflect": None}), base)
        if settings.log is not None:
            seen = context(plan, tables, day, log_table, log)
            requests = _request_frame(plan, seen, log)[0]
            rows = replace(rows, requests=requests, weight=_weights(plan, requests))
            there = _find_requests(plan, requests, table, taken)[1]
            counts["looked_and_set_nothing"] = requests.rows - len(np.unique(there[there >= 0]))
            counts["set_without_looking"] = _without_request(plan, requests, table, taken)
        else:
            counts["looked_and_set_nothing"] = _without_request(plan, rows.requests, log_table, log)
        judged, counts["log_rows_without_request"] = _clicked(
            plan, settings.labels.clicks, tables, rows.requests, base, log_table, log
        )
    counts["requests"] = rows.requests.rows
    return replace(rows, judged=judged, study=_study(plan, tables, base),
                   style_counts=style_count_rows(plan, tables), counts=counts)  # fmt: skip


def positive_rows(plan: HomeworkPlan, day: Day, events: Frame, taken: Packages) -> HomeworkDay:
    """Requests of homework that was set, all of it positive: what else was shown then is not asked for."""
    settings = plan.settings
    rows, request, event = _grouped(plan, day, events, taken)
    others = 0 if settings.labels.clicks is None else -1
    judged = Judged(*_distinct_pairs(request, taken.key[event]), others=others)
    return replace(rows, judged=judged, counts={"rows": events.rows, "requests": rows.requests.rows})


def base_ids(settings: Homework, tables: Tables) -> BaseIds | None:
    mapping = settings.base_chapters
    return BaseIds.of(tables(mapping.table), mapping) if mapping is not None else None


def _grouped(
    plan: HomeworkPlan, day: Day, events: Frame, taken: Packages
) -> tuple[HomeworkDay, NDArray[np.int64], NDArray[np.int64]]:
    """Rows without labels yet, and the request and event of each (event, request) pair."""
    requests, request, event = _request_frame(plan, events, taken)
    items = Frame(len(taken.key), {
        "item.key": taken.key, "item.chapters": taken.chapters, "item.sections": taken.sections,
        "item.style": taken.style, "item.reflect": taken.reflect,
    })  # fmt: skip
    rows = HomeworkDay(
        day=day, events=events, label=np.ones(events.rows, np.int8), items=items, event_item=np.arange(events.rows),
        requests=requests, judged=Judged.nothing(), weight=_weights(plan, requests),
    )  # fmt: skip
    return rows, request, event


def _request_frame(
    plan: HomeworkPlan, events: Frame, taken: Packages
) -> tuple[Frame, NDArray[np.int64], NDArray[np.int64]]:
    """The requests of some rows, each with the columns of its first one, and request and event of each pair."""
    event, chapters, request = _requests(plan, events, taken)
    first = _first_rows(request)
    columns = {**events.take(event[first]).columns, f"row.{plan.settings.package.chapters}": chapters}
    return Frame(len(first), columns), request, event


def context(plan: HomeworkPlan, tables: Tables, day: Day, table: pa.Table, taken: Packages) -> Frame:
    """The columns of each package's own row, of its user's profile and of the calendar; chapters are base chapters."""
    settings = plan.settings
    columns: dict[str, Column] = {}
    for name in plan.row_columns:
        column = column_of(table, name)
        columns[f"row.{name}"] = column.take(taken.rows) if isinstance(column, Lists) else column[taken.rows]
    columns[f"row.{settings.package.chapters}"] = taken.chapters
    names = plan.user_columns
    if settings.profile is not None and names:
        profiles = Profiles(tables(settings.profile.table), settings.profile.key, names)
        columns |= profiles.join(flat(columns[f"row.{settings.user}"]), "user")
    columns["calendar.weekday"] = np.full(len(taken.rows), day.weekday, np.int64)
    return Frame(len(taken.rows), columns)


def _requests(
    plan: HomeworkPlan, events: Frame, taken: Packages
) -> tuple[NDArray[np.int64], Lists, NDArray[np.int64]]:
    """The event and the request of each (event, request) pair, and each request's chapters.

    Requests are numbered in the order of their first event, and within it of their chapter.
    """
    settings = plan.settings
    owners = codes(*(flat(events[f"row.{column}"]) for column in settings.owner))
    if settings.per_chapter:
        event = np.repeat(np.arange(events.rows), taken.chapters.lengths)
        values = taken.chapters.values
        request = _numbered(codes(owners[event], values)) if len(event) else event
        first = _first_rows(request)
        return event, Lists(np.arange(len(first) + 1, dtype=np.int64), values[first]), request
    event = np.arange(events.rows)
    request = _numbered(owners)
    order = np.argsort(request, kind="stable")
    merged = taken.chapters.take(order)
    starts = np.flatnonzero(np.r_[True, request[order][1:] != request[order][:-1]]) if len(order) else order
    offsets = np.r_[merged.offsets[:-1][starts], merged.offsets[-1]]
    return event, sorted_distinct(Lists(offsets.astype(np.int64), merged.values)), request


def _numbered(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups numbered in the order of their first row."""
    values, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    place = np.empty(len(values), np.int64)
    place[np.argsort(first, kind="stable")] = np.arange(len(values))
    return place[inverse]


def _first_rows(numbered: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(numbered, return_index=True)[1]


def _distinct_pairs(
    request: NDArray[np.int64], key: Array
) -> tuple[NDArray[np.int64], Array, NDArray[np.int8]]:
    if not len(request):
        return request, key, np.zeros(0, np.int8)
    first = _first_rows(_numbered(codes(request, key)))
    return request[first], key[first], np.ones(len(first), np.int8)


def _clicked(
    plan: HomeworkPlan, clicks: Clicks, tables: Tables, requests: Frame, base: BaseIds | None, log_table: pa.Table,
    log: Packages,
) -> tuple[Judged, int]:  # fmt: skip
    """Labels from the click log: 1 where clicked and set at least once, else 0 (seen, or never set)."""
    settings = plan.settings
    plain = settings.package.model_copy(update={"reflect": None})
    offered_table = tables(clicks.offered)
    offered = packages(offered_table, plain, base)
    log_at, log_request = _find_requests(plan, requests, log_table, log)
    offered_at, offered_request = _find_requests(plan, requests, offered_table, offered)
    count = flat(column_of(offered_table, clicks.count))[offered.rows][offered_at]
    really = (count >= 1) & (offered_request >= 0)
    tags = flat(column_of(log_table, clicks.tag))[log.rows][log_at]
    clicked = pc.is_in(pa.array(tags, pa.string()), pa.array(clicks.clicked)).to_numpy(zero_copy_only=False)
    known = log_request >= 0
    keys = np.concatenate([log.key[log_at][known], offered.key[offered_at][really]])
    pair = codes(np.concatenate([log_request[known], offered_request[really]]), keys)
    log_pair, set_pair = pair[: known.sum()], pair[known.sum() :]
    positive = np.isin(log_pair, np.intersect1d(log_pair[clicked[known]], set_pair))
    first = _first_rows(_numbered(log_pair)) if len(log_pair) else np.zeros(0, np.int64)
    judged = Judged(
        log_request[known][first], log.key[log_at][known][first], positive[first].astype(np.int8), others=-1
    )
    return judged, len(np.setdiff1d(np.arange(len(log.rows)), log_at[known]))


def _find_requests(
    plan: HomeworkPlan, requests: Frame, table: pa.Table, found: Packages
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each package of another table (once per chapter where requests are per chapter) its request, or -1."""
    settings = plan.settings
    at, theirs = _asked_by(plan, table, found)
    ours: list[Array] = [flat(requests[f"row.{column}"]) for column in settings.owner]
    if settings.per_chapter:
        chapters = requests[f"row.{settings.package.chapters}"]
        assert isinstance(chapters, Lists)
        ours = [*ours, chapters.values]
    if not requests.rows or not len(at):
        return at, np.full(len(at), -1, np.int64)
    code = codes(*(np.concatenate([mine, other]) for mine, other in zip(ours, theirs, strict=True)))
    known, wanted = code[: requests.rows], code[requests.rows :]
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
    hit = known[order][place] == wanted
    return at, np.where(hit, order[place], -1)


def _asked_by(plan: HomeworkPlan, table: pa.Table, found: Packages) -> tuple[NDArray[np.int64], list[Array]]:
    """The place of each package (once per chapter where requests are per chapter), and what tells its request."""
    settings = plan.settings
    at = np.arange(len(found.rows))
    columns: list[Array] = [flat(column_of(table, column))[found.rows] for column in settings.owner]
    if settings.per_chapter:
        at = np.repeat(at, found.chapters.lengths)
        columns = [*(column[at] for column in columns), found.chapters.values]
    return at, columns


def _without_request(plan: HomeworkPlan, requests: Frame, table: pa.Table, found: Packages) -> int:
    """How many requests the packages of another table would make that are not there."""
    missing = _find_requests(plan, requests, table, found)[1] < 0
    columns = _asked_by(plan, table, found)[1]
    return len(np.unique(codes(*(column[missing] for column in columns)))) if missing.any() else 0


def _weights(plan: HomeworkPlan, requests: Frame) -> NDArray[np.float32]:
    settings = plan.settings.weights
    weight = np.ones(requests.rows, np.float32)
    if settings is None:
        return weight
    column = flat(requests[f"user.{settings.column}"])
    for value, factor in settings.weights.items():
        weight[column == value] = factor
    return weight


def _study(plan: HomeworkPlan, tables: Tables, base: BaseIds | None) -> StudyRows | None:
    settings = plan.settings.study
    if settings is None or plan.study_owner_space is None:
        return None
    table = tables(settings.table)
    owner = flat(column_of(table, settings.owner))
    section = flat(column_of(table, settings.section))
    values = np.zeros((len(owner), len(settings.values)), np.float64)
    for at, name in enumerate(settings.values):
        column = flat(column_of(table, name))
        if column.dtype.kind not in "fi":
            raise DataError(f"ranking.study.values: '{name}' of table '{settings.table}' holds no numbers")
        values[:, at] = np.where(column == MISSING_INT, np.nan, column) if column.dtype.kind == "i" else column
    if base is not None:
        section = base.alone(section)
        kept = section != -1
        owner, section, values = owner[kept], section[kept], values[kept]
    return _mean_study(owner, section, values)


def _mean_study(owner: Array, section: Array, values: NDArray[np.float64]) -> StudyRows:
    """One row an (owner, section): several sections of one base section count by their mean, NaN left out."""
    if not len(owner):
        return StudyRows(owner, section, singles(values))
    group = _numbered(codes(owner, section))
    first = _first_rows(group)
    there = ~np.isnan(values)
    sums, numbers = np.zeros((len(first), values.shape[1])), np.zeros((len(first), values.shape[1]))
    np.add.at(sums, group, np.where(there, values, 0.0))
    np.add.at(numbers, group, there)
    with np.errstate(invalid="ignore"):
        mean = np.where(numbers > 0, sums / np.maximum(numbers, 1), np.nan)
    return StudyRows(owner[first], section[first], singles(mean))


def matched_columns(requests: Frame, match: Sequence[str]) -> list[Array]:
    """The columns that rows must share, one value a row."""
    return [flat(requests[name]) for name in match]
