"""Releases: complete on disk, in Redis and in the object store, and all three agreeing on what is served."""

from __future__ import annotations

from pipeline.errors import CorruptArtifact, DayspringError
from pipeline.job import JobContext
from pipeline.monitoring.audit.artifacts import current_of_days, said_of
from pipeline.monitoring.audit.findings import Audit
from pipeline.release.build import models, publisher
from pipeline.release.publish.place import elsewhere
from pipeline.release.publish.release_files import Pointer, ReleaseFiles
from pipeline.release.records import ReleaseRecord
from pipeline.storage.artifacts.kinds import PUBLISH, RELEASE


def audit_releases(context: JobContext, audit: Audit) -> None:
    """What every release was made of is on disk; what is served, and what a rollback would serve, is complete."""
    for release in current_of_days(context.store, RELEASE, context.job):
        if release.manifest.state != "done":
            continue
        audit.releases += 1
        said = said_of(ReleaseRecord, release, audit)
        if said is None:
            continue
        for part, made_of in (("export", said.export), ("checkpoint", said.checkpoint)):
            if _lost(context, made_of):
                audit.add(release.id, f"its {part} {made_of} is gone", "restore it from a backup")
    files = ReleaseFiles.of(context.root, context.job)
    try:
        recorded = files.served()
        if recorded is None:
            _unrecorded(context, files, audit)
            return
        _served(context, files, recorded, audit)
    except DayspringError as error:
        audit.add(f"releases of '{context.job}'", str(error), "make it answer, then audit again")


def _lost(context: JobContext, artifact_id: str) -> bool:
    try:
        return context.store.load(artifact_id) is None
    except CorruptArtifact:
        return False  # told where it is


def _served(context: JobContext, files: ReleaseFiles, recorded: Pointer, audit: Audit) -> None:
    again = f"python -m pipeline stage publish --job {context.job} --day {recorded.day}"
    publishing = publisher(context)
    generations, objects = publishing.generations, models(context)
    other = elsewhere(files, publishing.held())
    if other is not None:
        problem, _, advice = other.partition(". ")
        audit.add(recorded.release_id, problem, advice)
        return
    pointer = generations.current()
    if pointer is None:
        audit.add(recorded.release_id, "Redis has lost its pointer: nothing is served", again)
        return
    if pointer != recorded:
        audit.add(
            pointer.release_id, f"is what Redis serves, while {files.folder / 'served.json'} names "
            f"{recorded.release_id}", f"{again}: the copies follow the pointer", "note",
        )  # fmt: skip
    text = objects.pointer()
    if text is None or Pointer.from_json(text, objects.where) != pointer:
        audit.add(pointer.release_id, "the object store's pointer names another release", again, "note")
    for release_id, what in ((pointer.release_id, "served"), (pointer.previous, "what a rollback would serve")):
        if release_id is None:
            continue
        published = files.published(release_id)
        if published is None:
            audit.add(release_id, f"is {what}, and there is no record of its publication in {files.folder}", again)
            continue
        if not generations.complete(release_id, published.pointer.parts, published.fields):
            lost = what == "served"
            audit.add(
                release_id, f"is {what}, and Redis does not hold all of it",
                again if lost else "a rollback pushes it again from disk", "damaged" if lost else "note",
            )  # fmt: skip
        # Of what is served, the pointer that readers take counts.
        meant = pointer if what == "served" else published.pointer
        fault = objects.fault(meant)
        if what != "served" and not meant.model:  # a rollback writes down which one it is
            fault = None if objects.verified(meant.version) else f"its model {meant.version} is not whole"
        if fault is not None:
            kept = what != "served" and _has_model(context, published.release)
            audit.add(
                release_id, f"is {what}, and {fault}",
                "a rollback uploads it again from disk" if kept else again if what == "served"
                else "its export was pruned, so a rollback cannot upload it again: restore it from a backup",
                "note" if kept else "damaged",
            )  # fmt: skip


def _unrecorded(context: JobContext, files: ReleaseFiles, audit: Audit) -> None:
    if not context.store.days(PUBLISH, context.job):
        return  # nothing was ever published from here
    pointer = publisher(context).generations.current()
    if pointer is not None:
        audit.add(
            pointer.release_id, f"is what Redis serves, and there is no record of it in {files.folder}",
            f"restore {files.folder} from a backup",
        )  # fmt: skip


def _has_model(context: JobContext, release_id: str) -> bool:
    """Whether the exported model of a release is still on disk."""
    release = context.store.load(release_id)
    export = context.store.load(ReleaseRecord.of(release).export) if release is not None else None
    return export is not None and not export.manifest.pruned
