"""Which past days an experiment replays on a day, and how its checkpoints record it."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.experiment import Experiment
from pipeline.days import Day
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.manifest import Input
from pipeline.training.chain import Chain

_REPLAY = "replay of "


def replay_input(past: Day, name: str) -> Input:
    """How a checkpoint's manifest records a replayed day."""
    return Input(f"{_REPLAY}{past}", name)


def replayed_on(checkpoint: Artifact) -> dict[Day, Input]:
    """The days that were replayed when a checkpoint was trained, as its manifest records them."""
    inputs = checkpoint.manifest.inputs
    return {Day.parse(part.id.removeprefix(_REPLAY)): part for part in inputs if part.id.startswith(_REPLAY)}


def replayed_now(chain: Chain, day: Day, settings: Experiment, offered: Sequence[Day]) -> list[Day]:
    """The days of those that ``day`` has rows of which are replayed on it.

    With ``new`` each is trained once a chain: neither if it is itself one of its earlier days, nor if one of them
    has replayed it, which a window of a week or 29 February would do again.
    """
    if settings.replay == "off" or not offered:
        return []
    if settings.replay == "always":
        return list(offered)
    known: set[Day] = set()
    for earlier in chain.days():
        checkpoint = chain.trained(earlier) if earlier < day else None
        if checkpoint is not None:
            known |= {earlier, *replayed_on(checkpoint)}
    return [past for past in offered if past not in known]
