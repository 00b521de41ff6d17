from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.features.frames.keyed import Layered
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.in_memory import states_of
from pipeline.features.state.state import FeatureState
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.small_state import counter_cells, small_history
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
    name = "[501,9001]"
    own = parts.fetch({"histories": [name]})
    look = RawIds(meta.plan)
    counters = {}
    for each in meta.counters:
        found = parts.fetch({each.part: ["501", "11|1"]})[each.part]
        table = Layered.of(counter_cells(meta, each, found))
        counters[each.key] = CounterTable(len(each.key), each.half_lives, table)
    teacher, package = np.array([501]), look.codes("package", ["11|1"])
    asked = {("teacher",): (teacher,), ("package",): (package,), ("teacher", "package"): (teacher, package)}
    for group, codes in asked.items():
        first, second = (tables[group].lookup(*codes).columns() for tables in (counters, whole.counters))
        assert first["count"].tolist() == second["count"].tolist() != [0]
        assert all(first[column].tobytes() == second[column].tobytes() for column in first)
    owner = (teacher, np.array([9001]))
    empty = FeatureState.of_plan(meta.state_plan).histories
    history = small_history(meta, look, look.owner((501, 9001)), own["histories"][name], empty)
    mine, theirs = history.entries(owner), whole.histories.entries(owner)
    assert mine.days.tolist() == theirs.days.tolist() != []
    assert mine.parts["sections"].values.tolist() == theirs.parts["sections"].values.tolist()
    assert counters["teacher",].lookup(np.array([502])).count.tolist() == [0], "of anybody else it knows nothing"
