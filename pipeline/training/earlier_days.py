"""Which days before it an experiment is trained on again with a day: those that trees are fitted anew on."""

from __future__ import annotations

from models import registry
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, parse_id
from pipeline.storage.artifacts.kinds import FEATURES
from pipeline.training.chain import Chain
from pipeline.training.records import CheckpointRecord


def earlier_days(context: JobContext, experiment: str, parent: Artifact | None) -> list[Artifact]:
    """The features of the days of the chain that are trained again on the day after ``parent``, the oldest first."""
    settings = context.config.experiments[experiment]
    if parent is None or registry.trained_by(settings.model) != registry.TREES:
        return []
    options = registry.check_options(settings.model, settings.options)
    wanted: int = options.earlier(CheckpointRecord.of(parent).trained_days)  # type: ignore[attr-defined]
    chain, found = Chain.of(context, experiment), [parent]
    while len(found) < wanted:
        before = CheckpointRecord.of(found[-1]).parent_day
        checkpoint = chain.trained(before) if before is not None else None
        if checkpoint is None:
            break
        found.append(checkpoint)
    return [context.needed(FEATURES, each.ref.day) for each in reversed(found[:wanted])]


def earlier_on(context: JobContext, checkpoint: Artifact) -> list[Artifact]:
    """The features of those that a checkpoint was trained on, as its manifest records them."""
    features = (each.id for each in checkpoint.manifest.inputs if each.id.startswith(f"{FEATURES}/"))
    days = sorted({parse_id(each)[0].day for each in features} - {checkpoint.ref.day})
    return [context.needed(FEATURES, day) for day in days]
