"""Windows of a request's history, and what a rule makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.arrays.request_histories import Histories
from pipeline.features.ids.fingerprints import MISSING, PADDING
from pipeline.features.rows.day import DayRows
from pipeline.serving.raw_look_up import RawIds
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School

P = PADDING


@pytest.fixture
def composed() -> School:
    return School(lessons.composed())


def histories(school: School, rows: DayRows, styles: list[list[list[int]]]) -> Histories:
    last = {"sections": np.full((rows.requests.rows, 3, 2), P), "styles": np.array(styles)}
    return Histories(school.plan, rows, RawIds(school.plan), school.state, last)


def test_what_a_rule_makes_nothing_of_leaves_no_hole(composed: School) -> None:
    styles = [(501, 9001, 5, [10], [101], style, 7) for style in (3, 40111, 20100)]
    composed.lived(DAY.plus(-1), homework=lessons.table("homework", *styles))
    none = [[P, P]] * 3
    values = histories(composed, composed.rows(DAY), [[[3, 30111], [P, P], [20111, P]], none]).values()
    assert sorted(values["set_styles"][0, -1].tolist()) == sorted([3, 20100, 40111, P])
    # 3 is of no kind: what is made of the others comes first, then padding.
    assert sorted(values["set_kinds"][0, -1, :2].tolist()) == [2, 4]
    assert values["set_kinds"][0, -1, 2:].tolist() == [P, P]
    assert (values["set_kinds"][0, :-1] == P).all()
    assert (values["set_kinds"][1] == P).all()
    # Of last year's days none has more than one kind.
    assert values["last_kinds"][0].tolist() == [[3], [P], [2]]


def test_an_id_that_is_not_known_stays_one_that_is_there(composed: School) -> None:
    styles = [[[MISSING, 30111], [P, P], [P, P]], [[P, P]] * 3]
    values = histories(composed, composed.rows(DAY), styles).values()
    assert values["last_kinds"][0, 0].tolist() == [MISSING, 3]


def test_a_history_is_as_wide_as_the_wider_of_it_and_its_stand_in(composed: School) -> None:
    rows = composed.rows(DAY)
    found = histories(composed, rows, [[[P, P]] * 3] * 2)
    values = found.values()
    assert values["set_sections"].shape == (2, 5, 1)
    assert values["last_sections"].shape == (2, 3, 1)
    composed.lived(DAY)
    later = composed.rows(DAY.next())
    values = histories(composed, later, [[[P, P]] * 3] * 2).values()
    # Teacher 502 set three sections: four places, the next power of two.
    assert values["set_sections"][1, -1].tolist() == [11, 12, 21, P]
    assert values["last_sections"].shape == (2, 3, 4)


def test_where_windows_are_not_of_days_nobody_has_empty_ones(composed: School) -> None:
    found = histories(composed, composed.rows(DAY), [[[P, P]] * 3] * 2)
    assert found.empty_days().tolist() == [0, 0]
    assert found.groups(found.empty_days()) == {}
