"""What a test measures of a day, and of which parts a measure is put together: one class a kind of request."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.config.measures import Measure


@dataclass(frozen=True)
class Evaluation:
    """Measures of one checkpoint on one day.

    Attributes:
        rows: tested impressions, or candidate rows.
        values: measure by name; ``None`` where it cannot be computed.
        reasons: why not, by name.
        counts: what was left out, and how much.
        groups: values by group of requests, such as those of new users.
    """

    rows: int
    values: dict[str, float | int | None]
    reasons: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    groups: dict[str, dict[str, float | int | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """What rows, requests or users add to a measure: it is ``total.sum() / count.sum()``. What is left out is not here.

    Attributes:
        user: whose each of them is, as an index of what a bootstrap draws (see ``Measured.units``).
    """

    total: NDArray[np.float64]
    count: NDArray[np.float64]
    user: NDArray[np.int64]

    @property
    def value(self) -> float | None:
        return float(self.total.sum() / self.count.sum()) if self.count.sum() > 0 else None


class Measured(ABC):
    """The measures of a day's rows.

    Args:
        task: whose labels they are judged by.
        key_rank: int32 ``[items]``, orders candidates of equal score.
        composite: weight of each hit rate.
    """

    def __init__(
        self, arrays: DayArrays, task: str, key_rank: NDArray[np.int32], composite: Mapping[int, float]
    ) -> None:
        self.arrays, self.label, self.key_rank, self.composite = arrays, arrays.label_of(task), key_rank, composite

    @abstractmethod
    def evaluate(self, logits: NDArray[np.float32], groups: Mapping[str, NDArray[np.bool_]]) -> Evaluation:
        """All measures, of all and of each group of requests that is measured apart, bool ``[requests]`` by name."""

    @abstractmethod
    def parts(self, measure: Measure, logits: NDArray[np.float32]) -> Parts:
        """The parts that a measure is put together from; not those of ``pairs``, which is no quotient of sums."""

    @property
    def judged(self) -> NDArray[np.bool_]:
        """The pairs that the task has a label of, ``[pairs]``."""
        return self.label >= 0

    @property
    def users(self) -> NDArray[np.int64]:
        """Whose each request is, as an index of the day's users in ascending order."""
        return np.unique(self.arrays.user, return_inverse=True)[1]

    @property
    def units(self) -> NDArray[np.int64]:
        """What a bootstrap draws of each request, with all that belongs to it: its user."""
        return self.users


def no_parts(measure: Measure) -> ValueError:
    return ValueError(f"'{measure.name}' is put together from no parts")
