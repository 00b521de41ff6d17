"""Artefacts: the truth on disk. What is committed is whole, named by day and generation, and never changes.

``root/kind/job/[experiment/]day=YYYY-MM-DD/gen=NNNN/`` holds one generation with its ``manifest.json``;
``current`` beside the generations names the one that readers take. No manifest, no artefact.
"""

from __future__ import annotations

import bisect
import json
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict, Unpack

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, UsageError
from pipeline.storage.artifacts import manifest as manifests
from pipeline.storage.artifacts.artifact import _GENERATION, _SEGMENT, Artifact, Ref, parse_id
from pipeline.storage.artifacts.kinds import OF_DAYS, OF_EXPERIMENTS
from pipeline.storage.artifacts.manifest import Input, Manifest, State
from pipeline.storage.code_version import code_version
from pipeline.storage.files import bytes_under, clear_temporaries, disk_errors, fsync_folder, fsync_tree, write_atomic
from pipeline.storage.locks import Owner, held

_OWN_FOLDERS = ("idmaps", "published", "releases", "reports")

_STAGING = re.compile(r"\.staging\.day=[\d-]+\.(\d+)\.(\d+)\.[0-9a-f]+\.(.+)")
_COMMIT_TIMEOUT = 60.0
_WITHDRAWN = "withdrawn"
"""In place of the current generation: the day has none any more."""
_FOREIGN_STAGING_SECONDS = 7 * 24 * 3600


class Said(TypedDict, total=False):
    """What a stage says of its artefact: the fields of ``Manifest`` by these names."""

    rows: dict[str, int]
    timings: dict[str, float]
    seed: int
    threads: int | None
    tensors: dict[str, str]
    state: State
    reason: str
    extra: dict[str, Any]


class Draft:
    """An artefact being written; nobody sees it before ``commit``.

    Attributes:
        path: the staging folder to write files into.
    """

    def __init__(self, store: ArtifactStore, ref: Ref, path: Path) -> None:
        self.path = path
        self._store = store
        self._ref = ref
        self.committed: Artifact | None = None

    def commit(
        self,
        *,
        key: str,
        digest: str,
        inputs: Sequence[Input],
        settings: str = "",
        **said: Unpack[Said],
    ) -> Artifact:
        """Make the draft the ref's current generation, in one step that a crash cannot split.

        Raises:
            UsageError: committed twice, or a file is named like the manifest.
            DayspringError: the disk is full; the generation before stays current.
        """
        if self.committed is not None:
            raise UsageError(f"{self.committed.id} is committed already; open a new draft")
        if (self.path / manifests.NAME).exists():
            raise UsageError(f"{self.path / manifests.NAME}: this name is taken by the store; choose another")
        with disk_errors(self.path):
            owner = Owner.this()
            manifest = Manifest(
                id="",
                kind=self._ref.kind,
                job=self._ref.job,
                day=self._ref.day,
                experiment=self._ref.experiment,
                generation=0,
                key=key,
                digest=digest,
                inputs=list(inputs),
                settings=settings,
                code_version=code_version(),
                files=fsync_tree(self.path),
                created_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                owner={"pid": owner.pid, "host": owner.host},
                **said,
            )
            self.committed = self._store._commit(self._ref, self.path, manifest)
        return self.committed


class ArtifactStore:
    """All artefacts under one root folder, shared by any number of processes."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    @contextmanager
    def draft(self, ref: Ref) -> Iterator[Draft]:
        """A staging folder to fill and commit; leaving without ``commit`` removes it."""
        owner = Owner.this()
        name = f".staging.day={ref.day}.{owner.pid}.{owner.started}.{uuid.uuid4().hex[:8]}.{owner.host}"
        path = self._folder(ref).parent / name
        with disk_errors(path):
            path.mkdir(parents=True)
            draft = Draft(self, ref, path)
            try:
                yield draft
            finally:
                if draft.committed is None:
                    shutil.rmtree(path, ignore_errors=True)

    def current(self, ref: Ref) -> Artifact | None:
        """The generation that readers take now; ``None`` if there is none or it has lost its manifest."""
        generation = self._current_generation(self._folder(ref))
        return None if generation is None else self._at(ref, generation)

    def load(self, artifact_id: str) -> Artifact | None:
        """The artefact of an id, current or not; ``None`` if it is not on disk."""
        return self._at(*parse_id(artifact_id))

    def days(self, kind: str, job: str, experiment: str | None = None) -> list[Day]:
        """Days that have a current artefact, ascending."""
        folder = self.root.joinpath(kind, job, *([experiment] if experiment is not None else []))
        found: list[Day] = []
        for name in _names(folder):
            if name.startswith("day="):
                generation = self._current_generation(folder / name)
                if generation is not None and (_generation(folder / name, generation) / manifests.NAME).exists():
                    found.append(Day.parse(name.removeprefix("day=")))
        return sorted(found)

    def experiments(self, kind: str, job: str, *, first: Iterable[str] = ()) -> list[str]:
        """Experiments that have artefacts of a kind, whether or not the settings still name them; by name.

        Args:
            first: the settings', whether or not they have any: these come first, in their order.
        """
        return list(dict.fromkeys([*first, *sorted(self._experiments(kind, job))]))

    def _experiments(self, kind: str, job: str) -> list[str]:
        folder = self.root / kind / job
        return [name for name in _names(folder) if not name.startswith("day=") and (folder / name).is_dir()]

    def latest_before(self, kind: str, job: str, day: Day, experiment: str | None = None) -> Artifact | None:
        """The current artefact of the newest day strictly before ``day``."""
        days = self.days(kind, job, experiment)
        for earlier in reversed(days[: bisect.bisect_left(days, day)]):
            artifact = self.current(Ref(kind, job, earlier, experiment))
            if artifact is not None:
                return artifact
        return None

    def generations(self, ref: Ref) -> list[Artifact]:
        """Every generation on disk, oldest first, pruned ones included."""
        numbers = sorted(int(match[1]) for match in map(_GENERATION.fullmatch, _names(self._folder(ref))) if match)
        found = (self._at(ref, number) for number in numbers)
        return [artifact for artifact in found if artifact is not None]

    def prune(self, artifact: Artifact) -> int:
        """Remove the payload and keep the manifest, marked pruned; returns the bytes freed.

        A prune that was killed half-way is finished by the next one.
        """
        path = artifact.path / manifests.NAME
        manifest = Manifest.read(path)
        if not manifest.pruned:
            # Marked first: a reader that finds a file gone must also find out why.
            write_atomic(path, replace(manifest, pruned=True).to_json())
        artifact.manifest.pruned = True
        freed = 0
        for name in _names(artifact.path):
            if name == manifests.NAME:
                continue
            here = artifact.path / name
            freed += bytes_under(here)
            if here.is_dir() and not here.is_symlink():
                shutil.rmtree(here)
            else:
                here.unlink()
        return freed

    def sweep(self) -> list[str]:
        """Remove staging folders whose owner is dead (or, on another host, untouched for a week); returns them."""
        removed = self.abandoned()
        for path in removed:
            shutil.rmtree(path, ignore_errors=True)
        return [str(path) for path in removed]

    def abandoned(self) -> list[Path]:
        """Staging folders that ``sweep`` would remove."""
        kinds = (*OF_DAYS, *OF_EXPERIMENTS)
        jobs = [self.root / kind / job for kind in kinds for job in _names(self.root / kind)]
        # A folder of days has no staging inside it: of thousands of them none is opened.
        experiments = [job / name for job in jobs for name in _names(job) if _SEGMENT.fullmatch(name)]
        places = (folder / name for folder in sorted(jobs + experiments) for name in sorted(_names(folder)))
        return [path for path in places if self._is_abandoned(path)]

    @staticmethod
    def _is_abandoned(path: Path) -> bool:
        parts = _STAGING.fullmatch(path.name)
        if parts is None:
            return False
        owner = Owner(pid=int(parts[1]), started=parts[2], host=parts[3])
        if owner.is_dead():
            return True
        try:
            untouched = time.time() - path.stat().st_mtime
        except FileNotFoundError:
            return False
        return owner.host != Owner.this().host and untouched > _FOREIGN_STAGING_SECONDS

    def sizes(self, job: str) -> dict[str, int]:
        """Bytes on disk of a job by kind; of sources that lie in the root none."""
        return {
            kind: bytes_under(self.root / kind / job)
            for kind in sorted((*OF_DAYS, *OF_EXPERIMENTS, *_OWN_FOLDERS))
            if (self.root / kind / job).is_dir()
        }

    def taint(self, ref: Ref, reason: str) -> None:
        """Mark the current generation as not to be trusted; a new generation clears it.

        Raises:
            UsageError: there is nothing to taint.
        """
        generation = self._current_generation(self._folder(ref))
        if generation is None:
            raise UsageError(f"{ref}: nothing is committed for this day, so there is nothing to taint")
        record = {"generation": generation, "reason": reason, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        write_atomic(self._folder(ref) / "tainted", json.dumps(record).encode())

    def taint_reason(self, ref: Ref) -> str | None:
        """Why the current generation was tainted by hand; ``None`` if it was not."""
        path = self._folder(ref) / "tainted"
        try:
            record = json.loads(path.read_bytes())
            generation, reason = int(record["generation"]), str(record["reason"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptArtifact(f"{path}: the taint mark is damaged ({error}); delete it and taint again") from error
        return reason if generation == self._current_generation(self._folder(ref)) else None

    def withdraw(self, ref: Ref) -> bool:
        """Leave a day without a current artefact; its generations stay on disk, and another may be committed.

        ``False`` if there was none.
        """
        folder = self._folder(ref)
        with self._committing(ref):
            if self._current_generation(folder) is None:
                return False
            write_atomic(folder / "current", f"{_WITHDRAWN}\n".encode())
        return True

    def is_withdrawn(self, ref: Ref) -> bool:
        """Whether the day had an artefact that was withdrawn since."""
        path = self._folder(ref) / "current"
        return self._current_generation(path.parent) is None and path.exists()

    def lock_path(self, job: str, name: str) -> Path:
        """Where a lock of a job lives: outside of every artefact."""
        return self.root / ".locks" / job / f"{name}.lock"

    def _committing(self, ref: Ref) -> AbstractContextManager[None]:
        name = ref.kind if ref.experiment is None else f"{ref.kind}.{ref.experiment}"
        return held(self.lock_path(ref.job, f"commit.{name}"), timeout=_COMMIT_TIMEOUT, what=f"the commit of {ref}")

    def _commit(self, ref: Ref, staging: Path, manifest: Manifest) -> Artifact:
        folder = self._folder(ref)
        with self._committing(ref):
            if not folder.exists():
                folder.mkdir(parents=True)
                fsync_folder(folder.parent)
            before = self._current_generation(folder)
            taken = [int(match[1]) for match in map(_GENERATION.fullmatch, _names(folder)) if match]
            generation = max([*taken, before or 0]) + 1
            artifact = Artifact(ref, generation, _generation(folder, generation), manifest)
            manifest.id, manifest.generation = artifact.id, generation
            write_atomic(staging / manifests.NAME, manifest.to_json())
            clear_temporaries(folder / "current")
            staging.rename(artifact.path)
            try:
                fsync_folder(folder)
                write_atomic(folder / "current", f"{artifact.path.name}\n".encode())
            except BaseException:
                if self._current_generation(folder) == before:
                    shutil.rmtree(artifact.path, ignore_errors=True)
                raise
            (folder / "tainted").unlink(missing_ok=True)
        return artifact

    def _folder(self, ref: Ref) -> Path:
        return self.root / str(ref)

    def _at(self, ref: Ref, generation: int) -> Artifact | None:
        path = _generation(self._folder(ref), generation)
        try:
            manifest = Manifest.read(path / manifests.NAME)
        except FileNotFoundError:
            return None
        artifact = Artifact(ref, generation, path, manifest)
        said = (manifest.id, manifest.kind, manifest.job, manifest.day, manifest.experiment, manifest.generation)
        if said != (artifact.id, ref.kind, ref.job, ref.day, ref.experiment, generation):
            raise CorruptArtifact(
                f"{path / manifests.NAME}: the manifest is that of {manifest.id}; move the folder back to where it "
                "was, or delete it and run the day again"
            )
        return artifact

    @staticmethod
    def _current_generation(folder: Path) -> int | None:
        path = folder / "current"
        try:
            text = path.read_bytes()[:64].decode("ascii", "replace").strip()
        except FileNotFoundError:
            return None
        if text == _WITHDRAWN:
            return None
        match = _GENERATION.fullmatch(text)
        if match is None:
            raise CorruptArtifact(
                f"{path}: damaged (holds {text!r}); write the name of the newest gen=NNNN folder beside it into it, "
                "or delete it and run the day again"
            )
        return int(match[1])


def _generation(folder: Path, generation: int) -> Path:
    return folder / f"gen={generation:04d}"


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
