"""All manifests of a job, remembered: of a year of days only what changed since the last look is read again."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, DayspringError, UsageError
from pipeline.monitoring.overview.parts import damage, parse_day, problem, slim
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import OF_DAYS, OF_EXPERIMENTS
from pipeline.storage.artifacts.manifest import NAME, Input, Manifest
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.files import write_atomic

FORMAT = 5
"""Raised whenever what is remembered of a manifest changes: files of another format are made anew."""
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_GENERATION = re.compile(r"gen=\d{4,}")
_RACY_SECONDS = 2.0
_WORTH_SAVING = 0.02

Series = tuple[str, str | None]
"""A kind and, for what belongs to one experiment, the experiment."""


@dataclass(slots=True)
class Entry:
    """One day of one kind, as it was last read.

    Attributes:
        seen: what the file system said of it then; another value means that it is to be read again.
        artifact: the current generation, slim; ``None`` if it cannot be read.
        bytes: of its files.
        taint: why it was tainted by hand.
        problem: what is wrong with it.
        withdrawn: it has no current generation any more, which is no damage.
    """

    seen: tuple[int, ...]
    artifact: Artifact | None
    bytes: int = 0
    taint: str | None = None
    problem: str | None = None
    withdrawn: bool = False

    def shows_the_same_as(self, other: Entry) -> bool:
        """Whether nothing that is shown has changed since."""
        mine = (self.artifact, self.taint, self.problem, self.withdrawn)
        return mine == (other.artifact, other.taint, other.problem, other.withdrawn)


class Index(ArtifactStore):
    """The artefacts of one job as of the last ``refresh``: a store to read from, answered from memory.

    Damaged and half-written artefacts are not in it; ``damaged`` names them. Manifests are slim: they hold what
    ``pipeline.monitoring.overview.parts`` has rules for, and their values keep those rules.

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
            for name in _names(folder):
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
                written = any(_GENERATION.fullmatch(name) for name in _names(Path(path)))
                if not written and any(not name.startswith(".") for name in _names(Path(path))):
                    return Entry((), None, problem=problem("nothing in it was written by Dayspring, so it is left out"))
                what = "half-written: its current generation has no manifest" if written else "an empty folder"
                return Entry((), None, problem=problem(f"{what}; run the day again, or delete {path}"))
            wrong = damage(artifact)
            if wrong is not None:
                remedy = f"delete the folder {artifact.path} and run the day again"
                return Entry((), None, problem=problem(f"{artifact.path / NAME}: {wrong}; {remedy}"))
        except (DayspringError, OSError) as error:
            return Entry((), None, problem=problem(error))
        except (RecursionError, OverflowError) as error:
            # JSON of a thousand brackets, or with a number without end, where a record has a text and a number.
            return Entry((), None, problem=problem(f"{path}: a record in it is damaged ({error}); run the day again"))
        entry = Entry((), slim(artifact), sum(artifact.manifest.files.values()), taint)
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
        text = json.dumps({"format": FORMAT, "series": series}, separators=(",", ":"))
        with suppress(OSError, DayspringError):
            self.path.parent.mkdir(exist_ok=True)
            write_atomic(self.path, text.encode(), durable=False)


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
        return [str(day), [], None, 0, None, entry.problem]
    full = entry.artifact.manifest
    inputs = [[each.id, each.digest] for each in full.inputs]
    manifest = [
        full.generation, full.digest, inputs, full.settings, full.rows, full.state, full.reason, full.pruned,
        full.created_at, full.extra,
    ]  # fmt: skip
    return [str(day), list(entry.seen), manifest, entry.bytes, entry.taint, entry.problem]


def _unpacked(root: Path, job: str, series: Series, packed: list[Any]) -> tuple[Day, Entry]:
    text, seen, manifest, size, taint, wrong = packed
    day = parse_day(text)
    if manifest is None:
        return day, Entry((), None, problem=wrong)
    generation, digest, inputs, settings, rows, state, reason, pruned, created_at, extra = manifest
    ref = Ref(series[0], job, day, series[1])
    full = Manifest(
        id=f"{ref}/gen={generation:04d}", kind=ref.kind, job=job, day=day, experiment=ref.experiment,
        generation=generation, key="", digest=digest, inputs=[Input(*each) for each in inputs], settings=settings,
        rows=rows, state=state, reason=reason, pruned=pruned, created_at=created_at, extra=extra,
    )  # fmt: skip
    artifact = Artifact(ref, generation, root / str(ref) / f"gen={generation:04d}", full)
    if damage(artifact) is not None or type(size) is not int:
        raise ValueError(f"what was remembered of {ref} is damaged")
    return day, Entry(tuple(seen), artifact, size, taint, wrong)


def _load(path: Path, root: Path, job: str) -> dict[Series, dict[Day, Entry]]:
    """What an earlier process left; nothing if there is none or it cannot be understood: all is read again then."""
    try:
        record = json.loads(path.read_bytes())
        if record["format"] != FORMAT:
            return {}
        found: dict[Series, dict[Day, Entry]] = {}
        for each in record["series"]:
            series = (str(each["kind"]), each["experiment"])
            found[series] = dict(_unpacked(root, job, series, packed) for packed in each["entries"])
        return found
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, CorruptArtifact, UsageError):
        return {}


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
