"""Requests by what was taken in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.evaluation.taken_groups import groups_of, took_several
from pipeline.features.arrays import files
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import lived


def test_what_was_taken_has_several_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 501 takes one section; 502 two at once, which is a candidate of its own.
    taken = [(501, 9001, 5, [10], [101], 40111, 7), (502, 9002, 5, [10], [101, 102], 10110, 8)]
    clicks = lessons.table(
        "clicks", (501, 9001, "click", [10], [101], 40111), (502, 9002, "click", [10], [101, 102], 10110)
    )
    offered = lessons.table("offered", (501, 9001, [10], [101], 40111, 1), (502, 9002, [10], [101, 102], 10110, 1))
    day = {"homework": lessons.table("homework", *taken), "clicks": clicks, "offered": offered}
    job = lived(tmp_path, monkeypatch, lessons.config(), [day, day])
    features = job.store.current(Ref("features", job.job, DAY.previous()))
    assert features is not None
    arrays = files.read(features)
    found = groups_of(features, arrays, {"multi": "sections"})
    assert files.keys(features)["request.teacher"].tolist() == [501, 502]
    assert found["multi"].tolist() == [False, True]
    assert set(files.groups(features)) < set(found)
    assert not took_several(arrays, "not_there").any()
