from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.frames.keyed import Layered
from pipeline.features.state.counters import CounterTable
from pipeline.features.state.in_memory import states_of
from pipeline.features.state.state import FeatureState
from pipeline.serving.raw_look_up import RawCodes, RawIds
from pipeline.serving.small_state import counter_cells, own_counters, small_history
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import DAYS, lived, released


def test_counters_of_an_owner_say_nothing_of_anybody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = lived(tmp_path, monkeypatch, lessons.config(), DAYS)
    parts, whole = released(job), states_of(job).as_of(DAY.previous())
    part = next(each for each in parts.meta.counters if each.key == ("teacher", "package"))
    empty = CounterTable.empty(2, part.half_lives)
    found = parts.fetch({part.part: ["501"]})[part.part]
    own = own_counters(parts.meta, part, np.array([501]), found, empty, RawCodes())
    packages = RawIds(parts.meta.plan).codes("package", ["11|1", "11|40111", "none"])
    first, second = (each.lookup(np.array([501]), packages) for each in (own, whole.counters[part.key]))
    assert first.count[0] > first.count[2] == 0
    assert all(values.tobytes() == second.columns()[name].tobytes() for name, values in first.columns().items())
    asking = np.array([502, 501, 501])
    assert own.lookup(asking, packages).count.tolist() == [0, first.count[1], 0]
    cells, place = own.distinct(asking, packages)
    assert place is not None
    assert place.tolist()[0] == place.tolist()[2] == -1, "nobody's, and one that the owner has none of"
    looked_up = own.lookup(asking, packages).columns()
    assert all(each[place].tobytes() == looked_up[name].tobytes() for name, each in cells.columns().items())
    assert own_counters(parts.meta, part, np.array([502]), {}, empty, RawCodes()) is empty


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
        table = Layered.of(counter_cells(meta, each, found, RawCodes()))
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
