"""Days of nothing but requests, and one on which every measure of two models is known by hand.

The measures are the same for each user, so that no draw changes them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from models.schema import ONLY, DayArrays, FeatureSchema, Layout
from pipeline.evaluation.bootstrap import Scored
from pipeline.evaluation.measured import Evaluation
from pipeline.evaluation.measures import evaluate

COMPOSITE = {1: 0.5, 3: 0.3, 5: 0.2, 10: 0.1}
USERS = 20
_THIRD = math.log(3)

_OF_LABELS = {"auc": 0.5, "gauc": 0.5, "calibration": 0.5, "log_loss": math.log(64 / 3) / 4 - math.log(4 / 3)}
BETTER = {
    "impressions": _OF_LABELS, "rows": _OF_LABELS,
    "ranking": {
        **{f"hit_{k}{of}": 1.0 for k in (1, 3, 5, 10, 15) for of in ("", "_all")},
        "composite": 0.5 + 0.3 + 0.2 + 0.1, "auc": 1.0, "log_loss": math.log(257) - math.log(2),
    },
}  # fmt: skip
"""By how much ``good`` is better than ``bad``, by kind and measure: more is better, whatever the measure."""


def day(offsets: list[int], label: list[int], user: list[int]) -> DayArrays:
    """Arrays of nothing but requests (where each begins, and the end), labels and users."""
    requests = len(offsets) - 1
    layout = Layout.of(FeatureSchema(()), {})
    return DayArrays(
        layout=layout,
        request_ids=np.zeros((requests, 0), np.int32),
        request_dense=np.zeros((requests, 0), np.float32),
        item_ids=np.zeros((len(label), 0), np.int32),
        item_dense=np.zeros((len(label), 0), np.float32),
        offsets=np.array(offsets, np.int64),
        pair_item=np.arange(len(label), dtype=np.int32),
        pair_dense=np.zeros((len(label), 0), np.float32),
        label=np.array(label, np.int8)[:, None],
        weight=np.ones(requests, np.float32),
        user=np.array(user, np.int32),
    )


def impressions() -> tuple[DayArrays, list[float], list[float]]:
    """A day, the scores of the better model and those of the worse: four rows a user, the first one clicked.

    better: predictions 3/4, 1/4, 1/4, 1/4: the click first (AUC 1); 1.5 clicks predicted where there is one;
    log-loss ln 4/3 each.
    worse: 1/2, 3/4, 1/2, 1/4: above one of three, level with one (AUC 1/2); 2 predicted; log-losses ln 2, ln 4, ln 2
    and ln 4/3, together ln 64/3.
    """
    rows = day(list(range(4 * USERS + 1)), [1, 0, 0, 0] * USERS, np.repeat(np.arange(USERS), 4).tolist())
    return rows, [_THIRD, -_THIRD, -_THIRD, -_THIRD] * USERS, [0.0, _THIRD, 0.0, -_THIRD] * USERS


def requests() -> tuple[DayArrays, list[float], list[float]]:
    """A day, better and worse scores: one request a user, one positive of 17 candidates, first or last of all.

    Softmax of the positive: 16 / (16 + 16) and 1/16 / (1/16 + 16) = 1/257.
    """
    rows = day(list(range(0, 17 * USERS + 1, 17)), ([1] + [0] * 16) * USERS, list(range(USERS)))
    best, zeros = math.log(16), [0.0] * 16
    return rows, [best, *zeros] * USERS, [-best, *zeros] * USERS


def measured(
    kind: str, rows: DayArrays, logits: Any, key_rank: Any = None, composite: Any = None, groups: Any = None
) -> Evaluation:
    """All measures of a day's rows."""
    ranks = np.zeros(0, np.int32) if key_rank is None else key_rank
    logits = np.asarray(logits)[:, None]
    by_task = {name: logits[:, number] for number, name in enumerate(rows.tasks)}
    return evaluate(kind, rows, ranks, composite or COMPOSITE, by_task, groups or {})  # type: ignore[arg-type]


def scored(kind: str, *, swapped: bool = False) -> Scored:
    """The better model as the new one; ``swapped``: as the old one."""
    rows, good, bad = requests() if kind == "ranking" else impressions()
    new, old = (np.array(each, np.float32) for each in ((bad, good) if swapped else (good, bad)))
    return compared(kind, rows, np.arange(len(new), dtype=np.int32), COMPOSITE, new, old)


def compared(kind: str, rows: DayArrays, key_rank: Any, composite: Any, new: Any, old: Any) -> Scored:
    """Two models' logits ``[pairs]`` of a job's one task."""
    both = ({ONLY: np.asarray(each, np.float32)} for each in (new, old))
    return Scored(kind, rows, key_rank, composite, *both)  # type: ignore[arg-type]


def everything(found: Scored, *, old: bool = False) -> Evaluation:
    """All measures of the new model, or of the old one."""
    logits = (found.old if old else found.new)[ONLY]
    return measured(found.kind, found.arrays, logits, found.key_rank, found.composite)
