"""An object store in a folder: the default, and what a shared disk offers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.storage.files import disk_errors, fsync_file, fsync_folder, write_atomic
from pipeline.storage.objects.base import checksum_of_file

_UPLOADING = ".uploading"


class FolderStore:
    """An object store in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)

    def put_file(self, key: str, path: Path) -> None:
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = target.with_name(f".{target.name}.{os.getpid()}{_UPLOADING}")
        with disk_errors(target):
            try:
                shutil.copyfile(path, staged)
                fsync_file(staged)
                staged.replace(target)
            finally:
                staged.unlink(missing_ok=True)
        fsync_folder(target.parent)

    def get(self, key: str) -> bytes | None:
        path = self._path(key)
        return path.read_bytes() if path.is_file() else None

    def list(self, prefix: str) -> Iterator[str]:
        top = self._path(prefix)
        for path in sorted(top.rglob("*")):
            if path.is_file() and not path.name.startswith("."):  # not what is being written
                yield path.relative_to(self._folder).as_posix()

    def delete(self, key: str) -> None:
        path = self._path(key)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self._folder or not folder.is_dir() or any(folder.iterdir()):
                return
            folder.rmdir()

    def holds(self, key: str, checksum: str) -> bool:
        path = self._path(key)
        return path.is_file() and checksum_of_file(path) == checksum

    def local(self, prefix: str, checksums: Mapping[str, str]) -> Path:
        return self._path(prefix)

    def drop_unfinished(self, prefix: str) -> int:
        left = list(self._path(prefix).rglob(f".*{_UPLOADING}"))
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def address(self) -> str:
        return str(self._folder)

    def _path(self, key: str) -> Path:
        return self._folder / key
