"""Trainers in memory: an experiment's model goes from day to day without being read back, unless its parent changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models import registry
from models.engine.engine import configure
from models.engine.exchange import Exchange
from models.engine.state import StateMismatch
from models.randomness import stable_seed
from pipeline.config.job import JobConfig
from pipeline.errors import ChainError, PrunedPayload
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training import checkpoint_file
from pipeline.training.blend_trainer import BlendTrainer
from pipeline.training.counting_trainer import CountingTrainer
from pipeline.training.keras_trainer import KerasTrainer
from pipeline.training.members import members_of
from pipeline.training.records import CheckpointRecord
from pipeline.training.trainer import State, Trainer
from pipeline.training.tree_trainer import TreeTrainer


def seed_of(config: JobConfig, experiment: str, *parts: object) -> int:
    """The seed of an experiment, or of one of its days: a function of the settings, never of the process."""
    own = config.experiments[experiment].seed if experiment in config.experiments else None
    drawn_by = (config.seed, config.job, experiment) if own is None else ("seed", own, config.job)
    return stable_seed(*drawn_by, *parts)


@dataclass
class Loaded:
    """A trainer and the checkpoint that it stands at; ``None`` while it holds a state that is not committed."""

    trainer: Trainer
    store: ArtifactStore
    checkpoint: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def at(self, artifact: Artifact) -> Trainer:
        """The trainer at a checkpoint, read from disk only if it stands elsewhere.

        Raises:
            PrunedPayload: its payload is gone.
            ChainError: it does not fit the settings.
        """
        if self.checkpoint != artifact.id:
            self.checkpoint = None
            if artifact.manifest.pruned:
                raise PrunedPayload(f"{artifact.path}: its payload was pruned", artifact.id)
            try:
                self.trainer.load(state_of(self.store, artifact), CheckpointRecord.of(artifact).architecture)
            except StateMismatch as error:
                raise unfit(artifact, error) from None
            self.checkpoint = artifact.id
        return self.trainer


def state_of(store: ArtifactStore, checkpoint: Artifact) -> State:
    """The tensors of a checkpoint, those of a blend's members as ``<member>/<tensor>``.

    Raises:
        CorruptArtifact: a byte of them has changed; ``PrunedPayload`` where they were pruned.
    """
    state = checkpoint_file.read(checkpoint)
    for name, member in members_of(store, checkpoint).items():
        state |= {f"{name}/{tensor}": values for tensor, values in checkpoint_file.read(member).items()}
    return state


def unfit(artifact: Artifact, error: StateMismatch) -> ChainError:
    """Why an experiment cannot go on from a checkpoint, and what to do."""
    old = CheckpointRecord.of(artifact).architecture is None
    before = " (its newest checkpoint is of a version that did not record what weights read: train one day with the "
    before += "settings of before, and what is new can be added then)"
    return ChainError(
        f"{artifact.id}: {error}. The experiment's settings no longer fit its chain. A chain takes on features, id "
        f"spaces and wider tables{before if old else ''}; another model, layer, optimizer or history's `group`, a "
        "narrower table, steps that are wider now under what is as wide as they are (a recurrent state without "
        "`units`, a transformer, bst, dsin), and a feature that is left out make another model. Put the setting back, "
        "or give the changed model a name of its own under `experiments`, so that it starts its own chain"
    )


class Trainers:
    """The trainers of one experiment in this process: the one that trains, and one for the incumbent in the gate.

    Attributes:
        exchange: of the one that trains, with those of other processes; said before it is asked for.
    """

    def __init__(self, context: JobContext, experiment: str) -> None:
        self._config = context.config
        self._experiment = experiment
        self._store = context.store
        configure(self._config.threads)
        self._loaded: dict[str, Loaded] = {}
        self.exchange: Exchange | None = None

    @classmethod
    def of(cls, context: JobContext, experiment: str) -> Trainers:
        """Those of this process for the experiment."""
        known = context.kept(_ByExperiment, _ByExperiment)
        if experiment not in known:
            known[experiment] = cls(context, experiment)
        return known[experiment]

    @property
    def trainer(self) -> Loaded:
        return self._of("trainer")

    @property
    def incumbent(self) -> Loaded:
        return self._of("incumbent")

    def fresh(self, sizes: Mapping[str, int], base_rates: Sequence[float] | None) -> Trainer:
        """The first model of a chain, with random weights; its output starts at the base rates, if they are given."""
        self.trainer.checkpoint = None
        self.trainer.trainer.fresh(sizes, base_rates)
        return self.trainer.trainer

    def _of(self, role: str) -> Loaded:
        if role not in self._loaded:
            try:
                self._loaded[role] = Loaded(made(self._config, self._experiment, self.exchange), self._store)
            except ValueError as error:
                raise ChainError(f"experiments.{self._experiment}: {error}") from None
        return self._loaded[role]


def made(config: JobConfig, experiment: str, exchange: Exchange | None = None) -> Trainer:
    """A trainer of an experiment's model, of no state yet; raises ``ValueError``."""
    settings, schema = config.experiments[experiment], config.experiment_schema(experiment)
    tasks = config.tasks_of(experiment)
    if settings.members:
        return BlendTrainer(schema, {name: made(config, name) for name in settings.members}, tasks)
    if registry.trained_by(settings.model) == registry.COUNTS:
        return CountingTrainer(schema, settings.model, settings.options, tasks)
    if registry.trained_by(settings.model) == registry.TREES:
        return TreeTrainer(schema, settings.model, settings.options, tasks)
    return KerasTrainer(
        schema, settings.model, settings.options,
        dims=config.widths(experiment), tasks=tasks, optimizer=settings.optimizer, pairwise=settings.pairwise,
        score=config.score_of(experiment),
        learning_rate=settings.learning_rate, compile=settings.compile, seed=seed_of(config, experiment),
        exchange=exchange, parts=settings.workers, device=settings.device,
    )  # fmt: skip


class _ByExperiment(dict[str, Trainers]):
    """Trainers by experiment."""
