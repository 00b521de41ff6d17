"""``alerts``: what of a day somebody should look at, sent once; or what has been sent."""

from __future__ import annotations

import argparse
import sys

from pipeline.cli.arguments import Commands, add_job, add_json, day
from pipeline.cli.output import print_json
from pipeline.job import JobContext


def register(commands: Commands) -> None:
    parser = commands.add(
        "alerts", _alerts, "Send the alerts of a day that have not been sent; without --day, list what was sent.",
        "alerts --job ads --day 2022-04-27",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--day", type=day, action="append", metavar="YYYY-MM-DD", help="look at this day (repeatable)")
    parser.add_argument("--dry-run", action="store_true", help="send nothing, record nothing: only print them")
    add_json(parser)


def _alerts(options: argparse.Namespace) -> int:
    from pipeline.monitoring.alerts.deliver import deliver
    from pipeline.monitoring.alerts.evaluate import evaluate
    from pipeline.monitoring.alerts.sent import SentAlerts

    context = JobContext.open(options.job)
    if options.day is None:
        records = SentAlerts(context.root, context.job).read()
        if options.json:
            print_json(records)
        for record in [] if options.json else records:
            who = "/".join(filter(None, (record["job"], record.get("experiment"))))
            print(f"{record['at']}  {record['way']:8} {who} {record['day']} {record['kind']}: {record['text']}")
        return 0
    found = [alert for each in sorted(set(options.day)) for alert in evaluate(context, each)]
    if options.json:
        print_json([alert.as_dict() for alert in found])
    if options.dry_run:
        for alert in [] if options.json else found:
            print(alert.line)
        return 0
    done = deliver(context.root, context.job, found)
    if not options.json:
        print(f"{len(found)} alerts, {len(done.new)} of them new", file=sys.stderr)
    for failure in done.failures:
        print(f"error: {failure}; the same command sends what is left", file=sys.stderr)
    return 1 if done.failures else 0
