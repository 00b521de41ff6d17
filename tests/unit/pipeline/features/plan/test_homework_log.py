"""Requests of those who looked: 501 … 504, of whom 503 and 504 set nothing; 505 sets without looking."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.engine.examples import Settings, examples_of
from pipeline.errors import ConfigError
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import flat
from pipeline.features.rows.homework import homework_rows
from pipeline.features.rows.homework_day import HomeworkDay
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.log_lessons import HOMEWORK, OFFERED, clicks, config
from tests.unit.pipeline.features.school import School, lists
from tests.unit.pipeline.judged import measured


def rows_of(**ranking: Any) -> HomeworkDay:
    tables = lessons.tables(homework=HOMEWORK, clicks=clicks(), offered=OFFERED)
    return homework_rows(Plan(config(**ranking)).request, tables, DAY)


def judged(rows: HomeworkDay) -> dict[tuple[int, str], int]:
    found = rows.judged
    assert found is not None
    pairs = zip(found.request.tolist(), found.key.tolist(), strict=True)
    return dict(zip(pairs, found.label.tolist(), strict=True))


def test_who_looked_and_set_nothing_is_counted_where_requests_are_of_what_was_set() -> None:
    rows = rows_of(requests="rows")
    assert flat(rows.requests["row.teacher"]).tolist() == [501, 502, 505]
    assert rows.counts["requests"] == 3
    # The classes 9003, 9004 and 9099, with four rows of the log.
    assert (rows.counts["looked_and_set_nothing"], rows.counts["log_rows_without_request"]) == (3, 4)
    assert "set_without_looking" not in rows.counts
    # Chapter 20 of 501 is among what was looked at but not among what was set: of chapters its own one.
    assert rows_of(requests="rows", per_chapter=True).counts["looked_and_set_nothing"] == 4


def test_requests_of_the_log_are_of_all_who_looked() -> None:
    rows = rows_of()
    assert flat(rows.requests["row.teacher"]).tolist() == [501, 502, 503, 504, 505]
    assert flat(rows.requests["row.class"]).tolist() == [9001, 9002, 9003, 9004, 9099]
    assert flat(rows.requests["row.grade"]).tolist() == [5, 5, 6, 6, 6]
    assert lists(rows.requests["row.chapter_id"]) == [[1, 2], [1], [1], [2], [30]]
    assert rows.weight.tolist() == [1.5, 1, 1, 1, 1]
    # Nobody is told from the others by a column that is missing.
    assert judged(rows) == {
        (0, "11|1"): 1, (0, "12|1"): 0, (0, "21|1"): 0, (1, "11|1"): 0, (2, "12|1"): 0, (2, "11|1"): 0, (3, "21|1"): 0,
        (4, "301|1"): 0,
    }  # fmt: skip
    counts = {name: rows.counts[name] for name in ("requests", "looked_and_set_nothing", "set_without_looking")}
    assert counts == {"requests": 5, "looked_and_set_nothing": 3, "set_without_looking": 1}
    # What happened is what was set.
    assert flat(rows.events["row.teacher"]).tolist() == [501, 502, 505]
    assert rows.label.tolist() == [1, 1, 1]


def test_one_request_for_each_chapter_that_was_looked_at() -> None:
    rows = rows_of(per_chapter=True)
    chapters = [each[0] for each in lists(rows.requests["row.chapter_id"])]
    asked = list(zip(flat(rows.requests["row.teacher"]).tolist(), chapters, strict=True))
    assert asked == [(501, 1), (501, 2), (502, 1), (503, 1), (504, 2), (505, 30)]
    assert rows.counts["looked_and_set_nothing"] == 4
    assert rows.counts["set_without_looking"] == 1


def test_a_request_without_a_positive_is_trained_and_left_out_of_the_hit_rate() -> None:
    school = School(config())
    changed = {"homework": HOMEWORK, "clicks": clicks(), "offered": OFFERED}
    rows = school.rows(DAY, **changed)
    # The ids of who only looked are known.
    assert {503, 504} <= set(school.maps["teacher"].ids.tolist())
    assert {9003, 9099} <= set(school.maps["class"].ids.tolist())
    built = school.built(rows)
    arrays = built.arrays
    keys = built.keys["item.key"]
    of_503 = slice(int(arrays.offsets[2]), int(arrays.offsets[3]))
    assert {keys[i]: v for i, v in zip(arrays.pair_item[of_503], arrays.label[of_503, 0].tolist(), strict=True)} == {
        "12|1": 0, "11|1": 0, "11,12|2": -1
    }  # fmt: skip
    # Each judged pair is an example of the binary loss: 3 of 501, 1 of 502, 2 of 503, 1 of 504.
    assert np.bincount(examples_of(arrays, Settings(8)).request).tolist() == [3, 1, 2, 1]
    assert examples_of(arrays, Settings(8, negatives=2)).request.tolist() == [0]
    found = measured("ranking", arrays, np.zeros(arrays.pairs, np.float32), built.key_rank, {1: 1.0})
    assert (found.values["requests"], found.values["covered"], found.counts["not_covered"]) == (5, 1, 4)
    assert found.values["hit_3"] == 1.0


def test_a_day_on_which_nobody_looked_has_no_requests() -> None:
    none = clicks().slice(0, 0)
    tables = lessons.tables(homework=HOMEWORK, clicks=none, offered=OFFERED)
    rows = homework_rows(Plan(config()).request, tables, DAY)
    assert (rows.requests.rows, rows.events.rows) == (0, 3)
    assert (rows.counts["looked_and_set_nothing"], rows.counts["set_without_looking"]) == (0, 3)


def test_a_chapter_without_a_base_section_is_not_asked_for() -> None:
    looked = [(503, 9003, "view", [20], [202], 1, 6), (504, 9004, "view", [20], [202, 201], 1, 6)]
    plain = lessons.table("clicks", *(row[:-1] for row in looked))
    log = plain.append_column("grade", pa.array([6, 6], pa.int64()))
    rows = homework_rows(Plan(config()).request, lessons.tables(homework=HOMEWORK, clicks=log, offered=OFFERED), DAY)
    assert flat(rows.requests["row.teacher"]).tolist() == [504]


def test_columns_that_the_log_lacks_are_named() -> None:
    plain = lessons.config().model_dump(by_alias=True)["ranking"]
    with pytest.raises(ConfigError, match=r"features.grade.source: 'grade': .* table 'clicks', which declares no such"):
        Plan(lessons.config(ranking={**plain, "requests": "log"}))


@pytest.mark.parametrize(
    ("grade", "message"),
    [({"type": "str"}, "'grade' is str in the table 'clicks' and int in 'homework'"),
     ({"type": "int", "change": "outcome"}, "is known only after its row")],
)  # fmt: skip
def test_columns_that_are_others_in_the_log_are_refused(grade: dict[str, str], message: str) -> None:
    tables = {**lessons.TABLES, "clicks": {
        **lessons.TABLES["clicks"], "columns": {**lessons.TABLES["clicks"]["columns"], "grade": grade}}}  # fmt: skip
    plain = lessons.config().model_dump(by_alias=True)["ranking"]
    with pytest.raises(ConfigError, match=message):
        Plan(lessons.config(tables=tables, ranking={**plain, "requests": "log"}))


def test_the_log_is_needed_for_its_requests() -> None:
    with pytest.raises(ValueError, match="`requests: log` needs the log"):
        config(labels={"from": "rows"})


def test_requests_of_rows_are_no_other_setting_than_none() -> None:
    plain = lessons.config().model_dump(by_alias=True)["ranking"]
    same = lessons.config(ranking={**plain, "requests": "rows"})
    for stage in ("update_id_maps", "build_features"):
        assert same.stage_settings(stage) == lessons.config().stage_settings(stage) != config().stage_settings(stage)
