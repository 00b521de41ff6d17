"""Cells to columns: which cells a wanted column is read from, and their bytes as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
        self.not_text = 0

    def batch(self, rows: Sequence[Row]) -> pa.RecordBatch:
        arrays = []
        for each in self._wanted:
            if each.name == ROW_KEY:
                arrays.append(plain_keys(self._texts([key for key, _ in rows])))
            elif len(each.cells) == 1:
                cell = each.cells[0]
                arrays.append(self._texts([cells.get(cell) for _, cells in rows]))
            else:
                arrays.append(self._texts([_first(cells, each.cells) for _, cells in rows]))
        return pa.RecordBatch.from_arrays(arrays, [each.name for each in self._wanted])

    def _texts(self, values: list[bytes | None]) -> pa.Array:
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


def overwrites(key: bytes) -> bool:
    """Whether a key is ``userId_adId``, under which a later exposure takes the place of an earlier one."""
    return key.count(b"_") == 1


def _first(cells: Mapping[bytes, bytes], names: Sequence[bytes]) -> bytes | None:
    return next((cells[name] for name in names if name in cells), None)
