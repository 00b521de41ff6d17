"""``measures``: one row per tested day and experiment, as CSV on standard output."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import Any

from pipeline.cli.arguments import Commands, add_experiments, add_job, add_json, day, experiments
from pipeline.config.measures import columns
from pipeline.days import Day
from pipeline.evaluation.measures_by_day import measured_days
from pipeline.job import JobContext
from pipeline.storage.artifacts.kinds import TEST
from pipeline.storage.artifacts.readable import Readable


def register(commands: Commands) -> None:
    parser = commands.add(
        "measures", _measures, "Measures of every tested day and experiment, as CSV on standard output.",
        "measures --job ads > ads.csv",
    )  # fmt: skip
    add_job(parser)
    add_json(parser)
    parser.add_argument("--day", type=day, metavar="YYYY-MM-DD", help="this day only")
    add_experiments(parser)


def _measures(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    shown = columns(context.config.known_measures)
    known = context.store.experiments(TEST, context.job, first=context.config.experiments)
    wanted = experiments(options.experiment, known, context.job)
    readable = Readable()
    found = rows_of(context, readable, options.day, everything=options.json)
    rows = [row for row in found if row["experiment"] in wanted]
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return int(readable.tell())
    writer = csv.DictWriter(sys.stdout, ["day", "experiment", "checkpoint", "rows", *shown], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return int(readable.tell())


def rows_of(
    context: JobContext, readable: Readable, day: Day | None = None, *, everything: bool = False
) -> list[dict[str, Any]]:
    """A row for each tested day (or for ``day``) and experiment; ``everything``: reasons, counts and groups too."""
    shown = columns(context.config.known_measures)
    return [tested.row(shown, everything=everything) for tested in measured_days(context, readable, day)]
