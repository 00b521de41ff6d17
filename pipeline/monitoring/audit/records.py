"""The small records beside the artefacts: where chains and id maps begin, and why days were skipped."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.features.state.day_order import start_of
from pipeline.job import JobContext
from pipeline.monitoring.audit.findings import Audit
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT, DAY
from pipeline.training.chain import Chain
from pipeline.training.records import CheckpointRecord


def audit_records(context: JobContext, audit: Audit) -> None:
    """Every start can be read, and every day that a chain passes over still says that it was skipped."""
    _readable(lambda: start_of(context), f"id maps of '{context.job}'", audit)
    told: set[Day] = set()
    for name in context.store.experiments(CHECKPOINT, context.job):
        if _readable(lambda name=name: Chain.of(context, name).start, f"chain of '{name}'", audit):  # type: ignore[misc]
            _skipped_days(context, name, told, audit)


def _readable(read: Callable[[], object], what: str, audit: Audit) -> bool:
    try:
        read()
    except CorruptArtifact as error:
        problem, _, advice = str(error).partition("; ")
        audit.add(what, problem, advice)
        return False
    return True


def _skipped_days(context: JobContext, experiment: str, told: set[Day], audit: Audit) -> None:
    for day in context.store.days(CHECKPOINT, context.job, experiment):
        try:
            trained = Chain.of(context, experiment).trained(day)
            parent = CheckpointRecord.of(trained).parent_day if trained is not None else None
            if parent is None:
                continue
            for each in parent.next().through(day.previous()):
                if each in told or context.skipped(each) is not None:
                    continue
                told.add(each)
                audit.add(
                    str(Ref(DAY, context.job, each)), f"{day} was trained over it, so it was skipped, but its marker "
                    "does not say so any more",
                    f"restore it from a backup, or python -m pipeline stage extract --job {context.job} --day {each}",
                )  # fmt: skip
        except CorruptArtifact:
            continue  # told where it is
