"""In which order the candidates of a request are answered, and what their numbers are."""

from __future__ import annotations

import numpy as np
import pytest

from models.tasks import LossName
from pipeline.features.arrays.candidates import Candidates
from pipeline.features.arrays.items import DayItems
from pipeline.serving.ready_release import Told, _told, best_first


def candidates(offsets: list[int], raw: list[str]) -> Candidates:
    """Candidates, an item a pair, whose codes are the lengths of their ids."""
    number = len(raw)
    items = DayItems(
        np.array(offsets), np.arange(number, dtype=np.int32), np.array([len(each) for each in raw]),
        np.array(raw, object), np.zeros(number, np.int8),
    )  # fmt: skip
    return Candidates(items, {}, {}, {})


def test_ties_stand_in_the_order_of_their_keys() -> None:
    found = candidates([0, 4], ["dd", "c", "bbb", "aaaa"])
    assert best_first(found, np.float32([0.5, 2, 0.5, 0.5])).tolist() == [1, 3, 2, 0]


def test_a_candidate_of_several_lists_counts_once_with_its_best_score() -> None:
    found = candidates([0, 2, 5], ["a", "bb", "bb", "a", "ccc"])
    assert best_first(found, np.float32([0.1, 0.9, 0.2, 0.3, -1])).tolist() == [1, 3, 4]


@pytest.mark.parametrize(
    ("loss", "ranks", "told"),
    [
        ("binary", False, "probability"), ("softmax", False, "share"), ("in_batch", False, "number"),
        ("in_batch_log_q", False, "number"), ("binary", True, "number"),
    ],
)  # fmt: skip
def test_what_is_no_probability_is_not_called_one(loss: LossName, ranks: bool, told: Told) -> None:
    assert _told(loss, ranks=ranks) == told
