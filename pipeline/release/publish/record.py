"""The record of a day's publication: an artefact, so that `status` and the report show what came of a release."""

from __future__ import annotations

from pipeline.job import JobContext
from pipeline.release.publish.publisher import Outcome
from pipeline.release.records import PublishRecord, ReleaseRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import PUBLISH
from pipeline.storage.digests import content_digest


def record(context: JobContext, release: Artifact, outcome: Outcome) -> Artifact:
    """Commits what a publish did; a repeat with the same result commits nothing."""
    extra = PublishRecord(
        status=outcome.status, reason=outcome.reason,
        release_id=ReleaseRecord.of(release).release_id,
        served=outcome.pointer.release_id if outcome.pointer is not None else None,
        version=outcome.pointer.version if outcome.pointer is not None else None,
    ).written()
    ref, digest = Ref(PUBLISH, context.job, release.ref.day), content_digest(extra)
    with context.making(ref, [release.as_input()], "", by=digest, at_once=True) as made:
        return made.stands or made.commit(digest, extra=extra)
