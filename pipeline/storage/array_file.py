"""Many arrays in one file that is read by memory mapping: a day costs one fsync, not one an array."""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.errors import CorruptArtifact

_MAGIC = b"DSARRAY1"
_ALIGNED = 64
_ROWS = 1 << 16


def write(path: Path, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any] | None = None) -> None:
    """Write named arrays, and ``meta`` (JSON values); an array of objects holds text.

    What stands for a matrix is asked for some rows at a time, more than once.
    """
    index: dict[str, Any] = {}
    buffers: list[NDArray[Any]] = []
    start = 0

    def place(array: NDArray[Any]) -> int:
        nonlocal start
        begin = start
        buffers.append(np.ascontiguousarray(array) if isinstance(array, np.ndarray) else array)
        start = -(-(begin + array.nbytes) // _ALIGNED) * _ALIGNED
        return begin

    for name, array in arrays.items():
        if array.dtype.kind == "O":
            text, ends = _encoded(array)
            at, ends_at = place(text), place(ends)
            index[name] = {"dtype": "text", "shape": [len(array)], "at": at, "ends": ends_at, "bytes": len(text)}
        else:
            index[name] = {"dtype": array.dtype.str, "shape": list(array.shape), "at": place(array)}
    checksum = 0
    for array in buffers:
        for piece in _pieces(array):
            checksum = zlib.crc32(piece, checksum)
        checksum = zlib.crc32(b"\0" * (-array.nbytes % _ALIGNED), checksum)
    header = json.dumps({"arrays": index, "meta": dict(meta or {}), "crc32": checksum}, sort_keys=True).encode()
    header += b" " * (-(len(_MAGIC) + 8 + len(header)) % _ALIGNED)
    with path.open("wb") as file:
        file.write(_MAGIC + len(header).to_bytes(8, "little") + header)
        for array in buffers:
            for piece in _pieces(array):
                file.write(piece)
            file.write(b"\0" * (-array.nbytes % _ALIGNED))


def _pieces(array: Any) -> Iterator[memoryview]:
    if isinstance(array, np.ndarray):
        if array.size:
            yield array.data
        return
    for start in range(0, len(array), _ROWS):
        rows = np.ascontiguousarray(array[start : start + _ROWS])
        if rows.size:
            yield rows.data


@dataclass(frozen=True)
class StoredArray:
    """An array in a file: some rows are read when they are asked for, and nothing stays mapped."""

    path: Path
    at: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        first, last, _ = rows.indices(self.shape[0])
        width = int(np.prod(self.shape[1:], dtype=np.int64))
        count, at = max(last - first, 0), self.at + first * width * self.dtype.itemsize
        return np.fromfile(self.path, self.dtype, count * width, offset=at).reshape(count, *self.shape[1:])


def stored(path: Path) -> tuple[dict[str, StoredArray | NDArray[Any]], dict[str, Any]]:
    """The arrays of a file that this program has written just now, and ``meta``; text is read."""
    with path.open("rb") as file:
        begin = 16 + int.from_bytes(file.read(16)[8:], "little")
        file.seek(16)
        header = json.loads(file.read(begin - 16))
        arrays: dict[str, StoredArray | NDArray[Any]] = {}
        for name, entry in header["arrays"].items():
            if entry["dtype"] == "text":
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                    arrays[name] = _array(mapped, begin, entry)
            else:
                arrays[name] = StoredArray(path, begin + entry["at"], np.dtype(entry["dtype"]), tuple(entry["shape"]))
    return arrays, header["meta"]


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays, memory-mapped and read-only (text is copied), and ``meta``; the checksum is compared first.

    Raises:
        CorruptArtifact: the file is not whole.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if mapped[:8] != _MAGIC:
            raise ValueError("it does not begin as such a file does")
        begin = 16 + int.from_bytes(mapped[8:16], "little")
        header = json.loads(mapped[16:begin])
        # Files of before the checksum was there are read as they are: an upgrade breaks no chain.
        if "crc32" in header:
            with memoryview(mapped) as whole, whole[begin:] as values:
                if zlib.crc32(values) != header["crc32"]:
                    raise ValueError("the checksum does not match")
        arrays = {name: _array(mapped, begin, entry) for name, entry in header["arrays"].items()}
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptArtifact(
            f"{path}: the arrays are damaged ({error}); delete their artefact and run the day again"
        ) from error
    return arrays, header["meta"]


def _array(mapped: mmap.mmap, begin: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    shape = tuple(entry["shape"])
    if entry["dtype"] != "text":
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(mapped, np.dtype(entry["dtype"]), count, begin + entry["at"]).reshape(shape)
    ends = np.frombuffer(mapped, np.int64, shape[0] + 1, begin + entry["ends"]).copy()
    data = mapped[begin + entry["at"] : begin + entry["at"] + entry["bytes"]]
    text = pa.LargeStringArray.from_buffers(shape[0], pa.py_buffer(ends.tobytes()), pa.py_buffer(data))
    return np.asarray(text.to_numpy(zero_copy_only=False), object)


def _encoded(array: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    words = pa.array(array, pa.large_string())
    if words.null_count:
        raise TypeError("an array of objects may hold text only")
    _, ends, data = words.buffers()
    offsets = np.zeros(1, np.int64) if ends is None else np.frombuffer(ends, np.int64, len(words) + 1)
    return np.frombuffer(data or b"", np.uint8, int(offsets[-1])), offsets
