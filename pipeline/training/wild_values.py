"""Wild values that entered a day's statistics bounded: what its checkpoints say, in words, and when it is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.training.records import CheckpointRecord, Wild

Told = Mapping[str, Wild]


def told(checkpoint: CheckpointRecord | None) -> Told:
    """What a checkpoint says, by feature; empty where nothing was wild, or before it was looked for."""
    return checkpoint.wild_values or {} if checkpoint is not None else {}


def in_words(features: Told) -> str:
    """One sentence; empty where there is nothing to say."""
    bounded = [
        f"{name} {each.wild:,} of {each.known:,} (as far as {each.furthest:.3g})"
        for name, each in features.items() if each.wild
    ]  # fmt: skip
    anew = [name for name, each in features.items() if each.anew]
    parts = [f"wild values bounded: {', '.join(bounded)}"] if bounded else []
    if anew:
        parts.append(f"statistics begun anew, as those before were of wild values: {', '.join(anew)}")
    return "; ".join(parts)


def news(today: Sequence[Told], before: Sequence[Sequence[Told]], times: float) -> Told:
    """Features with ``times`` the share of wild values that any day before had, or begun anew.

    Args:
        today: of each experiment; what several say of a feature they say alike.
        before: the same of the trailing days.
    """
    most: dict[str, float] = {}
    for day in before:
        for experiment in day:
            for name, each in experiment.items():
                most[name] = max(most.get(name, 0.0), each.wild / max(each.known, 1))
    return {
        name: each
        for experiment in today
        for name, each in experiment.items()
        if each.anew or each.wild > times * most.get(name, 0.0) * each.known
    }
