"""Statistics of the dense values of the days seen so far, which later days are normalised by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.engine.state import State
from models.engine.view import View
from models.layers.normalise import Normalise, bound, logged, merge, no_statistics
from models.schema import DayArrays, FeatureSchema


class Observed:
    """The statistics of every normalised feature, kept with the model's weights and handed to its layers.

    Args:
        schema: the model's features.
        layers: of the model, that normalise its dense features, by name.
    """

    def __init__(self, schema: FeatureSchema, layers: dict[str, Normalise]) -> None:
        self._layers = layers
        self._statistics = {
            f.name: no_statistics(f.size) for f in schema.features if not f.has_ids and f.normalise != "none"
        }
        self._fixed = {
            f.name: f.fixed_days for f in schema.features if f.name in self._statistics and f.fixed_days is not None
        }
        self._days = dict.fromkeys(self._fixed, 0)

    def load(self, state: State) -> None:
        """Take up what :meth:`state` gave."""
        for name in self._statistics:
            self._set(name, np.array(state[self._tensor(name)], np.float64))
        self._days = {name: int(state[self._days_of(name)]) for name in self._fixed}

    def state(self) -> dict[str, NDArray[Any]]:
        """``normalise/<feature>``, of logarithms ``normalise/<feature>.log``; of those of the first days alone, also
        how many there were, ``normalise/<feature>.days``."""
        kept = {self._tensor(name): statistics.copy() for name, statistics in self._statistics.items()}
        return kept | {self._days_of(name): np.asarray(days, np.int64) for name, days in self._days.items()}

    def nothing(self) -> dict[str, NDArray[Any]]:
        """What :meth:`state` is before any day."""
        return {name: np.zeros_like(each) for name, each in self.state().items()}

    def add(self, view: View, arrays: DayArrays) -> dict[str, dict[str, Any]]:
        """Add a day.

        Returns:
            By feature with wild values, which entered bounded, or whose statistics began anew: ``wild`` of ``known``
            values, the ``furthest`` of them, ``anew``; of logarithms where the feature is read so.
        """
        told = {}
        for block in view.dense:
            values = np.asarray(arrays.on(block.side, ids=False))
            for (name, _), place in block.places.items():
                if name in self._statistics and self._days.get(name, 0) < self._fixed.get(name, 1):
                    own = values[:, block.source[place.start : place.stop]]
                    day = bound(self._statistics[name], logged(own) if self._layers[name].log else own)
                    self._set(name, merge(self._statistics[name], day))
                    # A day without a number is none of the first.
                    if name in self._fixed and np.isfinite(day.values).any():
                        self._days[name] += 1
                    if day.wild.any() or day.anew.any():
                        told[name] = day.record()
        return told

    def _days_of(self, name: str) -> str:
        return f"{self._tensor(name)}.days"

    def _tensor(self, name: str) -> str:
        # Of another name: a chain of values must not go on as one of their logarithms.
        return f"normalise/{name}.log" if self._layers[name].log else f"normalise/{name}"

    def _set(self, name: str, statistics: NDArray[np.float64]) -> None:
        self._statistics[name] = statistics
        self._layers[name].set_statistics(statistics)
