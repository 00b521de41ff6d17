from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.state.in_memory import states_of
from pipeline.release.contents.as_of import AsOf
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import DAYS, lived


def test_a_days_end_is_its_state_its_maps_and_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, end = lived(tmp_path, monkeypatch, lessons.config(), DAYS[:2]), DAY.previous()
    here = AsOf(job, job.config, end)
    assert here.state.day == end
    assert here.states is states_of(job), "the state that the process holds already"
    assert here.raw("package", here.state.counters["package",].table.merged.keys).tolist()
    assert here.raw("teacher", np.array([502, 501])).tolist() == [502, 501]
    assert here.space_of("package") == "package"
    assert here.tables("teachers").num_rows == 3

    features = lessons.config().model_dump(mode="json")["features"]
    features["own"]["counter"]["half_life"] = 7
    other = AsOf(job, lessons.config(features=features), end)
    assert other.states is not states_of(job), "settings that keep another state have one of their own"
    assert other.state.plan.half_lives == (7.0,)
