"""The day's release: the model that gates and checks let pass, with the day's contents."""

from __future__ import annotations

import sys

from pipeline.artifacts import Artifact
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.release.build import build


def run(context: JobContext, day: Day) -> Artifact | None:
    """Build the release of ``day``; none on a skipped day. Its state is ``skipped`` where nothing may be released.

    Raises:
        ChainError: the champion has not finished the day.
    """
    if context.skipped(day) is not None:
        return None
    release = build(context, day)
    if release.manifest.extra.get("by") == "passed":
        extra = release.manifest.extra
        print(f"{day}: {extra['release_id']} is built, of the gate '{extra['verdict']}': {'; '.join(extra['reasons'])}",
              file=sys.stderr)  # fmt: skip
    return release
