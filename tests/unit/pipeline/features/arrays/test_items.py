from __future__ import annotations

import numpy as np

from pipeline.features.arrays.items import DayItems


def test_each_pair_is_of_the_request_in_whose_stretch_it_stands() -> None:
    none = np.zeros(0, np.int64)
    items = DayItems(np.array([0, 2, 2, 3]), np.int32([0, 1, 0]), none, none, np.int8([0, 0, 0]))
    assert items.request.tolist() == [0, 0, 2]
