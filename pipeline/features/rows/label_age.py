"""How old a day's labels were when they were read: those that come late may not have been there yet."""

from __future__ import annotations

from datetime import datetime

from pipeline.days import Day
from pipeline.ingest.late_labels import read_at
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, parse_id
from pipeline.storage.artifacts.kinds import EXTRACT, VALIDATED


def label_age(context: JobContext, rows: Artifact) -> int | None:
    """Whole days from the day of joined rows to that on which their tables were read; ``None`` in a job whose tasks
    have no late labels."""
    if not any(task.late for task in context.config.tasks.values()):
        return None
    validated = next(each for each in rows.manifest.inputs if parse_id(each.id)[0].kind == VALIDATED)
    tables = context.store.load(validated.id)
    extracts = [] if tables is None else [e for e in tables.manifest.inputs if parse_id(e.id)[0].kind == EXTRACT]
    extract = context.store.load(extracts[0].id) if extracts else None
    return days_between(rows.ref.day, read_at(extract), context.config.timezone) if extract is not None else None


def days_between(day: Day, instant: datetime, zone: str) -> int:
    """Whole days from a day to that of an instant in ``zone``, 1 at least."""
    return max(1, Day.of_instant(instant, zone) - day)
