"""A digest of a table is of its content: not of chunks, nor of how Arrow keeps it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.table_digest import TableDigest, table_digest
from tests.unit.pipeline.few_rows import ROWS, as_table


@given(ROWS, st.integers(1, 7))
def test_a_digest_does_not_see_chunks(rows: list[tuple[Any, ...]], size: int) -> None:
    table = as_table(rows)
    digest = TableDigest()
    for start in range(0, max(1, len(rows)), size):
        digest.update(table.slice(start, size).combine_chunks().to_batches()[0] if len(rows) else _none(table))
    assert digest.hexdigest() == table_digest(table)


def _none(table: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in table.schema], schema=table.schema)


def test_a_digest_of_lists_is_that_of_the_days_before() -> None:
    # Taken with the code of before mixed columns were kept: what is recorded in manifests stays true.
    table = pa.table({"n": [1, None], "t": ["a", None], "l": pa.array([[1, None], None]), "f": [0.5, float("nan")]})
    assert table_digest(table) == "111f15f5a6947767f6211f9459d210e9"


@pytest.mark.parametrize("item", ["element", "array", "item"])
@pytest.mark.parametrize("nullable", [True, False])
def test_how_a_list_is_written_is_no_content(item: str, nullable: bool) -> None:
    values = [[1, 2], [], None]
    field = pa.field(item, pa.int64(), nullable=nullable, metadata={"note": "x"})
    same = [pa.array(values, kind) for kind in (pa.list_(field), pa.large_list(field), pa.list_view(field))]
    expected = table_digest(pa.table({"l": pa.array(values, pa.list_(pa.int64()))}))
    assert {table_digest(pa.table({"l": each})) for each in same} == {expected}


def test_how_text_is_stored_is_no_content() -> None:
    plain = pa.array(["a", None, "b"])
    same = [plain.cast(pa.large_string()), plain.cast(pa.string_view()), plain.dictionary_encode()]
    expected = table_digest(pa.table({"t": plain}))
    assert {table_digest(pa.table({"t": each})) for each in same} == {expected}
    required = pa.schema([pa.field("t", pa.string(), nullable=False, metadata={"note": "x"})], metadata={"by": "y"})
    assert table_digest(pa.table([["a"]], schema=required)) == table_digest(pa.table({"t": ["a"]}))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pa.table({"a": ["ab", "c"]}), pa.table({"a": ["a", "bc"]})),
        (pa.table({"a": [1, None]}), pa.table({"a": [1, 0]})),
        (pa.table({"a": ["", None]}), pa.table({"a": [None, ""]})),
        (pa.table({"a": [[1], [2, 3]]}), pa.table({"a": [[1, 2], [3]]})),
        (pa.table({"a": [1]}), pa.table({"b": [1]})),
        (pa.table({"a": [1]}), pa.table({"a": [1.0]})),
        (pa.table({"a": pa.array([], pa.int64())}), pa.table({"a": pa.array([], pa.string())})),
    ],
)
def test_a_digest_sees_every_difference(first: pa.Table, second: pa.Table) -> None:
    assert table_digest(first) != table_digest(second)
