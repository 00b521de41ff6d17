from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.engine.batching import DayBatches
from models.engine.engine import Engine
from models.engine.examples import Settings
from models.engine.packing import Batch, Packer, own_rows, told_shapes
from models.engine.tables import fused_tables, step_of_ladder
from models.engine.view import View
from models.randomness import Part
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Layout, Side
from models.tables import one_per_space


def test_parts_of_a_batch_take_its_rows_in_order_and_are_told_of_all(
    make_engine: Callable[..., Engine], day: DayArrays
) -> None:
    """Two requests of four, after the lists of distinct rows, which are everybody's."""
    batch = DayBatches(make_engine(), day, Settings(4, 3)).batch(0)
    lists = np.arange(5, dtype=np.int32)
    packed = np.concatenate([lists, batch.ints])
    parts = [own_rows(batch, packed, Part(number, 2)) for number in range(2)]
    told = batch.floats[-sum(math.prod(shape) for shape in told_shapes(batch)) :]
    for ints, floats in parts:
        np.testing.assert_array_equal(ints[:5], lists)
        np.testing.assert_array_equal(floats[len(floats) - len(told) :], told)
    own = [replace(batch, shape=(2, batch.shape[1]), ints=ints[5:], floats=floats) for ints, floats in parts]
    for field in ("rows", "dense"):
        for place, whole in enumerate(getattr(batch, field)):
            halves = [getattr(each, field)[place] for each in own]
            np.testing.assert_array_equal(np.concatenate(halves), whole)


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
            lists[table.fused] = ints[start : start + bucket]
            start += bucket
        for block, rows in zip(batch.view.ids, batch.rows, strict=True):
            position = ints[start : start + rows.size].reshape(rows.shape)
            np.testing.assert_array_equal(lists[block.fused][position], rows)
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


class Counting(Packer):
    """How often rows are looked up."""

    looked_up = 0

    def _distinct(self, rows: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        self.looked_up += 1
        return super()._distinct(rows, size)


@pytest.mark.parametrize(("of_wide", "looked_up"), [([5, 0, 5], 1), ([0, 6, 5], 2)])
def test_a_linear_part_beside_wide_vectors_is_looked_up_once(of_wide: list[int], looked_up: int) -> None:
    schema = FeatureSchema((Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad"),), {"ad": "int"})
    specs = [*one_per_space(schema, {"ad": 4}), *one_per_space(schema, {"ad": 4}, "linear", 1)]
    view = View.of(schema, specs, Layout.of(schema, {}))
    rows = np.asarray([5, 0, 5, *of_wide], np.int32)
    packer = Counting()
    batch = Batch(view, (3, 1), rows, np.zeros(0, np.float32))
    ints, buckets = packer.pack(batch, fused_tables(specs, {"ad": 9}), (0, 0))
    assert (buckets, packer.looked_up) == ((64, 64), looked_up)
    assert ints[:2].tolist() == [0, 5]
    assert ints[64:128][ints[128 + 3 :]].tolist() == of_wide
    assert ints[:64][ints[128 : 128 + 3]].tolist() == [5, 0, 5]
