"""A parsed column: values of the declared type, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

BY_TYPE = {
    "int": pa.int64(),
    "float": pa.float64(),
    "str": pa.string(),
    "int_list": pa.list_(pa.int64()),
    "str_list": pa.list_(pa.string()),
    "path_list": pa.list_(pa.string()),
    "float_list": pa.list_(pa.float64()),
    "day": pa.date32(),
    "time": pa.timestamp("ms", tz="UTC"),
}
"""The Arrow type of each declared type; text within lists may come with a dictionary of its distinct values."""


@dataclass
class Parsed:
    """A column of the declared type.

    Attributes:
        values: null where a value is missing or invalid.
        codes: int16 ``[rows]``, 0 for a good or missing value, else why it is invalid: an index into ``names``.
    """

    values: pa.Array
    codes: NDArray[np.int16]
    names: list[str]

    @classmethod
    def of(cls, values: pa.Array) -> Parsed:
        return cls(values, np.zeros(len(values), np.int16), [""])

    def fail(self, rows: NDArray[np.bool_], reason: str) -> None:
        """Marks those of the rows (a mask) as invalid that are not yet."""
        if not rows.any():
            return
        if reason not in self.names:
            self.names.append(reason)
        self.codes[rows & (self.codes == 0)] = self.names.index(reason)

    @property
    def bad(self) -> NDArray[np.bool_]:
        return self.codes != 0

    def reason(self, row: int) -> str:
        """Why a row's value is invalid; empty where it is not."""
        return self.names[self.codes[row]]

    def clear_bad(self) -> None:
        """Makes the values null that are invalid."""
        if self.bad.any():
            self.values = pc.if_else(pa.array(~self.bad), self.values, pa.scalar(None, self.values.type))


def mask_of(array: pa.Array) -> NDArray[np.bool_]:
    """A boolean column as numpy, null as false."""
    found: NDArray[np.bool_] = pc.fill_null(array, False).to_numpy(zero_copy_only=False)
    return found


def by_value(array: pa.Array, parse: Callable[[pa.Array], Parsed]) -> Parsed:
    """The column parsed; of one with a dictionary each distinct value once, so that what it is said of is few."""
    if not pa.types.is_dictionary(array.type):
        return parse(array)
    distinct = parse(array.dictionary)
    found = Parsed(distinct.values.take(array.indices), np.zeros(len(array), np.int16), distinct.names)
    if distinct.bad.any():
        present = mask_of(array.is_valid())
        found.codes[present] = distinct.codes[np.asarray(array.indices.drop_null())]
    return found
