"""The members of a blend: their checkpoints of a day, and what of a blend's checkpoint is theirs."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref, parse_id
from pipeline.storage.artifacts.kinds import CHECKPOINT, TEST
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.training.chain import Chain


def members_on(context: JobContext, day: Day, experiment: str) -> list[Artifact]:
    """The checkpoints of ``day`` that a blend's is made of, by name; none of an experiment that is no blend.

    Raises:
        ChainError: a member was not trained on the day.
    """
    found = []
    for name in sorted(context.config.experiments[experiment].members):
        checkpoint = Chain.of(context, name).trained(day)
        if checkpoint is None:
            raise ChainError(
                f"{context.job}/{experiment} {day}: its member '{name}' has no checkpoint of this day: it was left "
                f"out of the run, or has failed; run `python -m pipeline backfill --job {context.job} --experiment "
                f"{name} --experiment {experiment} --from {day} --to {day}`"
            )
        found.append(checkpoint)
    return found


def member_tests(context: JobContext, day: Day, experiment: str, before: Artifact | None) -> list[Artifact]:
    """The tests of a blend's members on ``day`` that its weights are fitted on, by name.

    None where weights are not fitted, and none of a day on which a member had nothing to be tested yet.

    Args:
        before: a checkpoint of the day; one that stands was fitted or not as it says, whatever the settings are now.
    """
    fits = context.config.experiments[experiment].options.get("weights") == "fitted"
    if before is not None:
        fits = any(each.id.startswith(f"{TEST}/") for each in before.manifest.inputs)
    names = sorted(context.config.experiments[experiment].members) if fits else []
    found = [context.store.current(Ref(TEST, context.job, day, name)) for name in names]
    return [each for each in found if each is not None] if all(found) else []


def members_of(store: ArtifactStore, checkpoint: Artifact) -> dict[str, Artifact]:
    """By name, the checkpoints that a blend's was made of; none of another's."""
    found = {}
    for each in checkpoint.manifest.inputs:
        ref = parse_id(each.id)[0] if each.id.startswith(f"{CHECKPOINT}/") else None
        if ref is None or ref.experiment in (None, checkpoint.ref.experiment):
            continue
        made_of, now = store.load(each.id), store.current(ref)
        # Made again to the same bits, it stands for the one that was pruned.
        again = now is not None and now.manifest.digest == each.digest
        member = now if again else made_of
        if member is None:
            raise ChainError(f"{checkpoint.id}: is made of {each.id}, which is not on disk")
        found[str(ref.experiment)] = member
    return found


def pruned_parts(store: ArtifactStore, checkpoint: Artifact) -> list[Artifact]:
    """What of a checkpoint has to be made again before it can be read: itself, members; nothing that is there."""
    return [each for each in (*members_of(store, checkpoint).values(), checkpoint) if each.manifest.pruned]
