"""Places of candidates in their lists."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.config.features import Counter
from pipeline.features.arrays.counter_values import places


def test_places_count_from_zero_in_each_list() -> None:
    found = places(Counter(measure="rank"), np.array([0, 3, 3, 5]))
    assert found.tolist() == [0, 1, 2, 0, 1]
    assert found.dtype == np.float32


def test_places_are_brought_to_scale_as_the_settings_say() -> None:
    found = places(Counter(measure="rank", transform="log", scale=2.0), np.array([0, 2]))
    assert found.tolist() == pytest.approx([0.0, np.log(2) / 2])
