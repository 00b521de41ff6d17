"""A request out of a release's parts gets the features that a day's build gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.job import JobConfig
from pipeline.features.plan.plan import Plan
from pipeline.serving.homework import HomeworkRequest
from pipeline.serving.known_packages import KnownPackages
from pipeline.serving.request import Request
from tests.unit.pipeline.features import lessons, log_lessons
from tests.unit.pipeline.serving.released import DAYS, lived, offline, plain, raw, released, served


@pytest.mark.parametrize("config", [lessons.composed(), lessons.of_days()], ids=["kinds", "days"])
def test_histories_and_style_counts_are_served_as_they_are_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig
) -> None:
    plan = Plan(config)
    job = lived(tmp_path, monkeypatch, config, DAYS)
    parts = released(job)
    assert parts.meta.counted_ids == [30, 20, 10]
    arrays, keys, maps = offline(job)
    assert keys["request.teacher"].tolist() == [501, 502]
    for row, owner in enumerate([(501, 9001), (502, 9002)]):
        inputs = served(parts, owner, (10,), {"grade": 5})
        for matrix in ("request_ids", "request_dense"):
            for name, built in raw(plan, maps, arrays, matrix, row).items():
                assert plain(inputs[name][0]) == built, (owner, name)
        first, last = arrays.offsets[row : row + 2]
        for pair in range(last - first):
            there = {**raw(plan, maps, arrays, "item_ids", arrays.pair_item[first + pair]),
                     **raw(plan, maps, arrays, "pair_dense", int(first) + pair)}  # fmt: skip
            for name, built in there.items():
                assert inputs[name].shape[:2] == (1, last - first)
                assert plain(inputs[name][0, pair]) == built, (owner, name)
    # By hand, of teacher 501: the newest day has 20 once and 10 three times, the window 30 four times besides.
    found = raw(plan, maps, arrays, "request_dense", 0)
    assert (found["day_counts"], found["window_counts"]) == ([0, 1, 3], [4, 1, 3])
    found = raw(plan, maps, arrays, "request_dense", 1)
    assert (found["day_counts"], found["window_counts"]) == ([1, 0, 0], [1, 2, 0])  # 40 has no column


def test_who_only_looked_is_known_to_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = {"homework": log_lessons.HOMEWORK, "clicks": log_lessons.clicks(),
              "offered": log_lessons.OFFERED}  # fmt: skip
    job = lived(tmp_path, monkeypatch, log_lessons.config(), [looked, looked])
    parts = released(job)
    for teacher, class_, grade in ((501, 9001, 5), (503, 9003, 6), (505, 9005, 6)):
        assert served(parts, (teacher, class_), (10,), {})["grade"].tolist() == [grade]
    for owner, unknown in (((501, 9001), ""), ((501, 77777), "teacher 501, class 77777")):
        request = HomeworkRequest(KnownPackages(parts.meta), parts, Request(owner, (10,)))
        assert request.assembled() is not None
        assert request.unknown == unknown, "of the class: its teacher has others"
