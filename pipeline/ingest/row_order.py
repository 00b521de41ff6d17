"""Rows in an order of our own, without exact duplicates: never the server's order, never the server's distinct."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.storage.physical_types import is_mixed, joined, texts


def unique_rows(table: pa.Table, telling: Sequence[str] = ()) -> tuple[pa.Table, int]:
    """The table without rows that are equal to another in every column, and how many were dropped.

    Empty cells are equal to each other. Which of the equal rows stays cannot be told apart.

    Args:
        telling: columns in which few rows are equal; only those rows are then compared in every column.
    """
    if table.num_rows < 2 or table.num_columns == 0:
        return table, 0
    suspects = pa.array(np.arange(table.num_rows))
    if telling:
        first = first_of_equal(table.select(list(telling)))
        if (first == np.arange(len(first))).all():
            return table, 0
        sizes = np.bincount(first, minlength=table.num_rows)
        suspects = pa.array(np.flatnonzero(sizes[first] > 1))
    first = first_of_equal(table.take(suspects))
    dropped = int((first != np.arange(len(first))).sum())
    if dropped == 0:
        return table, 0
    keep = np.ones(table.num_rows, bool)
    keep[np.asarray(suspects)[first != np.arange(len(first))]] = False
    return table.filter(pa.array(keep)), dropped


def first_of_equal(table: pa.Table) -> NDArray[np.int64]:
    """For each row the number of the first row that is equal to it; empty cells are equal to each other."""
    keys = pa.table({str(place): sortable(column) for place, column in enumerate(table.columns)})
    rows = pa.array(np.arange(table.num_rows))
    groups = keys.append_column("row", rows).group_by(keys.column_names, use_threads=False).aggregate([("row", "list")])
    members = groups["row_list"].combine_chunks()
    lengths = np.asarray(pc.list_value_length(members))
    flat = np.asarray(members.flatten())
    starts = np.cumsum(lengths) - lengths
    first = np.empty(table.num_rows, np.int64)
    first[flat] = np.repeat(np.minimum.reduceat(flat, starts), lengths)
    return first


def canonical_order(table: pa.Table, first: Sequence[str], last: Sequence[str] = ()) -> pa.Array:
    """Row numbers in canonical order: by the columns ``first``, then all others by name, then ``last``.

    Text is compared by bytes, and empty cells come last.

    Rows that remain equal are equal in every column, so the order of the input leaves no trace.
    """
    names = [*first, *sorted(set(table.column_names) - set(first) - set(last)), *last]
    keys = pa.table({name: sortable(table[name]) for name in names})
    return pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in names])


def sortable(column: pa.ChunkedArray) -> pa.Array:
    """A column that can be compared and hashed: lists, and values of several types, become text."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if is_mixed(array.type):
        return texts(array)
    return joined(array, lambda items: items.cast(pa.string())) if pa.types.is_list(array.type) else array


def key_of_rows(table: pa.Table, columns: Sequence[str]) -> pa.Array:
    """One value a row for the columns together; equal keys, equal values. An empty cell is a value like any other."""
    if len(columns) == 1 and not pa.types.is_nested(table[columns[0]].type):
        return table[columns[0]].combine_chunks()
    parts = [pc.fill_null(sortable(table[name]).cast(pa.string()), "\x00") for name in columns]
    return pc.binary_join_element_wise(*parts, "\x1f")
