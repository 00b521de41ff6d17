"""A job of the lessons that has lived some days, the parts of its release, and what requests get out of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.schema import PAD_INT, PAD_STR
from pipeline.config.job import JobConfig
from pipeline.features.arrays import files as day_arrays
from pipeline.features.arrays.raw_inputs import model_inputs
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
from pipeline.serving.ready_release import KNOWN, SITUATIONS
from pipeline.serving.request import Request
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY

CANDIDATES = lessons.table(
    "candidates", ([10], [101], 40111, 7, 1), ([10], [102], 3, None, 2), ([10], [101, 102], 10110, 8, 3),
    ([20], [201], 1, 9, 1),
)  # fmt: skip


class Parts:
    """A release's parts in memory, read as the online reader reads them."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = {part.name: part.fields for part in parts}

    @property
    def meta(self) -> Meta:
        return Meta(self._parts["meta"])

    def of(self, part: str) -> Mapping[str, bytes]:
        return self._parts[part]

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
        found = {part: self._parts.get(part, {}) for part in wanted}
        return {
            part: {name: decoded(found[part][name]) for name in names if name in found[part]}
            for part, names in wanted.items()
        }


class Noting:
    """A release's parts, with what was asked of them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.asked: list[dict[str, list[str]]] = []

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
        self.asked.append({part: list(names) for part, names in wanted.items()})
        return self._parts.fetch(wanted)


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


def raw(plan: Plan, maps: Mapping[str, IdMap], found: Any, matrix: str, row: int) -> dict[str, Any]:
    """The features of one row of a day's arrays by name, ids raw."""
    out: dict[str, Any] = {}
    for name, place in getattr(found.layout, matrix).items():
        cells = np.asarray(getattr(found, matrix))[row, place.start : place.stop]
        space = plan.features[name].feature.space
        out[name] = plain(cells if space is None else maps[space].raw(cells))
    return out


def plain(values: Any) -> list[Any]:
    """Values as they can be compared; widths are a day's own, so padding behind the first has no meaning."""
    cells = np.asarray(values)
    if cells.dtype.kind == "f":
        return [None if np.isnan(each) else each for each in cells.ravel().tolist()]
    kept = cells.ravel().tolist()
    return kept[:1] + [each for each in kept[1:] if each not in (PAD_INT, PAD_STR)]


def offline(job: JobContext) -> tuple[day_arrays.DayArrays, dict[str, Any], Mapping[str, IdMap]]:
    extract(job, DAY)
    validate(job, DAY)
    grow(job, DAY)
    features = build_day(job, DAY)
    assert features is not None
    plan = Plan(job.config)
    maps = {space: IdMapStore.of(job).read(space, kind) for space, kind in plan.spaces.items()}
    return day_arrays.read(features), day_arrays.keys(features), maps


def served(
    parts: Parts, owner: tuple[int, int], chapters: tuple[int, ...], context: Mapping[str, Any]
) -> dict[str, Any]:
    """The model's inputs by feature name: ``[1, …]`` of the request, ``[1, candidates, …]`` of its candidates."""
    meta = parts.meta
    situation = SITUATIONS[meta.config.kind](
        KNOWN[meta.config.kind](meta), parts, Request(owner, chapters, dict(context))
    )
    found = situation.assembled()
    assert found is not None, situation.note
    return model_inputs(meta.plan.schema.features, found, situation.look)


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
