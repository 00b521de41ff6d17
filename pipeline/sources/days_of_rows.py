"""Of which day each row of a file is, by the column that says so."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import SourceError
from pipeline.sources.table_file import TableFile

_DATE = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})(?:[ T].*)?")
_OFFSET = r"\d[ T]\d.*(Z|[+-]\d{2}:?\d{2})\s*$"
_EPOCH = date(1970, 1, 1).toordinal()
_LENGTH = 10
"""Letters that hold a date; what follows is a time of the day."""
_ROWS = 1 << 16


def days_of(file: TableFile, column: str) -> NDArray[np.int32]:
    """The ordinal of each row's day, ``[rows]``.

    A row whose day cannot be read is of the day of the row before it (the first ones: of the first that can be read),
    where validation puts it aside with its reason.

    Raises:
        SourceError: no row's day can be read, or days are written as instants, which fall on a day in some zone.
    """
    found = [_ordinals(batch.column(0), file, column) for batch in file.batches([column], _ROWS)]
    ordinals = np.concatenate(found) if found else np.zeros(0, np.int32)
    readable = ordinals > 0
    if len(ordinals) and not readable.any():
        sample = next((each for batch in file.batches([column], _ROWS) for each in batch.column(0).to_pylist()), None)
        raise SourceError(
            f"{file.path}: column '{column}' says of no row which day it is of (the first: {sample!r}); write dates "
            "such as 2024-03-01 or 20240301"
        )
    last = np.maximum.accumulate(np.where(readable, np.arange(len(ordinals)), -1))
    return ordinals[np.where(last < 0, int(np.argmax(readable)) if len(ordinals) else 0, last)]


def _ordinals(values: pa.Array, file: TableFile, column: str) -> NDArray[np.int32]:
    """0 where the day cannot be read."""
    kind = values.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        raise _instants(file, column)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        days = values.cast(pa.timestamp("us") if pa.types.is_date64(kind) else kind).cast(pa.date32(), safe=False)
        return np.asarray(pc.fill_null(pc.add(days.cast(pa.int32()), _EPOCH), 0), np.int32)
    text = values.cast(pa.string())
    if pc.any(pc.match_substring_regex(text, _OFFSET)).as_py():
        raise _instants(file, column)
    coded = pc.utf8_slice_codeunits(pc.utf8_ltrim_whitespace(text), 0, _LENGTH).dictionary_encode()
    known = np.array([0, *(_ordinal(each) for each in coded.dictionary.to_pylist())], np.int32)
    return known[np.asarray(pc.fill_null(coded.indices.cast(pa.int32()), -1)) + 1]


def _ordinal(text: str) -> int:
    found = _DATE.fullmatch(text)
    if found is None:
        return 0
    try:
        return date(int(found[1]), int(found[3]), int(found[4])).toordinal()
    except ValueError:
        return 0


def _instants(file: TableFile, column: str) -> SourceError:
    return SourceError(
        f"{file.path}: column '{column}' holds instants with a time zone, which fall on a day in some zone only; give "
        "the table a column of dates as its `day:`"
    )
