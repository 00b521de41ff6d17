"""Contexts are read once a release, owners' events with each request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.features.plan.plan import Plan
from pipeline.serving.homework import HomeworkRequest
from pipeline.serving.known_packages import KnownPackages
from pipeline.serving.request import Request
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.serving.released import Noting, lived, offline, raw, released


def test_bags_are_served_as_they_are_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = lived(tmp_path, monkeypatch, lessons.bagged(), [{}, {}, {}])
    parts = released(job)
    source, known = Noting(parts), KnownPackages(parts.meta)
    arrays, keys, maps = offline(job)
    compared: list[Any] = []
    for row, owner in enumerate(zip(keys["request.teacher"].tolist(), keys["request.class"].tolist(), strict=True)):
        ends = keys["request.chapters.offsets"]
        chapters = tuple(keys["request.chapters"][ends[row] : ends[row + 1]].tolist())
        asked = HomeworkRequest(known, source, Request(owner, {1: (10,), 2: (20,)}.get(chapters[0]), {"grade": 5}))
        found = asked.assembled()
        if found is None or chapters != (1,):
            continue
        theirs = lessons.BAGS.keys() & found.candidates.counters.keys()
        assert theirs == {"likely_all", "sections_of_all", "taken_trend"}, "made once a release, whoever asks"
        assert "likely" in found.candidates.without_own
        assert "likely_asked" not in found.candidates.without_own, "its context is the request's"
        first, last = arrays.offsets[row : row + 2]
        for name in lessons.BAGS:
            built = [raw(Plan(job.config), maps, arrays, "pair_dense", at)[name] for at in range(first, last)]
            assert np.asarray(found.values[name]).reshape(last - first, -1).tolist() == built, (owner, name)
            compared.append(built)
    assert len(compared) >= len(lessons.BAGS)
    assert len({str(each) for each in compared}) > len(lessons.BAGS) / 2, "they differ by counter"
    contexts = [each["bags.chapters+sections"] for each in source.asked if "bags.chapters+sections" in each]
    assert sum(each.count("1") for each in contexts) == 1
