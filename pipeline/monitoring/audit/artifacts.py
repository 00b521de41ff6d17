"""Every artefact of a job: manifests readable, ``current`` right, lineage there, payloads as they were committed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, UsageError
from pipeline.evaluation.records import GateRecord, TestRecord
from pipeline.features.records import MapsRecord, StateRecord
from pipeline.ingest.records import ValidatedRecord
from pipeline.monitoring.audit.findings import Audit
from pipeline.monitoring.audit.payloads import problem_of
from pipeline.monitoring.audit.remedies import remedy
from pipeline.release.records import CheckRecord, PublishRecord, ReleaseRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref, parse_id
from pipeline.storage.artifacts.kinds import OF_DAYS, OF_EXPERIMENTS
from pipeline.storage.artifacts.manifest import NAME, Input, Manifest, is_as_written
from pipeline.storage.artifacts.record import Record
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training.records import CheckpointRecord, ExportRecord

R = TypeVar("R", bound=Record)

RECORDS: dict[str, type[Record]] = {
    each.kind: each
    for each in (
        ValidatedRecord, MapsRecord, StateRecord, CheckpointRecord, ExportRecord, TestRecord, GateRecord, CheckRecord,
        ReleaseRecord, PublishRecord,
    )
}  # fmt: skip
"""What manifests say of their kind; of other kinds nothing is read again."""
_GENERATION = re.compile(r"gen=\d{4,}")


def audit_artifacts(store: ArtifactStore, job: str, audit: Audit, *, payloads: bool) -> None:
    """Look at every generation of every artefact of ``job``."""
    for ref in _refs(store.root, job):
        folder = store.root / str(ref)
        generations = sorted(path for path in folder.iterdir() if _GENERATION.fullmatch(path.name))
        found = [each for path in generations if (each := _read(store, ref, path, audit)) is not None]
        _current(store, ref, folder, found, audit)
        for artifact in found:
            audit.artifacts += 1
            if artifact.manifest.state == "done" and ref.kind in RECORDS:
                said_of(RECORDS[ref.kind], artifact, audit)
            _lineage(store, artifact, audit)
            _payload(artifact, audit, payloads=payloads)
    for path in store.abandoned():
        audit.add(str(path), "left half-written by a process that died", "python -m pipeline doctor removes it", "note")


def _refs(root: Path, job: str) -> Iterator[Ref]:
    """Every artefact with a folder, whether or not anything in it can be read."""
    places: list[tuple[str, Path, str | None]] = [(kind, root / kind / job, None) for kind in OF_DAYS]
    for kind in OF_EXPERIMENTS:
        folder = root / kind / job
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        places += [(kind, folder / name, name) for name in names if not name.startswith("day=")]
    for kind, folder, experiment in sorted(places, key=lambda place: place[0]):
        for each in sorted(folder.glob("day=*")):
            try:
                yield Ref(kind, job, Day.parse(each.name.removeprefix("day=")), experiment)
            except UsageError:
                continue  # a folder of someone else's


def _read(store: ArtifactStore, ref: Ref, path: Path, audit: Audit) -> Artifact | None:
    name = f"{ref}/{path.name}"
    try:
        artifact = store.load(name)
    except CorruptArtifact as error:
        audit.add(name, str(error).split("; ")[0], remedy(ref, path))
        return None
    if artifact is None:
        audit.add(name, f"{path / NAME}: there is no manifest", remedy(ref, path))
    elif not is_as_written(path / NAME):
        audit.add(name, f"{path / NAME}: was changed after it was written", remedy(ref, path))
    return artifact


def _current(store: ArtifactStore, ref: Ref, folder: Path, found: list[Artifact], audit: Audit) -> None:
    if not found:
        return
    newest = found[-1]
    try:
        current = store.current(ref)
        store.taint_reason(ref)
    except CorruptArtifact as error:
        audit.add(str(ref), str(error).split("; ")[0], str(error).partition("; ")[2] or remedy(ref, newest.path))
        return
    if current is None and store.is_withdrawn(ref):
        return  # the day was skipped afterwards
    if current is None:
        audit.add(
            str(ref), f"{folder / 'current'}: names no generation that is there",
            f"write `{newest.path.name}` into it, or delete the folder {folder} and run the day again",
        )  # fmt: skip
    elif current.generation != newest.generation:
        audit.add(
            newest.id, f"was left by a process that died before it became current (which is {current.id})",
            f"delete the folder {newest.path}; the next run makes it again", "note",
        )  # fmt: skip


def _lineage(store: ArtifactStore, artifact: Artifact, audit: Audit) -> None:
    for each in artifact.manifest.inputs:
        try:
            parse_id(each.id)
        except UsageError:
            continue  # not an artefact: replayed rows are noted among the inputs too
        try:
            there = store.load(each.id)
        except CorruptArtifact:
            continue  # told where it is
        if there is None and not _made_again(store, each):
            audit.add(
                artifact.id, f"was made from {each.id}, which is gone",
                f"restore {each.id} from a backup; its manifest is enough", "damaged",
            )  # fmt: skip
        elif there is not None and not there.manifest.holds(each.digest):
            audit.add(
                artifact.id, f"was made from {each.id}, whose manifest now names another content",
                f"restore {each.id} from a backup, or taint day {artifact.ref.day} and re-chain", "damaged",
            )  # fmt: skip


def _made_again(store: ArtifactStore, lost: Input) -> bool:
    """Whether another generation has the same content: a damaged one was deleted and its day run again."""
    ref = parse_id(lost.id)[0]
    try:
        return any(each.manifest.holds(lost.digest) for each in store.generations(ref))
    except CorruptArtifact:
        return False


def current_of_days(store: ArtifactStore, kind: str, job: str) -> Iterator[Artifact]:
    """The current artefacts of a kind by day; those that cannot be read are told elsewhere."""
    for path in sorted((store.root / kind / job).glob("day=*")):
        try:
            found = store.current(Ref(kind, job, Day.parse(path.name.removeprefix("day="))))
        except (CorruptArtifact, UsageError):
            continue
        if found is not None:
            yield found


def said_of(record: type[R], artifact: Artifact, audit: Audit) -> R | None:
    """What a manifest says of its kind; damage in it is a finding."""
    try:
        return record.of(artifact)
    except CorruptArtifact as error:
        problem, _, advice = str(error).partition("; ")
        if all(each.problem != problem for each in audit.findings):
            audit.add(artifact.id, problem, advice)
        return None


def _payload(artifact: Artifact, audit: Audit, *, payloads: bool) -> None:
    if artifact.manifest.pruned:
        written = {name.partition("/")[0] for name in artifact.manifest.files}
        left = [path.name for path in artifact.path.iterdir() if path.name in written]
        if left:
            audit.add(
                artifact.id, f"{artifact.path}: a prune that was interrupted has left {', '.join(sorted(left))}",
                f"delete them; only {NAME} is kept of what is pruned", "note",
            )  # fmt: skip
        return
    if payloads:
        problem = problem_of(artifact)
        audit.payloads += bool(artifact.manifest.files)
        audit.bytes += sum(artifact.manifest.files.values())
    else:
        problem = _sizes(artifact)
    if problem is not None and not _pruned_meanwhile(artifact):
        audit.add(artifact.id, problem, remedy(artifact.ref, artifact.path))


def _sizes(artifact: Artifact) -> str | None:
    try:
        for name in artifact.manifest.files:
            artifact.file(name)
    except CorruptArtifact as error:
        return str(error).split("; ")[0]
    return None


def _pruned_meanwhile(artifact: Artifact) -> bool:
    try:
        return Manifest.read(artifact.path / NAME).pruned
    except (FileNotFoundError, CorruptArtifact):
        return False
