"""Every way to run a stage leaves a note where it fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.monitoring.failures import failures
from pipeline.stages.line import EXPERIMENT, STAGES, Stage, stage, unpaired

DAY = Day.of(2024, 3, 1)


def test_a_stage_notes_its_failure_and_its_success(tmp_path: Path) -> None:
    context: Any = SimpleNamespace(root=tmp_path, job="ads")
    outcomes: list[Any] = [DataError("the loss is not finite"), "trained"]

    def run(where: Any, day: Day, experiment: str, *, reprocess: bool) -> str:
        assert (where, day, experiment, reprocess) == (context, DAY, "din", True)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    experiment = Stage(EXPERIMENT, run)
    with pytest.raises(DataError):
        experiment.run(context, DAY, "din", reprocess=True)
    assert failures(tmp_path, "ads")[DAY, "din"].stage == EXPERIMENT
    assert experiment.run(context, DAY, "din", reprocess=True) == "trained"
    assert failures(tmp_path, "ads") == {}


def test_every_stage_is_a_function_of_the_room_that_it_belongs_to() -> None:
    found = [stage(name) for name in STAGES]
    assert [each.name for each in found] == list(STAGES)
    rooms = [each.function.__module__.split(".")[1] for each in found]
    assert rooms == [
        "ingest", "ingest", "stages", "stages", "stages", "release", "release", "release", "release", "monitoring",
    ]  # fmt: skip


def test_lists_that_are_out_of_step_are_told_in_the_line_of_the_day() -> None:
    features: Any = SimpleNamespace(manifest=SimpleNamespace(rows={"rows": 9, "unpaired.click": 1, "unpaired.path": 0}))
    assert unpaired(features) == ["1 row with unequal lists of group 'click'"]
