"""All manifests of a job, remembered: of a year of days only what changed since the last look is read again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pipeline.days import Day
from pipeline.errors import DayspringError, UsageError
from pipeline.evaluation.records import GateRecord, TestRecord
from pipeline.features.records import MapsRecord
from pipeline.ingest.records import ValidatedRecord
from pipeline.release.records import CheckRecord, PublishRecord, ReleaseRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import MAY_BE_SKIPPED, OF_DAYS, OF_EXPERIMENTS
from pipeline.storage.artifacts.manifest import NAME, Input, Manifest, parse_day
from pipeline.storage.artifacts.record import Record
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.files import write_atomic
from pipeline.training.records import CheckpointRecord

FORMAT = 6
"""Raised whenever what is remembered of a manifest changes: files of another format are made anew."""
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_GENERATION = re.compile(r"gen=\d{4,}")
_RACY_SECONDS = 2.0
_WORTH_SAVING = 0.02
_LONGEST_PROBLEM = 1000

_SHOWN: dict[str, type[Record]] = {
    each.kind: each
    for each in (
        ValidatedRecord, MapsRecord, CheckpointRecord, TestRecord, GateRecord, CheckRecord, ReleaseRecord,
        PublishRecord,
    )
}  # fmt: skip
"""What is remembered of manifests beside their common fields; of other kinds nothing more."""

R = TypeVar("R", bound=Record)

Series = tuple[str, str | None]
"""A kind and, for what belongs to one experiment, the experiment."""


@dataclass(slots=True)
class Entry:
    """One day of one kind, as it was last read.

    Attributes:
        seen: what the file system said of it then; another value means that it is to be read again.
        artifact: the current generation, its manifest without what is not shown; ``None`` if it cannot be read.
        record: what its manifest says beside; ``None`` of kinds that are not shown, and of skipped days.
        bytes: of its files.
        taint: why it was tainted by hand.
        problem: what is wrong with it.
        withdrawn: it has no current generation any more, which is no damage.
    """

    seen: tuple[int, ...]
    artifact: Artifact | None
    record: Record | None = None
    bytes: int = 0
    taint: str | None = None
    problem: str | None = None
    withdrawn: bool = False

    def shows_the_same_as(self, other: Entry) -> bool:
        """Whether nothing that is shown has changed since."""
        mine = (self.artifact, self.record, self.taint, self.problem, self.withdrawn)
        return mine == (other.artifact, other.record, other.taint, other.problem, other.withdrawn)


class Index(ArtifactStore):
    """The artefacts of one job as of the last ``refresh``: a store to read from, answered from memory.

    Damaged and half-written artefacts are not in it; ``damaged`` names them. Of manifests it holds what is shown.

    Attributes:
        version: counts the refreshes that found a change.
    """

    def __init__(self, root: Path, job: str) -> None:
        super().__init__(root)
        self.job = job
        self.version = 0
        self._series: dict[Series, dict[Day, Entry]] = {}
        self._strange: dict[str, str] = {}
        self._loaded = False

    @property
    def path(self) -> Path:
        """The file that a new process starts from; nothing is lost with it but time."""
        return self.root / "overview" / f"{self.job}.json"

    def refresh(self) -> bool:
        """Look at the folders, read what is new or changed; whether anything was."""
        if not self._loaded:
            self._series = _load(self.path, self.root, self.job)
            self._loaded = True
        self._strange, changes, unsaved = {}, 0, 0
        if self.root.exists() and not self.root.is_dir():
            self._strange[str(self.root)] = "no folder, so that nothing can be read or trained; move the file away"
        found: dict[Series, dict[Day, Entry]] = {}
        for series, folder in self._folders():
            before = self._series.get(series, {})
            now: dict[Day, Entry] = {}
            for day, path in self._days_in(folder):
                known = before.get(day)
                if known is None or known.seen != _seen(path, known):
                    read = self._read(series, day, path)
                    changes += known is None or not read.shows_the_same_as(known)
                    unsaved += read.artifact is not None
                    known = read
                now[day] = known
            changes += len(before.keys() - now.keys())
            if now:
                found[series] = now
        changes += sum(len(days) for series, days in self._series.items() if series not in found)
        self._series = found
        if unsaved > _WORTH_SAVING * sum(map(len, found.values())):
            self._save()
        if not changes and self.version:
            return False
        self.version += 1
        return True

    def damaged(self) -> list[dict[str, str]]:
        """Artefacts that are skipped: their paths below the root and what is wrong with them."""
        listed = dict(self._strange)
        for (kind, experiment), days in self._series.items():
            for day, entry in days.items():
                if entry.problem is not None:
                    listed[str(Ref(kind, self.job, day, experiment))] = entry.problem
        return [{"path": path, "problem": problem} for path, problem in sorted(listed.items())]

    def bytes_by_kind(self) -> dict[str, int]:
        """Bytes of the current generations that are not pruned, as their manifests say."""
        found: dict[str, int] = {}
        for (kind, _), days in self._series.items():
            kept = (each for each in days.values() if each.artifact is not None and not each.artifact.manifest.pruned)
            found[kind] = found.get(kind, 0) + sum(each.bytes for each in kept)
        return {kind: found[kind] for kind in sorted(found) if found[kind]}

    def series(self, kind: str, experiment: str | None = None) -> dict[Day, Manifest]:
        """Manifests of a kind by day, ascending."""
        days = self._series.get((kind, experiment), {})
        return {day: days[day].artifact.manifest for day in sorted(days) if days[day].artifact is not None}  # type: ignore[union-attr]

    def records(self, kind: type[R], experiment: str | None = None) -> dict[Day, R]:
        """What the manifests of a kind say, by day, ascending; skipped days say nothing."""
        days = self._series.get((kind.kind, experiment), {})
        return {day: said for day in sorted(days) if isinstance(said := days[day].record, kind)}

    def current(self, ref: Ref) -> Artifact | None:
        entry = self._series.get((ref.kind, ref.experiment), {}).get(ref.day) if ref.job == self.job else None
        return entry.artifact if entry is not None else None

    def days(self, kind: str, job: str, experiment: str | None = None) -> list[Day]:
        days = self._series.get((kind, experiment), {}) if job == self.job else {}
        return sorted(day for day, entry in days.items() if entry.artifact is not None)

    def _experiments(self, kind: str, job: str) -> list[str]:
        return [name for here, name in self._series if here == kind and name is not None and job == self.job]

    def taint_reason(self, ref: Ref) -> str | None:
        entry = self._series.get((ref.kind, ref.experiment), {}).get(ref.day) if ref.job == self.job else None
        return entry.taint if entry is not None else None

    def is_withdrawn(self, ref: Ref) -> bool:
        entry = self._series.get((ref.kind, ref.experiment), {}).get(ref.day) if ref.job == self.job else None
        return entry is not None and entry.withdrawn

    def _folders(self) -> Iterator[tuple[Series, Path]]:
        for kind in OF_DAYS:
            folder = self.root / kind / self.job
            if folder.is_dir():
                yield (kind, None), folder
        for kind in OF_EXPERIMENTS:
            folder = self.root / kind / self.job
            for name in names_in(folder):
                if "=" not in name and _FOLDER.fullmatch(name) and (folder / name).is_dir():
                    yield (kind, name), folder / name

    def _days_in(self, folder: Path) -> Iterator[tuple[Day, str]]:
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            self._strange[str(folder.relative_to(self.root))] = f"cannot be read: {error.strerror}"
            return
        for entry in entries:
            if entry.name.startswith("day="):
                try:
                    yield parse_day(entry.name[4:]), entry.path
                except UsageError as error:
                    self._strange[os.path.relpath(entry.path, self.root)] = str(error)
            elif entry.name.startswith(".staging.") and self._is_abandoned(Path(entry.path)):
                self._strange[os.path.relpath(entry.path, self.root)] = (
                    "half-written by a process that has ended; the next run removes it"
                )

    def _read(self, series: Series, day: Day, path: str) -> Entry:
        ref = Ref(series[0], self.job, day, series[1])
        try:
            artifact, taint = super().current(ref), super().taint_reason(ref)
            if artifact is None and super().is_withdrawn(ref):
                return Entry((), None, withdrawn=True)
            if artifact is None:
                written = any(_GENERATION.fullmatch(name) for name in names_in(Path(path)))
                if not written and any(not name.startswith(".") for name in names_in(Path(path))):
                    return Entry((), None, problem=problem("nothing in it was written by Dayspring, so it is left out"))
                what = "half-written: its current generation has no manifest" if written else "an empty folder"
                return Entry((), None, problem=problem(f"{what}; run the day again, or delete {path}"))
            skipped = artifact.manifest.state == "skipped"
            if skipped and ref.kind not in MAY_BE_SKIPPED:
                what = f"{artifact.path / NAME}: the manifest's state is damaged, as of this kind none is skipped"
                remedy = f"delete the folder {artifact.path} and run the day again"
                return Entry((), None, problem=problem(f"{what}; {remedy}"))
            shown = _SHOWN.get(ref.kind)
            record = shown.of(artifact) if shown is not None and not skipped else None
        except (DayspringError, OSError) as error:
            return Entry((), None, problem=problem(error))
        except (RecursionError, OverflowError) as error:
            # Of a mark: JSON of a thousand brackets, or with a number without end, where it has a text and a number.
            return Entry((), None, problem=problem(f"{path}: a record in it is damaged ({error}); run the day again"))
        entry = Entry((), _slim(artifact), record, sum(artifact.manifest.files.values()), taint)
        seen = _seen(path, entry)
        # What changed a moment ago may change again within the same tick of the file system's clock.
        if max(seen[:2]) < (time.time() - _RACY_SECONDS) * 1e9:
            entry.seen = seen
        return entry

    def _save(self) -> None:
        """Leave the file for the next process; without it, such as on a full disk, that one only begins slower."""
        series = [
            {"kind": kind, "experiment": experiment, "entries": [_packed(day, each) for day, each in days.items()]}
            for (kind, experiment), days in self._series.items()
        ]
        body = json.dumps({"series": series}, separators=(",", ":"))[1:].encode()
        with suppress(OSError, DayspringError):
            self.path.parent.mkdir(exist_ok=True)
            write_atomic(self.path, _head(body) + body, durable=False)


def problem(error: Exception | str) -> str:
    """What is wrong with something, short enough to be shown: it may quote what is damaged."""
    text = str(error).encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _LONGEST_PROBLEM else f"{text[:_LONGEST_PROBLEM]} …"


def _slim(artifact: Artifact) -> Artifact:
    """The artefact with as much of its manifest as is shown."""
    slim = replace(artifact.manifest, key="", timings={}, tensors={}, files={}, owner={}, extra={})
    return Artifact(artifact.ref, artifact.generation, artifact.path, slim)


def _seen(path: str, entry: Entry) -> tuple[int, ...]:
    """What the file system says of a day's folder and of its current manifest; empty if it cannot say."""
    if entry.artifact is None:
        return (-1,)
    try:
        # Three for each of twenty thousand artefacts: as paths of pathlib they would take three times as long.
        folder = os.stat(path)  # noqa: PTH116
        manifest = os.stat(f"{path}/gen={entry.artifact.generation:04d}/{NAME}")  # noqa: PTH116
        current = os.stat(f"{path}/current")  # noqa: PTH116
        # A mark that comes or goes changes the folder; of one that is there the content counts too.
        mark = () if entry.taint is None else (os.stat(f"{path}/tainted").st_mtime_ns,)  # noqa: PTH116
    except OSError:
        return (-1,)
    return folder.st_mtime_ns, manifest.st_mtime_ns, manifest.st_size, current.st_mtime_ns, *mark


def _packed(day: Day, entry: Entry) -> list[Any]:
    if entry.artifact is None:
        return [str(day), [], None, None, 0, None, entry.problem]
    full = entry.artifact.manifest
    inputs = [[each.id, each.digest] for each in full.inputs]
    manifest = [
        full.generation, full.digest, inputs, full.settings, full.rows, full.state, full.reason, full.pruned,
        full.created_at,
    ]  # fmt: skip
    said = entry.record.written() if entry.record is not None else None
    return [str(day), list(entry.seen), manifest, said, entry.bytes, entry.taint, entry.problem]


def _unpacked(root: Path, job: str, series: Series, packed: list[Any]) -> tuple[Day, Entry]:
    text, seen, manifest, said, size, taint, wrong = packed
    day = parse_day(text)
    if manifest is None:
        return day, Entry((), None, problem=wrong)
    generation, digest, inputs, settings, rows, state, reason, pruned, created_at = manifest
    ref = Ref(series[0], job, day, series[1])
    full = Manifest(
        id=f"{ref}/gen={generation:04d}", kind=ref.kind, job=job, day=day, experiment=ref.experiment,
        generation=generation, key="", digest=digest, inputs=[Input(*each) for each in inputs], settings=settings,
        rows=rows, state=state, reason=reason, pruned=pruned, created_at=created_at,
    )  # fmt: skip
    artifact = Artifact(ref, generation, root / str(ref) / f"gen={generation:04d}", full)
    record = _SHOWN[ref.kind].model_validate(said) if said is not None else None
    return day, Entry(tuple(seen), artifact, record, size, taint, wrong)


def _head(body: bytes) -> bytes:
    """The first line of the file: of another version, or where one byte was changed since, it is another one."""
    return f'{{"format":{FORMAT},"digest":"{hashlib.blake2b(body, digest_size=16).hexdigest()}",\n'.encode()


def _load(path: Path, root: Path, job: str) -> dict[Series, dict[Day, Entry]]:
    """What an earlier process left; nothing if there is none or it cannot be understood: all is read again then."""
    try:
        head, end, body = path.read_bytes().partition(b"\n")
        if head + end != _head(body):
            return {}
        record = json.loads(b"{" + body)
        found: dict[Series, dict[Day, Entry]] = {}
        for each in record["series"]:
            series = (str(each["kind"]), each["experiment"])
            found[series] = dict(_unpacked(root, job, series, packed) for packed in each["entries"])
        return found
    except (OSError, ValueError, TypeError, LookupError):
        return {}


def names_in(folder: Path) -> list[str]:
    """Names in a folder, sorted; none where it is not there or cannot be read."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
