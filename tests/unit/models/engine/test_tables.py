from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.engine.tables import capacity, fused_tables, lookups, rows_of, step_of_ladder
from models.tables import TableSpec


@pytest.mark.parametrize(("size", "rows"), [(2, 64), (56, 64), (58, 96), (1000, 1536), (100_000, 131_072)])
def test_capacity_is_a_step_of_the_ladder_with_head_room(size: int, rows: int) -> None:
    assert capacity(size) == rows


@given(st.integers(2, 10**7), st.integers(0, 10**6))
def test_capacity_has_room_and_never_shrinks_with_size(size: int, more: int) -> None:
    assert capacity(size) >= size + size // 8
    assert capacity(size) < max(65, 2 * size)
    assert capacity(size + more) >= capacity(size)


def test_ladder() -> None:
    assert [step_of_ladder(n) for n in (1, 64, 65, 96, 97, 128, 129)] == [64, 64, 96, 96, 128, 128, 192]


SPECS = [TableSpec(space, space, width, (space,)) for space, width in (("a", 4), ("b", 4), ("c", 2))]
SIZES = {"a": 5, "b": 70, "c": 3}


def test_spaces_of_a_width_share_a_table_without_overlap() -> None:
    narrow, wide = fused_tables(SPECS, SIZES)
    assert (narrow.width, wide.width) == (2, 4)
    used = np.concatenate([wide.lookup(space)[1:-1] for space in ("a", "b")])
    assert len(set(used.tolist())) == len(used) == 4 + 69
    assert used.min() > 0
    assert used.max() < wide.rows


def test_fuse_and_split_are_inverse() -> None:
    draw = np.random.default_rng(0)
    _, wide = fused_tables(SPECS, SIZES)
    parts = {s: draw.normal(size=(SIZES[s], 4)).astype(np.float32) for s in ("a", "b")}
    for part in parts.values():
        part[0] = 0.0
    fused = wide.fuse(parts)
    assert np.all(fused[0] == 0.0)
    for space, part in wide.split(fused).items():
        np.testing.assert_array_equal(part, parts[space])


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20))
def test_no_index_whatever_reaches_beyond_its_space(indices: list[int]) -> None:
    _, wide = fused_tables(SPECS, SIZES)
    lookup = wide.lookup("a")
    rows = rows_of(lookup, np.asarray(indices, np.int32).reshape(1, -1))[0]
    for index, row in zip(indices, rows, strict=True):
        if index == 0:
            assert row == 0
        elif 0 < index < SIZES["a"]:
            assert row == wide.offsets["a"] + index
        else:
            assert row == wide.offsets["a"] + 1


def test_a_limit_and_hidden_indices_read_as_unknown() -> None:
    _, wide = fused_tables(SPECS, SIZES)
    lookup = wide.lookup("b", limit=10, hidden=np.array([4, 60]))
    unknown = wide.offsets["b"] + 1
    rows = rows_of(lookup, np.array([3, 4, 9, 10, 60], np.int32))
    assert rows.tolist() == [wide.offsets["b"] + 3, unknown, wide.offsets["b"] + 9, unknown, unknown]


def test_a_space_without_size_is_refused() -> None:
    with pytest.raises(ValueError, match="id space 'c'"):
        fused_tables(SPECS, {"a": 5, "b": 5})


def test_two_tables_of_a_space_stand_apart_and_are_limited_alike() -> None:
    (fused,) = fused_tables([SPECS[0], TableSpec("other", "a", 4, ("b",))], {"a": 5})
    assert (fused.offsets, fused.sizes) == ({"a": 0, "other": 64}, {"a": 5, "other": 5})
    found = lookups([fused], {"a": 3}, {"a": np.array([2])})
    assert {name: each.tolist() for name, each in found.items()} == {"a": [0, 1, 1, 1], "other": [0, 65, 65, 65]}
