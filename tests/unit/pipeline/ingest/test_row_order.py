from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.row_order import canonical_order, equal_to_another, first_of_equal, key_of_rows, sortable
from pipeline.storage.table_digest import table_digest
from tests.unit.pipeline.few_rows import ROWS, as_table


@given(ROWS)
def test_rows_that_are_equal_to_another_are_those_that_a_count_finds(rows: list[tuple[Any, ...]]) -> None:
    counts = Counter(map(repr, rows))
    assert equal_to_another(as_table(rows)).tolist() == [counts[repr(row)] > 1 for row in rows]
    assert first_of_equal(as_table(rows)).tolist() == [list(map(repr, rows)).index(repr(row)) for row in rows]


@given(ROWS, st.integers(0, 10))
def test_only_rows_that_are_equal_in_the_first_columns_need_the_others(rows: list[tuple[Any, ...]], seed: int) -> None:
    table = as_table(rows)
    names = ["t", *sorted(set(table.column_names) - {"t"})]
    keys = pa.table({name: sortable(table[name]) for name in names})
    whole = table.take(pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in names]))
    assert table.take(canonical_order(table, ["t"])).to_pylist() == whole.to_pylist()


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
    assert not equal_to_another(table).any()


def test_keys_of_several_columns_do_not_run_into_each_other() -> None:
    table = pa.table({"a": ["1", "11", None], "b": ["12", "2", "12"]})
    assert len(set(key_of_rows(table, ["a", "b"]).to_pylist())) == 3
