"""Days that retention has left no rows of: what needs them again has to have them read from the source."""

from __future__ import annotations

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import EXTRACT, FEATURES, VALIDATED


def kept_since(context: JobContext) -> dict[str, Day]:
    """By kind the first day from which on every payload is kept; only kinds of which something was pruned."""
    found: dict[str, Day] = {}
    for kind in (EXTRACT, VALIDATED, FEATURES):
        oldest: Day | None = None
        for day in reversed(context.store.days(kind, context.job)):
            if _is_pruned(context, kind, day):
                found[kind] = oldest or day.next()
                break
            oldest = day
    return found


def lost_days(context: JobContext, first: Day) -> list[Day]:
    """Days from ``first`` on whose arrays are pruned, and the tables that they would be made of too."""
    return [day for day in context.store.days(FEATURES, context.job) if day >= first and is_lost(context, day)]


def read_again(context: JobContext, experiment: str, lost: list[Day]) -> str:
    """What to run so that an experiment can be trained on days that are lost."""
    return (
        f"their arrays and validated tables are pruned (retention.feature_days, validated_days); read them from the "
        f"source, if it still has them: `python -m pipeline backfill --job {context.job} --experiment {experiment} "
        f"--from {lost[0]} --to {lost[-1]} --reprocess` (days that come out different taint what was made of them)"
    )


def guard_kept(context: JobContext, experiment: str, days: list[Day]) -> None:
    """Raises ``ChainError`` where one of these days, which are to be trained, is lost; names all from there on."""
    first = next((day for day in days if is_lost(context, day)), None)
    if first is not None:
        told = read_again(context, experiment, lost_days(context, first))
        raise ChainError(f"{context.job}/{experiment} {first}: cannot be trained: {told}")


def is_lost(context: JobContext, day: Day) -> bool:
    """Whether a day's rows are gone in every form that an experiment could be trained on."""
    return all(_is_pruned(context, kind, day) for kind in (FEATURES, VALIDATED))


def _is_pruned(context: JobContext, kind: str, day: Day) -> bool:
    artifact = context.store.current(Ref(kind, context.job, day))
    return artifact is not None and artifact.manifest.pruned
