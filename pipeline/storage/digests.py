"""Digests of content: of files, tensors and columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


_CHUNK = 1 << 24


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensor_digest(array: NDArray[Any]) -> str:
    """SHA-256 over dtype, shape and values; equal for equal tensors, whatever their layout in memory or file.

    Text and object arrays are hashed by their values, so the width of a numpy text type does not matter.
    """
    import numpy as np

    # What stands for a matrix gives its values in rows, some at a time.
    array = array if getattr(array, "ndim", 0) == 2 else np.asanyarray(array)
    hashed = hashlib.sha256()
    if array.dtype.kind in "OUS":
        hashed.update(f"text {list(array.shape)}\n".encode())
        _hash_texts(hashed, array.ravel().tolist())
    else:
        if array.dtype.names is not None:
            raise TypeError(f"no digest for an array of type {array.dtype}; digest its fields one by one")
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        hashed.update(f"{array.dtype.name} {list(array.shape)}\n".encode())
        _hash_values(hashed, array)
    return hashed.hexdigest()


def _hash_values(hashed: hashlib._Hash, array: NDArray[Any]) -> None:
    import numpy as np

    if isinstance(array, np.ndarray) and array.flags.c_contiguous:
        if array.size:
            hashed.update(array.reshape(-1).view(np.uint8).data)
        return
    # A chunk of rows at a time: a transposed or strided table is never copied whole.
    rows = max(1, _CHUNK // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        hashed.update(np.ascontiguousarray(array[start : start + rows]).tobytes())


def _hash_texts(hashed: hashlib._Hash, values: Sequence[object]) -> None:
    for start in range(0, len(values), 1 << 16):
        # JSON quotes each value, so no two lists of values share their text.
        hashed.update(json.dumps(values[start : start + (1 << 16)], default=_as_json).encode())


def _as_json(value: object) -> object:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"no digest for a value of type {type(value).__name__}")
    return item()


def content_digest(parts: Mapping[str, Any]) -> str:
    """SHA-256 over named parts, independent of their order.

    A part is bytes, an array (``tensor_digest``), or anything JSON can hold: text, numbers, booleans, ``None``,
    lists, tuples, mappings. Raises ``TypeError`` for anything else.
    """
    hashed = hashlib.sha256()
    for name in sorted(parts):
        part = parts[name]
        if isinstance(part, bytes | bytearray | memoryview):
            kind, digest = "bytes", hashlib.sha256(part).hexdigest()
        elif hasattr(part, "dtype") and hasattr(part, "shape"):
            kind, digest = "array", tensor_digest(part)
        else:
            kind, digest = (
                "json",
                hashlib.sha256(json.dumps(part, sort_keys=True, default=_as_json).encode()).hexdigest(),
            )
        hashed.update(f"{json.dumps(name)} {kind} {digest}\n".encode())
    return hashed.hexdigest()
