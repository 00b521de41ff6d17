"""Damage to the logs, of every kind that real ones had; each kind is counted.

A damaged row is chosen at random and gets one kind of damage. Some kinds must be read all the same (``12.0`` is 12, an
empty optional field is a missing one), the others belong in quarantine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from examples.tally import Tally

Damage = Mapping[str, str]
"""Kind of damage → column that it strikes."""

HOMEWORK: Mapping[str, Damage] = {
    "daily_homework_info": {
        "id as text": "teacher_id",
        "id as float": "class_id",
        "id negative": "teacher_id",
        "id empty": "class_id",
        "list [1, x]": "section_id",
        "list 12,,13": "chapter_id",
        "section equals its chapter, from 9 on": "section_id",
        "section without base": "section_id",
        "exact duplicate": "",
    },
    "homework_click_log": {
        "id as text": "class_id",
        "id as float": "teacher_id",
        "id negative": "style",
        "id empty": "teacher_id",
        "list [1, x]": "chapter_id",
        "tag unknown": "tag",
        "time of another day": "log_time",
        "exact duplicate": "",
    },
    "homework_offered": {
        "id as text": "style",
        "id as float": "class_id",
        "list 12,,13": "section_id",
        "count not a number": "cnt",
        "count negative": "cnt",
        "exact duplicate": "",
    },
}
ADS: Mapping[str, Damage] = {
    "midas_online_context": {
        "id as text": "user_id",
        "id as float": "ad_id",
        "id negative": "ad_id",
        "id empty": "user_id",
        "label 2": "is_click",
        "label empty": "is_click",
        "list [1, x]": "rclick_ad",
        "list 12,,13": "rclick_category",
        "row of another day": "log_day",
        "field missing": "week_accuracy",
        "field empty": "location_ad",
        "field of the wrong type": "count_click",
        "exact duplicate": "",
    },
    "midas_online_user": {
        "field missing": "grade_id",
        "field empty": "purchase_power",
        "field of the wrong type": "county_id",
    },
    "midas_online_ad": {
        "field missing": "label_2",
        "field empty": "location_ad",
        "field of the wrong type": "count_click",
    },
}

_WORDS = {
    "id as text": "abc",
    "id empty": "",
    "list [1, x]": "[1, x]",
    "list 12,,13": "12,,13",
    "tag unknown": "hover",
    "count not a number": "many",
    "count negative": "-1",
    "label 2": "2",
    "label empty": "",
    "row of another day": "2019/09/09",
    "field empty": "",
    "field of the wrong type": "unknown",
}
_THREE_DAYS = 3 * 24 * 3600 * 1000


def damage(
    table: str,
    rows: pa.Table,
    kinds: Damage,
    share: float,
    random: np.random.Generator,
    tally: Tally,
    orphans: Sequence[str] = (),
) -> pa.Table:
    """The rows with a share of them damaged, the duplicates at the end; counts each kind under ``table``.

    Args:
        orphans: sections without base, one of which a row of that kind gets.
    """
    hit = np.flatnonzero(random.random(rows.num_rows) < share)
    kind_of = random.integers(0, len(kinds), len(hit))
    twice = np.empty(0, np.int64)
    for number, (kind, column) in enumerate(kinds.items()):
        here = hit[kind_of == number]
        tally.add(table, f"dirty: {kind}", len(here))
        if not len(here):
            continue
        if kind == "exact duplicate":
            twice = here
        elif kind == "section equals its chapter, from 9 on":
            both = [f"9{value % 100_000:05d}" for value in here.tolist()]
            rows = _replace(_replace(rows, "chapter_id", here, both), column, here, both)
        else:
            rows = _replace(rows, column, here, _damaged(kind, rows[column], here, orphans, random))
    return pa.concat_tables([rows, rows.take(pa.array(twice))])


def _damaged(
    kind: str, column: pa.ChunkedArray, here: NDArray[np.int64], orphans: Sequence[str], random: np.random.Generator
) -> list[str | int | None]:
    if kind in _WORDS:
        return [_WORDS[kind]] * len(here)
    old = column.take(pa.array(here)).to_pylist()
    if kind == "id as float":
        return [f"{value}.0" for value in old]
    if kind == "id negative":
        return [f"-{value}" for value in old]
    if kind == "time of another day":
        return [value - _THREE_DAYS for value in old]
    if kind == "section without base":
        return [orphans[place] for place in random.integers(0, len(orphans), len(here)).tolist()]
    if kind == "field missing":
        return [None] * len(here)
    raise ValueError(f"no damage is called '{kind}'")


def _replace(rows: pa.Table, name: str, here: NDArray[np.int64], values: Sequence[str | int | None]) -> pa.Table:
    place = rows.column_names.index(name)
    kind = rows.schema.field(name).type
    every = rows[name].combine_chunks()
    source = np.arange(rows.num_rows)
    source[here] = rows.num_rows + np.arange(len(here))
    return rows.set_column(place, name, pa.concat_arrays([every, pa.array(values, kind)]).take(pa.array(source)))
