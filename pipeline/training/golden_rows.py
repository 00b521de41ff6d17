"""Golden rows: raw inputs of an exported model beside the trainer's own scores, for a check without the project.

``golden_inputs.npz`` holds one array per input of the model, ``[rows, …]`` or ``[rows, candidates, …]``.
``golden_outputs.npz`` holds ``logit`` and ``probability`` ``[rows, candidates]`` (NaN where there is no candidate; of
several tasks those of what ranks, and of each and what stands beside them ``<task>/logit`` and so on), and ``special``
``[rows]``, true for rows made up to be awkward: ids that nobody has seen, empty histories, missing values.
The other rows are a sample of the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR, PADDING, UNKNOWN, Columns, DayArrays, FeatureSchema, Side
from models.tasks import SCORE, Task
from pipeline.features.ids.idmap import IdMap
from pipeline.features.state.bins import bins_of, numbers_of
from pipeline.training.joint import joint_logit, log_score, score_logit
from pipeline.training.trainer import Trainer

INPUTS, OUTPUTS = "golden_inputs.npz", "golden_outputs.npz"
SAMPLED_PAIRS = 512
MOST_CANDIDATES = 64
UNSEEN_INT, UNSEEN_STR = 2**62 + 12345, "an id that nobody has seen"


def write(
    folder: Path, trainer: Trainer, schema: FeatureSchema, arrays: DayArrays, maps: Mapping[str, IdMap], seed: int,
    limits: Mapping[str, NDArray[np.float32]], powers: Mapping[str, float],
) -> None:  # fmt: skip
    """Sample the day's rows, add awkward ones, score them, write both files.

    Args:
        powers: of the score, where one ranks.
        limits: of the bins in the exported model, by feature: a row is asked by a number that is in its bin there.
    """
    schema = schema.asked
    chosen, special = _sample(arrays, seed)
    numbers = _on_limits(schema, chosen, maps, limits)
    counts = np.diff(chosen.offsets)
    width = int(counts.max(initial=1))
    logits = trainer.scores(chosen)
    inputs = _raw_inputs(schema, chosen, maps, width) | numbers
    _make_unseen(schema, inputs, special)
    inside = np.arange(width) < counts[:, None]
    grids = {}
    for number, task in enumerate(trainer.tasks):
        grids[task.name] = np.full((chosen.requests, width), np.nan)
        grids[task.name][inside] = logits[:, number]
    outputs = _told(trainer.tasks, grids, powers)
    np.savez(folder / INPUTS, **inputs)  # type: ignore[arg-type]
    np.savez(folder / OUTPUTS, special=special, **outputs)  # type: ignore[arg-type]


def _told(
    tasks: Sequence[Task], grids: Mapping[str, NDArray[np.float64]], powers: Mapping[str, float]
) -> dict[str, NDArray[Any]]:
    """All that an exported model answers, by name, of logits ``[rows, candidates]`` by task."""
    told: dict[str, dict[str, NDArray[Any]]] = {}
    if powers:
        score = log_score(powers, grids)
        told[SCORE] = {"logit": score_logit(powers, grids).astype(np.float32), "probability": np.exp(score)}
    both: dict[str, NDArray[np.float64]] = {}
    for task in tasks:
        own = grids[task.name]
        both[task.name] = joint_logit([both[task.given], own]) if task.given in both else own
        share = _softmax(own) if task.loss == "softmax" else _sigmoid(own)
        told[task.name] = {"logit": own.astype(np.float32), "probability": share}
        if task.joint:
            joint = both[task.name]
            told[task.joint] = {"logit": joint.astype(np.float32), "probability": _sigmoid(joint)}
    ranks: dict[str, NDArray[Any]] = dict(next(iter(told.values())))
    if len(told) == 1:
        return ranks
    return ranks | {f"{name}/{what}": values for name, each in told.items() for what, values in each.items()}


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.logaddexp(0.0, -logits)))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(logits - np.nanmax(logits, axis=1, keepdims=True))
    return np.asarray(shifted / np.nansum(shifted, axis=1, keepdims=True))


def _sample(arrays: DayArrays, seed: int) -> tuple[DayArrays, NDArray[np.bool_]]:
    """Some of the day's requests, the longest among them, and three copies made awkward."""
    counts = np.diff(arrays.offsets)
    usable = np.flatnonzero(counts > 0)
    rng = np.random.default_rng(seed)
    longest = usable[np.argsort(-counts[usable], kind="stable")[:1]]
    width = int(min(counts[longest].max(initial=1), MOST_CANDIDATES))
    many = min(len(usable), max(SAMPLED_PAIRS // max(width, 1), 4))
    picked = np.unique(np.concatenate([longest, rng.choice(usable, many, replace=False)])) if len(usable) else usable
    requests = np.concatenate([picked, np.repeat(picked[:1], 3)])
    kept = np.minimum(counts[requests], MOST_CANDIDATES)
    offsets = np.concatenate([[0], np.cumsum(kept)])
    pairs = np.repeat(np.asarray(arrays.offsets)[requests] - offsets[:-1], kept) + np.arange(offsets[-1])
    request_ids = np.array(arrays.request_ids[requests])
    request_dense = np.array(arrays.request_dense[requests])
    special = np.zeros(len(requests), bool)
    if len(picked):
        unseen, empty, missing = (len(picked) + n for n in range(3))
        special[unseen:] = True
        request_ids[unseen] = np.where(request_ids[unseen] == PADDING, PADDING, UNKNOWN)
        for place in arrays.layout.request_ids.values():
            if place.shape:
                request_ids[empty, place.start : place.stop] = PADDING
            else:
                request_ids[missing, place.start] = UNKNOWN
        request_dense[missing] = np.nan
    fields: dict[str, Any] = {
        **arrays.__dict__, "request_ids": request_ids, "request_dense": request_dense, "offsets": offsets,
        "pair_item": np.asarray(arrays.pair_item)[pairs], "pair_dense": np.asarray(arrays.pair_dense)[pairs],
        "label": np.asarray(arrays.label)[pairs], "weight": np.asarray(arrays.weight)[requests],
        "user": np.asarray(arrays.user)[requests],
    }  # fmt: skip
    return DayArrays(**fields), special


def _on_limits(
    schema: FeatureSchema, arrays: DayArrays, maps: Mapping[str, IdMap], limits: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """A number in the bin of each row, by feature; the rows' own bins become those that the number is in."""
    numbers = {}
    for feature in schema.features:
        if feature.bins:
            own, column = maps[str(feature.space)], arrays.layout.request_ids[feature.name].start
            numbers[feature.name] = numbers_of(own.raw(arrays.request_ids[:, column]), limits[feature.name])
            arrays.request_ids[:, column] = own.lookup(bins_of(numbers[feature.name], limits[feature.name]))
    return numbers


def _raw_inputs(
    schema: FeatureSchema, arrays: DayArrays, maps: Mapping[str, IdMap], width: int
) -> dict[str, NDArray[Any]]:
    """Every input of the exported model, in raw ids; candidates beyond a request's own are padding."""
    counts = np.diff(arrays.offsets)
    inside = np.arange(width) < counts[:, None]
    pair = np.where(inside, arrays.offsets[:-1, None] + np.arange(width), 0)
    item = np.asarray(arrays.pair_item)[pair] if len(arrays.pair_item) else pair
    rows = {Side.REQUEST: None, Side.ITEM: item, Side.PAIR: pair}
    inputs: dict[str, NDArray[Any]] = {}
    for feature in schema.features:
        side, ids = feature.side, feature.has_ids
        values = _columns(arrays.on(side, ids=ids), arrays.layout.on(side, ids=ids)[feature.name], rows[side])
        if rows[side] is not None:
            values[~inside] = PADDING if ids else np.nan
        if not ids:
            inputs[feature.name] = values.astype(np.float32)
            continue
        raw = maps[str(feature.space)].raw(values)
        inputs[feature.name] = raw if raw.dtype.kind == "i" else raw.astype(str)
    return inputs


def _columns(matrix: NDArray[Any], place: Columns, rows: NDArray[Any] | None) -> NDArray[Any]:
    values = np.asarray(matrix[:, place.start : place.stop])
    if rows is not None:
        values = values[rows]
    return values.reshape(*values.shape[:-1], *place.shape).copy()


def _make_unseen(schema: FeatureSchema, inputs: dict[str, NDArray[Any]], special: NDArray[np.bool_]) -> None:
    """In the first special row, ids that are merely missing become ids that no map has."""
    if not special.any():
        return
    row = int(np.flatnonzero(special)[0])
    for feature in schema.features:
        if not feature.has_ids or feature.bins:
            continue
        values = inputs[feature.name]
        if values.dtype.kind == "i":
            values[row] = np.where(values[row] == MISSING_INT, UNSEEN_INT, values[row])
        else:
            wide = values.astype(f"<U{max(len(UNSEEN_STR), values.dtype.itemsize // 4)}")
            wide[row] = np.where(wide[row] == MISSING_STR, UNSEEN_STR, wide[row])
            inputs[feature.name] = wide
