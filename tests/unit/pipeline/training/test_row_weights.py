"""A request weighs what the rules say of what was taken, and never of what was not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.schema import DayArrays
from pipeline.config.row_weights import WeightRule
from pipeline.training.row_weights import weighted
from tests.unit.models.school import with_labels

RULE = WeightRule(taken="section", more_than=1, weight=1.5)


def day() -> DayArrays:
    """Items 0, 1, … in order, with so many sections each; what was taken has 1, 2, 3 and, of two, 1 and 2."""
    found = with_labels([[1, 0], [0, 1], [1], [0], [1, 1]])
    place = found.layout.item_ids["section"]
    ids = np.array(found.item_ids)
    for item, sections in enumerate([1, 4, 3, 2, 3, 4, 1, 2]):
        ids[item, place.start : place.stop] = [5] * sections + [0] * (4 - sections)
    return replace(found, item_ids=ids, weight=np.array([1, 2, 1, 1, 1], np.float32))


def test_what_was_taken_decides() -> None:
    assert weighted(day(), 1.0, [RULE]).weight.tolist() == [1, 3, 1.5, 1, 1.5]


def test_rules_multiply_with_each_other_and_with_what_replayed_rows_weigh() -> None:
    more = WeightRule(taken="section", more_than=2, weight=2.0)
    assert weighted(day(), 0.5, [RULE, more]).weight.tolist() == [0.5, 1.5, 1.5, 0.5, 0.75]


def test_without_rules_the_rows_are_as_they_were() -> None:
    rows = day()
    assert weighted(rows, 1.0, []) is rows
