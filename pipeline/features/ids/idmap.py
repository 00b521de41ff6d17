"""Id maps: a dense index for every raw id of a space, given once and for good.

Index 0 is padding, 1 is missing or unknown, real ids follow from 2 in order of first appearance.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.schema import FIRST, MISSING_INT, MISSING_STR, PAD_INT, PAD_STR
from pipeline.days import Day
from pipeline.errors import DataError, UsageError
from pipeline.features.frames.texts import Texts
from pipeline.features.ids.fingerprints import PADDING as PADDING_CODE
from pipeline.features.ids.fingerprints import Codes, check_distinct, codes_of
from pipeline.ingest.canonical_ids import REASONS, canonical_ids

_NOTE = (
    "Append-only. The index of an id is its position in 'ids' (from 0) plus 2; 0 is padding, 1 is missing or unknown. "
    "'marks' holds, in the order in which days were mapped, the size of the map after each day. Do not edit: "
    "'checksum' covers all of it."
)
_IDS_A_LINE = 100
_MOST = 2**31 - 1


class IdMap:
    """The ids of one space; never changes, a grown map is a new object.

    Args:
        space: name of the id space.
        kind: ``int`` or ``str``.
        ids: canonical raw ids in index order (position 0 is index 2), each once.
        marks: (day, size) in the order in which days were mapped.
        codes: those of ``ids``, where they are known.
    """

    def __init__(
        self,
        space: str,
        kind: str,
        ids: NDArray[Any],
        marks: Sequence[tuple[Day, int]] = (),
        codes: Codes | None = None,
    ) -> None:
        if kind not in ("int", "str"):
            raise UsageError(f"id space '{space}': the type of its ids is int or str, not '{kind}'")
        self.space = space
        self.kind = kind
        self.marks = list(marks)
        head = [PAD_INT, MISSING_INT] if kind == "int" else [PAD_STR, MISSING_STR]
        self._raw = np.concatenate([np.array(head, self._dtype), np.asarray(ids, self._dtype)])
        self._raw.setflags(write=False)
        self._codes = codes

    @property
    def _dtype(self) -> type:
        return np.int64 if self.kind == "int" else object

    @property
    def size(self) -> int:
        """Number of indices: the ids and the two reserved ones."""
        return len(self._raw)

    @property
    def ids(self) -> NDArray[Any]:
        """Raw ids in index order, read-only; position 0 is index 2."""
        return self._raw[FIRST:]

    @property
    def codes(self) -> Codes:
        """The codes of ``ids``; raises ``DataError`` where two ids have one."""
        if self._codes is None:
            self._codes = codes_of(self.ids)
            check_distinct(self.space, self.ids, self._codes)
        return self._codes

    def size_at(self, day: Day) -> int:
        """Size at the end of ``day``: the mark of the newest marked day up to it, 2 if there is none.

        For a day that was mapped late, after days that follow it, this is the size when *it* was mapped: its new ids
        stand at the end, so its mark is above those of the days that follow.
        """
        newest: tuple[Day, int] | None = None
        for marked, size in self.marks:
            # A day may be mapped again with more ids: its last mark holds.
            if marked <= day and (newest is None or marked >= newest[0]):
                newest = (marked, size)
        return FIRST if newest is None else newest[1]

    def raw(self, index: NDArray[Any]) -> NDArray[Any]:
        """Raw ids of indices, of the same shape; 0 gives the padding value, 1 the missing value.

        Raises:
            UsageError: an index outside the map.
        """
        index = np.asarray(index)
        if index.size and (index.min() < 0 or index.max() >= self.size):
            raise UsageError(
                f"id space '{self.space}': index {index.min() if index.min() < 0 else index.max()} is outside the map, "
                f"which holds {self.size}"
            )
        return self._raw[index]

    def lookup(self, raw: Any, *, limit: int | None = None, padding: bool = False) -> NDArray[np.int32]:
        """Indices of raw ids, of the same shape: unknown and missing ids are 1, the padding value is 0.

        Args:
            raw: ids of any shape; int64 of an ``int`` space are taken as they are, all else is made canonical.
            limit: an index from here on reads as unknown (the size recorded in a checkpoint).
            padding: missing ids (and values that are no ids) read as 0 instead of 1 (cells of bags and histories).
        """
        if isinstance(raw, Texts):
            return raw.each(lambda words: self.lookup(words, limit=limit, padding=padding))
        values = raw if isinstance(raw, np.ndarray) else np.asarray(raw)
        flat = values.ravel()
        found = self._find_ints(flat) if self.kind == "int" else self._find_texts(flat)
        out = found.astype(np.int32)
        if padding:
            out[out == 1] = 0
        out[out < 0] = 1
        if limit is not None and limit < self.size:
            out[out >= limit] = 1
        return out.reshape(values.shape)

    def index_of(self, codes: Codes) -> NDArray[np.int32]:
        """Indices of ids by their codes, of the same shape: unknown and missing ids are 1, padding is 0."""
        if self.kind == "int":
            return self.lookup(codes)
        found = self._by_code.get_indexer(codes.ravel()).astype(np.int32) + np.int32(FIRST)
        found[found < FIRST] = 1
        found[codes.ravel() == PADDING_CODE] = 0
        return found.reshape(codes.shape)

    def raw_of(self, codes: Codes) -> NDArray[Any]:
        """Raw ids by their codes, of the same shape."""
        return codes if self.kind == "int" else self.raw(self.index_of(codes))

    def grown(self, raw: NDArray[Any], day: Day) -> IdMap:
        """The map with the ids of ``day`` that it lacks at its end, in the given order; itself if nothing changes.

        Raises:
            DataError: a value that cannot be an id of this space, or that has the code of another one.
        """
        values, _, reasons = canonical_ids(np.asarray(raw).ravel(), self.kind)
        bad = np.flatnonzero(reasons > 1)
        if len(bad):
            raise DataError(
                f"id space '{self.space}' ({self.kind}): {len(bad)} values of {day} are no ids, the first is "
                f"{np.asarray(raw).ravel()[bad[0]]!r} ({REASONS[reasons[bad[0]]]}); quarantine such rows before mapping"
            )
        index = self._find(values)
        import pandas as pd

        new = pd.unique(values[index < 0])
        size = self.size + len(new)
        if size > _MOST:
            raise DataError(f"id space '{self.space}': {size} ids are more than an int32 index can name")
        marked = any(each == day for each, _ in self.marks)
        needed = size if len(new) else int(index.max(initial=0)) + 1
        if marked and needed <= self.size_at(day):
            return self
        marks = self.marks[:-1] if self.marks and self.marks[-1][0] == day else self.marks
        ids = np.concatenate([self.ids, new])
        codes = np.concatenate([self.codes, codes_of(new)])
        if self.kind == "str" and len(new):
            check_distinct(self.space, ids, codes)
        return IdMap(self.space, self.kind, ids, [*marks, (day, size)], codes)

    @functools.cached_property
    def _engine(self) -> Any:
        import pandas as pd

        # The two reserved raw values are in it, so that padding and missing need no pass of their own.
        return pd.Index(self._raw, dtype=self._raw.dtype)

    @functools.cached_property
    def _by_code(self) -> Any:
        import pandas as pd

        return pd.Index(self.codes)

    def _find(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Indices of canonical values; -1 where there is none."""
        found: NDArray[np.intp] = self._engine.get_indexer(values)
        return found

    def _find_ints(self, flat: NDArray[Any]) -> NDArray[np.intp]:
        if flat.dtype.kind != "i":
            flat = canonical_ids(flat, "int").values
        return self._find(flat.astype(np.int64, copy=False))

    def _find_texts(self, flat: NDArray[Any]) -> NDArray[np.intp]:
        try:
            encoded = pa.array(flat, from_pandas=True)
        except (pa.ArrowException, UnicodeError, OverflowError, TypeError):
            encoded = None
        if encoded is None or not pa.types.is_string(encoded.type):
            padding = np.array([isinstance(value, str) and value == PAD_STR for value in flat.tolist()], bool)
            found = self._find(canonical_ids(flat, "str").values)
            return np.where(padding, 0, found)
        # Each distinct text is made canonical and hashed as a Python object once; rows only by Arrow.
        encoded = encoded.dictionary_encode()
        distinct = encoded.dictionary
        found = self._find(canonical_ids(distinct, "str").values)
        found[np.asarray(distinct.to_numpy(zero_copy_only=False) == PAD_STR, bool)] = 0
        found = np.append(found, 1)
        rows: NDArray[Any] = encoded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
        return found[rows]

    def to_json(self) -> bytes:
        """The map as a JSON file, a hundred ids a line."""
        ids = self.ids.tolist()
        lines = (
            json.dumps(ids[start : start + _IDS_A_LINE], ensure_ascii=False)[1:-1]
            for start in range(0, len(ids), _IDS_A_LINE)
        )
        head = {"note": _NOTE, "space": self.space, "kind": self.kind, "size": self.size, "checksum": self.checksum()}
        marks = json.dumps([[str(day), size] for day, size in self.marks])
        start = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
        return (f'{start},\n "marks": {marks},\n "ids": [\n' + ",\n".join(lines) + "\n]}\n").encode()

    def checksum(self) -> str:
        """Digest of the content: space, type, marks and ids in order."""
        head = [self.space, self.kind, self.size, [[str(day), size] for day, size in self.marks]]
        hashed = hashlib.sha256(json.dumps(head).encode())
        if self.kind == "int":
            hashed.update(self.ids.astype("<i8").tobytes())
        else:
            texts = [text.encode() for text in self.ids.tolist()]
            hashed.update(np.array([len(text) for text in texts], "<i8").tobytes())
            hashed.update(b"".join(texts))
        return hashed.hexdigest()

    @classmethod
    def from_json(cls, data: bytes) -> IdMap:
        """The map in a file's bytes; raises ``ValueError`` if they are damaged."""
        try:
            record = json.loads(data)
            marks = [(Day.parse(day), int(size)) for day, size in record["marks"]]
            values = record["ids"]
            ids = np.array(values, np.int64 if not values else None) if record["kind"] == "int" else _texts(values)
            if ids.dtype.kind not in "iO" or ids.ndim != 1:
                raise ValueError(f"ids of type {ids.dtype} where {record['kind']} is declared")
            found = cls(record["space"], record["kind"], ids, marks)
            if found.size != record["size"]:
                raise ValueError(f"size {record['size']} with {len(values)} ids")
            if found.checksum() != record["checksum"]:
                raise ValueError("the checksum does not match")
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError, UsageError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        return found


def _texts(values: list[str]) -> NDArray[Any]:
    # Filled, not converted: numpy's own text type would drop trailing NULs.
    ids = np.empty(len(values), object)
    ids[:] = values
    return ids


def _parse(path: Path, data: bytes, space: str) -> IdMap:
    found = IdMap.from_json(data)
    if found.space != space:
        raise ValueError(f"it is the map of id space '{found.space}'")
    return found
