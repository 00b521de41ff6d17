"""What a release tells of packages, classes and their last year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.state.events import HistoryRows
from pipeline.release.contents import homework
from pipeline.release.contents.homework import CONTEXT_DAYS, candidate_pool, homework_parts
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School
from tests.unit.pipeline.release.in_memory import as_of, read


def day_tables(days: dict[Day, list[tuple[int, int, int]]]) -> Any:
    """The homework of some days, of which teacher, class and grade are told."""

    class Tables:
        @staticmethod
        def on(context: Any, day: Day) -> Any:
            rows = days.get(day)
            if rows is None:
                return None
            return lessons.tables(homework=lessons.table("homework", *((*row, [10], [101], 1, 7) for row in rows)))

    return Tables


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parts and the meta of the end of a day that was lived."""
    monkeypatch.setattr(homework, "DayTables", day_tables({
        DAY: [(501, 9001, 5), (502, 9002, 5)],
        DAY.plus(-3): [(501, 9001, 4), (503, 9003, 6)],
        DAY.plus(1 - CONTEXT_DAYS): [(504, 9004, 7), (503, 9003, 2)],
        DAY.plus(-CONTEXT_DAYS): [(505, 9005, 8)],
    }))  # fmt: skip
    last_year = HistoryRows(
        (np.array([1, 2, 3]), np.array([1, 2, 3])),
        {"sections": Lists.of([[11, 12], [12], [21]], np.int64)}, groups=np.array([777, 777, -5]),
    )  # fmt: skip
    nothing = HistoryRows((np.array([1]), np.array([1])), {"sections": Lists.of([[]], np.int64)}, np.array([888]))
    school, meta = School(), {"frames": {}}  # type: ignore[var-annotated]
    counts = [(501, 9001, 1, 1), (501, 9001, 3, 1), (502, 9002, 1, 1), (502, 9002, 5, 2), (502, 9002, 6, 4)]
    school.lived(DAY, style_counts=lessons.table("style_counts", *counts))
    # 11, 12 and 21 are known; the window before the 5th is of the 2nd to the 4th.
    days = {Day.of(2023, 3, 1): nothing, Day.of(2023, 3, 3): last_year, Day.of(2023, 3, 4): nothing}
    found = homework_parts(as_of(school, DAY, lessons.tables(), days), school.plan.request, meta, {})
    return {part.name: read(part) for part in found}, meta


Released = tuple[dict[str, Any], dict[str, Any]]


def test_candidates_by_chapter_best_first_and_at_most_so_many(released: Released) -> None:
    found, _ = released
    # By rank and then key: 12|1, 21|1, 11|1, 11,12|2, 12|3, of which the last is the fourth of its chapter.
    assert found["candidates"] == {
        "1": {"keys": ["12|1", "11|1", "11,12|2"], "order": [0, 2, 3]}, "2": {"keys": ["21|1"], "order": [1]},
    }  # fmt: skip
    assert sorted(found["packages"]) == ["11,12|2", "11|1", "12|1", "21|1"], "of those that can be answered with"
    assert found["packages"]["11,12|2"] == {"chapters": [1], "sections": [11, 12], "style": [2], "reflect": [8]}
    assert found["packages"]["12|1"]["reflect"] == []


def test_the_newest_row_of_each_owner_within_four_weeks(released: Released) -> None:
    found, meta = released
    assert found["contexts"] == {"[501,9001]": [5], "[502,9002]": [5], "[503,9003]": [6], "[504,9004]": [7]}
    assert [name for name, _ in meta["frames"]["contexts"]] == ["row.grade"]


def test_base_chapters_and_profiles(released: Released) -> None:
    found, meta = released
    assert found["base_chapters"] == {"10": 1, "20": 2}
    assert sorted(found["profiles"]) == ["501", "502", "503"]
    columns = [name for name, _ in meta["frames"]["profiles"]]
    told = dict(zip(columns, found["profiles"]["502"], strict=True))
    assert (told["user.county"], told["user.years"]) == (70, 9.0)


def test_study_values_by_class_and_section(released: Released) -> None:
    day = DAY.ordinal
    assert released[0]["study"] == {
        "9001": {"sections": [11, 12], "day": [day, day], "values": [[1.0, 10.0], [3.0, None]]},
        "9002": {"sections": [21], "day": [day], "values": [[5.0, 50.0]]},
    }  # fmt: skip


def test_style_counts_and_the_styles_that_have_a_column(released: Released) -> None:
    found, meta = released
    day = DAY.ordinal
    assert found["style_counts"] == {
        "[501,9001]": {"days": [day, day], "styles": [1, 3], "counts": [1, 1]},
        "[502,9002]": {"days": [day] * 3, "styles": [1, 5, 6], "counts": [1, 2, 4]},
    }  # fmt: skip
    assert (meta["counted_styles"], meta["styles"]) == ([1, 3, 5], [1, 3, 2])


def test_last_year_as_the_day_after_will_ask_for_it(released: Released) -> None:
    # 12 was set by two classes of the group and comes first; a group without any section is left out.
    assert released[0]["last_year"] == {
        "777": {"sections": [[], [12, 11], []]}, "-5": {"sections": [[], [21], []]},
    }  # fmt: skip


def test_without_a_table_of_candidates_they_are_the_packages_that_were_set() -> None:
    declared = lessons.config().model_dump(by_alias=True, mode="json")["ranking"]
    seen: Any = {**declared, "labels": {"from": "rows"}, "candidates": {"from": "seen", "limit": 3}}
    school = School(lessons.config(ranking=seen))
    school.lived(DAY)
    school.lived(DAY.next(), homework=lessons.table("homework", (501, 9001, 5, [10], [102], 3, None)))
    here = as_of(school, DAY.next(), lessons.tables())
    pool = candidate_pool(here, school.plan.request)
    keys = here.raw("package", pool.keys)
    assert keys[np.argsort(pool.order)].tolist() == ["12|3", "11,12,21|1", "11|1"]
