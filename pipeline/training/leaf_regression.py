"""A logistic regression over the leaves of trees: a weight for each, moved in batches with a rate of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.forest import Forest

Floats = NDArray[np.float64]


@dataclass
class LeafRegression:
    """Weights of leaves and, last, that of all rows.

    Attributes:
        weight: float64 ``[trees · leaves + 1]``, tree after tree.
        squares: of the gradients until now, alike.
    """

    weight: Floats
    squares: Floats

    @classmethod
    def begun(cls, forest: Forest, base: float) -> LeafRegression:
        """One that answers as the trees do."""
        weight = np.append(forest.value.ravel(), base)
        return cls(weight, np.zeros_like(weight))

    @classmethod
    def of(cls, tensors: Mapping[str, NDArray[Any]]) -> LeafRegression:
        return cls(**{each.name: np.array(tensors[each.name]) for each in fields(cls)})

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        return {each.name: getattr(self, each.name).copy() for each in fields(self)}

    def answering(self, forest: Forest) -> tuple[Floats, float]:
        """The weights as values of the trees' leaves, and what is added to their sum."""
        return self.weight[:-1].reshape(forest.value.shape), float(self.weight[-1])

    def logits(self, leaves: NDArray[np.int64], width: int) -> Floats:
        """Of rows by their leaves ``[rows, trees]``.

        Args:
            width: leaves that a tree has room for.
        """
        return np.asarray(self.weight[_places(leaves, width)].sum(axis=1) + self.weight[-1])

    def learn(
        self, leaves: NDArray[np.int64], width: int, label: NDArray[np.int8], weight: Floats, *, batch: int, rate: float
    ) -> Floats:
        """One pass; returns the logits of the rows as each batch was met.

        A weight moves by rate / trees · g / (1 + √Σg²), g the sum of its gradients of a batch (He et al. 2014).
        """
        places, met = _places(leaves, width), np.zeros(len(label))
        step = rate / max(leaves.shape[1], 1)
        for start in range(0, len(label), batch):
            rows = slice(start, start + batch)
            met[rows] = self.weight[places[rows]].sum(axis=1) + self.weight[-1]
            residual = weight[rows] * (1.0 / (1.0 + np.exp(-met[rows])) - label[rows])
            gradient = np.bincount(
                places[rows].ravel(), np.repeat(residual, places.shape[1]), minlength=len(self.weight)
            )
            gradient[-1] = residual.sum()
            self.squares += gradient**2
            self.weight -= step * gradient / (1.0 + np.sqrt(self.squares))
        return met


def _places(leaves: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    return leaves + width * np.arange(leaves.shape[1])
