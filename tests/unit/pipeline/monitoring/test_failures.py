from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.days import Day
from pipeline.errors import DataError, DaySkipped, LockTimeout, UsageError
from pipeline.monitoring.failures import failures, noted

DAY = Day.of(2024, 3, 1)


def fail(root: Path, error: Exception, stage: str = "experiment", experiment: str | None = "din") -> None:
    with pytest.raises(type(error)), noted(root, "ads", DAY, stage, experiment):
        raise error


def test_a_failure_is_noted_and_passes_through(tmp_path: Path) -> None:
    fail(tmp_path, DataError("the loss is not finite"))
    fail(tmp_path, ZeroDivisionError("division by zero"), "validate", None)
    found = failures(tmp_path, "ads")
    assert set(found) == {(DAY, "din"), (DAY, "")}
    assert (found[DAY, "din"].stage, found[DAY, "din"].message) == ("experiment", "the loss is not finite")
    assert found[DAY, ""].message == "ZeroDivisionError: division by zero"
    assert failures(tmp_path, "homework") == {}


def test_success_of_the_same_stage_removes_the_note(tmp_path: Path) -> None:
    fail(tmp_path, DataError("too few rows"), "validate", None)
    with noted(tmp_path, "ads", DAY, "extract"):
        pass
    assert set(failures(tmp_path, "ads")) == {(DAY, "")}
    with noted(tmp_path, "ads", DAY, "validate"):
        pass
    assert failures(tmp_path, "ads") == {}


@pytest.mark.parametrize("error", [DaySkipped("no data"), UsageError("wrong"), LockTimeout("held")])
def test_what_is_no_failure_of_the_day_is_not_noted(tmp_path: Path, error: Exception) -> None:
    fail(tmp_path, error)
    assert failures(tmp_path, "ads") == {}


def test_a_note_that_cannot_be_written_does_not_hide_the_error(tmp_path: Path) -> None:
    (tmp_path / "failures").write_text("no folder", encoding="utf-8")
    fail(tmp_path, DataError("the loss is not finite"))


def test_notes_that_cannot_be_understood_are_left_out(tmp_path: Path) -> None:
    fail(tmp_path, DataError("the loss is not finite"))
    folder = tmp_path / "failures" / "ads"
    (folder / "2024-03-02.json").write_text("{", encoding="utf-8")
    (folder / "yesterday.json").write_text('{"stage": "extract", "message": "m", "at": "t"}', encoding="utf-8")
    assert set(failures(tmp_path, "ads")) == {(DAY, "din")}
