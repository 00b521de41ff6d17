from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.features.frames import keyed
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.keyed import Keyed, Layered, join_lists, without_first


def table(rows: dict[int, list[int]]) -> Keyed:
    keys = sorted(rows)
    lists = Lists.of([rows[key] for key in keys], np.int32)
    sums = np.array([sum(rows[key]) for key in keys], np.int64)
    return Keyed(np.array(keys, np.int64), {"sum": sums, "lists": lists})


def content(columns: Any, keys: list[int]) -> dict[int, tuple[int, list[int]]]:
    lists = columns["lists"]
    return {
        key: (int(columns["sum"][i]), lists.values[lists.offsets[i] : lists.offsets[i + 1]].tolist())
        for i, key in enumerate(keys)
    }


rows = st.dictionaries(st.integers(0, 30), st.lists(st.integers(0, 9), max_size=4), max_size=12)


@given(st.lists(rows, max_size=8), st.integers(0, 6))
def test_layers_hold_what_a_dictionary_would(updates: list[dict[int, list[int]]], layer_rows: int) -> None:
    before = keyed._LAYER_ROWS
    keyed._LAYER_ROWS = layer_rows
    try:
        expected: dict[int, list[int]] = {}
        layered = Layered.of(table({}))
        for update in updates:
            earlier, wanted = layered, dict(expected)
            layered = layered.updated(table(update))
            expected |= update
            assert content(earlier.merged.columns, earlier.merged.keys.tolist()) == as_content(wanted)
        merged = layered.merged
        assert merged.keys.tolist() == sorted(expected)
        assert content(merged.columns, merged.keys.tolist()) == as_content(expected)
        asked = np.array([30, 3, 3, 99, 0])
        found = layered.at(asked)
        for i, key in enumerate(asked.tolist()):
            assert content(found, asked.tolist())[key] == as_content({key: expected.get(key, [])})[key]
            assert layered.holds(asked)[i] == (key in expected)
    finally:
        keyed._LAYER_ROWS = before


def as_content(values: dict[int, list[int]]) -> dict[int, tuple[int, list[int]]]:
    return {key: (sum(value), value) for key, value in values.items()}


def test_join_and_cut_lists() -> None:
    joined = join_lists(Lists.of([[1], [], [2, 3]], np.int32), Lists.of([[4, 5], [6], []], np.int32))
    assert (joined.offsets.tolist(), joined.values.tolist()) == ([0, 3, 4, 6], [1, 4, 5, 6, 2, 3])
    cut = without_first(joined, np.array([2, 5, 0]))
    assert (cut.offsets.tolist(), cut.values.tolist()) == ([0, 1, 1, 3], [5, 2, 3])
