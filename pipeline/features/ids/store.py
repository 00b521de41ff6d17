"""The id maps of a job: one JSON an id space, grown under a lock."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.errors import ConfigError, CorruptArtifact, UsageError
from pipeline.features.ids.idmap import IdMap, _parse
from pipeline.job import JobContext
from pipeline.storage.files import clear_temporaries, fsync_folder, link_or_copy, write_atomic
from pipeline.storage.locks import held


class IdMapStore:
    """The id maps of one job: a JSON file for each space in one folder, shared by any number of processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._cache: dict[str, tuple[tuple[int, int, int], IdMap]] = {}

    @classmethod
    def of(cls, context: JobContext) -> IdMapStore:
        """The id maps of the job, read once a process while they do not change."""
        return context.kept(cls, lambda: cls(context.root / "idmaps" / context.job))

    def read(self, space: str, kind: str) -> IdMap:
        """The map as it stands; an empty one if nothing was mapped yet.

        Raises:
            CorruptArtifact: the file is damaged, or gone while the one before it is there.
            ConfigError: the file holds ids of the other type.
        """
        path = self._path(space)
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                signature = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
                cached = self._cache.get(space)
                found = cached[1] if cached and cached[0] == signature else _parse(path, file.read(), space)
        except FileNotFoundError:
            if self._previous(space).exists():
                # Starting again from index 2 would give other meanings to every trained row.
                raise CorruptArtifact(f"{path}: the id map is gone; {self._remedy(space)}") from None
            return IdMap(space, kind, np.empty(0, object if kind == "str" else np.int64))
        except ValueError as error:
            raise CorruptArtifact(f"{path}: the id map is damaged ({error}); {self._remedy(space)}") from error
        if found.kind != kind:
            raise ConfigError(
                f"{path}: holds ids of type {found.kind}, but the job's settings declare id space '{space}' as {kind}; "
                "an id space keeps its type for good: set it back, or name a new space"
            )
        self._cache[space] = (signature, found)
        return found

    def add(
        self, space: str, kind: str, raw_in_canonical_order: NDArray[Any], day: Day, *, lock_timeout: float = 60
    ) -> IdMap:
        """The map with a day's ids added: those not in it go to its end, in the given order of first appearance.

        Missing values are passed over. A repeat with the same ids changes nothing, and a process that dies here
        leaves the old map or the new one.

        Raises:
            DataError: a value that cannot be an id of this space; nothing is added.
            LockTimeout: another process has held the map for ``lock_timeout`` seconds.
        """
        return self.add_days(space, kind, [(day, raw_in_canonical_order)], lock_timeout=lock_timeout)

    def add_days(
        self, space: str, kind: str, days: Sequence[tuple[Day, NDArray[Any]]], *, lock_timeout: float = 60
    ) -> IdMap:
        """The map with the ids of several days added, in the given order: as ``add`` day by day, but written once."""
        path = self._path(space)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._held(space, lock_timeout):
            before = self.read(space, kind)
            after = before
            for day, raw in days:
                after = after.grown(raw, day)
            if after is before:
                return before
            clear_temporaries(path)
            if path.exists():
                self._keep_previous(space)
            write_atomic(path, after.to_json())
            stat = path.stat()
            self._cache[space] = ((stat.st_mtime_ns, stat.st_size, stat.st_ino), after)
        return after

    def restore(self, space: str, *, lock_timeout: float = 60) -> IdMap:
        """Put the map before the last addition back in place of a damaged one, which is kept as ``….damaged``.

        Safe because ids are added in canonical order under a lock: mapping the lost day again, before any other,
        gives its ids the indices that they had.

        Raises:
            UsageError: the map is whole.
            CorruptArtifact: the one before it is missing or damaged too.
        """
        path, previous = self._path(space), self._previous(space)
        with self._held(space, lock_timeout):
            if path.exists() and not _is_damaged(path, space):
                raise UsageError(f"{path}: the id map is whole, there is nothing to restore")
            try:
                data = previous.read_bytes()
                found = _parse(previous, data, space)
            except (FileNotFoundError, ValueError) as error:
                raise CorruptArtifact(
                    f"{previous}: no good map to restore id space '{space}' from ({error}); restore {path} from a "
                    "backup, or delete both files and re-chain the job from its first day"
                ) from error
            if path.exists():
                path.replace(path.with_name(path.name + ".damaged"))
            write_atomic(path, data)
        return found

    def _keep_previous(self, space: str) -> None:
        path, previous = self._path(space), self._previous(space)
        temporary = previous.with_name(f".{previous.name}.tmp")
        temporary.unlink(missing_ok=True)
        link_or_copy(path, temporary)
        temporary.replace(previous)
        fsync_folder(self.folder)

    def _held(self, space: str, timeout: float) -> AbstractContextManager[None]:
        return held(self.folder / f".{space}.lock", timeout=timeout, what=f"id map '{space}' in {self.folder}")

    def _path(self, space: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", space):
            raise UsageError(f"id space '{space}' cannot name a file; use letters, digits, '_', '-' and '.'")
        return self.folder / f"{space}.json"

    def _previous(self, space: str) -> Path:
        return self.folder / f"{space}.json.previous"

    def _remedy(self, space: str) -> str:
        path, previous = self._path(space), self._previous(space)
        if not previous.exists():
            return f"there is no {previous.name}: restore it from a backup, or delete it if no day was trained with it"
        return (
            f"stop the job, move the file away, copy {previous} to {path} (the map before the last day was added) and "
            "run the day that follows its last mark again before any other"
        )


def _is_damaged(path: Path, space: str) -> bool:
    try:
        _parse(path, path.read_bytes(), space)
    except ValueError:
        return True
    return False
