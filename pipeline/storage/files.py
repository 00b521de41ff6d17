"""Bytes that survive a power cut: what artefacts and id maps are written with."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import DayspringError

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


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


def link_or_copy(earlier: Path, path: Path) -> None:
    """The same file under another name; a copy where the file system has no hard links, or too many of them."""
    try:
        os.link(earlier, path)
    except OSError:
        shutil.copyfile(earlier, path)


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


