"""An engineer's hand on what is served: promote, roll back, lift a hold, look."""

from __future__ import annotations

import sys
from typing import Any

from pipeline.days import Day
from pipeline.errors import DayspringError, UsageError
from pipeline.job import JobContext
from pipeline.release.build import build, models, newest_day, publisher
from pipeline.release.decision import promoted
from pipeline.release.publish.ledger import Entry, Ledger
from pipeline.release.publish.models import repair
from pipeline.release.publish.place import elsewhere
from pipeline.release.publish.record import record
from pipeline.release.publish.release_files import Championship, Pointer, ReleaseFiles
from pipeline.release.records import ReleaseRecord
from pipeline.storage.artifacts.artifact import Artifact, parse_id
from pipeline.storage.artifacts.kinds import RELEASE


def promote(
    context: JobContext, experiment: str | None = None, *, checkpoint: str | None = None, reason: str = ""
) -> str:
    """Makes an experiment the champion and serves it now, over its gate's verdict and any hold; a line that says so.

    Args:
        experiment: its checkpoint of the newest day is released as the job's release mode says.
        checkpoint: instead, the id of the checkpoint to release (``checkpoint/job/experiment/day=…/gen=…``).
        reason: told in the ledger.

    Raises:
        UsageError: neither or both are given, or the model cannot be released: not exported, not checked, blocked.
    """
    if (experiment is None) == (checkpoint is None):
        raise UsageError("promote either an experiment or a checkpoint")
    if checkpoint is not None:
        experiment = parse_id(checkpoint)[0].experiment
    if experiment is None or experiment not in context.config.experiments:
        known = ", ".join(context.config.experiments)
        raise UsageError(f"'{experiment}' is not an experiment of '{context.job}'; one of {known}")
    day = newest_day(context)
    choice = promoted(context, experiment, day, checkpoint)
    if choice.export is None:
        raise UsageError(f"{experiment} cannot be promoted: {'; '.join(choice.reasons)}")
    publishing = publisher(context)
    # A release that was built for a promotion which is refused would go out with the next publish.
    publishing.guard()
    release = build(context, day, choice)
    outcome = publishing.publish(release.id, forced=True, why=reason)
    ReleaseFiles.of(context.root, context.job).add_champion(Championship(experiment, day, "promote"))
    record(context, release, outcome)
    return f"champion is now {experiment}; {_described(outcome.pointer)}"


def rollback(context: JobContext, reason: str = "by hand", *, to: str | None = None, dry: bool = False) -> str:
    """Serves an earlier release again and holds it; a line that says so.

    Args:
        to: id of the release; by default the one that was served before.
        dry: only say what would be done.
    """
    if dry:
        pointer, todo = publisher(context).would_restore(to)
        return f"would be {_described(pointer)}{''.join(f'; {each}' for each in todo)}; nothing was changed"
    pointer = publisher(context).rollback(reason, to)
    return f"{_described(pointer)}; held until `promote` or `rollback --release-hold`"


def releases(context: JobContext) -> list[Entry]:
    """Every release that was served, oldest first; of before there was a ledger, without a time."""
    files = ReleaseFiles.of(context.root, context.job)
    entries = Ledger(files.folder).entries()
    known = {entry.release_id for entry in entries}
    older = [each.pointer for each in files.all_published() if each.pointer.release_id not in known]
    older.sort(key=lambda pointer: (pointer.day, pointer.release_id))
    unknown = "of before there was a ledger"
    return [
        Entry("", "found", each.release_id, each.day, each.experiment, each.version, each.previous, "", unknown)
        for each in older
    ] + entries


def release_hold(context: JobContext) -> str:
    """Lifts a rollback's hold: the next publish serves its release again."""
    lifted = publisher(context).release_hold()
    return "the hold is lifted; the next run releases again" if lifted else "nothing was held"


def move_releases(context: JobContext) -> str:
    """Publishes to the place that the settings name from now on; a line that says what is served there."""
    pointer = publisher(context).move()
    return f"{_described(pointer)}{'' if pointer is not None else '; the next release goes here'}"


def standing(context: JobContext) -> str:
    """What is served, found to be what its pointer means, in words.

    Raises:
        DayspringError: it is not, or the settings name another place than where the job is published.
    """
    files, publishing = ReleaseFiles.of(context.root, context.job), publisher(context)
    other = elsewhere(files, publishing.held())
    if other is not None:
        raise DayspringError(other)
    recorded, pointer = files.served(), publishing.generations.current()
    if pointer is None:
        if recorded is None:
            return "nothing yet"
        raise DayspringError(f"Redis has lost the pointer to {recorded.release_id}; {repair(recorded)}")
    fault = models(context).fault(pointer)
    if fault is not None:
        raise DayspringError(f"release {pointer.release_id}: {fault}; {repair(pointer)}")
    return f"{pointer.release_id}, its model {pointer.version} is the one that the pointer means"


def served(context: JobContext) -> dict[str, Any] | None:
    """What is served, as recorded on disk at the last switch; ``None`` if nothing was ever published."""
    files = ReleaseFiles.of(context.root, context.job)
    pointer = files.served()
    if pointer is None:
        return None
    hold = files.hold()
    checkpoint_day = parse_id(pointer.checkpoint)[0].day
    return {
        "release_id": pointer.release_id, "day": str(pointer.day), "experiment": pointer.experiment,
        "checkpoint": pointer.checkpoint, "checkpoint_day": str(checkpoint_day), "version": pointer.version,
        "previous": pointer.previous, "age_days": pointer.day - checkpoint_day,
        "hold": f"rolled back from {hold.left}: {hold.reason}" if hold is not None else None,
    }  # fmt: skip


def _described(pointer: Pointer | None) -> str:
    if pointer is None:
        return "nothing is served yet"
    return (
        f"serving {pointer.release_id}: {pointer.checkpoint} as version {pointer.version}, "
        f"contents of the end of {pointer.day}"
    )


def publish_release(context: JobContext, day: Day) -> Artifact | None:
    """Publish the release of ``day``; what came of it. None where nothing may be released.

    Raises:
        ChainError: the day has no release yet.
    """
    release = context.needed(RELEASE, day)
    if release.manifest.state == "skipped":
        print(f"{day}: nothing to publish: {release.manifest.reason}", file=sys.stderr)
        return None
    said = ReleaseRecord.of(release)
    outcome = publisher(context).publish(release.id, why=f"champion: {said.champion}" if said.champion else "")
    if outcome.status != "published":
        print(f"{day}: {said.release_id} is {outcome.status}: {outcome.reason}", file=sys.stderr)
    return record(context, release, outcome)
