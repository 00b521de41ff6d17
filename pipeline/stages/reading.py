"""The first stage of a day: its sources are read once, and again where validation would not have what they held."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.ingest import extract as ingest
from pipeline.job import JobContext
from pipeline.monitoring.failures import failure_of
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import EXTRACT, VALIDATED


def extract(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The day's extract, or its ``skipped`` marker; read anew where the day was refused by ``validate``.

    Its source may have been corrected since, and nothing was made of what was read.
    """
    return ingest.extract(context, day, reprocess=reprocess or _was_refused(context, day))


def _was_refused(context: JobContext, day: Day) -> bool:
    """Whether validation would not have what was read, and reading it again has not succeeded since."""
    failed = failure_of(context.root, context.job, day)
    if failed is None or failed.stage != "extract":
        return failed is not None and failed.stage == "validate"
    extracted, validated = (context.store.current(Ref(kind, context.job, day)) for kind in (EXTRACT, VALIDATED))
    if extracted is None or validated is None:
        return extracted is not None
    made_of, settings = [each.digest for each in validated.manifest.inputs], validated.manifest.settings
    return extracted.manifest.digest not in made_of or settings != context.config.stage_settings("validate")
