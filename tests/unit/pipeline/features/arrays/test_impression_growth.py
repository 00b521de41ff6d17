"""What a day of impressions brings: what was shown, and what was taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.schema import MISSING_STR
from pipeline.config.job import JobConfig
from pipeline.features.arrays.impression_growth import ImpressionGrowth
from pipeline.features.ids.fingerprints import MISSING, PADDING, codes_of
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


def test_what_could_have_been_taken_instead_comes_with_its_columns() -> None:
    kinds = {10: GAME, 11: int(codes_of(np.array(["book"], object))[0]), 12: PADDING, 99: PADDING}
    growth, rows, _ = grown(shows.with_negatives({"count": 30, "from": "uniform"}))
    negatives, counts = growth.negatives(rows)
    assert negatives is not None
    # A row for each of the history's: user 1 took ad 10, 3 took 12, 2 took 99.
    assert [each.tolist() for each in negatives.owner] == [[1, 3, 2]]
    drawn = lists(negatives.parts["items"])
    assert [set(each) for each in drawn] == [{11, 12, 99}, {10, 11, 99}, {10, 11, 12}]
    assert [len(each) for each in drawn] == [30] * 3
    assert lists(negatives.parts["kind"]) == [[kinds[ad] for ad in each] for each in drawn]
    assert counts == {"steps_without_negatives": 0}


@pytest.mark.parametrize(
    ("source", "sets", "instead"),
    [
        # Was shown to user 1 the ad 11, to 2 the ad 10; user 3 saw nothing that he did not take.
        ("shown", [{11}, {10, 11, 99}, {10}], {"steps_without_shown_negatives": 1}),
        # Taken by others: 12 and 99, 10 and 99, 10 and 12.
        ("popularity", [{12, 99}, {10, 99}, {10, 12}], {}),
    ],
)
def test_what_is_drawn_from_is_of_the_day(source: str, sets: list[set[int]], instead: dict[str, int]) -> None:
    growth, rows, _ = grown(shows.with_negatives({"count": 30, "from": source}))
    negatives, counts = growth.negatives(rows)
    assert negatives is not None
    assert [set(each) for each in lists(negatives.parts["items"])] == sets
    assert counts == {**instead, "steps_without_negatives": 0}


def test_the_order_of_rows_does_not_decide_what_is_drawn() -> None:
    growth, rows, _ = grown(shows.with_negatives())
    negatives, _ = growth.negatives(rows)
    _, turned, _ = grown(shows.with_negatives(), shows.LOG.take([4, 3, 2, 1, 0]))
    again, _ = growth.negatives(turned)
    assert negatives is not None
    assert again is not None
    assert lists(again.parts["items"]) == lists(negatives.parts["items"])[::-1]


def test_nothing_is_drawn_unless_a_history_asks() -> None:
    growth, rows, _ = grown()
    assert growth.negatives(rows) == (None, {})


def test_of_all_that_was_shown_nothing_that_the_user_saw_is_drawn() -> None:
    drawn = shows.with_negatives({"count": 30, "from": "popularity"})
    features = drawn.model_dump(mode="json", by_alias=True)["features"]
    every = shows.config(features=features, history={"days": "active", "length": 3, "lead": 0, "of": "all"})
    growth, rows, _ = grown(every)
    negatives, counts = growth.negatives(rows)
    assert negatives is not None
    # User 1 saw 10 and 11, 2 saw 10 and 99, 3 saw 12: a row a step, in the order of the log.
    assert [each.tolist() for each in negatives.owner] == [[1, 1, 2, 3, 2]]
    assert [set(each) for each in lists(negatives.parts["items"])] == [
        {12, 99}, {12, 99}, {11, 12}, {10, 11, 99}, {11, 12}
    ]  # fmt: skip
    assert counts == {"steps_without_negatives": 0}
