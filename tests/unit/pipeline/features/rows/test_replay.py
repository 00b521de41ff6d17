from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.last_year import Replay
from pipeline.days import Day
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import flat
from pipeline.features.rows.homework import homework_rows
from pipeline.features.rows.homework_day import HomeworkDay
from pipeline.features.rows.replay import days_to_replay, replay_rows
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY

PAST = DAY.year_before()


@pytest.mark.parametrize(
    ("day", "settings", "expected"),
    [
        ("2024-02-29", {}, ["2023-02-28"]),
        ("2024-03-04", {}, ["2023-03-04"]),
        ("2024-03-04", {"same_weekday": True}, ["2023-03-06"]),
        ("2024-03-04", {"years": 2}, ["2022-03-04", "2023-03-04"]),
        ("2024-03-04", {"window": "week"}, [f"2023-02-{d}" for d in (27, 28)] + [f"2023-03-0{d}" for d in range(1, 6)]),
    ],
)
def test_days_that_are_replayed(day: str, settings: dict[str, Any], expected: list[str]) -> None:
    found = days_to_replay(Replay.model_validate({"match": ["row.grade"], **settings}), Day.parse(day))
    assert [str(each) for each in found] == expected


def replayed(*homework: tuple[Any, ...], **replay: Any) -> HomeworkDay:
    settings = {"match": ["user.county", "row.grade"], **replay}
    plan = Plan(lessons.config(replay=settings))
    today = homework_rows(plan.request, lessons.tables(), DAY)
    past = lessons.tables(homework=lessons.table("homework", *homework), clicks=lessons.table("clicks"))
    return replay_rows(plan.request, plan.config.replay, today, lessons.tables(), past, PAST)


# Today teachers 501 and 502 of county 70 set chapters 1 and 2 in grade 5.


def test_rows_of_similar_teachers_are_kept_as_positives_under_this_years_chapters() -> None:
    rows = replayed(
        (502, 9002, 5, [20, 30], [201, 301], 1, 7),  # chapter 30 is not set today
        (503, 9003, 5, [20], [201], 1, 7),  # county 71
        (502, 9002, 6, [20], [201], 1, 7),  # another grade
        (502, 9002, 5, [40], [401], 1, 7),  # no chapter of today
    )
    assert rows.day == PAST
    assert flat(rows.items["item.key"]).tolist() == ["21,301|1"]
    assert rows.role("chapters").values.tolist() == [2]
    assert rows.judged is not None
    assert (rows.judged.label.tolist(), rows.judged.others) == ([1], -1)
    assert flat(rows.requests["calendar.weekday"]).tolist() == [PAST.weekday]


def test_without_overlap_every_matching_row_is_kept_with_its_own_chapters() -> None:
    rows = replayed((502, 9002, 5, [40], [401], 1, 7), overlap=False)
    assert rows.role("chapters").values.tolist() == [40]


def test_equal_packages_of_a_group_count_once() -> None:
    rows = replayed(
        (501, 9001, 5, [10], [101], 1, 7), (502, 9002, 5, [10], [101], 1, 7), (502, 9002, 5, [10], [101], 2, 7),
        (502, 9002, 5, [10], [102, 101], 1, 7),
    )  # fmt: skip
    assert flat(rows.items["item.key"]).tolist() == ["11|1", "11|2", "11,12|1"]
    assert flat(rows.events["row.teacher"]).tolist() == [501, 502, 502]


def test_a_missing_value_matches_nothing() -> None:
    # Today's teacher 503 has a county; a row without a grade is like no other.
    plan = Plan(lessons.config())
    today = homework_rows(
        plan.request, lessons.tables(homework=lessons.table("homework", (501, 9001, None, [10], [101], 1, 7))), DAY
    )
    past = lessons.tables(homework=lessons.table("homework", (502, 9002, None, [10], [101], 1, 7)))
    assert replay_rows(plan.request, plan.config.replay, today, lessons.tables(), past, PAST).requests.rows == 0
