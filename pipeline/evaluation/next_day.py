"""The test of a day: the newest checkpoint before it on its rows."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.evaluation.measured import Evaluation
from pipeline.evaluation.measures import evaluate
from pipeline.evaluation.records import TestRecord
from pipeline.evaluation.taken_groups import groups_of
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import TEST
from pipeline.storage.artifacts.making import Recipe
from pipeline.storage.digests import content_digest, tensor_digest
from pipeline.training.joint import with_joint_logits, with_joints
from pipeline.training.loaded_trainers import Trainers
from pipeline.training.logits import by_task, stored, write


def stands(
    context: JobContext, day: Day, experiment: str, features: Artifact, checkpoint: Artifact, *, reprocess: bool = False
) -> Artifact | None:
    """The test of ``checkpoint`` on ``day`` if there is nothing to test anew."""
    return context.standing(_recipe(context, day, experiment, features, checkpoint), reprocess=reprocess)


def _recipe(context: JobContext, day: Day, experiment: str, features: Artifact, checkpoint: Artifact) -> Recipe:
    ref, inputs = Ref(TEST, context.job, day, experiment), [features.as_input(), checkpoint.as_input()]
    return Recipe(ref, inputs, context.config.stage_settings("test"))


def run_test(
    context: JobContext, day: Day, experiment: str, features: Artifact, checkpoint: Artifact, *, reprocess: bool = False
) -> Artifact:
    """Test ``checkpoint`` on ``day``: measures in the manifest, logits of every pair beside it."""
    config = context.config
    with context.making(*_recipe(context, day, experiment, features, checkpoint), reprocess=reprocess) as made:
        if made.stands is not None:
            return made.stands
        logits, found = measured(context, experiment, features, checkpoint)
        kept = stored(logits)
        write(made.path, logits)
        return made.commit(
            content_digest({"logits": kept, "values": asdict(found)}), rows={"tested": found.rows},
            timings={"test": made.seconds}, threads=config.threads, tensors={"logits": tensor_digest(kept)},
            extra=TestRecord(
                checkpoint=checkpoint.id, checkpoint_day=checkpoint.ref.day, values=found.values,
                reasons=found.reasons, counts=found.counts, groups=found.groups,
                tasks=[task.name for task in config.tasks_of(experiment)] if config.tasks else None,
            ).written(),
        )  # fmt: skip


def measured(
    context: JobContext, experiment: str, features: Artifact, checkpoint: Artifact
) -> tuple[NDArray[np.float32], Evaluation]:
    """What a checkpoint answers of a day's rows, ``[pairs, tasks]``, and the measures of it."""
    config, arrays = context.config, day_arrays.read(features)
    logits = Trainers.of(context, experiment).trainer.at(checkpoint).scores(arrays)
    ranks, composite = day_arrays.key_rank(features), config.measures.composite
    told = with_joint_logits(config, by_task(logits, [task.name for task in config.tasks_of(experiment)]))
    groups = groups_of(features, arrays, config.measures.several)
    return logits, evaluate(config.kind, with_joints(config, arrays), ranks, composite, told, groups)
