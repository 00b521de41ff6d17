"""Trees by LightGBM: fitted on rows, asked about rows. Whoever trains none does without the library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from models.forest import Forest

Floats = NDArray[np.float64]
_THREADS = 1
"""A day has few rows, and threads that wait for each other at every leaf take many times the CPU on a busy machine."""


@dataclass(frozen=True)
class Rows:
    """What trees are fitted on.

    Attributes:
        x: float32 ``[rows, columns]``; NaN is missing.
        label: int8 ``[rows]``, 0 or 1.
        weight: float64 ``[rows]``.
        groups: int64 ``[examples]``, how many rows stand against each other, one group after the other.
    """

    x: NDArray[np.float32]
    label: NDArray[np.int8]
    weight: Floats
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.label)


def fitted(
    rows: Rows, begun: Floats, trees: int, settings: Mapping[str, Any], *, ranks: bool, seed: int
) -> Forest:
    """Trees that lower an objective from where it stands, to the same bits for the same rows and seed.

    Args:
        begun: logits ``[rows]`` that the trees are added to.
        settings: LightGBM's own, ``objective`` among them.
        ranks: whether the objective is one of groups.
    """
    fixed = {
        "deterministic": True, "force_row_wise": True, "boost_from_average": False, "seed": seed % 2**31,
        "num_threads": _THREADS, "verbosity": -1, "feature_pre_filter": False,
    }  # fmt: skip
    data = lightgbm.Dataset(
        rows.x, rows.label, weight=rows.weight, group=rows.groups if ranks else None, init_score=begun
    )
    booster = lightgbm.train({**settings, **fixed}, data, num_boost_round=trees)
    return Forest.read(booster.model_to_string())


class Asked:
    """A forest that LightGBM walks."""

    def __init__(self, forest: Forest, columns: int) -> None:
        self._booster = lightgbm.Booster(model_str=forest.text(columns)) if len(forest) else None

    def values(self, x: NDArray[np.float32]) -> Floats:
        """The sum of the leaves of every row, ``[rows]``."""
        if self._booster is None or not len(x):
            return np.zeros(len(x))
        return np.asarray(self._booster.predict(x, raw_score=True, num_threads=_THREADS), np.float64)

    def leaves(self, x: NDArray[np.float32]) -> NDArray[np.int64]:
        """The leaf of every row in every tree, ``[rows, trees]``."""
        if self._booster is None or not len(x):
            return np.zeros((len(x), 0), np.int64)
        found = self._booster.predict(x, pred_leaf=True, num_threads=_THREADS)
        return np.asarray(found, np.int64).reshape(len(x), -1)
