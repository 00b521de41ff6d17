"""Stage ``validate``: the day's typed tables and quarantine."""

from __future__ import annotations

from pipeline.artifacts import Artifact
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.validation import validate


def run(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The committed tables; of a skipped day, its marker (``manifest.state == "skipped"``)."""
    return validate(context, day, reprocess=reprocess)
