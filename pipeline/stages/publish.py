"""The day's release made the one that is served, unless a newer one is or a rollback holds."""

from __future__ import annotations

import sys

from pipeline.artifacts import Artifact, Ref
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.release.build import publisher
from pipeline.release.publication import record


def run(context: JobContext, day: Day) -> Artifact | None:
    """Publish the release of ``day``; what came of it. None on a skipped day, or where nothing may be released.

    Raises:
        ChainError: the day has no release yet.
    """
    if context.skipped(day) is not None:
        return None
    release = context.store.current(Ref("release", context.job, day))
    if release is None:
        raise ChainError(
            f"{day}: no release of this day; run `python -m pipeline stage release --job {context.job} --day {day}`"
        )
    if release.manifest.state == "skipped":
        print(f"{day}: nothing to publish: {release.manifest.reason}", file=sys.stderr)
        return None
    outcome = publisher(context).publish(release.id)
    if outcome.status != "published":
        print(f"{day}: {release.manifest.extra['release_id']} is {outcome.status}: {outcome.reason}", file=sys.stderr)
    return record(context, release, outcome)
