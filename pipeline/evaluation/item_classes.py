"""A day's items by how often they are taken and what comes of it: where two tasks pull a model apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.schema import DayArrays
from pipeline.evaluation import metrics


class ItemClass(NamedTuple):
    """Items alike in both rates.

    Attributes:
        rates: of each of the two tasks the share of positives among the rows that it judged, and the mean prediction;
            ``None`` where it judged none.
    """

    name: str
    items: int
    rows: int
    rates: tuple[tuple[float | None, float | None], ...]


def classes_of(
    arrays: DayArrays, tasks: tuple[str, str], logits: tuple[NDArray[np.float32], NDArray[np.float32]]
) -> list[ItemClass]:
    """Four classes of items, high and low in the rate of each of two tasks; high is above that of all rows.

    Args:
        logits: ``[pairs]`` of each.
    """
    item = np.asarray(arrays.pair_item)
    labels = [arrays.label_of(task) for task in tasks]
    high = [_above(label, item) for label in labels]
    shown = np.bincount(item, minlength=len(high[0])) > 0
    found = []
    for first in (True, False):
        for second in (True, False):
            chosen = (high[0] == first) & (high[1] == second) & shown
            rows = chosen[item]
            rates = tuple(_rates(label[rows], scores[rows]) for label, scores in zip(labels, logits, strict=True))
            name = ", ".join(
                f"{'high' if is_high else 'low'} {task}" for is_high, task in zip((first, second), tasks, strict=True)
            )
            found.append(ItemClass(name, int(chosen.sum()), int(rows.sum()), rates))
    return found


def _above(label: NDArray[np.int8], item: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which items have a rate above that of all rows, ``[items]``; one without a judged row has not."""
    items, judged = int(item.max(initial=-1)) + 1, label >= 0
    every = np.bincount(item[judged], minlength=items)
    taken = np.bincount(item[label == 1], minlength=items)
    return np.asarray(taken * every.sum() > taken.sum() * every)


def _rates(label: NDArray[np.int8], logits: NDArray[np.float32]) -> tuple[float | None, float | None]:
    judged = label >= 0
    if not judged.any():
        return None, None
    return float((label[judged] == 1).mean()), float(metrics.sigmoid(logits[judged]).mean())
