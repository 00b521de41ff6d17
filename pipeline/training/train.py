"""Training one day of one experiment, from its parent's checkpoint to a new one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
from pipeline.errors import ChainError, UsageError
from pipeline.features.arrays import files as day_arrays
from pipeline.features.records import MapsRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT, FEATURES, MAPS
from pipeline.storage.artifacts.making import Recipe
from pipeline.storage.artifacts.manifest import Input
from pipeline.training import checkpoint_file
from pipeline.training.blend import Made, blend
from pipeline.training.chain import Chain
from pipeline.training.earlier_days import earlier_days, earlier_on
from pipeline.training.label_age import label_age
from pipeline.training.late_tasks import LateLabels, late_of, waited_days
from pipeline.training.loaded_trainers import Trainers, seed_of
from pipeline.training.members import member_tests, members_on
from pipeline.training.overrides import NONE, Overrides
from pipeline.training.records import CheckpointRecord, Overridden, Wild
from pipeline.training.replayed_days import replay_input, replayed_now, replayed_on
from pipeline.training.row_weights import weighted
from pipeline.training.trainer import RowsFailed, TrainedRows, Trainer

STAGE = "train"


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


def learning_rate(settings: Experiment, trained_days: int) -> float:
    """The rate of a day: base · decay^(days trained before it), not below the floor."""
    return max(settings.learning_rate * settings.decay**trained_days, min(settings.floor, settings.learning_rate))


def stands(
    context: JobContext,
    day: Day,
    experiment: str,
    features: Artifact,
    parent: Artifact | None,
    *,
    reprocess: bool = False,
    overrides: Overrides = NONE,
) -> Artifact | None:
    """The checkpoint of ``day`` if there is nothing to train anew."""
    config, before = overrides.applied(context.config, experiment), Chain.of(context, experiment).trained(day)
    recorded = replayed_on(before) if before is not None else {}
    made_of = [
        *members_on(context, day, experiment), *member_tests(context, day, experiment, before),
        *(earlier_on(context, before) if before is not None else earlier_days(context, experiment, day, parent)),
    ]  # fmt: skip
    return context.standing(_recipe(config, day, experiment, features, parent, recorded, made_of), reprocess=reprocess)


def _recipe(
    config: JobConfig,
    day: Day,
    experiment: str,
    features: Artifact,
    parent: Artifact | None,
    replays: Mapping[Day, Input],
    made_of: Sequence[Artifact] = (),
) -> Recipe:
    """A day that stands has replayed what its checkpoint says, whatever would be replayed now.

    Args:
        made_of: of a blend, its members and their tests; the features of days before that are trained again.
    """
    inputs = [features.as_input(), *([parent.as_input()] if parent is not None else []), *replays.values()]
    inputs += [each.as_input() for each in made_of]
    return Recipe(Ref(CHECKPOINT, config.job, day, experiment), inputs, config.stage_settings(STAGE, experiment))


def train(
    context: JobContext,
    day: Day,
    experiment: str,
    features: Artifact,
    parent: Artifact | None,
    *,
    reprocess: bool = False,
    overrides: Overrides = NONE,
    like: Artifact | None = None,
) -> tuple[Artifact, bool]:
    """The checkpoint of ``day``, and whether it was trained now.

    Args:
        like: an earlier checkpoint of the day whose bits are wanted again.

    Raises:
        ChainError: the loss is not finite (the parent stays the newest), or the chain does not fit the settings.
        UsageError: there are ``overrides``, but the day is trained already with other settings.
    """
    members, model = members_on(context, day, experiment), context.config.experiments[experiment].model
    if overrides and members:
        raise UsageError(f"'{experiment}' is a blend and has no steps:{overrides.flags()} is for its members")
    if overrides and registry.trained_by(model) == registry.TREES:
        raise UsageError(f"'{experiment}' fits trees and has no steps:{overrides.flags()} would do nothing")
    if members:
        return _blend(context, day, experiment, features, parent, members, reprocess=reprocess)
    config = overrides.applied(context.config, experiment)
    settings, maps = config.experiments[experiment], context.needed(MAPS, day)
    chain = Chain.of(context, experiment)
    before = like or chain.trained(day)
    recorded = replayed_on(before) if before is not None else {}
    earlier = earlier_on(context, before) if before is not None else []
    recipe = _recipe(config, day, experiment, features, parent, recorded, earlier)
    with context.making(*recipe, reprocess=reprocess) as made:
        if made.stands is not None:
            _check_as_asked(made.stands, overrides, context.config)
            return made.stands, False
        offered = {past: name for name, past in day_arrays.replays(features)}
        chosen = [past for past in recorded if past in offered]
        if like is None:
            chosen = replayed_now(chain, day, settings, list(offered))
            earlier = earlier_days(context, experiment, day, parent)
        replays = {past: replay_input(past, offered[past]) for past in chosen}
        made.inputs = _recipe(config, day, experiment, features, parent, replays, earlier).inputs
        parts = _parts(day, settings, features, {past: offered[past] for past in chosen}, earlier)
        at_base_rate = parent is None and _starts_at_base_rate(settings, like)
        trained = _train_parts(context, config, day, experiment, parts, parent, maps, at_base_rate=at_base_rate)
        digests, content = checkpoint_file.write(made.path, trained.tensors)
        np.save(made.path / "losses.npy", trained.losses)
        said = Overridden(epochs=overrides.epochs, learning_rate=overrides.learning_rate)
        artifact = made.commit(
            content,
            rows={part.name: part.arrays.requests for part in parts if not part.earlier},
            timings={"train": trained.seconds},
            seed=seed_of(config, experiment, day), threads=config.threads, tensors=digests,
            extra=trained.record.model_copy(update={"overrides": said} if overrides else {}).written(),
        )  # fmt: skip
    Trainers.of(context, experiment).trainer.checkpoint = artifact.id
    return artifact, True


def _check_as_asked(stands: Artifact, overrides: Overrides, config: JobConfig) -> None:
    if overrides.contradict(stands, config):
        ref = stands.ref
        raise UsageError(
            f"{ref.job}/{ref.experiment} {ref.day} is trained already, with other settings; to train it again "
            f"with{overrides.flags()} add --reprocess (the days after it are then tainted)"
        )


def _blend(
    context: JobContext, day: Day, experiment: str, features: Artifact, parent: Artifact | None,
    members: Sequence[Artifact], *, reprocess: bool,
) -> tuple[Artifact, bool]:  # fmt: skip
    # Trained again, it is as the settings are now.
    stands = None if reprocess else Chain.of(context, experiment).trained(day)
    made_of = Made(parent, members, features, member_tests(context, day, experiment, stands))
    recipe = _recipe(context.config, day, experiment, features, parent, {}, [*members, *made_of.tests])
    return blend(context, recipe, made_of, reprocess=reprocess)


@dataclass(frozen=True)
class _Trained:
    tensors: dict[str, NDArray[Any]]
    losses: NDArray[np.float32]
    seconds: float
    record: CheckpointRecord


def _train_parts(
    context: JobContext,
    config: JobConfig,
    day: Day,
    experiment: str,
    parts: list[Part],
    parent: Artifact | None,
    maps: Artifact,
    *,
    at_base_rate: bool,
) -> _Trained:
    """Train the parts of a day from its parent, and what the checkpoint's manifest says of it."""
    began = time.perf_counter()
    settings, trainers = config.experiments[experiment], Trainers.of(context, experiment)
    trained_days = CheckpointRecord.of(parent).trained_days if parent is not None else 0
    rate, base_rates = learning_rate(settings, trained_days), None
    tasks = [task.name for task in config.tasks_of(experiment)]
    rows = _rows(config, experiment, day, parts, _late_labels(context, config, day, experiment))
    if at_base_rate and trainers.trainer.trainer.sets_first_output:
        base_rates = positive_shares(((each.arrays, each.epochs[0]) for each in rows), tasks)
    grown = MapsRecord.of(maps)
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
    return _Trained(trainer.state(), losses, time.perf_counter() - began, record)


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


def restore(context: JobContext, day: Day, experiment: str) -> Artifact:
    """Train a day whose checkpoint was pruned again; its features and its parent must be there.

    From the same parent, rows and settings come the same bits, so what was trained from it stands; where the settings
    have changed since, it does not, and ``status`` shows it.
    """
    chain = Chain.of(context, experiment)
    before = chain.trained(day)
    overrides = Overrides.recorded(CheckpointRecord.of(before)) if before is not None else NONE
    features, parent = context.needed(FEATURES, day), chain.parent(day)
    return train(
        context, day, experiment, features, parent, reprocess=True, overrides=overrides, like=before
    )[0]


def _starts_at_base_rate(settings: Experiment, like: Artifact | None) -> bool:
    """Whether the first model of a chain starts at the base rate of its day; one made again, as it did."""
    if like is not None:
        return CheckpointRecord.of(like).base_rate is not None
    return settings.loss in ("binary", None) and settings.first_output == "base_rate"


def _parts(
    day: Day, settings: Experiment, features: Artifact, replays: Mapping[Day, str], earlier: Sequence[Artifact] = ()
) -> list[Part]:
    again = [Part(day_arrays.ROWS, each.ref.day, each, 1.0, earlier=True) for each in earlier]
    own = Part(day_arrays.ROWS, day, features, 1.0)
    replayed = [Part(name, past, features, settings.replay_weight) for past, name in replays.items()]
    return [*again, *replayed, own] if settings.replay_order == "before" else [*again, own, *replayed]


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
