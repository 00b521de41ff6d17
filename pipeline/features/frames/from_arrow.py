"""Validated tables as columns: int64 and text with sentinels for missing values, floats with NaN, lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.schema import MISSING_INT, MISSING_STR
from pipeline.errors import DataError
from pipeline.features.frames.frame import Array, Column, Lists
from pipeline.features.frames.texts import Texts


def column_of(table: pa.Table, name: str) -> Column:
    """A column of a validated table; raises ``DataError`` if it is not there or of a type that none is."""
    if name not in table.column_names:
        raise DataError(f"the validated table holds no column '{name}', only {', '.join(table.column_names)}")
    array = table.column(name)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(array, pa.ChunkedArray):  # a chunked array of no chunks stays one
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
        offsets = np.zeros(len(array) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return Lists(offsets, _flat(pc.list_flatten(array), name))
    return _flat(array, name)


def _flat(array: pa.Array, name: str) -> Array:
    kind = array.type
    if pa.types.is_integer(kind):
        return _numpy(array.cast(pa.int64()), MISSING_INT)
    if pa.types.is_floating(kind):
        return np.asarray(_numpy(array.cast(pa.float64()), np.nan))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        array, kind = array.cast(pa.string()).dictionary_encode(), pa.dictionary(pa.int32(), pa.string())
    if pa.types.is_dictionary(kind):
        return _texts(array)
    if pa.types.is_date(kind):
        return array.cast(pa.date32()).to_numpy(zero_copy_only=False).astype("datetime64[D]")
    if pa.types.is_timestamp(kind):
        return array.to_numpy(zero_copy_only=False).astype("datetime64[ms]")
    raise DataError(f"column '{name}' of type {kind} is none that a validated table holds")


def _texts(array: pa.DictionaryArray) -> Texts:
    words, codes = array.dictionary, array.indices
    if codes.null_count:
        codes = codes.fill_null(len(words))
        words = pa.concat_arrays([words.cast(pa.string()), pa.array([MISSING_STR])])
    found = np.asarray(words.to_numpy(zero_copy_only=False), object)
    return Texts(found, codes.to_numpy(zero_copy_only=False).astype(np.int32, copy=False))


def _numpy(array: pa.Array, missing: Any) -> Array:
    filled = array.fill_null(pa.scalar(missing, array.type)) if array.null_count else array
    return filled.to_numpy(zero_copy_only=False)


def lists_of(column: Column) -> Lists:
    """A column as lists: a flat one has one value a row, none where it is missing."""
    if isinstance(column, Lists):
        return column
    missing: Any = MISSING_INT if column.dtype.kind == "i" else MISSING_STR
    there = np.asarray(column != missing, bool)
    offsets = np.zeros(len(column) + 1, np.int64)
    np.cumsum(there, out=offsets[1:])
    return Lists(offsets, column[there])


def codes(*columns: Array) -> NDArray[np.int64]:
    """One number a row: equal numbers for equal tuples, in the order of the columns' values.

    Shape ``[rows]``; text is compared by code point, which for UTF-8 is the order of its bytes.
    """
    combined: NDArray[np.int64] | None = None
    for column in columns:
        inverse = _inverse(column)
        if combined is None:
            combined = inverse
        else:
            pair = combined * (int(inverse.max(initial=0)) + 1) + inverse
            combined = np.unique(pair, return_inverse=True)[1].astype(np.int64)
    if combined is None:
        raise ValueError("codes needs at least one column")
    return combined


def _inverse(column: Array) -> NDArray[np.int64]:
    if column.dtype.kind == "O":
        texts = Texts.of(column)
        return text_ranks(pa.array(texts.words, pa.string()))[texts.codes]
    return np.unique(column, return_inverse=True)[1].astype(np.int64)


def text_ranks(words: pa.Array) -> NDArray[np.int64]:
    """The place of each of some distinct texts among them, compared by their bytes."""
    place = np.empty(len(words), np.int64)
    place[pc.sort_indices(words).to_numpy()] = np.arange(len(words))
    return place


def ranks(values: Array) -> NDArray[np.int64]:
    """The place of each of some distinct raw ids in their canonical order: numbers by value, text by its bytes."""
    if values.dtype.kind == "O":
        return text_ranks(pa.array(values, pa.string()))
    place = np.empty(len(values), np.int64)
    place[np.argsort(values, kind="stable")] = np.arange(len(values))
    return place


class Places:
    """The place of raw ids among distinct ones."""

    def __init__(self, distinct: Array) -> None:
        import pandas as pd

        self._index: pd.Index[Any] = pd.Index(np.asarray(distinct), dtype=distinct.dtype)

    def __call__(self, wanted: Array) -> NDArray[np.int64]:
        """Shape of ``wanted``; -1 where an id is not among them."""
        import pandas as pd

        return self._index.get_indexer(pd.Index(np.asarray(wanted), dtype=wanted.dtype)).astype(np.int64)

    def __len__(self) -> int:
        return len(self._index)


def first_rows(values: Array) -> NDArray[np.int64]:
    """The row at which each distinct value stands first, ascending."""
    import pandas as pd

    return np.flatnonzero(~pd.Series(np.asarray(values), dtype=values.dtype).duplicated().to_numpy())
