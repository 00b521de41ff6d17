"""Stage ``build_features``: the day's arrays, which every experiment reads."""

from __future__ import annotations

from pipeline.artifacts import Artifact
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.features.build import build_day


def run(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact | None:
    """The committed arrays of the day (kind ``features``); ``None`` for a skipped day."""
    return build_day(context, day, reprocess=reprocess)
