"""Vectors of items that came or changed since what is served was trained: made by its own tower, nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Side
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.arrays.framed import framed
from pipeline.features.arrays.kinds import arrays_of
from pipeline.features.frames.frame import Array
from pipeline.ingest.day_tables import NextTables
from pipeline.job import JobContext
from pipeline.release.build import models
from pipeline.release.publish.redis_generations import Keys
from pipeline.release.publish.upserts import Upserts
from pipeline.serving.loaded_model import LoadedModel
from pipeline.serving.meta import FIELDS, Meta
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.release_reader import ReleaseReader
from pipeline.storage.redis.connection import connect

_AT_ONCE = 8192
_SAME = 1e-5
"""How far apart values of two vectors may be that one model makes of the same item in two processes."""


@dataclass(frozen=True)
class Embedded:
    """What was updated: raw ids of items that the release did not have, and of those that it had another vector of."""

    release_id: str
    at: str
    listed: int
    new: list[Any]
    changed: list[Any]


def embed_items(context: JobContext, day: Day) -> Embedded:
    """Upsert into what is served the vectors of the items that the tables of ``day`` list and that it has not, or has
    another vector of.

    Raises:
        DataError: the day is not validated.
        DayspringError: nothing is served.
        UsageError: what is served has no two towers, or no table lists the items.
    """
    client, keys = connect(context.root), Keys(context.config.release.namespace, context.job)
    reader = ReleaseReader(client, keys)
    meta, upserts = Meta(reader.fetch({"meta": FIELDS})["meta"]), Upserts(client, keys)
    release_id = reader.pointer.release_id
    made = _vectors(context, meta, reader, day)
    before = upserts.read(release_id)
    known = dict(zip(made.keys.tolist(), made.vectors, strict=True))
    known |= dict(zip(before.keys, before.vectors, strict=True))
    new, changed = [], []
    for place, (key, vector) in enumerate(zip(made.listed.tolist(), made.now, strict=True)):
        if key not in known:
            new.append(place)
        elif np.abs(vector - known[key]).max() > _SAME:
            changed.append(place)
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    places = sorted([*new, *changed])
    if places:
        upserts.write(release_id, made.listed[places].tolist(), made.now[places], at)
    return Embedded(release_id, at, len(made.listed), made.listed[new].tolist(), made.listed[changed].tolist())


@dataclass(frozen=True)
class _Made:
    """``keys`` and ``vectors`` of the release; ``listed`` items and what they are ``now``."""

    keys: Array
    vectors: NDArray[np.float32]
    listed: Array
    now: NDArray[np.float32]


def _vectors(context: JobContext, meta: Meta, reader: ReleaseReader, day: Day) -> _Made:
    from models.export import nearest

    beside = models(context).local(reader.pointer) / nearest.BESIDE
    arrays = arrays_of(meta.plan)
    items = arrays.every_item(NextTables.needed(context, day))
    if items is None or not (beside / nearest.FOLDER).is_dir():
        raise UsageError(
            f"release {reader.pointer.release_id} has no vectors of items: its model has no two towers (`dropoutnet`), "
            "or the job no table of its items (`impressions.items`)"
        )
    tower = LoadedModel(beside / nearest.ITEM)
    values = framed(meta.plan, Side.ITEM, items, RawIds(meta.plan), day.next())
    features = [feature for feature in meta.plan.schema.features if feature.name in tower.inputs]
    now = []
    for start in range(0, items.rows, _AT_ONCE):
        part: Mapping[str, Array] = {f.name: values[f.name][start : start + _AT_ONCE] for f in features}
        inputs = {
            f.name: (part[f.name] if f.has_ids else part[f.name].reshape(-1, f.size).astype(np.float32))[None]
            for f in features
        }
        now.append(tower.answer(inputs)["vector/item"].numpy()[0])
    keys, vectors = nearest.read_items(beside / nearest.FOLDER)
    return _Made(keys, vectors, arrays.raw_items(items), np.concatenate(now) if now else vectors[:0])
