"""Vectors of items that came or changed since what is served was trained: made by its own tower, nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.export import nearest
from models.schema import Side
from pipeline.days import Day
from pipeline.errors import DataError, DayspringError, UsageError
from pipeline.features.arrays.framed import framed
from pipeline.features.arrays.kinds import arrays_of
from pipeline.features.frames.frame import Array
from pipeline.features.rows.day import Tables
from pipeline.ingest.day_tables import NextTables
from pipeline.ingest.records import ExtractRecord
from pipeline.ingest.table_now import table_now
from pipeline.job import JobContext
from pipeline.release.build import generations, models
from pipeline.release.publish.redis_generations import Keys
from pipeline.release.publish.release_files import ReleaseFiles
from pipeline.release.publish.upserts import Upserted, Upserts
from pipeline.serving.loaded_model import LoadedModel
from pipeline.serving.meta import FIELDS, Meta
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.release_reader import ReleaseReader
from pipeline.storage.artifacts.kinds import EXTRACT
from pipeline.storage.locks import held
from pipeline.storage.redis.connection import connect

_AT_ONCE = 8192
_SAME = 1e-5
"""How far apart values of two vectors may be that one model makes of the same item in two processes."""
_ATTEMPTS = 3
_LOCK_SECONDS = 600.0  # as long as a release is pushed


@dataclass(frozen=True)
class Embedded:
    """What was updated: raw ids of items that the release did not have, of those that it had another vector of, and of
    those that are listed no more."""

    release_id: str
    at: str
    listed: int
    new: list[Any]
    changed: list[Any]
    gone: list[Any]


def embed_day(context: JobContext, day: Day) -> Embedded | None:
    """The stage: what is served has the vectors of the items as the tables of ``day`` list them.

    Nothing is done where nothing is served, or something of a later day, or without vectors of items; nor where it was
    updated after the tables were read.
    """
    pointer = generations(context).current()
    if pointer is None or pointer.day > day or not _recalls(models(context).local(pointer)):
        return None
    upserts = Upserts(connect(context.root), _keys(context))
    newest, read = upserts.newest(pointer.release_id), _read_at(context, day)
    # Of the reading whole seconds are known.
    if newest and read is not None and datetime.fromisoformat(newest).replace(microsecond=0) > read:
        return None
    return embed_items(context, day)


def embed_items(context: JobContext, day: Day | None = None) -> Embedded:
    """Upsert into what is served the vectors of the items that it has not, or has another vector of, and take away
    those of items that there are no more.

    Args:
        day: whose validated tables list the items; by default the table as its source holds it now.

    Raises:
        DataError: the day is not validated; or the table cannot be read.
        DayspringError: nothing is served, or another release again and again.
        UsageError: what is served has no two towers, or no table lists the items.
    """
    client, keys = connect(context.root), _keys(context)
    upserts, files = Upserts(client, keys), ReleaseFiles.of(context.root, context.job)
    for _ in range(_ATTEMPTS):
        reader = ReleaseReader(client, keys)
        release_id = reader.pointer.release_id
        meta = Meta(reader.fetch({"meta": FIELDS})["meta"])
        listed, now = _vectors(meta, models(context).local(reader.pointer), *_tables(context, meta, day))
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        # A release that is switched from meanwhile may be gone before what is put beside it would end with it.
        with held(files.lock, timeout=_LOCK_SECONDS, what=f"the release of job '{context.job}'"):
            if ReleaseReader(client, keys).pointer.release_id != release_id:
                continue
            update = _update(models(context).local(reader.pointer), upserts.read(release_id), listed, now)
            places = sorted([*update.new, *update.changed])
            if places or update.gone or update.broken_off:
                upserts.write(release_id, listed[places].tolist(), now[places], at, update.gone)
        new, changed = (listed[each].tolist() for each in (update.new, update.changed))
        return Embedded(release_id, at, len(listed), new, changed, update.gone)
    raise DayspringError(f"job '{context.job}': while the items' vectors were made another release was served, again "
                         "and again; try again when releases have come to rest")  # fmt: skip


@dataclass(frozen=True)
class _Update:
    """Places of ``new`` and of ``changed`` items among those listed, raw ids of those ``gone``."""

    new: list[int]
    changed: list[int]
    gone: list[Any]
    broken_off: bool


def _update(model: Path, before: Upserted, listed: Array, now: NDArray[np.float32]) -> _Update:
    """What of the items is otherwise in a release, with what was put beside it before."""
    keys, vectors = nearest.read_items(model / nearest.BESIDE / nearest.FOLDER)
    known = dict(zip(keys.tolist(), vectors, strict=True)) | dict(zip(before.keys, before.vectors, strict=True))
    for key in before.gone:
        known.pop(key, None)
    there = listed.tolist()
    new = [place for place, key in enumerate(there) if key not in known]
    changed = [
        place for place, key in enumerate(there) if key in known and np.abs(now[place] - known[key]).max() > _SAME
    ]
    return _Update(new, changed, sorted(known.keys() - set(there)), before.newest == "")


def _recalls(model: Path) -> bool:
    return (model / nearest.BESIDE / nearest.FOLDER).is_dir()


def _keys(context: JobContext) -> Keys:
    return Keys(context.config.release.namespace, context.job)


def _read_at(context: JobContext, day: Day) -> datetime | None:
    """When the day's table of items was read."""
    section = context.config.impressions
    items = section.items if section is not None else None
    read = ExtractRecord.of(context.needed(EXTRACT, day)).as_of.get(items.table) if items is not None else None
    return datetime.fromisoformat(read) if read is not None else None


def _tables(context: JobContext, meta: Meta, day: Day | None) -> tuple[Tables, Day]:
    """The tables that list items, by the settings of a release or as of a day, and the day that features are for."""
    if day is not None:
        return NextTables.needed(context, day), day.next()
    return lambda name: table_now(context, name), max(Day.today(meta.config.timezone), meta.day.next())


def _vectors(meta: Meta, model: Path, tables: Tables, day: Day) -> tuple[Array, NDArray[np.float32]]:
    """The raw ids of the items that tables list, ascending, and their vectors by the item tower of a model."""
    beside = model / nearest.BESIDE
    arrays = arrays_of(meta.plan)
    items = arrays.every_item(cache(tables)) if _recalls(model) else None
    if items is None:
        raise UsageError(
            "what is served has no vectors of items: its model has no two towers (`dropoutnet`), or the job no table "
            "of its items (`impressions.items`)"
        )
    if not items.rows:
        raise DataError("the table of items lists none: what is served would recall nothing; fill it")
    tower = LoadedModel(beside / nearest.ITEM)
    values = framed(meta.plan, Side.ITEM, items, RawIds(meta.plan), day)
    features = [feature for feature in meta.plan.schema.features if feature.name in tower.inputs]
    now = []
    for start in range(0, items.rows, _AT_ONCE):
        part: Mapping[str, Array] = {f.name: values[f.name][start : start + _AT_ONCE] for f in features}
        inputs = {
            f.name: (part[f.name] if f.has_ids else part[f.name].reshape(-1, f.size).astype(np.float32))[None]
            for f in features
        }
        now.append(tower.answer(inputs)["vector/item"].numpy()[0])
    return arrays.raw_items(items), np.concatenate(now)
