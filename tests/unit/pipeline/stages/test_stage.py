"""A stage runs what its name stands for, leaves a note where it fails, and knows what to do of a skipped day."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.errors import DataError, DaySkipped
from pipeline.monitoring.failures import failures
from pipeline.stages.stage import CLOSING, EXPERIMENT, SHARED, STAGES, Stage, stage

DAY = Day.of(2024, 3, 1)
OUTCOMES: list[Any] = []


def outcome(where: Any, day: Day, experiment: str, *, reprocess: bool) -> str:
    assert (where.job, day, experiment, reprocess) == ("ads", DAY, "din", True)
    found = OUTCOMES.pop(0)
    if isinstance(found, Exception):
        raise found
    return str(found)


def context(root: Path, skipped: str | None = None) -> Any:
    return SimpleNamespace(root=root, job="ads", skipped=lambda day: skipped)


def test_a_stage_notes_its_failure_and_its_success(tmp_path: Path) -> None:
    job = context(tmp_path)
    OUTCOMES[:] = [DataError("the loss is not finite"), "trained"]
    part = Stage("part", f"{__name__}.outcome")
    with pytest.raises(DataError):
        part.run(job, DAY, "din", reprocess=True)
    assert failures(tmp_path, "ads")[DAY, "din"].stage == "part"
    assert part.run(job, DAY, "din", reprocess=True) == "trained"
    assert failures(tmp_path, "ads") == {}


def test_of_a_skipped_day_a_stage_runs_does_nothing_or_refuses(tmp_path: Path) -> None:
    job = context(tmp_path, "a holiday")
    OUTCOMES[:] = ["looked at again"]
    assert Stage("part", f"{__name__}.outcome", "runs").run(job, DAY, "din", reprocess=True) == "looked at again"
    assert Stage("part", "nowhere.imported").run(job, DAY) is None
    with pytest.raises(DaySkipped, match=f"{DAY} was skipped: a holiday"):
        Stage("part", "nowhere.imported", "refused").run(job, DAY, "din")
    assert failures(tmp_path, "ads") == {}, "a skipped day is no failure"


def test_what_each_stage_does_of_a_skipped_day() -> None:
    assert [name for name in STAGES if stage(name).when_skipped == "runs"] == [
        "extract", "validate", "update_id_maps", "prune", "report",
    ]  # fmt: skip
    assert [name for name in STAGES if stage(name).when_skipped == "refused"] == [EXPERIMENT]


def test_every_stage_is_a_function_of_the_room_that_it_belongs_to() -> None:
    rooms = [stage(name).function.__module__.split(".")[1] for name in STAGES]
    assert rooms == [
        "stages", "ingest", "stages", "stages", "stages", "release", "release", "release", "stages", "release",
        "monitoring",
    ]  # fmt: skip
    assert (*SHARED, EXPERIMENT, *CLOSING) == STAGES
    assert SHARED == ("extract", "validate", "update_id_maps", "build_features")
