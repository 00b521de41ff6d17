"""Rows in an order of our own, without exact duplicates: never the server's order, never the server's distinct."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.storage.physical_types import is_mixed, joined, texts


def equal_to_another(table: pa.Table) -> NDArray[np.bool_]:
    """Which rows are equal to another in every column; empty cells are equal to each other."""
    rows, codes = np.arange(table.num_rows), np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        coded = sortable(column).take(pa.array(rows)).dictionary_encode("encode")
        _, codes = np.unique(codes * len(coded.dictionary) + np.asarray(coded.indices), return_inverse=True)
        # Those that are alone in these columns are alone in all.
        again = np.bincount(codes)[codes] > 1 if len(rows) else np.zeros(0, bool)
        rows, codes = rows[again], codes[again]
    found = np.zeros(table.num_rows, bool)
    found[rows] = True
    return found


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
    names = ordering(table.column_names, first, last)
    if not first:
        return _sorted(table, names)
    rows = _sorted(table, first)
    # Few rows are equal in the first columns, and only those need the others.
    places = np.flatnonzero(_beside_an_equal([sortable(table[name]).take(rows) for name in first]))
    if not len(places):
        return rows
    some = rows.take(pa.array(places))
    ordered = np.asarray(rows).copy()
    ordered[places] = np.asarray(some.take(_sorted(table.take(some), names)))
    return pa.array(ordered)


def ordering(columns: Sequence[str], first: Sequence[str], last: Sequence[str] = ()) -> list[str]:
    """The columns in the order in which rows are compared."""
    return [*first, *sorted(set(columns) - set(first) - set(last)), *last]


def _beside_an_equal(columns: Sequence[pa.Array]) -> NDArray[np.bool_]:
    """Of rows in order, those that are equal to the one before or behind them; empty cells are equal to each other."""
    same = np.ones(max(len(columns[0]) - 1, 0), bool)
    for column in columns:
        here, before = column[1:], column[:-1]
        both_empty = np.asarray(here.is_null()) & np.asarray(before.is_null())
        same &= np.asarray(pc.fill_null(pc.equal(here, before), False)) | both_empty
    return np.append(same, False) | np.append(False, same) if len(columns[0]) else same


def _sorted(table: pa.Table, names: Sequence[str]) -> pa.Array:
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
