"""Payloads that retention no longer keeps are removed; manifests and digests stay."""

from __future__ import annotations

from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.release.prune import Pruned, prune


def run(context: JobContext, day: Day, *, thorough: bool = False) -> Pruned:
    """Prune exports and checkpoints; what was removed. Nothing depends on ``day``: retention is about the newest days.

    Raises:
        LockTimeout: an experiment is being trained.
    """
    return prune(context, thorough=thorough)
