"""Counters of earlier days on a later one: values worked out by hand from docs/serving.md."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from examples.serving.released.counters import Cells, value

DAY = 100
COUNTER = {"half_life": None, "smoothing": 20.0, "transform": "none", "scale": 1.0, "positives": False}
ALL = {"count": 100, "positive": 25, "last_day": 99, "last_positive": 99, "decayed": [64.0], "decayed_positive": [16.0]}


def cells() -> Cells:
    """Of 7 four events, one of them positive, the last ones 7 and 14 days before; nothing of anybody else."""
    found = Cells([7.0])
    found.add([(7,)], {"count": [4], "positive": [1], "last_day": [93], "last_positive": [86],
                       "decayed": [[2.0]], "decayed_positive": [[1.0]]})  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("counter", "known", "unknown"),
    [
        ({"measure": "count"}, 4.0, 0.0),
        ({"measure": "count", "positives": True, "scale": 2.0}, 0.5, 0.0),
        ({"measure": "count", "half_life": 7.0, "transform": "log"}, math.log(2), 0.0),
        ({"measure": "sum", "value": "v", "half_life": 7.0, "transform": "log"}, math.log(1.5), 0.0),
        ({"measure": "rate"}, (1 + 20 * 0.25) / 24, 0.25),
        ({"measure": "rate", "half_life": 7.0, "smoothing": 1.0}, (0.5 + 0.25) / 2, 0.25),
        ({"measure": "rate", "transform": "logit", "centre": True}, -math.log(3) + math.log(3), 0.0),
        ({"measure": "days_since"}, 7.0, 3650.0),
        ({"measure": "days_since", "positives": True}, 14.0, 3650.0),
        ({"measure": "seen"}, 1.0, 0.0),
    ],
)
def test_a_measure_of_a_key_and_of_one_without_events(counter: dict[str, Any], known: float, unknown: float) -> None:
    table = cells()
    found = value({**COUNTER, **counter}, table.at(table.places([(7,), (8,)])), ALL, [7.0], [7.0], DAY)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [known, unknown], rtol=1e-6, atol=1e-7)


def test_a_trend_is_of_two_half_lives_and_a_part_without_positives_has_positive_ones_alone() -> None:
    table = Cells([7.0, 14.0])
    table.add([(1, 2), (1, 3)], {"count": [3, 1], "last_day": [93, 86], "decayed": [[2.0, 4.0], [1.0, 1.0]]})
    at = table.at(table.places([(1, 3), (1, 2), (2, 2)]))
    assert at["positive"].tolist() == [1, 3, 0]
    assert at["last_positive"].tolist() == [86, 93, 0]
    counter = {**COUNTER, "measure": "trend", "half_life": 7.0, "against": 14.0, "smoothing": 0.5}
    found = value(counter, at, ALL, [7.0, 14.0], [7.0, 14.0], DAY)
    wanted = [math.log(0.75) - math.log(1.0), math.log(1.5) - math.log(4 * 0.5**0.5 + 0.5), 0]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
