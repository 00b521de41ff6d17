"""Training one day of one experiment, from its parent's checkpoint to a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models import registry
from pipeline.config.experiment import Experiment
from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.features.arrays import files as day_arrays
from pipeline.features.records import PROMPT, FeaturesRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT, FEATURES, MAPS
from pipeline.storage.artifacts.making import Recipe
from pipeline.storage.artifacts.manifest import Input
from pipeline.training.blend import Made, blend
from pipeline.training.chain import Chain
from pipeline.training.day_training import Trained, Work, train_here
from pipeline.training.earlier_days import earlier_days, earlier_on
from pipeline.training.late_tasks import late_of
from pipeline.training.loaded_trainers import seed_of
from pipeline.training.members import member_tests, members_on
from pipeline.training.overrides import NONE, Overrides
from pipeline.training.records import CheckpointRecord, Overridden
from pipeline.training.replayed_days import replay_input, replayed_now, replayed_on
from pipeline.training.trainer_processes import TrainerProcesses

STAGE = "train"


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
    before = [parent.as_input()] if parent is not None else []
    inputs = [_own(config, experiment, features), *before, *replays.values(), *(each.as_input() for each in made_of)]
    return Recipe(Ref(CHECKPOINT, config.job, day, experiment), inputs, config.stage_settings(STAGE, experiment))


def _own(config: JobConfig, experiment: str, features: Artifact) -> Input:
    """The day's own rows, by what is read of them: labels that are waited for are none of it."""
    waits = any(late.wait_days for late in late_of(config, experiment).values())
    parts = (FeaturesRecord.of(features).parts if waits else None) or {}
    return Input(features.id, parts[PROMPT]) if PROMPT in parts else features.as_input()


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
        TrainerLost: of several trainers one has died.
        UsageError: there are ``overrides``, but the day is trained already with other settings.
    """
    members = members_on(context, day, experiment)
    _check_steps(context.config, experiment, overrides)
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
        work = Work(
            day, experiment, features, maps, parent, {past: offered[past] for past in chosen}, earlier, overrides,
            at_base_rate=parent is None and _starts_at_base_rate(settings, like),
        )  # fmt: skip
        trained = _trained(context, work, settings)
        digests, content = trained.write(made.path)
        said = Overridden(epochs=overrides.epochs, learning_rate=overrides.learning_rate)
        artifact = made.commit(
            content,
            rows={part.name: part.arrays.requests for part in work.parts(settings) if not part.earlier},
            timings={"train": trained.seconds},
            seed=seed_of(config, experiment, day), threads=config.threads, tensors=digests,
            extra=trained.record.model_copy(update={"overrides": said} if overrides else {}).written(),
        )  # fmt: skip
    trained.committed(artifact.id)
    return artifact, True


def _trained(context: JobContext, work: Work, settings: Experiment) -> Trained:
    if settings.workers > 1:
        return TrainerProcesses.of(context, work.experiment).train(work)
    return train_here(context, work)


def _check_steps(config: JobConfig, experiment: str, overrides: Overrides) -> None:
    settings = config.experiments[experiment]
    if overrides and settings.members:
        raise UsageError(f"'{experiment}' is a blend and has no steps:{overrides.flags()} is for its members")
    if overrides and registry.trained_by(settings.model) == registry.TREES:
        raise UsageError(f"'{experiment}' fits trees and has no steps:{overrides.flags()} would do nothing")


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
