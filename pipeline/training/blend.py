"""A day of a blend: no net is trained; it has its members' checkpoints of the day, and a weight for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.architecture import Architecture
from models.tasks import Task
from pipeline.errors import ChainError
from pipeline.features.arrays import files as day_arrays
from pipeline.features.arrays.files import ROWS
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.making import Recipe
from pipeline.storage.digests import content_digest
from pipeline.training import checkpoint_file, logits
from pipeline.training.blend_trainer import fits_of, mean_weights, own_state
from pipeline.training.blend_weights import Fit, fitted, loss_of
from pipeline.training.loaded_trainers import seed_of
from pipeline.training.records import CheckpointRecord, Fitted


@dataclass(frozen=True)
class Made:
    """What a blend's checkpoint of a day is made of.

    Attributes:
        parent: the blend's checkpoint before.
        members: of the day.
        features: of the day, which the tests are of.
        tests: of the members on the day, that weights are fitted on; none of one whose members weigh the same.
    """

    parent: Artifact | None
    members: Sequence[Artifact]
    features: Artifact
    tests: Sequence[Artifact]

    @property
    def names(self) -> list[str]:
        return [str(each.ref.experiment) for each in self.members]


def blend(context: JobContext, recipe: Recipe, made_of: Made, *, reprocess: bool) -> tuple[Artifact, bool]:
    """The checkpoint of a blend's day, and whether it was made now.

    Args:
        recipe: of the day; members and their tests are among the inputs.

    Raises:
        ChainError: a member was tested on other rows of the day than there are now.
    """
    parent, members = made_of.parent, made_of.members
    config, day, experiment = context.config, recipe.ref.day, str(recipe.ref.experiment)
    with context.making(*recipe, reprocess=reprocess) as made:
        if made.stands is not None:
            return made.stands, False
        tasks, fits = config.tasks_of(experiment), config.experiments[experiment].options.get("weights") == "fitted"
        weights = _fitted(made_of, tasks) if fits else _Weights(mean_weights(len(members), tasks), {}, None)
        digests, content = checkpoint_file.write(made.path, own_state(weights.values, weights.fits))
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
            fitted=weights.said,
        )  # fmt: skip
        artifact = made.commit(
            content_digest({"weights": content, **{str(each.ref): each.manifest.digest for each in members}}),
            rows={ROWS: members[0].manifest.rows.get(ROWS, 0)}, timings={"train": made.seconds},
            seed=seed_of(config, experiment, day), threads=config.threads, tensors=digests, extra=record.written(),
        )  # fmt: skip
        return artifact, True


@dataclass(frozen=True)
class _Weights:
    """By task; ``said`` is what the manifest has of fitted ones."""

    values: dict[str, NDArray[np.float32]]
    fits: dict[str, Fit]
    said: Fitted | None


def _fitted(made_of: Made, tasks: Sequence[Task]) -> _Weights:
    """The parent's, moved on by the tests of the day; without any they stay, as the mean at first."""
    parent, names = made_of.parent, made_of.names
    state: dict[str, NDArray[Any]] = checkpoint_file.read(parent) if parent is not None else {}
    before, fits = CheckpointRecord.of(parent).fitted if parent is not None else None, fits_of(state, tasks)
    values = mean_weights(len(names), tasks) | {name: state[f"weights.{name}"] for name in fits}
    judged = False
    if made_of.tests:
        arrays, tested = day_arrays.read(made_of.features), [_read(each, made_of.features) for each in made_of.tests]
        for task in tasks:
            loss = loss_of(task, arrays, np.stack([of_member[task.name] for of_member in tested]))
            if loss is not None:
                judged = True
                exact, fits[task.name] = fitted(fits.get(task.name, Fit.none(len(names))), loss)
                values[task.name] = np.append(exact, 0.0).astype(np.float32)
    days = (before.days if before is not None else 0) + judged
    said = Fitted(
        days=days,
        weights={name: dict(zip(names, map(float, each), strict=False)) for name, each in values.items()},
    )
    return _Weights(values, fits, said)


def _read(test: Artifact, features: Artifact) -> dict[str, NDArray[np.float32]]:
    """The logits of a member by task, ``[pairs]``."""
    if features.manifest.digest not in {each.digest for each in test.manifest.inputs}:
        ref = test.ref
        raise ChainError(
            f"{ref.job} {ref.day}: '{ref.experiment}' was tested on other rows than the day has now; run `python -m "
            f"pipeline backfill --job {ref.job} --experiment {ref.experiment} --from {ref.day} --to {ref.day}` first"
        )
    return logits.read(test)
