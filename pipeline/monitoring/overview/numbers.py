"""Series over days: measures of all experiments and groups, sizes of the id maps, rows of the tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from pipeline.days import Day
from pipeline.evaluation.homework import GROUPS
from pipeline.evaluation.records import TestRecord
from pipeline.features.records import MapsRecord
from pipeline.ingest.records import ValidatedRecord
from pipeline.monitoring.overview.index import Index
from pipeline.monitoring.overview.job import Job
from pipeline.storage.artifacts.kinds import TEST

Numbers = list[float | int | None]


def measures(index: Index, job: Job, days: list[Day]) -> dict[str, Any]:
    """``names``, ``primary``, ``values`` by experiment and measure, ``groups`` by group, experiment and measure."""
    tests = {name: index.records(TestRecord, name) for name in _tested(index, job)}
    found = {name for series in tests.values() for each in series.values() for name in each.values}
    names = [each for each in job.measures if each in found] or sorted(found)
    groups = {name for series in tests.values() for each in series.values() for name in each.groups}
    return {
        "names": names,
        "primary": job.primary if job.primary in names else next(iter(names), ""),
        "lower_is_better": job.better("lower"),
        "best_near_1": job.better("near_one"),
        "values": {name: _columns(series, days, names, None) for name, series in tests.items()},
        "groups": [
            {
                "name": GROUPS.get(group, group.replace("_", " ")),
                "values": {name: _columns(series, days, names, group) for name, series in tests.items()},
            }
            for group in [*(each for each in GROUPS if each in groups), *sorted(groups - set(GROUPS))]
        ],
    }


def _tested(index: Index, job: Job) -> list[str]:
    return index.experiments(TEST, index.job, first=job.experiments)


def _columns(
    series: Mapping[Day, TestRecord], days: list[Day], names: list[str], group: str | None
) -> dict[str, Numbers]:
    """By measure, a value a day: of all requests, or of a group of them."""
    found: dict[str, Numbers] = {name: [None] * len(days) for name in names}
    for number, day in enumerate(days):
        test = series.get(day)
        if test is None:
            continue
        values = test.values if group is None else test.groups.get(group, {})
        for name in names:
            found[name][number] = _short(values.get(name))
    return found


def _short(value: float | int | None) -> float | int | None:
    """Five digits: more cannot be seen on a curve, and a year of them is a page that loads slowly."""
    if isinstance(value, float):
        return float(f"{value:.5g}") if value == value and abs(value) != float("inf") else None
    return value


def growth(index: Index, days: list[Day]) -> list[dict[str, Any]]:
    """Sizes of the id maps at the end of each day, and ids that came on the newest mapped one."""
    maps = index.records(MapsRecord)
    spaces = dict.fromkeys(space for each in maps.values() for space in each.sizes)
    newest = maps[max(maps)] if maps else None
    found = []
    for space in spaces:
        sizes = [maps[day].sizes.get(space) if day in maps else None for day in days]
        new = 0
        if newest is not None and space in newest.sizes:
            new = newest.sizes[space] - newest.sizes_before.get(space, 2)
        found.append({"space": space, "sizes": sizes, "new": new})
    return found


def volumes(index: Index, job: Job, days: list[Day]) -> list[dict[str, Any]]:
    """Rows read by table and day, beside the median of the same weekday in the weeks before."""
    validated = index.records(ValidatedRecord)
    tables = dict.fromkeys(name for each in validated.values() for name in each.counts)
    if job.dated is not None:
        tables = {name: None for name in tables if name in job.dated}
    found = []
    for table in tables:
        rows = {day: each.counts[table].read for day, each in validated.items()
                if table in each.counts}  # fmt: skip
        found.append({
            "table": table,
            "rows": [rows.get(day) for day in days],
            "usual": [_usual(rows, day, job.weekdays) for day in days],
            "quarantined": [
                validated[day].counts[table].quarantined if day in rows else None for day in days
            ],
        })  # fmt: skip
    return found


def _usual(rows: Mapping[Day, int], day: Day, weekdays: int) -> float | None:
    before = [rows[each] for week in range(1, 2 * weekdays + 1) if (each := day.plus(-7 * week)) in rows]
    return statistics.median(before[:weekdays]) if before else None
