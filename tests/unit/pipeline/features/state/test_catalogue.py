from __future__ import annotations

import numpy as np

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.state.catalogue import Catalogue

DAY = Day.of(2024, 3, 1)


def chapters(*rows: list[int]) -> dict[str, Lists]:
    return {"chapters": Lists.of(list(rows), np.int64)}


def test_first_attributes_stay_and_times_taken_add_up() -> None:
    catalogue = Catalogue.empty(("chapters",))
    first = chapters([2, 5], [6], [9], [9])
    catalogue = catalogue.apply(np.int64([7, 3, 7, MISSING]), np.int32([1, 0, 1, 1]), first, DAY)
    later = catalogue.apply(np.int64([9, 7]), np.int32([1, 3]), chapters([4], [8]), DAY.next())
    keys, roles, taken = later.all()
    assert (keys.tolist(), taken.tolist()) == ([3, 7, 9], [0, 5, 1])
    assert roles["chapters"].lengths.tolist() == [1, 2, 1]
    assert roles["chapters"].values.tolist() == [6, 2, 5, 4]
    assert later.seen_since(DAY.next()).tolist() == [7, 9]
    assert catalogue.all()[0].tolist() == [3, 7]  # the earlier one stays as it was


def test_items_without_attributes() -> None:
    catalogue = Catalogue.empty(()).apply(np.int64([4, 4]), np.int32([1, 1]), {}, DAY)
    assert (catalogue.all()[0].tolist(), catalogue.all()[2].tolist()) == ([4], [2])
    assert Catalogue.empty(("chapters",)).all()[1]["chapters"].lengths.tolist() == []
