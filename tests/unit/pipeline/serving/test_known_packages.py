"""Packages and their counters are read once a release, whoever asks for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.frames.frame import Lists
from pipeline.serving.known_packages import KnownPackages
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.serving.released import DAYS, Noting, lived, released


def test_chapters_are_read_when_they_are_first_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = released(lived(tmp_path, monkeypatch, lessons.config(), DAYS))
    known, source = KnownPackages(parts.meta), Noting(parts)
    assert known.learn(source, [1])
    asked = [list(each) for each in source.asked]
    assert asked[:2] == [["candidates"], ["packages"]]
    found = known.pool.find(Lists(np.array([0, 1]), np.array([1])), 500)
    first = known.look.of_codes("package", known.pool.keys[found.values]).tolist()
    assert len(first) == 3
    source.asked.clear()
    assert known.learn(source, [1])
    assert source.asked == []
    assert known.learn(source, [1, 2])
    assert [each["candidates"] for each in source.asked if "candidates" in each] == [["2"]]
    again = known.pool.find(Lists(np.array([0, 1]), np.array([1])), 500)
    assert known.look.of_codes("package", known.pool.keys[again.values]).tolist() == first
    assert len(known.pool.find(Lists(np.array([0, 2]), np.array([1, 2])), 500).values) == 4
    assert not known.learn(source, [99]), "a chapter without packages"
    source.asked.clear()
    assert not known.learn(source, [99])
    assert source.asked == []
