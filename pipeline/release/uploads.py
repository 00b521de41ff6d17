"""Where exported models go: an object store, here a folder, with the same few operations that S3 has."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from pipeline.durable import disk_errors, fsync_file, fsync_folder, write_atomic
from pipeline.errors import ConfigError, CorruptArtifact, DayspringError

LOADABLE = "saved_model.pb"
"""The file that makes a version loadable: TensorFlow Serving ignores a version without it."""
_NOTE = "release.json"


class ObjectStore(Protocol):
    """Objects by key (``a/b/c``). An object appears whole or not at all."""

    def put(self, key: str, data: bytes) -> None: ...

    def put_file(self, key: str, path: Path) -> None: ...

    def get(self, key: str) -> bytes | None: ...

    def list(self, prefix: str) -> Iterator[str]: ...

    def delete(self, key: str) -> None: ...

    def local(self, prefix: str) -> Path:
        """A folder of this machine with the objects under ``prefix``; a remote store fetches them first."""
        ...


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
        staged = target.with_name(f".{target.name}.{os.getpid()}.uploading")
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

    def local(self, prefix: str) -> Path:
        return self._path(prefix)

    def _path(self, key: str) -> Path:
        return self._folder / key


def open_objects(root: Path, url: str | None = None) -> ObjectStore:
    """The store named by ``DAYSPRING_RELEASE_URL`` (``file:FOLDER``), else ``published`` in the root."""
    url = url or os.environ.get("DAYSPRING_RELEASE_URL") or f"file:{root / 'published'}"
    scheme, _, rest = url.partition(":")
    if scheme != "file" or not rest:
        raise ConfigError(f"DAYSPRING_RELEASE_URL: '{scheme}:…' is not supported; write file:FOLDER")
    return FolderStore(Path("/" + rest.lstrip("/") if rest.startswith("//") else rest))


class Models:
    """A job's exported models in an object store, as numbered versions that TensorFlow Serving can load."""

    def __init__(self, objects: ObjectStore, job: str) -> None:
        self._objects = objects
        self._job = job

    def versions(self) -> list[int]:
        """Versions that can be loaded, ascending."""
        return sorted(number for number, names in self._by_version().items() if LOADABLE in names)

    def upload(self, folder: Path, *, day: int, export: str) -> int:
        """Uploads the SavedModel in ``folder`` unless the newest version is the same; its version.

        A version is ``yyyymmddNN``, larger than every earlier one. An interrupted upload can be repeated: it takes the
        same version and completes it.

        Args:
            day: ``yyyymmdd`` of the release's data day.
            export: digest of the export; names the content, and is kept beside the model.

        Raises:
            DayspringError: an object reads back otherwise than it was written.
        """
        present = self._by_version()
        newest = max(present, default=0)
        noted = self._note(newest) if newest else None
        if noted is not None and noted["export"] == export:
            if LOADABLE in present[newest]:
                return newest
            version = newest  # left by an upload that was interrupted
        else:
            version = max(day * 100 + 1, newest + 1)
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        if LOADABLE not in files:
            raise CorruptArtifact(f"{folder}: holds no {LOADABLE}; export that day again")
        sums = {name: _checksum((folder / name).read_bytes()) for name in files}
        self._objects.put(self._key(version, _NOTE), json.dumps({"export": export, "sha256": sums}, indent=1).encode())
        for name in [*(name for name in files if name != LOADABLE), LOADABLE]:
            key = self._key(version, name)
            if name != LOADABLE and self._holds(key, sums[name]):
                continue
            self._objects.put_file(key, folder / name)
            if not self._holds(key, sums[name]):
                raise DayspringError(f"{key}: reads back otherwise than written; upload again")
        return version

    def verified(self, version: int) -> bool:
        """Whether a version is there and every file has the checksum that it was uploaded with."""
        note = self._note(version)
        return note is not None and all(
            self._holds(self._key(version, name), expected) for name, expected in note["sha256"].items()
        )

    def local(self, version: int) -> Path:
        """A folder of this machine with the SavedModel of a version."""
        if self._objects.get(self._key(version, LOADABLE)) is None:
            raise CorruptArtifact(
                f"{self._key(version, '')}: no such model in the object store; publish the newest day again"
            )
        return self._objects.local(self._key(version, "").rstrip("/"))

    def prune(self, kept: set[int], newest: int) -> list[int]:
        """Deletes versions beyond the ``newest`` ones, never those in ``kept``; what makes one loadable goes first."""
        present = self._by_version()
        gone = sorted(set(sorted(present)[:-newest]) - kept)
        for version in gone:
            self._objects.delete(self._key(version, LOADABLE))
            for name in present[version]:
                self._objects.delete(self._key(version, name))
        return gone

    def set_pointer(self, pointer: bytes) -> None:
        self._objects.put(f"{self._job}/current.json", pointer)

    def pointer(self) -> bytes | None:
        return self._objects.get(f"{self._job}/current.json")

    def _by_version(self) -> dict[int, list[str]]:
        prefix = f"{self._job}/models/"
        found: dict[int, list[str]] = {}
        for key in self._objects.list(prefix):
            number, _, name = key.removeprefix(prefix).partition("/")
            if number.isdigit():
                found.setdefault(int(number), []).append(name)
        return found

    def _note(self, version: int) -> dict[str, Any] | None:
        text = self._objects.get(self._key(version, _NOTE))
        return None if text is None else dict(json.loads(text))

    def _holds(self, key: str, expected: str) -> bool:
        data = self._objects.get(key)
        return data is not None and _checksum(data) == expected

    def _key(self, version: int, name: str) -> str:
        return f"{self._job}/models/{version}/{name}"


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
