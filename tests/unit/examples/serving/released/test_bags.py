"""Counters over bags, worked out by hand."""

from __future__ import annotations

import math
from base64 import b64encode
from typing import Any

import numpy as np
import pytest

from examples.serving.released.bags import Asked, Contexts, scores

DAY = 100
COUNTER = {"owner": None, "half_life": 10.0, "own_half_life": None, "own_recency": None, "prior": 1.0, "rare": 0.5,
           "clip": 1e-4, "scale": 1.0}  # fmt: skip
OWN = {"days": [80, 90, 95], "contexts": [1, 2, 1], "values": [[10], [10], [10, 11]]}


def logit(share: float) -> float:
    return math.log(share) - math.log(1 - share)


def asked(own: dict[str, Any] | None = OWN) -> Asked:
    """Context 1, of which there were 8 events ten days ago, 4 of value 10; two candidates there, one in context 3."""
    tables = Contexts([10.0])
    tables.add(1, {"context": [90, [8.0]], "values": [11, 10], "last_day": [90, 90], "decayed": [[2.0], [4.0]]})
    tables.add(3, None)
    tables.fit("s", {"values": [10, 11], "vectors": [text(1, 0), text(0, 2)]})
    return Asked(tables, [1, 1, 3], [[10], [10, 11], [10]], own)


def text(*numbers: float) -> str:
    return b64encode(np.array(numbers, "<f4").tobytes()).decode()


@pytest.mark.parametrize(
    ("counter", "wanted"),
    [
        ({"measure": "likelihood"}, [logit(2.5 / 5), logit(2.5 / 5) + logit(1.5 / 5), logit(0.5)]),
        ({"measure": "likelihood", "owner": "t"},
         [logit((2 + 0.5) / 3), logit((2 + 0.5) / 3) + logit((1 + 0.3) / 3), logit(0.5)]),
        ({"measure": "likelihood", "owner": "t", "own_recency": 1.0},
         [logit((1.5 + 0.5) / 2.5), logit((1.5 + 0.5) / 2.5) + logit((1 + 0.3) / 2.5), logit(0.5)]),
        ({"measure": "count"}, [math.log(3), math.log(4), 0]),
        ({"measure": "count", "owner": "t", "own_half_life": 5.0},
         [math.log(1 + 0.5 + 1 / 16), math.log(1 + 1 + 1 / 16), 0]),
        ({"measure": "size"}, [math.log(2), math.log(3), math.log(2)]),
        ({"measure": "size", "owner": "t"},
         [math.log(2) - (math.log(2) + math.log(3)) / 2, math.log(3) - (math.log(2) + math.log(3)) / 2, 0]),
        ({"measure": "overlap", "owner": "t"}, [1, 1, 0]),
        ({"measure": "days_since", "owner": "t"}, [math.log(6), math.log(6), math.log(3651)]),
        ({"measure": "days_since"}, [math.log(11), math.log(11), math.log(3651)]),
    ],
)  # fmt: skip
def test_a_measure_of_bags(counter: dict[str, Any], wanted: list[float]) -> None:
    np.testing.assert_allclose(asked().counter({**COUNTER, **counter}, DAY), wanted, rtol=1e-6, atol=1e-7)


def test_an_owner_without_events_is_told_by_what_all_have_taken() -> None:
    owned = {**COUNTER, "measure": "likelihood", "owner": "t"}
    np.testing.assert_array_equal(asked(None).counter(owned, DAY), asked().counter({**owned, "owner": None}, DAY))


def test_scores_are_standard_among_the_values_of_their_context() -> None:
    """Of 10 and 11 the scores are 3 and 2: 1 and −1 deviation from their mean; of context 3 nothing is known."""
    found = asked().suits("s", text(3, 1))
    np.testing.assert_allclose(found, [[1, 1], [0, -1], [0, 0]], atol=1e-6)
    assert not asked().suits("s", None).any()


def test_neighbours_that_the_owner_took_last_count() -> None:
    near = {10: ([11, 12], np.float32([0.5, 0.25, 0])), 11: ([10], np.float32([0.5, 0, 0]))}
    assert scores(near, [12, 11], [10, 11, 13]).tolist() == [0.75, 0, 0]
