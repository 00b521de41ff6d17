"""The two towers of a model, each by itself: as modules that are exported, and asked for vectors of many rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models import registry
from models.engine.engine import Engine
from models.export.saved_model import EngineModule
from models.outputs import ITEM, USER
from models.schema import UNKNOWN, Feature, Side

_AT_ONCE = 8192
_SIDES = {USER: Side.REQUEST, ITEM: Side.ITEM}


def towers_of(engine: Engine, kinds: Mapping[str, str]) -> dict[str, EngineModule]:
    """By name the modules of a model's two towers, each of its own inputs alone; none of a model without."""
    if not registry.has_towers(engine.model_name):
        return {}
    if not isinstance(engine.towers, dict):
        engine.towers = {name: EngineModule(engine, kinds, side) for name, side in _SIDES.items()}
    tables = engine.tables()
    for tower in engine.towers.values():
        tower.assign(tables)
    return engine.towers


def vectors_of(
    engine: Engine, tower: EngineModule, name: str, values: Mapping[str, NDArray[Any]], *, content_alone: bool = False
) -> NDArray[np.float32]:
    """What a tower makes of rows, ``[rows, dim]``.

    Args:
        tower: the one of that ``name``, as of :func:`towers_of`.
        values: of the features of its side, ``[rows, …]`` indices or floats; an index that the model has not been
            trained on is unknown.
        content_alone: as of rows that nobody knows: without their preference.
    """
    features = [feature for feature in engine.schema.asked.features if feature.side is _SIDES[name]]
    preference = set(engine.model.options.preference) if content_alone else set()
    rows = len(values[features[0].name])
    made = []
    for start in range(0, rows, _AT_ONCE):
        part = {f.name: _read(engine, f, values[f.name][start : start + _AT_ONCE], preference) for f in features}
        if name == ITEM:  # the candidates of one request
            part = {each: rows[None] for each, rows in part.items()}
        index = {f.name: tf.constant(part[f.name]) for f in features if f.has_ids}
        dense = {f.name: tf.constant(part[f.name]) for f in features if not f.has_ids}
        answer = tower.answer(index, dense).vectors[name].numpy()
        made.append(answer[0] if name == ITEM else answer)
    return np.concatenate(made) if made else np.zeros((0, 0), np.float32)


def _read(engine: Engine, feature: Feature, values: NDArray[Any], preference: set[str]) -> NDArray[Any]:
    if not feature.has_ids:
        floats = values.reshape(len(values), feature.size).astype(np.float32)
        return np.full_like(floats, np.nan) if feature.name in preference else floats
    index = values.astype(np.int32)
    if feature.name in preference:
        return np.full_like(index, UNKNOWN)
    return np.where((index < 0) | (index >= engine.sizes[str(feature.space)]), np.int32(UNKNOWN), index)
