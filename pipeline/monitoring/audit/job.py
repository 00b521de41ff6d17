"""The audit of a whole job."""

from __future__ import annotations

from pipeline.job import JobContext
from pipeline.monitoring.audit.artifacts import audit_artifacts
from pipeline.monitoring.audit.findings import Audit
from pipeline.monitoring.audit.id_maps import audit_id_maps
from pipeline.monitoring.audit.records import audit_records
from pipeline.monitoring.audit.releases import audit_releases


def audit(context: JobContext, *, payloads: bool = True) -> Audit:
    """Look at everything of the job under its root, in Redis and in the object store.

    Args:
        payloads: compute the digests of all payloads again; else only the sizes of files are compared.

    Raises:
        DaySkipped: the job has nothing there yet.
    """
    context.guard_begun("audit")
    found = Audit()
    audit_artifacts(context.store, context.job, found, payloads=payloads)
    audit_records(context, found)
    audit_id_maps(context, found)
    audit_releases(context, found)
    return found
