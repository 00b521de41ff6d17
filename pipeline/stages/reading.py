"""The first stage of a day: its sources are read once, and again where validation would not have what they held."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.ingest import extract as ingest
from pipeline.job import JobContext
from pipeline.monitoring.failures import failure_of
from pipeline.storage.artifacts.artifact import Artifact


def extract(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The day's extract, or its ``skipped`` marker; read anew where the day was refused by ``validate``.

    Its source may have been corrected since, and nothing was made of what was read.
    """
    failed = failure_of(context.root, context.job, day)
    refused = failed is not None and failed.stage == "validate"
    return ingest.extract(context, day, reprocess=reprocess or refused)
