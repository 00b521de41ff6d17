from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.engine.batching import DayBatches, Settings
from models.engine.engine import Engine
from models.engine.packing import Packer, power_of_two
from models.engine.tables import step_of_ladder
from models.schema import DayArrays


def test_power_of_two() -> None:
    assert [power_of_two(n) for n in (0, 1, 2, 3, 64, 65)] == [1, 1, 2, 4, 64, 128]


def test_rows_are_listed_once_and_positions_point_back(day: DayArrays, make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    packer = Packer()
    batch = DayBatches(engine, day, Settings(8, 3)).batch(1)
    tables = engine.fused
    for _ in range(2):
        packed = packer.pack(batch, tables, (0, 0))
        start = 0
        lists = []
        for bucket in packed.buckets:
            lists.append(packed.ints[start : start + bucket])
            start += bucket
        for matrix, blocks in (
            (batch.request_rows, batch.selection.request_ids.blocks),
            (batch.item_rows, batch.selection.item_ids.blocks),
        ):
            for table, rows in zip(tables, lists, strict=True):
                block = blocks[table.width]
                expected = matrix[..., block.start : block.stop].ravel()
                inverse = packed.ints[start : start + expected.size]
                np.testing.assert_array_equal(rows[inverse], expected)
                np.testing.assert_array_equal(inverse == 0, expected == 0)
                start += expected.size
        assert start == len(packed.ints)
        for rows in lists:
            assert rows[0] == 0
            real = rows[rows != 0]
            assert len(set(real.tolist())) == len(real)


@pytest.mark.parametrize("least", [0, 512])
def test_buckets_are_steps_of_the_ladder_from_the_least(
    least: int, day: DayArrays, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine()
    packed = Packer().pack(DayBatches(engine, day, Settings(8, 3)).batch(0), engine.fused, (least, 0))
    assert packed.buckets[0] >= max(least, 64)
    assert all(bucket == step_of_ladder(bucket) for bucket in packed.buckets)
