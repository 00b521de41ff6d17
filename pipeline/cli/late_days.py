"""``late-days``: skipped days that have come since, told once as an alert."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from pipeline.cli.arguments import Commands, add_job, add_json
from pipeline.cli.output import print_json
from pipeline.job import JobContext


def register(commands: Commands) -> None:
    parser = commands.add(
        "late-days", _late_days, "Ask the sources whether skipped days have come since; each is told once.",
        "late-days --job ads",
    )  # fmt: skip
    add_job(parser)
    add_json(parser)


def _late_days(options: argparse.Namespace) -> int:
    from pipeline.ingest.late_days import late_days
    from pipeline.monitoring.alerts.causes import Alert
    from pipeline.monitoring.alerts.deliver import try_to_deliver

    context = JobContext.open(options.job)
    found = list(late_days(context))
    context.close()
    if options.json:
        print_json([{**asdict(each), "day": str(each.day)} for each in found])
    for each in [] if options.json else found:
        print(f"{each.day} {each.told}")
    if not found:
        print("no skipped day has come since", file=sys.stderr)
    alerts = [Alert("late_day", context.job, each.day, each.told, what="come") for each in found]
    try_to_deliver(context.root, context.job, alerts)
    return 0
