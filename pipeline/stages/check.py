"""The day's exported models checked where the project cannot be imported, all experiments in one clean process."""

from __future__ import annotations

import sys

from pipeline.artifacts import Artifact
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.release.check import check_day


def run(context: JobContext, day: Day) -> list[Artifact]:
    """Check every export of ``day``; none on a skipped day. A verdict is recorded, it fails nothing.

    Raises:
        ChainError: no experiment exported the day.
    """
    if context.skipped(day) is not None:
        return []
    checks = check_day(context, day)
    for check in checks:
        if check.manifest.extra["verdict"] != "ok":
            reasons = "; ".join(check.manifest.extra["reasons"])
            print(f"{day} {check.ref.experiment}: the check blocks the release: {reasons}", file=sys.stderr)
    return checks
