"""What an experiment's next day will begin with that its chain has not: said before anything is trained."""

from __future__ import annotations

from models.architecture import Growth
from pipeline.job import JobContext
from pipeline.process.tensorflow_start import start_tensorflow
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT, FEATURES
from pipeline.training.chain import Chain
from pipeline.training.overrides import Overrides
from pipeline.training.records import CheckpointRecord


def growth_ahead(context: JobContext, experiment: str) -> Growth:
    """What is new against the chain's newest checkpoint; nothing where there is no chain. Starts TensorFlow if it must.

    Raises:
        ChainError: the experiment can no longer go on from there.
    """
    days = Chain.of(context, experiment).days()
    newest = context.store.current(Ref(CHECKPOINT, context.job, days[-1], experiment)) if days else None
    if newest is None or _as_trained(context, experiment, newest):
        return Growth()
    start_tensorflow()
    from pipeline.training.loaded_trainers import Trainers

    return Trainers.of(context, experiment).trainer.at(newest).growth


def _as_trained(context: JobContext, experiment: str, newest: Artifact) -> bool:
    """Whether the settings of a checkpoint and of the arrays that it was trained on are those of now."""
    arrays = context.store.current(Ref(FEATURES, context.job, newest.ref.day))
    settings = Overrides.recorded(CheckpointRecord.of(newest)).applied(context.config, experiment)
    return (
        arrays is not None
        and arrays.manifest.settings == context.config.stage_settings("build_features")
        and newest.manifest.settings == settings.stage_settings("train", experiment)
    )
