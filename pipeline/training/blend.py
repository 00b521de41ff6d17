"""A day of a blend: nothing is trained; its members' checkpoints of the day and a weight for each are its own."""

from __future__ import annotations

from collections.abc import Sequence

from models.architecture import Architecture
from pipeline.features.arrays.files import ROWS
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.making import Recipe
from pipeline.storage.digests import content_digest
from pipeline.training import checkpoint_file
from pipeline.training.blend_trainer import mean_weights, own_state
from pipeline.training.loaded_trainers import seed_of
from pipeline.training.records import CheckpointRecord


def blend(
    context: JobContext, recipe: Recipe, parent: Artifact | None, members: Sequence[Artifact], *, reprocess: bool
) -> tuple[Artifact, bool]:
    """The checkpoint of a blend's day, and whether it was made now.

    Args:
        recipe: of the day; its members are among the inputs.
        parent: the blend's checkpoint before.
        members: of the day.
    """
    config, day, experiment = context.config, recipe.ref.day, str(recipe.ref.experiment)
    with context.making(*recipe, reprocess=reprocess) as made:
        if made.stands is not None:
            return made.stands, False
        weights = mean_weights(len(members), config.tasks_of(experiment))
        digests, content = checkpoint_file.write(made.path, own_state(weights))
        said = {str(each.ref.experiment): CheckpointRecord.of(each) for each in members}
        record = CheckpointRecord(
            parent=parent.id if parent is not None else None, parent_day=parent.ref.day if parent is not None else None,
            trained_days=1 + (CheckpointRecord.of(parent).trained_days if parent is not None else 0),
            learning_rate=0.0, batches=0, loss=None,
            sizes={space: size for each in said.values() for space, size in each.sizes.items()},
            architecture=Architecture(
                model=config.experiments[experiment].model,
                members={
                    # Of a version that recorded none, it has not grown since.
                    name: each.architecture or Architecture(model=config.experiments[name].model)
                    for name, each in said.items()
                },
            ),
        )  # fmt: skip
        artifact = made.commit(
            content_digest({"weights": content, **{str(each.ref): each.manifest.digest for each in members}}),
            rows={ROWS: members[0].manifest.rows.get(ROWS, 0)}, timings={"train": made.seconds},
            seed=seed_of(config, experiment, day), threads=config.threads, tensors=digests, extra=record.written(),
        )  # fmt: skip
        return artifact, True
