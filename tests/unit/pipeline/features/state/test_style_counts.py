from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError, DataError
from pipeline.features.arrays.assemble import Built
from pipeline.features.arrays.day_events import events_of
from pipeline.features.plan.plan import Plan
from pipeline.features.state.delta import Delta
from pipeline.features.state.state import FeatureState, StatePlan
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell

NAN = float("nan")


def counts(*rows: tuple[int, int, int, int]) -> Any:
    return lessons.table("style_counts", *rows)


def dense(built: Built, name: str) -> list[Any]:
    found = cell(built.arrays.request_dense, built.arrays.layout.request_dense, name)
    rows: list[Any] = np.asarray(found).tolist()
    return rows


def same(found: list[Any], wanted: list[Any]) -> None:
    np.testing.assert_array_equal(np.array(found), np.array(wanted))


def test_the_newest_earlier_day_and_the_window_of_the_table() -> None:
    school = School()
    # A window of three days; 8 is the first style that the table ever shows, though homework shows 1 and 3 first.
    school.lived(DAY.plus(-4), style_counts=counts((501, 9001, 8, 100)))
    school.lived(DAY.plus(-3), style_counts=counts((501, 9001, 5, 2), (501, 9001, 8, 1)))
    school.lived(DAY.plus(-2), style_counts=counts((501, 9001, 5, 4)))
    school.lived(DAY.plus(-1), style_counts=counts((501, 9999, 5, 9)))  # another class of the teacher
    built = school.built(school.rows(DAY, style_counts=counts((501, 9001, 8, 1000), (502, 9002, 8, 1000))))
    assert school.raw("counted", [2, 3]) == [8, 5]
    # Teacher 501's newest day is two days back; 502 was never set anything.
    same(dense(built, "day_counts"), [[0, 4, 0], [NAN, NAN, NAN]])
    same(dense(built, "window_counts"), [[1, 6, 0], [0, 0, 0]])


def test_a_day_beyond_the_window_is_not_the_newest_day() -> None:
    school = School()
    school.lived(DAY.plus(-4), style_counts=counts((501, 9001, 8, 1)))
    for back in (3, 2, 1):
        school.lived(DAY.plus(-back), style_counts=counts())
    built = school.built(school.rows(DAY))
    same(dense(built, "day_counts"), [[NAN] * 3] * 2)
    same(dense(built, "window_counts"), [[0] * 3] * 2)


def test_styles_without_a_column_are_counted_and_move_no_other() -> None:
    school = School()
    school.lived(DAY.plus(-2), style_counts=counts((501, 9001, 30, 1), (501, 9001, 20, 1), (501, 9001, 10, 1)))
    before = school.built(school.rows(DAY.plus(-1))).counts
    assert (before["day_counts_without_column"], before["window_counts_without_column"]) == (0, 0)
    school.lived(DAY.plus(-1), style_counts=counts((501, 9001, 40, 5), (501, 9001, 30, 2), (502, 9002, 1, 7)))
    built = school.built(school.rows(DAY))
    assert school.raw("counted", [2, 3, 4]) == [30, 20, 10]
    same(dense(built, "day_counts"), [[2, 0, 0], [0, 0, 0]])
    same(dense(built, "window_counts"), [[3, 1, 1], [0, 0, 0]])
    assert built.counts["day_counts_without_column"] == 5 + 7
    assert built.counts["window_counts_without_column"] == 5 + 7


def test_rows_of_zero_say_nothing_and_several_of_a_style_add_up() -> None:
    school = School()
    school.lived(DAY.plus(-2), style_counts=counts((501, 9001, 8, 1), (501, 9001, 5, 2), (501, 9001, 8, 3)))
    school.lived(DAY.plus(-1), style_counts=counts((501, 9001, 8, 0), (501, 9001, 5, 0)))
    built = school.built(school.rows(DAY))
    same(dense(built, "day_counts")[0], [4, 2, 0])


def test_a_wild_count_stays_a_large_one() -> None:
    school = School()
    wild = counts((501, 9001, 8, 2**40), (501, 9001, 8, 2**62), (501, 9001, 5, 3))
    rows = school.rows(DAY.plus(-1), style_counts=wild)
    stored = Delta.from_arrays(DAY.plus(-1), Delta(events_of(school.plan, rows)).arrays())
    school.state = school.state.after(stored)
    same(dense(school.built(school.rows(DAY)), "day_counts")[0], [2.0**31, 3, 0])


def test_the_homework_styles_of_the_window_that_have_no_column_are_counted() -> None:
    school = School()
    styles = [(501, 9001, 5, [10], [101], style, 7) for style in (1, 2, 3, 9, 8)]
    school.lived(DAY.plus(-1), homework=lessons.table("homework", *styles))
    built = school.built(school.rows(DAY))
    # Four values a day are kept; the styles 1, 2, 3 have the three columns.
    assert dense(built, "style_counts")[0] == [1, 1, 1]
    assert built.counts["style_counts_without_column"] == 1


def test_they_are_part_of_the_state_on_every_way_to_a_day() -> None:
    school = School()
    days = [counts((501, 9001, 8, 1), (502, 9002, 5, 2)), counts(), counts((501, 9001, 5, 70_000))]
    rolled = stored = school.state
    for back, rows in zip((3, 2, 1), days, strict=True):
        events = events_of(school.plan, school.rows(DAY.plus(-back), style_counts=rows))
        rolled = rolled.apply(events)
        stored = stored.after(Delta.from_arrays(events.day, Delta(events).arrays()))
        stored = FeatureState.from_arrays(school.config, events.day, stored.arrays())
    first, second = rolled.arrays(), stored.arrays()
    assert "style_counts/keys" in first
    assert first.keys() == second.keys()
    assert all(first[name].tobytes() == second[name].tobytes() for name in first)
    assert rolled.counts_by_id is not None
    (teacher, class_), entries = rolled.counts_by_id.all(DAY.previous())
    assert (teacher.tolist(), class_.tolist()) == ([502, 501], [9002, 9001])
    assert (entries.days - DAY.ordinal).tolist() == [-3, -3, -1]
    assert entries.parts["counts"].values.tolist() == [2, 1, 70_000]


def test_a_job_without_the_table_keeps_its_state_as_it_was() -> None:
    features = lessons.config().model_dump(mode="json")["features"]
    kept = {name: each for name, each in features.items() if name not in ("day_counts", "window_counts")}
    ranking = lessons.config().model_dump(by_alias=True, mode="json")["ranking"]
    without = {name: each for name, each in ranking.items() if name != "style_counts"}
    one, other = lessons.config(features=kept), lessons.config(features=kept, ranking=without)
    assert StatePlan.of(one).digest == StatePlan.of(other).digest != StatePlan.of(lessons.config()).digest
    assert "style_counts" not in other.model_dump(by_alias=True)["ranking"]
    school = School(other)
    events = events_of(school.plan, school.rows(DAY))
    assert not [name for name in Delta(events).arrays() if name.startswith("style_counts")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"table": "nowhere"}, "'nowhere' is not a dated table"),
        ({"table": "teachers"}, "'teachers' is not a dated table"),
        ({"count": "many"}, "'style_counts' declares no column 'many'"),
        ({"table": "study", "style": "section_id", "count": "v1"}, "'study' declares no column 'teacher'"),
        ({"space": "strange"}, "'strange' is not declared under `spaces`"),
    ],
)
def test_what_the_table_must_have_is_said(settings: dict[str, Any], message: str) -> None:
    ranking = lessons.config().model_dump(by_alias=True, mode="json")["ranking"]
    with pytest.raises(ValueError, match=message):
        lessons.config(ranking={**ranking, "style_counts": {**ranking["style_counts"], **settings}})


def test_a_row_counts_one_style() -> None:
    settings = lessons.config().model_dump(by_alias=True, mode="json")
    settings["tables"]["style_counts"]["columns"]["style"] = {"type": "int_list"}
    with pytest.raises(ValueError, match=r"columns\.style is declared as int_list; a row counts one style"):
        lessons.config(tables=settings["tables"])


def test_a_feature_of_it_is_checked() -> None:
    features = lessons.config().model_dump(mode="json")["features"]
    request = {"kind": "dense", "side": "request", "size": 3}
    for source, message in (("style_counts.today", "one of day, window"), ("style_counts", "is not <frame>.<column>")):
        with pytest.raises(ConfigError, match=message):
            Plan(lessons.config(features={**features, "new": {**request, "source": source}}))
    ranking = lessons.config().model_dump(by_alias=True, mode="json")["ranking"]
    with pytest.raises(ConfigError, match=r"the job has no `ranking.style_counts`"):
        Plan(lessons.config(ranking={**ranking, "style_counts": None}))


def test_the_state_of_the_day_itself_is_refused() -> None:
    school = School()
    school.lived(DAY)
    with pytest.raises(DataError, match="only earlier days"):
        school.built(school.rows(DAY))
