"""A parsed column: the first reason counts, and what is bad can be made missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.ingest.parse.parsed import BY_TYPE, Parsed, by_value, mask_of


def test_the_first_reason_of_a_row_is_its_reason() -> None:
    parsed = Parsed.of(pa.array([1, 2, 3, None]))
    parsed.fail(np.array([False, True, False, False]), "too small")
    parsed.fail(np.array([False, True, True, False]), "too large")
    parsed.fail(np.zeros(4, bool), "never")
    assert [parsed.reason(row) for row in range(4)] == ["", "too small", "too large", ""]
    assert parsed.names == ["", "too small", "too large"]
    assert parsed.bad.tolist() == [False, True, True, False]


def test_bad_values_become_missing_and_keep_their_reason() -> None:
    parsed = Parsed.of(pa.array([1, 2, None], BY_TYPE["int"]))
    parsed.fail(np.array([True, False, False]), "bad")
    parsed.clear_bad()
    assert parsed.values.to_pylist() == [None, 2, None]
    assert (parsed.values.type, parsed.reason(0)) == (pa.int64(), "bad")


def test_a_mask_takes_missing_for_no() -> None:
    assert mask_of(pa.array([True, None, False])).tolist() == [True, False, False]


def test_of_a_column_with_a_dictionary_each_distinct_value_is_parsed_once() -> None:
    seen: list[str] = []

    def parse(distinct: pa.Array) -> Parsed:
        seen.extend(distinct.to_pylist())
        parsed = Parsed.of(pa.array([1, None, 3]))
        parsed.fail(np.array([False, True, False]), "too small")
        return parsed

    found = by_value(pa.array(["a", "b", None, "a", "c", "b"]).dictionary_encode(), parse)
    assert seen == ["a", "b", "c"]
    assert found.values.to_pylist() == [1, None, None, 1, 3, None]
    assert [found.reason(row) for row in range(6)] == ["", "too small", "", "", "", "too small"]
