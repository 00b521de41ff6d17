"""Cells to columns: which cells a wanted column is read from, and their bytes as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import pyarrow as pa
import pyarrow.compute as pc

ROW_KEY = "row_key"
"""The column that is the row's key."""
_WITH_TIME = r"^([^_]+_[^_]+)_[0-9]+_[0-9]+$"

Row = tuple[bytes, Mapping[bytes, bytes]]


@dataclass(frozen=True)
class Wanted:
    """A column of the job.

    Attributes:
        name: as the job's settings name it, with or without a family.
        cells: ``family:qualifier`` of the cells that it may be in, the first that a row has counts; none for the key.
    """

    name: str
    cells: tuple[bytes, ...]


def wanted_columns(names: Sequence[str], families: Sequence[str]) -> tuple[list[Wanted], list[str]]:
    """The columns to read, and those whose family the table does not have.

    A name without a family is looked for in every family, in the order of their names; also as a family of that name,
    whose cells then have no qualifier.
    """
    found, missing = [], []
    for name in names:
        family, colon, qualifier = name.partition(":")
        if name == ROW_KEY:
            found.append(Wanted(name, ()))
        elif not colon:
            cells = [f"{each}:{name}" for each in sorted(families)] + [f"{each}:" for each in families if each == name]
            found.append(Wanted(name, tuple(cell.encode() for cell in cells)))
        elif family in families:
            found.append(Wanted(name, (f"{family}:{qualifier}".encode(),)))
        else:
            missing.append(name)
    return found, missing


class Cells:
    """Turns rows into batches of text columns.

    Values that are not UTF-8 keep their bytes as ``\\xff``: no number, no day and no path looks so, so that validation
    sends the row to quarantine with its reason; a text column takes them as they are, and they are counted.

    Args:
        wanted: the columns.

    Attributes:
        not_text: cells so far that were not UTF-8.
    """

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        self._wanted = wanted
        self._cells = [each.cells for each in wanted if each.name != ROW_KEY]
        self._only = [names[0] for names in self._cells if len(names) == 1]
        self.not_text = 0

    def batch(self, rows: Sequence[Row]) -> pa.RecordBatch:
        """Raises no error for any bytes."""
        values = iter(self._values([cells for _, cells in rows]))
        arrays = []
        for each in self._wanted:
            if each.name == ROW_KEY:
                arrays.append(plain_keys(self._texts([key for key, _ in rows])))
            else:
                arrays.append(self._texts(next(values)))
        return pa.RecordBatch.from_arrays(arrays, [each.name for each in self._wanted])

    def _values(self, rows: Sequence[Mapping[bytes, bytes]]) -> Sequence[Sequence[bytes | None]]:
        """The values of every column but the key, a column at a time."""
        if rows and len(self._only) > 1 and len(self._only) == len(self._cells):
            try:
                return list(zip(*map(itemgetter(*self._only), rows), strict=True))
            except KeyError:  # a row lacks a cell
                return self._looked_for(rows)
        return self._looked_for(rows)

    def _looked_for(self, rows: Sequence[Mapping[bytes, bytes]]) -> Sequence[Sequence[bytes | None]]:
        return [
            [cells.get(names[0]) for cells in rows] if len(names) == 1 else [_first(cells, names) for cells in rows]
            for names in self._cells
        ]

    def _texts(self, values: Sequence[bytes | None]) -> pa.Array:
        try:
            return pa.array(values, pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            texts = [None if value is None else value.decode("utf-8", "backslashreplace") for value in values]
            same = (text is None or text.encode() == value for text, value in zip(texts, values, strict=True))
            self.not_text += sum(not each for each in same)
            return pa.array(texts, pa.string())


def plain_keys(keys: pa.Array) -> pa.Array:
    """Keys without the time and the ordinal that ``userId_adId_timeMs_n`` adds: rows of one pair have one key again."""
    return pc.replace_substring_regex(keys, _WITH_TIME, r"\1")


def overwrites(keys: pa.Array) -> pa.Array:
    """Which keys are ``userId_adId``, under which a later exposure takes the place of an earlier one."""
    return pc.equal(pc.count_substring(keys, "_"), 1)


def _first(cells: Mapping[bytes, bytes], names: Sequence[bytes]) -> bytes | None:
    return next((cells[name] for name in names if name in cells), None)
