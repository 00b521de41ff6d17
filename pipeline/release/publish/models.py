"""Where exported models go: numbered versions in an object store, as TensorFlow Serving loads them."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from pipeline.errors import CorruptArtifact, DayspringError
from pipeline.release.publish.release_files import Pointer
from pipeline.storage.digests import content_digest
from pipeline.storage.objects.base import ObjectStore, checksum_of_file
from pipeline.storage.objects.folder import FolderStore

LOADABLE = "saved_model.pb"
"""The file that makes a version loadable: TensorFlow Serving ignores a version without it."""
_NOTE = "release.json"


def repair(pointer: Pointer) -> str:
    """What to do where the model is not the one that a pointer means."""
    return (
        f"`python -m pipeline stage publish --job {pointer.job} --day {pointer.day}` puts the right one in place; if "
        "the models are elsewhere, set DAYSPRING_RELEASE_URL"
    )


class Models:
    """A job's exported models in an object store, as numbered versions that TensorFlow Serving can load."""

    def __init__(self, objects: ObjectStore, job: str) -> None:
        self._objects = objects
        self._job = job

    def of(self, job: str) -> Models:
        """Those of another job in the same place."""
        return Models(self._objects, job)

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
        version = max(day * 100 + 1, newest + 1)
        if noted is not None and noted.get("export") == export:
            if LOADABLE not in present[newest]:
                version = newest  # left by an upload that was interrupted
            elif self.verified(newest):
                return newest
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        if LOADABLE not in files:
            raise CorruptArtifact(f"{folder}: holds no {LOADABLE}; export that day again")
        sums = {name: checksum_of_file(folder / name) for name in files}
        note = json.dumps({"export": export, "checksums": sums}, indent=1).encode()
        self._objects.put(self._key(version, _NOTE), note)
        for name in [*(name for name in files if name != LOADABLE), LOADABLE]:
            key = self._key(version, name)
            if name != LOADABLE and self._objects.holds(key, sums[name]):
                continue
            self._objects.put_file(key, folder / name)
            if not self._objects.holds(key, sums[name]):
                raise DayspringError(f"{key}: reads back otherwise than written; upload again")
        return version

    def verified(self, version: int) -> bool:
        """Whether a version is there and every file has the checksum that it was uploaded with."""
        sums = self._checksums(version)
        return LOADABLE in sums and all(
            self._objects.holds(self._key(version, name), expected) for name, expected in sums.items()
        )

    def digest(self, version: int, *, export: str | None = None) -> str:
        """Digest of a version's files, as they were uploaded; empty if there is none.

        Args:
            export: only if it is the model of the export with this digest.
        """
        note = self._note(version)
        if note is None or (export is not None and note.get("export") != export):
            return ""
        return content_digest({"files": self._checksums(version)})

    def fault(self, pointer: Pointer) -> str | None:
        """Why the model under a pointer's version is not the one that the pointer means; ``None`` if it is."""
        found = self._told_by_note(pointer)
        if found is not None:
            return found
        if not self.verified(pointer.version):
            return f"{self._named(pointer)} is not whole: a file of it is missing or was changed"
        strange = set(self._by_version()[pointer.version]) - {*self._checksums(pointer.version), _NOTE}
        return self._strange(pointer, strange)

    def local(self, pointer: Pointer) -> Path:
        """A folder of this machine with the SavedModel that a pointer means; it may have to be fetched, so ask once.

        Raises:
            CorruptArtifact: there is no such model, only a part of it, or another one under its number.
        """
        prefix = self._key(pointer.version, "").rstrip("/")
        fault = self._told_by_note(pointer)
        if fault is None and self._key(pointer.version, LOADABLE) not in set(self._objects.list(prefix + "/")):
            fault = f"{self._named(pointer)} is not whole: {LOADABLE} is missing"
        if fault is not None:
            raise CorruptArtifact(f"release {pointer.release_id}: {fault}; {repair(pointer)}")
        sums = self._checksums(pointer.version)
        folder = self._objects.local(prefix, sums)
        there = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        for name, expected in sums.items():
            if name not in there or checksum_of_file(there[name]) != expected:
                fault = f"{folder / name} is missing or was changed"
        fault = fault or self._strange(pointer, {name for name in there if not name.startswith(".")} - {*sums, _NOTE})
        if fault is not None:
            raise CorruptArtifact(f"release {pointer.release_id}: {fault}; {repair(pointer)}")
        return folder

    def _told_by_note(self, pointer: Pointer) -> str | None:
        """What the note beside the model says against it, without a look at its files."""
        if not pointer.model:
            return "its pointer is of an earlier version of Dayspring and does not say which model it means"
        sums = self._checksums(pointer.version)
        if LOADABLE not in sums:
            return f"{self._named(pointer)} is not there"
        if content_digest({"files": sums}) != pointer.model:
            return (
                f"{self._named(pointer)} is another one than it means: it was exchanged, or another place or "
                "experiment has given the number too"
            )
        return None

    def _strange(self, pointer: Pointer, names: set[str]) -> str | None:
        if not names:
            return None
        return f"{self._named(pointer)} holds what was not uploaded: {', '.join(sorted(names))}"

    def _named(self, pointer: Pointer) -> str:
        return f"the model {pointer.version} in {self._objects.address()}"

    def _checksums(self, version: int) -> dict[str, str]:
        note = self._note(version)
        return dict(note.get("checksums", {})) if note is not None else {}

    def prune(self, kept: set[int], newest: int) -> list[int]:
        """Deletes versions beyond the ``newest`` ones, never those in ``kept``; what makes one loadable goes first."""
        present = self._by_version()
        gone = sorted(set(sorted(present)[:-newest]) - kept)
        for version in gone:
            self._objects.delete(self._key(version, LOADABLE))
            for name in present[version]:
                self._objects.delete(self._key(version, name))
        self._objects.drop_unfinished(f"{self._job}/models/")
        return gone

    def check(self) -> str:
        """Where the models go; raises ``DayspringError`` if the store cannot be written or read."""
        key = f"{self._job}/probe-{uuid.uuid4().hex}"
        self._objects.put(key, b"probe")
        back = self._objects.get(key)
        self._objects.delete(key)
        if back != b"probe":
            raise DayspringError(f"{self._objects.address()}: {key}: an object reads back otherwise than written")
        return f"{self._objects.address()} takes writes, {len(self.versions())} versions"

    @property
    def where(self) -> str:
        """Where the copy of the pointer is, for messages."""
        return f"the object {self._job}/current.json of {self._objects.address()}"

    def place(self, root: Path) -> str:
        """The store; a folder in the root by its name there."""
        if not isinstance(self._objects, FolderStore):
            return self._objects.address()
        folder = Path(self._objects.address())
        inside, around = Path(os.path.realpath(folder)), Path(os.path.realpath(root))
        if inside.is_relative_to(around):
            return f"its own folder {inside.relative_to(around)}"
        return str(folder.absolute())

    def mark(self) -> str | None:
        """The id of this place; ``None`` if nothing was published to it yet."""
        found = self._objects.get(self._mark)
        return None if found is None else found.decode()

    def set_mark(self, mark: str) -> None:
        self._objects.put(self._mark, mark.encode())

    @property
    def _mark(self) -> str:
        return f"{self._job}/place"

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
        if text is None:
            return None
        try:
            return dict(json.loads(text))
        except (ValueError, TypeError):
            return {}  # then no file is known to be what was uploaded

    def _key(self, version: int, name: str) -> str:
        return f"{self._job}/models/{version}/{name}"
