from __future__ import annotations

import random
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.row_order import canonical_order, key_of_rows, unique_rows
from pipeline.storage.table_digest import table_digest
from tests.unit.pipeline.few_rows import ROWS, as_table


@given(ROWS, st.integers(0, 10), st.booleans())
def test_unique_rows_are_those_of_a_set(rows: list[tuple[Any, ...]], seed: int, telling: bool) -> None:
    kept, dropped = unique_rows(as_table(rows), ["n"] if telling else [])
    distinct = {repr(row) for row in rows}
    assert sorted(repr(tuple(row.values())) for row in kept.to_pylist()) == sorted(distinct)
    assert dropped == len(rows) - len(distinct)


@given(ROWS, st.integers(0, 10))
def test_the_order_of_the_input_leaves_no_trace(rows: list[tuple[Any, ...]], seed: int) -> None:
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    tables = [as_table(rows), as_table(shuffled)]
    first, second = (table.take(canonical_order(table, ["t"])) for table in tables)
    assert first.to_pylist() == second.to_pylist()
    assert table_digest(first) == table_digest(second)


def test_text_is_ordered_by_bytes_and_empty_cells_come_last() -> None:
    table = pa.table({"b": ["x", "x", "x", "x"], "a": ["é", None, "Z", "a"]})
    assert table.take(canonical_order(table, ["a"]))["a"].to_pylist() == ["Z", "a", "é", None]


def test_lists_with_equal_texts_are_not_equal() -> None:
    table = pa.table({"l": pa.array([["a,b"], ["a", "b"], ["a", None], ["a"]])})
    assert unique_rows(table)[1] == 0


def test_keys_of_several_columns_do_not_run_into_each_other() -> None:
    table = pa.table({"a": ["1", "11", None], "b": ["12", "2", "12"]})
    assert len(set(key_of_rows(table, ["a", "b"]).to_pylist())) == 3
