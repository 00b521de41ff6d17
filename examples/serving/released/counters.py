"""Counters of earlier days: cells by key, and what a model is told of them on a later day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COLUMNS = ("count", "positive", "last_day", "last_positive", "decayed", "decayed_positive")
_OF_ALL = {"positive": "count", "last_positive": "last_day", "decayed_positive": "decayed"}
"""What stands for a column of positive events that is not stored: then every event was a positive one."""
_NEVER, _EDGE = 3650.0, 1e-6


class Cells:
    """The cells of some keys; of a key that has none, zeros.

    Args:
        half_lives: days, one for each column of the decayed values.
    """

    def __init__(self, half_lives: Sequence[float]) -> None:
        self.half_lives = list(half_lives)
        self._place: dict[Any, int] = {}
        self._stored: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        self._arrays: dict[str, NDArray[Any]] = {}

    def add(self, keys: Sequence[Any], row: Mapping[str, list[Any]]) -> None:
        """Put in what a field holds of some keys."""
        self._place.update(zip(keys, range(len(self._place), len(self._place) + len(keys)), strict=True))
        for name, values in self._stored.items():
            values += row.get(name) or row.get(_OF_ALL.get(name, ""), [[]] * len(keys))
        self._arrays = {}

    def places(self, keys: Sequence[Any]) -> NDArray[np.int64]:
        """Where keys stand, −1 of those without a cell."""
        place = self._place.get
        return np.array([place(key, -1) for key in keys], np.int64)

    def at(self, places: NDArray[np.int64]) -> Mapping[str, NDArray[Any]]:
        """The columns of cells."""
        if not self._arrays:
            for name, values in self._stored.items():
                wide = (len(self.half_lives),) if "decayed" in name else ()
                cells = np.array(values, np.float64).reshape(len(values), *wide)
                self._arrays[name] = np.concatenate([cells, np.zeros((1, *wide))])  # −1: the absent one
        return {name: cells[places] for name, cells in self._arrays.items()}


def known(
    cells: Mapping[str, Any], half_lives: Sequence[float], half_life: float | None, day: int
) -> tuple[Floats, Floats]:
    """Events and positive ones (or what was summed) as they weigh on ``day``."""
    if half_life is None:
        return np.asarray(cells["count"], np.float64), np.asarray(cells["positive"], np.float64)
    column, last = list(half_lives).index(half_life), np.asarray(cells["last_day"], np.int64)
    weight = halved(half_life, np.where(last > 0, day - last, 0))
    every, positive = np.asarray(cells["decayed"]), np.asarray(cells["decayed_positive"])
    return every[..., column] * weight, positive[..., column] * weight


def halved(half_life: float, days: NDArray[np.int64]) -> Floats:
    """0.5^(days / half-life)."""
    return np.array([0.5 ** (each / half_life) for each in range(int(days.max(initial=0)) + 1)])[days]


def value(
    counter: Mapping[str, Any], cells: Mapping[str, Any], overall: Mapping[str, Any], half_lives: Sequence[float],
    all_half_lives: Sequence[float], day: int,
) -> NDArray[np.float32]:  # fmt: skip
    """A declared counter on ``day``, of the cells of its keys.

    Args:
        overall: the cell of all events, with the ``all_half_lives``.
    """
    measure, half_life, smoothing = counter["measure"], counter["half_life"], counter["smoothing"]
    which = 1 if counter["positives"] or measure == "sum" else 0
    last = cells["last_positive" if counter["positives"] else "last_day"]
    if measure in ("rate", "mean", "share"):
        n, positive = known(cells, half_lives, half_life, day)
        count, total = known(overall, all_half_lives, half_life, day)
        prior = float(total / count) if count > 0 else 0.5 if measure == "rate" else 0.0
        found = (positive + smoothing * prior) / (n + smoothing)
        return transformed(counter, found, prior if counter.get("centre") else None)
    if measure == "days_since":
        found = np.where(last > 0, np.minimum(day - last, _NEVER), _NEVER)
    elif measure == "seen":
        found = (last > 0).astype(np.float64)
    elif measure == "trend":
        lately, before = (known(cells, half_lives, each, day)[which] for each in (half_life, counter["against"]))
        found = np.log(lately + smoothing) - np.log(before + smoothing)
    else:  # count, sum
        found = known(cells, half_lives, half_life, day)[which]
    return transformed(counter, found)


def transformed(counter: Mapping[str, Any], found: Floats, centre: float | None = None) -> NDArray[np.float32]:
    """``transform``, less the ``centre``'s, divided by ``scale``."""
    found = _transform(counter, np.asarray(found, np.float64))
    if centre is not None:
        found = found - _transform(counter, np.array([centre]))[0]
    return (found / counter["scale"]).astype(np.float32)


def _transform(counter: Mapping[str, Any], found: Floats) -> Floats:
    if counter["transform"] == "log":
        return np.log1p(found) if counter.get("value") is None else np.sign(found) * np.log1p(np.abs(found))
    if counter["transform"] == "logit":
        inside = np.clip(found, _EDGE, 1 - _EDGE)
        return np.asarray(np.log(inside) - np.log1p(-inside))
    return found
