"""The report compares the last four weeks, a day at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.evaluation import compare as comparing
from pipeline.evaluation.records import ComparedDay
from pipeline.job import JobContext
from pipeline.monitoring.compared_file import NAME, ComparedFile
from pipeline.monitoring.report.comparison import compared, drawn
from tests.unit.pipeline.evaluation.tested import Days
from tests.unit.pipeline.judged import impressions
from tests.unit.pipeline.release.days import FIRST, context

ROWS, GOOD, BAD = impressions()


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(context(tmp_path / "root"), monkeypatch)


def test_a_report_works_on_its_own_day_alone_and_keeps_the_days_of_others(
    days: Days, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[Day] = []
    work = comparing.compare_day

    def counted(here: JobContext, day: Day, *more: Any) -> ComparedDay:
        worked.append(day)
        return work(here, day, *more)

    monkeypatch.setattr(comparing, "compare_day", counted)
    for place in range(30):
        days.put(FIRST.plus(place), ROWS, {"a": BAD, "b": GOOD})
        compared(days.here, FIRST.plus(place), tmp_path)
    assert worked == list(FIRST.through(FIRST.plus(29)))
    found, kept = compared(days.here, FIRST.plus(29), tmp_path), ComparedFile.read(tmp_path)
    assert len(worked) == 30
    assert found is not None
    assert kept is not None
    assert [each.day for each in found.days] == list(FIRST.plus(2).through(FIRST.plus(29))), "four weeks"
    assert [each.day for each in kept.days] == list(FIRST.through(FIRST.plus(29)))
    assert (kept.first_day, kept.last_day) == (FIRST.plus(2), FIRST.plus(29))
    assert [(row.experiment, row.days, row.difference, row.verdict) for row in kept.rows] == [
        ("b", 28, pytest.approx(0.5), "better")
    ]
    # The report of an earlier day is of its own four weeks, and the file goes on being of the newest.
    earlier = compared(days.here, FIRST.plus(3), tmp_path)
    assert earlier is not None
    assert len(earlier.days) == 4
    assert ComparedFile.read(tmp_path) == kept


def test_what_the_template_shows(days: Days, tmp_path: Path) -> None:
    assert drawn(compared(days.here, FIRST, tmp_path)) is None
    assert not (tmp_path / NAME).exists()
    days.put(FIRST, ROWS, {"a": BAD, "b": GOOD})
    shown = drawn(compared(days.here, FIRST, tmp_path))
    assert shown is not None
    assert (shown["measure"], shown["first"], shown["days"], shown["left_out"]) == ("auc", "a", [FIRST], [])
    assert [each.verdict for each in shown["standings"]] == ["better"]
    assert shown["curve"].count("<circle") == 2


def test_a_damaged_file_is_written_anew(days: Days, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days.put(FIRST, ROWS, {"a": BAD, "b": GOOD})
    (tmp_path / NAME).write_text("{", encoding="utf-8")
    assert compared(days.here, FIRST, tmp_path) is not None
    assert "DAMAGED, left out" in capsys.readouterr().err
    assert ComparedFile.read(tmp_path) is not None


def test_one_experiment_is_compared_with_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = Days(context(tmp_path / "root"), monkeypatch)
    alone = days.here.config.model_copy(update={"experiments": {"a": days.here.config.experiments["a"]}})
    days.here.config = alone
    days.put(FIRST, ROWS, {"a": BAD})
    assert compared(days.here, FIRST, tmp_path) is None
