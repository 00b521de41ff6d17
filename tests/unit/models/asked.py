"""What an exported model of the small school is asked, and the same as a day's arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.export.serving_module import Maps
from models.schema import (
    MISSING_INT,
    MISSING_STR,
    PAD_INT,
    PAD_STR,
    UNKNOWN,
    Columns,
    DayArrays,
    FeatureSchema,
    Kind,
    Layout,
    Side,
)
from tests.unit.models.school import SIZES


def id_maps(more: int = 0) -> dict[str, tuple[str, np.ndarray]]:
    """Raw ids, large and in no order; ``more`` that the model has never seen."""
    maps: dict[str, tuple[str, np.ndarray]] = {}
    for space, size in SIZES.items():
        count = size - 2 + more
        if space == "section":
            maps[space] = ("str", np.asarray([f"s{i:03d}é" for i in range(count)], object))
        else:
            maps[space] = ("int", (np.arange(count) * 7919 + 54377) % 1_000_003 * 5)
    return maps


def raw_inputs(schema: FeatureSchema, maps: dict[str, tuple[str, np.ndarray]], batch: int, candidates: int) -> Any:
    """Rows with known, unknown, missing and padding values; the first has an empty history."""
    draw = np.random.default_rng(5)
    inputs: dict[str, np.ndarray] = {}
    for feature in schema.features:
        own = {
            Kind.CATEGORICAL: (),
            Kind.BAG: (3,),
            Kind.SEQUENCE: (feature.steps,),
            Kind.SESSIONS: (feature.sessions, feature.steps),
            Kind.BAG_SEQUENCE: (feature.lead + feature.steps, 3),
            Kind.DENSE: (feature.size,),
            Kind.VECTOR: (feature.size,),
        }[feature.kind]
        shape = ((batch,) if feature.side is Side.REQUEST else (batch, candidates)) + own
        if not feature.has_ids:
            values = draw.normal(size=shape).astype(np.float32)
            values[draw.random(shape) < 0.2] = np.nan
            inputs[feature.name] = values
            continue
        kind, ids = maps[str(feature.space)]
        odd = [PAD_INT, MISSING_INT, 10**12] if kind == "int" else [PAD_STR, MISSING_STR, "never seen"]
        choice = [*ids.tolist(), *odd * 4]
        picked = [choice[i] for i in draw.integers(0, len(choice), int(np.prod(shape)))]
        inputs[feature.name] = np.asarray(picked, np.int64 if kind == "int" else object).reshape(shape)
        if feature.kind.is_history:
            inputs[feature.name][0] = odd[0]
    return inputs


def arrays_of(schema: FeatureSchema, sizes: Mapping[str, int], maps: Maps, inputs: Mapping[str, Any]) -> DayArrays:
    """A request's raw inputs as a day's arrays: ids looked up in numpy, one row a candidate."""
    index = {
        name: _index_of(schema, sizes, maps, name, values) for name, values in inputs.items() if schema[name].has_ids
    }
    shape = next(v.shape[:2] for n, v in inputs.items() if schema[n].side is not Side.REQUEST)
    batch, candidates = int(shape[0]), int(shape[1])
    widths = {n: v.shape[-1] for n, v in index.items() if schema[n].kind in (Kind.BAG, Kind.BAG_SEQUENCE)}
    layout = Layout.of(schema, widths)

    def matrix(
        columns: Mapping[str, Columns], source: Mapping[str, NDArray[Any]], rows: int, kind: Any
    ) -> NDArray[Any]:
        parts = [np.reshape(source[name], (rows, -1)) for name in columns]
        return np.concatenate(parts, axis=1).astype(kind) if parts else np.zeros((rows, 0), kind)

    pairs = batch * candidates
    return DayArrays(
        layout=layout,
        request_ids=matrix(layout.request_ids, index, batch, np.int32),
        request_dense=matrix(layout.request_dense, inputs, batch, np.float32),
        item_ids=matrix(layout.item_ids, index, pairs, np.int32),
        item_dense=matrix(layout.item_dense, inputs, pairs, np.float32),
        offsets=np.arange(batch + 1, dtype=np.int64) * candidates,
        pair_item=np.arange(pairs, dtype=np.int32),
        pair_dense=matrix(layout.pair_dense, inputs, pairs, np.float32),
        label=np.zeros((pairs, 1), np.int8),
        weight=np.ones(batch, np.float32),
        user=np.zeros(batch, np.int32),
    )


def _index_of(
    schema: FeatureSchema, sizes: Mapping[str, int], maps: Maps, name: str, raw: NDArray[Any]
) -> NDArray[np.int32]:
    feature = schema[name]
    kind, ids = maps[str(feature.space)]
    ids = ids[: sizes[str(feature.space)] - 2]
    specials = [PAD_INT, MISSING_INT] if kind == "int" else [PAD_STR, MISSING_STR]
    place = {value: index for index, value in enumerate([*specials, *np.asarray(ids).tolist()])}
    values = [value.decode() if isinstance(value, bytes) else value for value in np.ravel(raw).tolist()]
    index = np.asarray([place.get(value, UNKNOWN) for value in values], np.int32).reshape(raw.shape)
    return np.maximum(index, UNKNOWN) if feature.kind is Kind.CATEGORICAL else index


def exported(trainer: Any, path: Path, maps: Maps, metadata: Mapping[str, object]) -> None:
    """A trainer's model as it is now, written as a SavedModel."""
    trainer.module({space: kind for space, (kind, _) in maps.items()}).write(path, trainer.sizes, maps, metadata)


def tensors(inputs: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(v.tolist() if v.dtype == object else v) for name, v in inputs.items()}
