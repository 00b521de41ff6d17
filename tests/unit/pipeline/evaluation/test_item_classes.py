"""Items by how often they are taken and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.evaluation.item_classes import classes_of
from tests.unit.pipeline.judged import day


def test_items_fall_into_four_classes_by_their_rates_against_those_of_all_rows() -> None:
    """Item 0: always clicked, never watched; item 1: never clicked; item 2: clicked half the time, then watched."""
    item = np.repeat([0, 1, 2], 40)
    click = np.r_[np.ones(40), np.zeros(40), np.tile([0, 1], 20)].astype(np.int8)
    watched = np.where(click == 1, np.r_[np.zeros(80), np.ones(40)], -1).astype(np.int8)
    rows = replace(
        day(list(range(121)), [0] * 120, [1] * 120), label=np.stack([click, watched], axis=1),
        tasks=("click", "watched"), pair_item=item.astype(np.int32),
    )  # fmt: skip
    zeros = np.zeros(120, np.float32)
    found = classes_of(rows, ("click", "watched"), (zeros, zeros + np.float32(np.log(3))))
    assert [(each.name, each.items, each.rows) for each in found] == [
        ("high click, high watched", 0, 0), ("high click, low watched", 1, 40),
        ("low click, high watched", 1, 40), ("low click, low watched", 1, 40),
    ]  # fmt: skip
    nothing, taken, liked, left = (each.rates for each in found)
    assert nothing == ((None, None), (None, None))
    assert taken == ((1.0, 0.5), (0.0, pytest.approx(0.75)))
    assert liked == ((0.5, 0.5), (1.0, pytest.approx(0.75)))
    assert left == ((0.0, 0.5), (None, None))
