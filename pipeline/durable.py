"""Bytes that survive a power cut, and digests of content: what artefacts and id maps are written with."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import DayspringError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CHUNK = 1 << 24


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk into a ``DayspringError`` that names ``path`` and the free bytes."""
    try:
        yield
    except Exception as error:
        if isinstance(error, DayspringError) or not _is_disk_full(error):
            raise
        raise DayspringError(
            f"{path}: the disk is full ({_free_bytes(path)} bytes free); nothing was committed. "
            "Free some space (`python -m pipeline prune --job J` removes old payloads) and run the same command again"
        ) from error


def _is_disk_full(error: Exception) -> bool:
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return True
    # Arrow and TensorFlow wrap the errno in an exception of their own and keep only its text.
    return os.strerror(errno.ENOSPC) in str(error) or "No space left on device" in str(error)


def _free_bytes(path: Path) -> int:
    here = path
    while not here.exists() and here != here.parent:
        here = here.parent
    return shutil.disk_usage(here).free


def fsync_file(path: Path) -> None:
    """Force a file's bytes to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_folder(path: Path) -> None:
    """Force a folder's entries (new names, renames) to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_tree(folder: Path) -> dict[str, int]:
    """Force everything under ``folder`` to the disk; returns the bytes of each file by relative name."""
    sizes: dict[str, int] = {}
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            fsync_file(path)
            sizes[path.relative_to(folder).as_posix()] = path.stat().st_size
        fsync_folder(Path(here))
    return dict(sorted(sizes.items()))


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace ``path`` by ``data`` in one step: a reader sees the old bytes or the new ones, never a part.

    With ``durable`` the new bytes also survive a power cut once this returns.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    with disk_errors(path):
        try:
            with temporary.open("wb") as file:
                file.write(data)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            fsync_folder(path.parent)


def clear_temporaries(path: Path) -> None:
    """Remove what killed writers of ``path`` left; only under the lock that its writers take."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        left.unlink(missing_ok=True)


def bytes_under(path: Path) -> int:
    """Bytes of a file, or of all files under a folder; what others remove meanwhile counts as nothing."""
    if not path.is_dir() or path.is_symlink():
        return _size(path)
    return sum(_size(Path(here, name)) for here, _, names in os.walk(path) for name in names)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tensor_digest(array: NDArray[Any]) -> str:
    """SHA-256 over dtype, shape and values; equal for equal tensors, whatever their layout in memory or file.

    Text and object arrays are hashed by their values, so the width of a numpy text type does not matter.
    """
    import numpy as np

    array = np.asanyarray(array)
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

    if array.flags.c_contiguous:
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
