"""Kept checkpoints of a range of days, each on the rows of one later day; nothing is stored of it."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.evaluation.measures_by_day import TestedDay
from pipeline.evaluation.next_day import measured
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import FEATURES
from pipeline.training.chain import Chain
from pipeline.training.members import pruned_parts


def rows_of(context: JobContext, day: Day, last: Day) -> Artifact:
    """The features of ``day``, which no checkpoint up to ``last`` was trained on.

    Raises:
        UsageError: it is not after them, has no features, or they were pruned.
    """
    if last >= day:
        raise UsageError(f"--to {last}: such a checkpoint was trained on the rows of --day {day}; name a later day")
    features = context.store.current(Ref(FEATURES, context.job, day))
    if features is None:
        skipped = context.skipped(day)
        why = f"was skipped: {skipped}" if skipped is not None else "has no features"
        later = [str(each) for each in context.store.days(FEATURES, context.job) if each > last]
        raise UsageError(
            f"--day {day}: {why}; days after --to {last} that have some: {', '.join(later) or 'none'} (those of a day "
            "whose rows have come are made by `python -m pipeline backfill`)"
        )
    if features.manifest.pruned:
        raise UsageError(
            f"--day {day}: its features were pruned; name a day that is kept, or `python -m pipeline stage "
            f"build_features --job {context.job} --day {day} --reprocess`"
        )
    return features


def kept_between(
    context: JobContext, experiment: str, first: Day, last: Day
) -> Iterator[tuple[Day, Artifact | None]]:
    """The trained days of a range with their checkpoints; none where it was pruned, or a part of it."""
    chain = Chain.of(context, experiment)
    for day in chain.days():
        checkpoint = chain.trained(day) if first <= day <= last else None
        if checkpoint is not None:
            yield day, None if pruned_parts(context.store, checkpoint) else checkpoint


def tested(context: JobContext, experiment: str, features: Artifact, checkpoint: Artifact) -> TestedDay:
    """A checkpoint on the rows of a day."""
    _, found = measured(context, experiment, features, checkpoint)
    return TestedDay(
        features.ref.day, experiment, checkpoint.ref.day, found.rows, found.values, found.reasons, found.counts,
        found.groups,
    )  # fmt: skip
