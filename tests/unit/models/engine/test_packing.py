from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.engine.batching import DayBatches
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.engine.packing import Packer
from models.engine.tables import step_of_ladder
from models.schema import DayArrays


def test_rows_are_listed_once_and_positions_point_back(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    packer = Packer()
    batch = DayBatches(engine, day, Settings(8, 3)).batch(1)
    tables = engine.fused
    for _ in range(2):
        ints, buckets = packer.pack(batch, tables, (0, 0))
        start = 0
        lists = {}
        for table, bucket in zip(tables, buckets, strict=True):
            lists[table.width] = ints[start : start + bucket]
            start += bucket
        for block, rows in zip(batch.view.ids, batch.rows, strict=True):
            position = ints[start : start + rows.size].reshape(rows.shape)
            np.testing.assert_array_equal(lists[block.width][position], rows)
            np.testing.assert_array_equal(position == 0, rows == 0)
            start += rows.size
        assert start == len(ints)
        for rows in lists.values():
            assert rows[0] == 0
            real = rows[rows != 0]
            assert len(set(real.tolist())) == len(real)


@pytest.mark.parametrize("least", [0, 512])
def test_buckets_are_steps_of_the_ladder_from_the_least(
    least: int, day: DayArrays, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine()
    _, buckets = Packer().pack(DayBatches(engine, day, Settings(8, 3)).batch(0), engine.fused, (least, 0))
    assert buckets[0] >= max(least, 64)
    assert all(bucket == step_of_ladder(bucket) for bucket in buckets)
