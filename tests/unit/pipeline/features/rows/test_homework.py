from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import flat
from pipeline.features.rows.homework import homework_rows
from pipeline.features.rows.homework_day import HomeworkDay
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import lists


def rows_of(config: Any = None, **changed: Any) -> HomeworkDay:
    return homework_rows(Plan(config or lessons.config()).request, lessons.tables(**changed), DAY)


def per_chapter(**labels: Any) -> Any:
    ranking = lessons.config().model_dump(by_alias=True)["ranking"]
    return lessons.config(ranking={**ranking, "per_chapter": True, **labels})


def test_one_request_an_owner_with_all_of_its_base_chapters() -> None:
    rows = rows_of()
    assert flat(rows.requests["row.teacher"]).tolist() == [501, 502]
    assert lists(rows.requests["row.chapter_id"]) == [[1], [1, 2]]
    assert rows.counts["rows"] == 4
    assert rows.counts["no_base_section"] == 1  # teacher 503 set section 202 alone
    assert rows.counts["requests"] == 2


def test_events_are_the_packages_that_were_set() -> None:
    rows = rows_of()
    assert flat(rows.items["item.key"]).tolist() == ["11|1", "12|3", "11,12,21|1"]
    assert lists(rows.items["item.reflect"]) == [[7], [], [0]]
    assert rows.label.tolist() == [1, 1, 1]
    assert flat(rows.events["calendar.weekday"]).tolist() == [0, 0, 0]


def test_positive_is_clicked_and_really_set_all_else_seen_is_negative() -> None:
    rows = rows_of()
    assert rows.judged is not None
    judged = dict(zip(zip(rows.judged.request.tolist(), rows.judged.key.tolist(), strict=True),
                      rows.judged.label.tolist(), strict=True))  # fmt: skip
    # 11|1 was seen and clicked, and set twice; 12|3 clicked but never set; 12|1 only seen.
    assert judged == {(0, "11|1"): 1, (0, "12|3"): 0, (0, "12|1"): 0}
    assert rows.judged.others == -1
    assert rows.counts["log_rows_without_request"] == 1


def test_taken_packages_are_positive_and_all_others_negative() -> None:
    rows = rows_of(per_chapter(labels={"from": "rows"}))
    assert rows.judged is not None
    # A package of two chapters is asked for in both.
    assert flat(rows.requests["row.teacher"]).tolist() == [501, 502, 502]
    assert lists(rows.requests["row.chapter_id"]) == [[1], [1], [2]]
    assert rows.judged.request.tolist() == [0, 0, 1, 2]
    assert rows.judged.key.tolist() == ["11|1", "12|3", "11,12,21|1", "11,12,21|1"]
    assert rows.judged.others == 0


def test_clicks_find_the_request_of_their_chapter() -> None:
    clicks = lessons.table("clicks", (502, 9002, "click", [20], [201], 1), (502, 9002, "view", [10], [101], 1))
    offered = lessons.table("offered", (502, 9002, [20], [201], 1, 1))
    rows = rows_of(per_chapter(), clicks=clicks, offered=offered)
    assert rows.judged is not None
    pairs = list(zip(rows.judged.request.tolist(), rows.judged.key.tolist(), rows.judged.label.tolist(), strict=True))
    assert pairs == [(2, "21|1", 1), (1, "11|1", 0)]


def test_weight_by_the_profile_and_profiles_that_are_missing() -> None:
    rows = rows_of(teachers=lessons.table("teachers", (501, 70, None, 1, None)))
    assert rows.weight.tolist() == [1.5, 1.0]
    assert np.isnat(flat(rows.requests["user.register_day"])[1])
    assert flat(rows.requests["user.county"])[0] == 70


def test_study_is_by_base_section_with_equal_ones_averaged() -> None:
    base = lessons.table("base", (10, 101, 1, 11), (10, 102, 1, 11), (20, 201, 2, -1))
    study = rows_of(base=base).study
    assert study is not None
    assert study.owner.tolist() == [9001]
    assert study.section.tolist() == [11]
    assert study.values.tolist() == [[2.0, 10.0]]  # (1 + 3) / 2; 10 alone, the other value is missing


def test_a_day_without_rows_gives_no_requests() -> None:
    empty = {name: lessons.table(name) for name in ("homework", "clicks", "offered", "study")}
    rows = rows_of(**empty)
    assert rows.requests.rows == 0
    assert rows.events.rows == 0
    assert rows.judged is not None
    assert len(rows.judged.request) == 0
