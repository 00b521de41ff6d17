"""A day's rows: columns of one value a row, and of lists."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.frames.frame import Lists
from pipeline.features.rows.day import flat


def test_lists_are_never_taken_for_single_values() -> None:
    assert flat(np.array([1, 2])).tolist() == [1, 2]
    with pytest.raises(TypeError, match="holds lists where one value a row is needed"):
        flat(Lists.of([[1]], np.int64))
