"""Last year's windows: which request gets those of which class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.features.arrays import last_year_windows
from pipeline.features.arrays.last_year_windows import last_year_of
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING, PADDING, key_of
from pipeline.features.state.events import HistoryRows
from pipeline.job import JobContext
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import School

P = PADDING


class Store:
    """The rows of some days."""

    def __init__(self, days: Mapping[Day, HistoryRows]) -> None:
        self.days, self.asked = days, []  # type: ignore[var-annotated]

    def history_rows(self, day: Day) -> HistoryRows | None:
        self.asked.append(day)
        return self.days.get(day)


def rows_of(*rows: tuple[int, int, int, int, list[int]]) -> HistoryRows:
    """Rows of (teacher, class, county, grade, sections)."""
    teacher, class_, county, grade, sections = zip(*rows, strict=True)
    return HistoryRows(
        (np.array(teacher), np.array(class_)), {"sections": Lists.of(list(sections), np.int64)},
        key_of(np.array(county), np.array(grade)), key_of(np.array(class_)),
    )  # fmt: skip


HOMEWORK = lessons.table(
    "homework", (501, 9001, 5, [10], [101], 1, 7), (502, 9002, None, [10], [101], 1, 7),
    (503, 9003, 6, [20], [201], 1, 7), (504, 9004, 5, [10], [101], 1, 7),
)  # fmt: skip
TEACHERS = lessons.table("teachers", *((501 + at, county, None, 0, None) for at, county in enumerate((70, 70, 71, 70))))
DAYS = {
    Day.of(2023, 3, 1): rows_of((1, 1, 70, 5, [11]), (2, 2, 70, 5, [12]), (3, 3, 70, 5, [12, 13]), (4, 4, 71, 6, [21]),
                             (5, 5, 70, MISSING, [12])),
    Day.of(2023, 3, 3): rows_of((1, 1, 71, 6, [22]), (9, 9003, 70, 6, [14])),
}  # fmt: skip


def found(folder: Path, monkeypatch: pytest.MonkeyPatch, school: School) -> tuple[dict[str, Any], list[Day]]:
    """The windows of the four requests, and the days that were read for them."""
    store = Store(DAYS)
    monkeypatch.setattr(last_year_windows, "states_of", lambda context: store)
    rows = school.rows(DAY, homework=HOMEWORK, teachers=TEACHERS)
    context = JobContext(school.config, folder)
    windows = last_year_of(context, school.plan, school.plan.request, rows, school.maps)
    return {part: each.tolist() for part, each in windows.items()}, store.asked


def test_each_request_gets_the_dates_of_the_year_before_of_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, school: School
) -> None:
    windows, asked = found(tmp_path, monkeypatch, school)
    # The window before 4 March is of the 1st to 3rd; two sections a day are kept, 12 is set by two classes. The
    # grade of the second request is not known, so that it has no group.
    group = [[12, 11], [P, P], [P, P]]
    assert windows == {"sections": [group, [[P, P]] * 3, [[21, P], [P, P], [22, P]], group]}
    assert asked == [Day.of(2023, 3, 1), Day.of(2023, 3, 2), Day.of(2023, 3, 3)]


def test_what_the_class_itself_was_set_may_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = lessons.config().model_dump(by_alias=True, mode="json")["history"]
    own = {**declared["last_year"], "own_class_first": True, "own_match": ["row.class"]}
    windows, _ = found(tmp_path, monkeypatch, School(lessons.config(history={**declared, "last_year": own})))
    assert windows["sections"][0] == [[12, 11], [P, P], [P, P]]
    assert windows["sections"][2] == [[P, P], [P, P], [14, P]]  # another teacher's, in another county


def test_without_a_feature_of_last_year_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = lessons.config().model_dump(mode="json")["features"]
    features.pop("last_sections")
    features["set_sections"].pop("stand_in")
    assert found(tmp_path, monkeypatch, School(lessons.config(features=features))) == ({}, [])
