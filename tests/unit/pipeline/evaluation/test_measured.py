"""A measure is the quotient of what its parts add up to."""

from __future__ import annotations

import numpy as np
import pytest

from models.schema import ONLY
from pipeline.evaluation.homework import HomeworkMeasures
from pipeline.evaluation.measured import Parts
from tests.unit.pipeline.judged import COMPOSITE, day


@pytest.mark.parametrize(
    ("total", "count", "value"), [([1.0, 2.0, 0.0], [2.0, 2.0, 4.0], 3 / 8), ([1.0], [0.0], None), ([], [], None)]
)
def test_the_value_of_parts(total: list[float], count: list[float], value: float | None) -> None:
    found = Parts(np.array(total), np.array(count), np.zeros(len(total), np.int64)).value
    assert found == value


def test_users_are_counted_from_zero_in_ascending_order() -> None:
    rows = day([0, 1, 2, 3, 4], [1, 0, 1, 0], [70, 5, 70, 9])
    assert HomeworkMeasures(rows, ONLY, np.arange(4, dtype=np.int32), COMPOSITE).users.tolist() == [2, 0, 2, 1]
