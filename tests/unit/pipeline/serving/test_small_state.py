from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.features.state.in_memory import states_of
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.small_state import Known, small_state
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import DAYS, lived, released


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def test_of_one_owner_it_says_what_the_whole_state_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = lived(tmp_path, monkeypatch, lessons.config(), DAYS)
    parts, whole = released(job), states_of(job).as_of(DAY.previous())
    meta = parts.meta
    name = '[501,9001]'
    own = parts.fetch({"histories": [name]})
    counters = {each.part: parts.fetch({each.part: ["501", "11|1"]})[each.part] for each in meta.counters}
    look = RawIds(meta.plan)
    known = Known((501, 9001), own["histories"][name], counters)
    small = small_state(meta, look, known)
    teacher, package = np.array([501]), look.codes("package", ["11|1"])
    asked = {("teacher",): (teacher,), ("package",): (package,), ("teacher", "package"): (teacher, package)}
    for group, codes in asked.items():
        first, second = (state.counters[group].lookup(*codes).columns() for state in (small, whole))
        assert first["count"].tolist() == second["count"].tolist() != [0]
        assert all(first[column].tobytes() == second[column].tobytes() for column in first)
    owner = (teacher, np.array([9001]))
    mine, theirs = small.histories.entries(owner), whole.histories.entries(owner)
    assert mine.days.tolist() == theirs.days.tolist() != []
    assert mine.parts["sections"].values.tolist() == theirs.parts["sections"].values.tolist()
    assert small.counters["teacher",].lookup(np.array([502])).count.tolist() == [0], "of anybody else it knows nothing"
