"""Neighbours of values, against cosines written out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.config.bags import Collaborative
from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.state.bags import BagRule, BagTables
from pipeline.features.state.histories import HistoryTable
from pipeline.features.state.neighbours import NEAR, WEIGHT, Neighbours, last_taken

MONDAY = Day.of(2024, 3, 4)
ANN, BOB, NOBODY = 1, 2, 3
ALGEBRA, LOGIC = 10, 20
COSINE = Collaborative(bag="sections", context="chapter", owner="teacher", method="cosine", neighbours=3, baskets=2)


def table(*, days: int = 3) -> HistoryTable:
    """Ann takes 5 and 6 in algebra and 8 in logic on Monday, 5 the day after and 6 the next; Bob 5 and 8 on Monday."""
    events = [
        [(ANN, ALGEBRA, [5, 6]), (ANN, LOGIC, [8]), (BOB, LOGIC, [8]), (BOB, ALGEBRA, [5])],
        [(ANN, ALGEBRA, [5])],
        [(ANN, ALGEBRA, [6])],
    ]
    found = BagTables.empty(BagRule((), {"teacher": 64}))
    for ahead, of_day in enumerate(events[:days]):
        owner, context, bags = zip(*of_day, strict=True)
        label = np.ones(len(of_day), np.int8)
        codes = {"teacher": np.array(owner)}
        found = found.apply(codes, np.array(context), Lists.of([*bags], np.int64), label, MONDAY.plus(ahead))
    return found.own["teacher"]


def test_the_cosine_of_what_an_owner_took_on_one_day_in_all_contexts() -> None:
    fitted = Neighbours.fit(COSINE, table(), MONDAY.plus(2))
    assert fitted.table.keys.tolist() == [5, 6, 8]
    # Four baskets: (5, 6, 8), (5, 8), (5), (6). Three hold 5, two 6, two 8; 5 and 8 stand together in two.
    assert fitted.column(NEAR).tolist() == [[5, 8, 6], [6, 8, 5], [8, 5, 6]]
    five = [3 / 13, 2 / (13 * 12) ** 0.5, 1 / (13 * 12) ** 0.5]
    assert fitted.column(WEIGHT)[0] == pytest.approx(np.float32(five))
    assert fitted.column(WEIGHT)[1] == pytest.approx(np.float32([2 / 12, 1 / 12, 1 / (13 * 12) ** 0.5]))


def test_the_nearest_are_kept_and_what_is_not_there_is_missing() -> None:
    few = Neighbours.fit(COSINE.model_copy(update={"neighbours": 1}), table(), MONDAY.plus(2))
    assert few.column(NEAR).tolist() == [[5], [6], [8]]
    many = Neighbours.fit(COSINE.model_copy(update={"neighbours": 4}), table(), MONDAY.plus(2))
    assert many.column(NEAR)[0].tolist() == [5, 8, 6, MISSING]
    assert many.column(WEIGHT)[0, 3] == 0


def test_what_an_owner_took_on_the_last_days_that_he_took_something() -> None:
    found = last_taken(COSINE, table(), np.array([ANN, NOBODY, BOB, ANN]))
    rows = [found.values[start:end].tolist() for start, end in zip(found.offsets, found.offsets[1:], strict=False)]
    assert rows == [[5, 6], [], [5, 8], [5, 6]]
    every = last_taken(COSINE.model_copy(update={"baskets": 3}), table(), np.array([ANN]))
    assert every.values.tolist() == [5, 6, 8]


def test_a_fit_has_the_same_bits_each_time_and_as_stored_and_may_be_of_nothing() -> None:
    first, second = (Neighbours.fit(COSINE, table(), MONDAY.plus(2)) for _ in range(2))
    stored = Neighbours.from_arrays(first.arrays())
    for name, array in first.arrays().items():
        assert array.tobytes() == second.arrays()[name].tobytes() == stored.arrays()[name].tobytes()
    nothing = Neighbours.fit(COSINE, table(days=0), MONDAY)
    assert nothing.column(NEAR).shape == nothing.column(WEIGHT).shape == (0, 3)
