"""Which days before it an experiment is trained on again with a day: its window, those that trees are fitted on,
or those whose labels have come since."""

from __future__ import annotations

from models import registry
from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref, parse_id
from pipeline.storage.artifacts.kinds import FEATURES
from pipeline.training.chain import Chain
from pipeline.training.late_tasks import waited_days
from pipeline.training.records import CheckpointRecord


def earlier_days(context: JobContext, experiment: str, day: Day, parent: Artifact | None) -> list[Artifact]:
    """The features of the days that are trained again on ``day``, the one after ``parent``, the oldest first.

    With a ``window`` they are of all its days before that were built, whether the chain has them or not.
    """
    settings = context.config.experiments[experiment]
    if settings.window > 1:
        back = range(settings.window - 1, 0, -1)
        found = (context.store.current(Ref(FEATURES, context.job, day.plus(-days))) for days in back)
        return [each for each in found if each is not None and each.manifest.state == "done"]
    late = waited_days(context, day, experiment)
    if late:
        return [context.needed(FEATURES, each) for each in late]
    if parent is None or registry.trained_by(settings.model) != registry.TREES:
        return []
    options = registry.check_options(settings.model, settings.options)
    wanted: int = options.earlier(CheckpointRecord.of(parent).trained_days)  # type: ignore[attr-defined]
    chain, trained = Chain.of(context, experiment), [parent]
    while len(trained) < wanted:
        before = CheckpointRecord.of(trained[-1]).parent_day
        checkpoint = chain.trained(before) if before is not None else None
        if checkpoint is None:
            break
        trained.append(checkpoint)
    return [context.needed(FEATURES, each.ref.day) for each in reversed(trained[:wanted])]


def first_fitted(context: JobContext, experiment: str, day: Day) -> Day:
    """The oldest of the days that trees may be fitted on with ``day``, the next of the chain, or with one after it."""
    settings = context.config.experiments[experiment]
    if registry.trained_by(settings.model) != registry.TREES:
        return day
    reach: int = registry.check_options(settings.model, settings.options).reach  # type: ignore[attr-defined]
    before = [each for each in Chain.of(context, experiment).days() if each < day]
    return min([*before[max(len(before) - reach, 0):], day])


def earlier_on(context: JobContext, checkpoint: Artifact) -> list[Artifact]:
    """The features of those that a checkpoint was trained on, as its manifest records them, less days skipped since."""
    features = (each.id for each in checkpoint.manifest.inputs if each.id.startswith(f"{FEATURES}/"))
    days = sorted({parse_id(each)[0].day for each in features} - {checkpoint.ref.day})
    found = (context.store.current(Ref(FEATURES, context.job, day)) for day in days)
    return [each for each in found if each is not None]
