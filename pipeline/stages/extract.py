"""Stage ``extract``: the day's rows as the sources have them, or the day's skip."""

from __future__ import annotations

from pipeline.artifacts import Artifact
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.extraction import extract


def run(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The committed extract; of a skipped day, its marker (``manifest.state == "skipped"``)."""
    return extract(context, day, reprocess=reprocess)
