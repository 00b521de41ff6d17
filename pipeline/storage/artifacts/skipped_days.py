"""Days that a job left out: what records one, and the walk over them."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import DAY
from pipeline.storage.artifacts.store import ArtifactStore


def skip_marker(store: ArtifactStore, job: str, day: Day) -> Artifact | None:
    """What records that ``day`` is skipped; ``None`` if it is not."""
    marker = store.current(Ref(DAY, job, day))
    return marker if marker is not None and marker.manifest.state == "skipped" else None


def check_no_hole(
    first: Day, until: Day, is_skipped: Callable[[Day], bool], *, job: str, name: str, lacks: str, wanted: Day
) -> None:
    """Every day from ``first`` to before ``until`` is skipped, so that ``wanted`` can be reached.

    Args:
        name: what is walked, for the message.
        lacks: what a day that is not skipped lacks.

    Raises:
        ChainError: one is not; says what to run.
    """
    hole = next((day for day in first.through(until.previous()) if not is_skipped(day)), None)
    if hole is not None:
        raise ChainError(
            f"{name}: day {hole} has no {lacks} and no skip marker, so day {wanted} cannot be reached; run "
            f"`python -m pipeline backfill --job {job} --from {hole} --to {wanted}`"
        )
