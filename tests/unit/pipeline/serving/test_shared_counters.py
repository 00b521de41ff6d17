"""Counters that are nobody's own are read once a release, and say what the state says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.state.in_memory import states_of
from pipeline.serving.raw_look_up import RawCodes
from pipeline.serving.shared_counters import SharedCounters
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import DAYS, Noting, lived, released


def test_what_does_not_begin_with_the_owner_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = lived(tmp_path, monkeypatch, lessons.config(), DAYS)
    parts, whole = released(job), states_of(job).as_of(DAY.previous())
    shared, source = SharedCounters(parts.meta), Noting(parts)
    assert {part.key for part, _ in shared.own} == {("teacher",), ("teacher", "package")}
    assert {column for _, column in shared.own} == {"teacher"}
    package = next(part for part in shared.of_items if part.key == ("package",))
    shared.learn(source, {package.part: ["11|1", "nobody"]})
    shared.learn(source, {package.part: ["nobody", "11|1"]})
    assert [sorted(each[package.part]) for each in source.asked] == [["11|1", "nobody"]]
    codes = RawCodes()(["11|1", "nobody"], "str")
    counts = [state["package",].lookup(codes).count.tolist() for state in (shared.tables, whole.counters)]
    assert counts[0] == counts[1]
    assert counts[0][0] > 0 == counts[0][1]
    assert np.asarray(codes).shape == (2,)
