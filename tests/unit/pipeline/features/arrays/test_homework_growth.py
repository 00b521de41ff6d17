"""What a day of homework brings beside the packages that were set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.features.arrays.homework_growth import HomeworkGrowth
from pipeline.features.ids.fingerprints import MISSING, codes_of
from pipeline.features.ids.fingerprints import PADDING as P
from pipeline.features.rows.candidate_table import listed
from pipeline.features.rows.homework import base_ids
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School, cell, lists


def growth(school: School) -> HomeworkGrowth:
    return HomeworkGrowth(school.plan, school.plan.request)


def text(*raw: str) -> list[int]:
    found: list[int] = codes_of(np.array(raw, object)).tolist()
    return found


def test_what_others_were_set_on_the_day_could_have_been_set_instead() -> None:
    """Base sections 11 and 12 of class 9001, 12, 11 and 21 of 9002; styles 1 and 3, and 1."""
    declared = lessons.config().model_dump(mode="json", by_alias=True)["features"]
    declared["set_sections"] |= {"negatives": 20, "group": "set", "stand_in": None}
    declared["set_styles"]["group"] = "set"
    school = School(lessons.config(features=declared))
    rows = school.rows(DAY)
    negatives, _ = growth(school).negatives(rows)
    assert negatives is not None
    sections, styles = (lists(negatives.parts[part]) for part in ("sections", "styles"))
    found = {owner: (set(of), set(beside)) for owner, of, beside in
             zip(negatives.owner[1].tolist(), sections, styles, strict=True)}  # fmt: skip
    # Whoever was set all that there was has none.
    assert found == {9001: ({21}, {P}), 9002: ({P}, {3})}
    school.lived(DAY)
    arrays = school.built(school.rows(DAY.next())).arrays
    steps, beside = (cell(arrays.request_ids, arrays.layout.request_ids, name)
                     for name in ("set_sections", "set_sections.negatives"))  # fmt: skip
    assert beside.shape[1:] == (5, 20)
    assert (steps != 0).any(axis=-1).tolist() == [[False] * 4 + [True]] * 2
    assert set(school.raw("section", beside[0, -1])) == {21}
    assert not beside[:, :-1].any()
    assert not beside[1].any()


def test_study_values_are_by_class_and_base_section(school: School) -> None:
    (owner, section), values = growth(school).latest(school.rows(DAY))
    assert (owner.tolist(), section.tolist()) == ([9001, 9001, 9002], [11, 12, 21])
    assert np.isnan(values[1, 1])
    assert values[[0, 2]].tolist() == [[1, 10], [5, 50]]


def test_a_day_without_a_study_table_adds_none_of_its_values(school: School) -> None:
    (owner, section), values = growth(school).latest(replace(school.rows(DAY), study=None))
    assert (len(owner), len(section), len(values)) == (0, 0, 0)


def test_each_style_of_an_owner_is_a_row_with_its_count(school: School) -> None:
    counts = lessons.table("style_counts", (501, 9001, 3, 4), (501, 9001, 1, 2), (502, 9002, 1, 6))
    found = growth(school).counts_by_id(school.rows(DAY, style_counts=counts))
    assert found is not None
    rows = zip(*(each.tolist() for each in found.owner), lists(found.parts["styles"]), lists(found.parts["counts"]),
               strict=True)  # fmt: skip
    assert sorted(rows) == [(501, 9001, [1], [2]), (501, 9001, [3], [4]), (502, 9002, [1], [6])]
    assert growth(school).counts_by_id(replace(school.rows(DAY), style_counts=None)) is None


def test_packages_are_catalogued_where_no_table_lists_them(school: School) -> None:
    keys, roles = growth(school).catalogue(school.rows(DAY))
    assert (len(keys), roles) == (0, {})
    declared = lessons.config().model_dump(by_alias=True, mode="json")["ranking"]
    seen: Any = {**declared, "labels": {"from": "rows"}, "candidates": {"from": "seen", "limit": 3}}
    school = School(lessons.config(ranking=seen))
    keys, roles = growth(school).catalogue(school.rows(DAY))
    assert keys.tolist() == text("11|1", "12|3", "11,12,21|1")
    assert sorted(roles) == ["chapters", "reflect", "sections", "style"]
    assert lists(roles["chapters"]) == [[1], [1], [1, 2]]
    assert lists(roles["sections"]) == [[11], [12], [11, 12, 21]]


def test_ids_that_no_feature_of_the_events_has_come_after_theirs(school: School) -> None:
    rows = school.rows(DAY, style_counts=lessons.table("style_counts", (555, 9555, 77, 1)))
    settings = school.plan.request.settings
    candidates = lessons.table("candidates", ([20], [201], 6, 9, 1))
    offered = listed(settings, candidates, base_ids(settings, lessons.tables()))
    found = [(space, raw.tolist()) for space, raw in growth(school).more_ids(rows, offered)]
    of_roles = len(school.plan.request.roles)
    assert dict(found[:of_roles])["package"] == ["11|1", "12|3", "11,12,21|1"]
    assert found[of_roles : of_roles + 5] == [
        ("class", [9001, 9001, 9002]), ("section", [11, 12, 21]), ("counted", [77]), ("teacher", [555]),
        ("class", [9555]),
    ]  # fmt: skip
    assert dict(found[of_roles + 5 :]) == {
        "package": ["21|6"], "chapter": [2], "section": [21], "style": [6], "reflect": [9],
    }  # fmt: skip


def test_a_rule_makes_ids_of_listed_packages_too_and_codes_of_what_was_set() -> None:
    school = School(lessons.composed())
    homework = lessons.table("homework", (501, 9001, 5, [10], [101], 40111, 7), (501, 9001, 5, [10], [102], 3, 7))
    rows, grown = school.rows(DAY, homework=homework), growth(school)
    kind = school.plan.features["style_kind"]
    assert grown.item_ids(kind, rows).tolist() == [4]  # 3 is of no kind
    assert sorted(grown.item_codes(kind, rows).tolist()) == [MISSING, 4]
    assert grown.item_codes(school.plan.features["package"], rows).tolist() == text("11|40111", "12|3")
    settings = school.plan.request.settings
    candidates = lessons.table("candidates", ([20], [201], 20100, 9, 1))
    offered = listed(settings, candidates, base_ids(settings, lessons.tables()))
    assert ("style_kind", [2]) in [(space, raw.tolist()) for space, raw in grown.more_ids(rows, offered)]
