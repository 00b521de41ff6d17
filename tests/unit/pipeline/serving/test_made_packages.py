"""Packages are made once, and each request takes its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.features.arrays.candidates import Candidates
from pipeline.features.frames.frame import Frame, Lists
from pipeline.features.rows.homework_day import HomeworkDay, Judged
from pipeline.serving.known_packages import KnownPackages
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.serving.released import DAYS, Parts, lived, released


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    return released(lived(tmp_path, monkeypatch, lessons.config(), DAYS))


def made(known: KnownPackages, chapters: list[int]) -> Candidates:
    """The candidates of one request."""
    column = f"row.{known.meta.plan.request.settings.package.chapters}"
    requests = Frame(1, {column: Lists(np.array([0, len(chapters)]), np.array(chapters))})
    none = np.zeros(0, np.int64)
    return known.made(HomeworkDay(
        day=DAY, events=requests, label=np.zeros(1, np.int8), items=Frame(0, {}), event_item=none, requests=requests,
        weight=np.ones(1, np.float32), judged=Judged.nothing(),
    ))  # fmt: skip


def test_packages_that_become_known_later_are_made_like_those_that_were_known_at_once(parts: Parts) -> None:
    grown, at_once = KnownPackages(parts.meta), KnownPackages(parts.meta)
    assert grown.learn(parts, [2])
    alone = made(grown, [2])
    assert grown.learn(parts, [1, 2])
    assert at_once.learn(parts, [1, 2])
    one, other = made(grown, [1, 2]), made(at_once, [1, 2])
    assert one.items.raw.tolist() == other.items.raw.tolist()
    assert set(alone.items.raw.tolist()) < set(one.items.raw.tolist())
    for what in ("values", "codes", "counters"):
        assert getattr(one, what).keys() == getattr(other, what).keys()
        for name, values in getattr(one, what).items():
            assert values.tolist() == getattr(other, what)[name].tolist(), (what, name)
    place = one.items.raw.tolist().index(alone.items.raw[0])
    assert made(grown, [2]).values["style"].tolist() == one.values["style"][[place]].tolist()


def test_ties_are_broken_by_raw_ids_though_packages_are_placed_among_all_that_are_known(parts: Parts) -> None:
    known = KnownPackages(parts.meta)
    assert known.learn(parts, [2])
    assert known.learn(parts, [1])
    found = made(known, [1])
    assert found.items.raw[np.argsort(found.rank)].tolist() == ["11,12|10110", "11|40111", "12|3"]


def test_a_bag_is_as_wide_as_the_request_needs(parts: Parts) -> None:
    known = KnownPackages(parts.meta)
    assert known.learn(parts, [1, 2])
    assert made(known, [1]).values["sections"].shape == (3, 2)  # one of them has two sections
    assert made(known, [2]).values["sections"].shape == (1, 1)


def test_what_counts_by_package_alone_is_read_before_anybody_asks(parts: Parts) -> None:
    known = KnownPackages(parts.meta)
    assert known.learn(parts, [1])
    found = made(known, [1])
    taken = dict(zip(found.items.raw.tolist(), found.counters["taken"].tolist(), strict=True))
    assert taken == {"11|40111": 1.0, "12|3": 2.0, "11,12|10110": 0.0}
