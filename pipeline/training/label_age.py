"""How old a day's labels were when they were read: those that come late may not have been there yet."""

from __future__ import annotations

from datetime import datetime

from pipeline.days import Day
from pipeline.ingest.late_labels import read_at
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, parse_id
from pipeline.storage.artifacts.kinds import EXTRACT, VALIDATED


def label_age(context: JobContext, features: Artifact) -> int:
    """Whole days from the day of some arrays to that on which the tables that they were made of were read."""
    made_of = features
    for kind in (VALIDATED, EXTRACT):
        found = (context.store.load(each.id) for each in made_of.manifest.inputs if parse_id(each.id)[0].kind == kind)
        before = next(found, None)
        if before is None:
            return 1  # as a day is read as a rule
        made_of = before
    return days_between(features.ref.day, read_at(made_of), context.config.timezone)


def days_between(day: Day, instant: datetime, zone: str) -> int:
    """Whole days from a day to that of an instant in ``zone``, 1 at least."""
    return max(1, Day.of_instant(instant, zone) - day)
