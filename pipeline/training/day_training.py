"""Training the rows of one day: from what it begins with to what its checkpoint holds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models import registry
from models.architecture import Growth
from models.engine.engine import NonFiniteLoss
from models.engine.examples import Settings, positive_shares
from models.outputs import USE
from models.schema import DayArrays
from pipeline.config.experiment import Experiment
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.features.arrays import files as day_arrays
from pipeline.features.records import MapsRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.training import checkpoint_file
from pipeline.training.label_age import label_age
from pipeline.training.late_tasks import LateLabels, late_of, waited_days
from pipeline.training.loaded_trainers import Loaded, Trainers, seed_of
from pipeline.training.overrides import NONE, Overrides
from pipeline.training.records import CheckpointRecord, Wild
from pipeline.training.row_weights import weighted
from pipeline.training.trainer import RowsFailed, TrainedRows, Trainer


@dataclass(frozen=True)
class Part:
    """Rows that are trained in one go: the day's own, replayed ones of last year, or those of a day before again."""

    name: str
    day: Day
    features: Artifact
    weight: float
    earlier: bool = False

    @property
    def label(self) -> str:
        """What tells them from others of the day."""
        return f"{self.name} of {self.day}" if self.earlier else self.name

    @cached_property
    def arrays(self) -> DayArrays:
        """Read when they are trained: a day that is done does without, and they may have been pruned."""
        return day_arrays.read(self.features, self.name)


@dataclass(frozen=True)
class Work:
    """What one experiment is trained on, on a day, and from where: all that follows are the settings and these.

    Attributes:
        parent: the checkpoint that it begins from; ``None`` for the first of a chain.
        replays: by replayed day, its rows' name in ``features``.
        earlier: the features of days that are trained again.
        at_base_rate: whether a new chain starts at the day's base rate.
    """

    day: Day
    experiment: str
    features: Artifact
    maps: Artifact
    parent: Artifact | None = None
    replays: Mapping[Day, str] = field(default_factory=dict)
    earlier: Sequence[Artifact] = ()
    overrides: Overrides = NONE
    at_base_rate: bool = False

    def parts(self, settings: Experiment) -> list[Part]:
        """The rows, in the order in which they are trained."""
        again = [Part(day_arrays.ROWS, each.ref.day, each, 1.0, earlier=True) for each in self.earlier]
        own = Part(day_arrays.ROWS, self.day, self.features, 1.0)
        replayed = [Part(name, past, self.features, settings.replay_weight) for past, name in self.replays.items()]
        return [*again, *replayed, own] if settings.replay_order == "before" else [*again, own, *replayed]


class Trained(Protocol):
    """A day that was trained and is not committed."""

    @property
    def record(self) -> CheckpointRecord:
        """What its manifest says."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    def write(self, folder: Path) -> tuple[dict[str, str], str]:
        """Write its tensors and losses; returns a digest per tensor, and one of all."""

    def committed(self, checkpoint: str) -> None:
        """Its trainer stands at this checkpoint from now on."""


@dataclass(frozen=True)
class TrainedHere:
    """Trained by this process."""

    trainer: Loaded
    tensors: dict[str, NDArray[Any]]
    losses: NDArray[np.float32]
    seconds: float
    record: CheckpointRecord

    def write(self, folder: Path) -> tuple[dict[str, str], str]:
        np.save(folder / "losses.npy", self.losses)
        return checkpoint_file.write(folder, self.tensors)

    def committed(self, checkpoint: str) -> None:
        self.trainer.checkpoint = checkpoint


def learning_rate(settings: Experiment, trained_days: int) -> float:
    """The rate of a day: base · decay^(days trained before it), not below the floor."""
    return max(settings.learning_rate * settings.decay**trained_days, min(settings.floor, settings.learning_rate))


def train_here(context: JobContext, work: Work) -> TrainedHere:
    """Train a day in this process.

    Raises:
        ChainError: the loss is not finite, or the chain does not fit the settings.
    """
    began = time.perf_counter()
    day, experiment, parent = work.day, work.experiment, work.parent
    config, trainers = work.overrides.applied(context.config, experiment), Trainers.of(context, experiment)
    settings, parts = config.experiments[experiment], work.parts(config.experiments[experiment])
    trained_days = CheckpointRecord.of(parent).trained_days if parent is not None else 0
    rate, base_rates = learning_rate(settings, trained_days), None
    tasks = [task.name for task in config.tasks_of(experiment)]
    rows = _rows(config, experiment, day, parts, _late_labels(context, config, day, experiment))
    if work.at_base_rate and trainers.trainer.trainer.sets_first_output:
        base_rates = positive_shares(((each.arrays, each.epochs[0]) for each in rows), tasks)
    grown = MapsRecord.of(work.maps)
    _tell_of_compiling(context, day, experiment)
    trainer, growth = _started(trainers, parent, grown.sizes, base_rates)
    told = _run(context, day, experiment, trainer, rows, rate, grown.sizes_before)
    losses = told[:, 0]
    wild = trainer.observe(next(part for part in parts if part.day == day).arrays)
    means, experts = _means(told, trainer.loss_parts)
    record = CheckpointRecord(
        parent=parent.id if parent is not None else None, parent_day=parent.ref.day if parent is not None else None,
        trained_days=trained_days + 1, learning_rate=rate, batches=len(losses), sizes=trainer.sizes,
        loss=float(losses.mean()) if len(losses) else None, base_rate=_by_task(tasks, base_rates),
        losses=means or None, experts=experts or None,
        wild_values={name: Wild(**each) for name, each in wild.items()} or None,
        architecture=trainer.architecture, growth=growth or None,
    )  # fmt: skip
    return TrainedHere(trainers.trainer, trainer.state(), losses, time.perf_counter() - began, record)


def _means(
    told: NDArray[np.float32], parts: Sequence[str]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The day's means of what steps tell beside the loss: other losses by name, and by task how experts are used."""
    means = {name: float(told[:, 1 + at].mean()) for at, name in enumerate(parts) if len(told)}
    experts: dict[str, dict[str, float]] = {}
    for name in [each for each in means if each.startswith(USE)]:
        task, expert = name.removeprefix(USE).split("/")
        experts.setdefault(task, {})[expert] = means.pop(name)
    return means, experts


class _Compiled(set[str]):
    """Experiments whose training step this process has compiled."""


def _tell_of_compiling(context: JobContext, day: Day, experiment: str) -> None:
    """Say what the first day of a process waits for."""
    settings, compiled = context.config.experiments[experiment], context.kept(_Compiled, _Compiled)
    steps = registry.trained_by(settings.model) == registry.KERAS
    exchange = Trainers.of(context, experiment).exchange
    if exchange is not None and exchange.part.number:
        return  # the first of them says it
    if steps and settings.compile == "xla" and experiment not in compiled:
        print(f"{day} {experiment}: compiling the training step (once a process)", file=sys.stderr, flush=True)
    compiled.add(experiment)


def _by_task(tasks: Sequence[str], values: Sequence[float] | None) -> float | dict[str, float] | None:
    """As a manifest says it: a job with one task does not name it."""
    if values is None or len(tasks) == 1:
        return values[0] if values is not None else None
    return dict(zip(tasks, values, strict=True))


def _started(
    trainers: Trainers, parent: Artifact | None, sizes: Mapping[str, int], base_rates: Sequence[float] | None
) -> tuple[Trainer, Growth]:
    """The trainer as the day begins: at its parent and grown to the day's id maps, or fresh; what is new in it."""
    if parent is None:
        return trainers.fresh(sizes, base_rates), Growth()
    trainer = trainers.trainer.at(parent)
    trainers.trainer.checkpoint = None
    growth = trainer.growth
    trainer.grow(sizes)
    return trainer, growth


def _late_labels(
    context: JobContext, config: JobConfig, day: Day, experiment: str
) -> Callable[[Part, DayArrays], DayArrays] | None:
    """What the labels of a part's rows are, as far as they have come; ``None`` where none is late."""
    late = late_of(config, experiment)
    if not late:
        return None
    entire = getattr(Trainers.of(context, experiment).trainer.trainer, "entire_space", False)
    labels, asked = LateLabels(config.tasks, late, entire), waited_days(context, day, experiment)

    def of_part(part: Part, rows: DayArrays) -> DayArrays:
        of_earlier = asked.get(part.day, ()) if part.earlier else None
        return labels.of_rows(rows, label_age(context, part.features), of_earlier)

    return of_part


def _rows(
    config: JobConfig, experiment: str, day: Day, parts: list[Part],
    labels: Callable[[Part, DayArrays], DayArrays] | None = None,
) -> list[TrainedRows]:  # fmt: skip
    settings = config.experiments[experiment]

    def arrays_of(part: Part) -> DayArrays:
        rows = weighted(part.arrays, part.weight, settings.weights)
        return labels(part, rows) if labels is not None else rows

    return [
        TrainedRows(
            part.label,
            arrays_of(part),
            [_batching(config, experiment, day, part, epoch) for epoch in range(settings.epochs)],
            part.earlier,
        )
        for part in parts
    ]


def _batching(config: JobConfig, experiment: str, day: Day, part: Part, epoch: int) -> Settings:
    settings = config.experiments[experiment]
    return Settings(
        batch_size=settings.batch,
        negatives=config.request.negatives(settings),
        seed=seed_of(config, experiment, day, part.label, epoch),
        unknown_share=settings.unknown_share,
        together=settings.pairwise > 0,
    )


def _run(
    context: JobContext, day: Day, experiment: str, trainer: Trainer, rows: list[TrainedRows], rate: float,
    before: dict[str, int],
) -> NDArray[np.float32]:  # fmt: skip
    """Losses of the day, as of ``Trainer.train``."""
    try:
        return trainer.train(rows, rate, before)
    except RowsFailed as failed:
        error = failed.__cause__
        Trainers.of(context, experiment).trainer.checkpoint = None
        if not isinstance(error, NonFiniteLoss):
            raise ChainError(f"experiments.{experiment}: {error}") from None
        raise ChainError(
            f"{context.job}/{experiment} {day}: the loss of batch {error.batch} of '{failed.name}' is {error.value}; "
            f"nothing of this day was kept, its parent stays the newest checkpoint. Lower `learning_rate` ({rate:g}), "
            "look at its dense values, or list the day under `dirty_days`"
        ) from None
