"""A request out of a release's parts gets the features that a day's build gives it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config import JobConfig
from pipeline.features.arrays import files as day_arrays
from pipeline.features.arrays.assemble import build
from pipeline.features.arrays.indices import Maps
from pipeline.features.build_features import build_day
from pipeline.features.ids.idmap import IdMap
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.release.contents.contents import contents
from pipeline.release.contents.parts import Part, decoded
from pipeline.serving.meta import Meta
from pipeline.serving.request import Request, Situation
from tests.unit.pipeline.features import lessons, log_lessons
from tests.unit.pipeline.features.lessons import DAY

CANDIDATES = lessons.table(
    "candidates", ([10], [101], 40111, 7, 1), ([10], [102], 3, None, 2), ([10], [101, 102], 10110, 8, 3),
    ([20], [201], 1, 9, 1),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Parts:
    """A release's parts in memory, read as the online reader reads them."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = {part.name: part.fields for part in parts}

    @property
    def meta(self) -> Meta:
        return Meta(self._parts["meta"])

    def fetch(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
        found = {part: self._parts.get(part, {}) for part in wanted}
        return {
            part: {name: decoded(found[part][name]) for name in names if name in found[part]}
            for part, names in wanted.items()
        }

    shared = fetch


def lived(
    folder: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig, days: Sequence[Mapping[str, pa.Table]]
) -> JobContext:
    """The job after some days up to the one before ``DAY``, and with what ``DAY`` has to read."""
    job = lessons.context(folder, monkeypatch, config)
    lessons.write_undated(folder, candidates=CANDIDATES)
    for back, tables in zip(range(len(days) - 1, -1, -1), days, strict=True):
        standard = {name: lessons.STANDARD[name] for name in ("homework", "clicks", "offered", "study")}
        none = {"style_counts": lessons.table("style_counts")}
        lessons.write_day(folder, DAY.plus(-back), {**standard, **none, **tables})
    for each in DAY.plus(1 - len(days)).through(DAY.previous()):
        extract(job, each)
        validate(job, each)
        grow(job, each)
        build_day(job, each)
    return job


def released(job: JobContext) -> Parts:
    sizes = dict.fromkeys(Plan(job.config).spaces, 1000)
    return Parts(contents(job, job.config, DAY.previous(), sizes))


def raw(plan: Plan, maps: Mapping[str, IdMap] | Maps, found: Any, matrix: str, places: str, row: int) -> dict[str, Any]:
    """The features of one row by name, ids raw."""
    out: dict[str, Any] = {}
    for name, place in getattr(found.layout, places).items():
        cells = np.asarray(getattr(found, matrix))[row, place.start : place.stop]
        space = plan.features[name].feature.space
        if space is None:
            out[name] = [None if np.isnan(each) else each for each in cells.tolist()]
            continue
        kept = maps[space].raw(cells).tolist()
        # Widths are a day's own: padding at the end has no meaning.
        out[name] = kept[:1] + [each for each, index in zip(kept[1:], cells[1:].tolist(), strict=True) if index]
    return out


def offline(job: JobContext) -> tuple[day_arrays.DayArrays, dict[str, Any], Mapping[str, IdMap]]:
    extract(job, DAY)
    validate(job, DAY)
    grow(job, DAY)
    features = build_day(job, DAY)
    assert features is not None
    plan = Plan(job.config)
    maps = {space: IdMapStore.of(job).read(space, kind) for space, kind in plan.spaces.items()}
    return day_arrays.read(features), day_arrays.keys(features), maps


def served(parts: Parts, owner: tuple[int, int], chapters: tuple[int, ...], context: Mapping[str, Any]) -> Situation:
    situation = Situation(parts.meta, parts, Request(owner, chapters, dict(context)))
    assert situation.found, situation.note
    return situation


STYLES = [
    (501, 9001, 5, [10], [101], 40111, 7), (501, 9001, 5, [10], [102], 20100, 7), (502, 9002, 5, [10], [101], 1, 0),
]  # fmt: skip
DAYS: list[dict[str, pa.Table]] = [
    {"style_counts": lessons.table("style_counts", (501, 9001, 30, 4), (502, 9002, 20, 2))},
    {"style_counts": lessons.table("style_counts", (501, 9001, 20, 1), (501, 9001, 10, 3)),
     "homework": lessons.table("homework", *STYLES)},
    {"style_counts": lessons.table("style_counts", (502, 9002, 40, 6), (502, 9002, 30, 1))},
    {"style_counts": lessons.table("style_counts", (501, 9001, 30, 10**6)),
     "homework": lessons.table("homework", *STYLES)},
]  # fmt: skip


def test_style_counts_and_kinds_are_served_as_they_are_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = lessons.composed()
    plan = Plan(config)
    job = lived(tmp_path, monkeypatch, config, DAYS)
    parts = released(job)
    assert parts.meta.counted_styles == [30, 20, 10]
    arrays, keys, maps = offline(job)
    assert keys["request.teacher"].tolist() == [501, 502]
    for row, owner in enumerate([(501, 9001), (502, 9002)]):
        situation = served(parts, owner, (10,), {"grade": 5})
        built = build(plan, situation.rows, situation.maps, situation.state, pool=situation.pool,
                      last_year=situation.last_year).arrays  # fmt: skip
        for matrix, places in (("request_ids", "request_ids"), ("request_dense", "request_dense")):
            mine = raw(plan, situation.maps, built, matrix, places, 0)
            assert mine == raw(plan, maps, arrays, matrix, places, row), owner
        first = arrays.offsets[row]
        for pair in range(built.pairs):
            there, here = arrays.pair_item[first + pair], built.pair_item[pair]
            mine = raw(plan, situation.maps, built, "item_ids", "item_ids", here)
            assert mine == raw(plan, maps, arrays, "item_ids", "item_ids", there)
            mine = raw(plan, situation.maps, built, "pair_dense", "pair_dense", pair)
            assert mine == raw(plan, maps, arrays, "pair_dense", "pair_dense", int(first) + pair)
    # By hand, of teacher 501: the newest day has 20 once and 10 three times, the window 30 four times besides.
    found = raw(plan, maps, arrays, "request_dense", "request_dense", 0)
    assert (found["day_counts"], found["window_counts"]) == ([0, 1, 3], [4, 1, 3])
    found = raw(plan, maps, arrays, "request_dense", "request_dense", 1)
    assert (found["day_counts"], found["window_counts"]) == ([1, 0, 0], [1, 2, 0])  # 40 has no column


def test_who_only_looked_is_known_to_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = {"homework": log_lessons.HOMEWORK, "clicks": log_lessons.clicks(),
              "offered": log_lessons.OFFERED}  # fmt: skip
    job = lived(tmp_path, monkeypatch, log_lessons.config(), [looked, looked])
    parts = released(job)
    plan = Plan(job.config)
    for teacher, class_, grade in ((501, 9001, 5), (503, 9003, 6), (505, 9005, 6)):
        situation = served(parts, (teacher, class_), (10,), {})
        built = build(plan, situation.rows, situation.maps, situation.state, pool=situation.pool,
                      last_year=situation.last_year).arrays  # fmt: skip
        assert raw(plan, situation.maps, built, "request_ids", "request_ids", 0)["grade"] == [grade]
