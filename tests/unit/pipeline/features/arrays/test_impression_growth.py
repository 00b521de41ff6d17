"""What a day of impressions brings: what was shown, and what was taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from models.schema import MISSING_STR
from pipeline.config.job import JobConfig
from pipeline.features.arrays.impression_growth import ImpressionGrowth
from pipeline.features.ids.fingerprints import MISSING, codes_of
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.rows.impressions import impression_rows
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import lists

ADS = shows.ADS.set_column(2, "tag_1", [[5, None, 6]]).set_column(3, "tag_2", [[6, None, None]])
GAME = int(codes_of(np.array(["game"], object))[0])


def grown(config: JobConfig | None = None, log: pa.Table = shows.LOG) -> tuple[ImpressionGrowth, DayRows, Any]:
    plan = Plan(config or shows.config())
    tables = {"log": log, "users": shows.USERS, "ads": ADS}
    rows = impression_rows(plan.request, tables.__getitem__, DAY)
    return ImpressionGrowth(plan, plan.request), rows, plan.features


def test_what_users_took_becomes_their_history() -> None:
    growth, rows, _ = grown()
    history = growth.history(rows)
    # User 1 took ad 10, 3 took 12, which is of no kind, and 2 took 99, of which nothing is known.
    assert [each.tolist() for each in history.owner] == [[1, 3, 2]]
    assert lists(history.parts["items"]) == [[10], [12], [99]]
    assert lists(history.parts["kind"]) == [[GAME], [], []]


def test_a_part_of_the_row_is_kept_of_what_was_taken_alone() -> None:
    log = shows.LOG.append_column("answered", pa.array([4.0, 50.0, 50.0, 10.0, 0.5]))
    growth, rows, features = grown(shows.with_answers(), log)
    # Below 1, below 10, 10 and more are the buckets 0, 1, 2.
    assert lists(growth.history(rows).parts["row.answered"]) == [[1], [2], [0]]
    assert growth.history_ids(features["answers"], rows).tolist() == [1, 2, 0]


def test_all_that_was_shown_becomes_history_with_what_came_of_it() -> None:
    log = shows.LOG.append_column("answered", pa.array([4.0, 50.0, 50.0, 10.0, None]))
    growth, rows, features = grown(shows.with_levels(), log)
    history = growth.history(rows)
    assert [each.tolist() for each in history.owner] == [[1, 1, 2, 3, 2]]
    assert lists(history.parts["items"]) == [[10], [11], [10], [12], [99]]
    names = dict(zip(codes_of(np.array([*shows.LEVELS], object)).tolist(), shows.LEVELS, strict=True))
    assert [[names[each] for each in row] for row in lists(history.parts["outcome"])] == [
        ["click"], ["skip"], ["again"], ["long"], ["click"]
    ]  # fmt: skip
    # Mapped are the levels as they are declared, whatever came of the day's rows.
    assert growth.history_ids(features["outcomes"], rows).tolist() == ["long", "click", "again", "skip"]
    assert growth.history_ids(features["clicked"], rows).tolist() == [10, 11, 12, 99]


def test_a_row_that_fits_no_level_is_a_step_without_one() -> None:
    levels = {"click": {"click": 1}, "far": {"place": {"above": 7}}}
    growth, rows, _ = grown(shows.with_levels(levels))
    assert [len(each) for each in lists(growth.history(rows).parts["outcome"])] == [1, 0, 1, 1, 1]


def test_every_item_shown_is_catalogued_as_often_as_it_was() -> None:
    growth, rows, _ = grown()
    keys, roles = growth.catalogue(rows)
    assert (keys.tolist(), roles) == ([10, 11, 10, 12, 99], {})


def test_ids_of_items_come_once_an_item() -> None:
    growth, rows, features = grown()
    assert growth.item_ids(features["kind"], rows).tolist() == ["game", "book", MISSING_STR, MISSING_STR]
    assert growth.history_ids(features["clicked"], rows).tolist() == [10, 11, 12, 99]
    # Of a bag the first id counts; without one there is none.
    assert growth.item_codes(features["tags"], rows).tolist() == [5, MISSING, 6, MISSING]
