"""``measures``: one row per tested day and experiment, as CSV on standard output."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping
from typing import Any

from pipeline.cli.arguments import Commands, add_experiments, add_job, add_json, day, experiments
from pipeline.config.measures import columns
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.evaluation.means import means_of
from pipeline.evaluation.measures_by_day import measured_days
from pipeline.evaluation.records import GateRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import GATE, TEST
from pipeline.storage.artifacts.readable import Readable


def register(commands: Commands) -> None:
    parser = commands.add(
        "measures", _measures, "Measures of every tested day and experiment, as CSV on standard output.",
        "measures --job ads > ads.csv",
    )  # fmt: skip
    add_job(parser)
    add_json(parser)
    parser.add_argument("--day", type=day, metavar="YYYY-MM-DD", help="this day only")
    parser.add_argument("--from", dest="first", type=day, metavar="YYYY-MM-DD", help="from this day on")
    parser.add_argument("--to", dest="last", type=day, metavar="YYYY-MM-DD", help="up to this day")
    parser.add_argument("--means", action="store_true", help="one row an experiment: the means over the days")
    parser.add_argument("--group", metavar="G", help="with --means: of this group of requests, such as known")
    parser.add_argument(
        "--all-positive", action="store_true",
        help="with --means: requests with nothing but positive candidates, which are left out, count as hits",
    )  # fmt: skip
    add_experiments(parser)


def _measures(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    if options.means:
        return _means(context, options)
    if options.group or options.all_positive:
        raise UsageError("--group and --all-positive are of means: add --means")
    shown = columns(context.config.known_measures)
    known = context.store.experiments(TEST, context.job, first=context.config.experiments)
    wanted = experiments(options.experiment, known, context.job)
    readable = Readable()
    found = rows_of(context, readable, options.day, everything=options.json)
    rows = [row for row in found if row["experiment"] in wanted and _within(options, row["day"])]
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return int(readable.tell())
    writer = csv.DictWriter(sys.stdout, ["day", "experiment", "checkpoint", "rows", *shown], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return int(readable.tell())


def _within(options: argparse.Namespace, tested: str) -> bool:
    first, last = (str(each) if each is not None else None for each in (options.first, options.last))
    return (first is None or first <= tested) and (last is None or tested <= last)


def _means(context: JobContext, options: argparse.Namespace) -> int:
    shown = [name for name in columns(context.config.known_measures) if name not in ("requests", "covered")]
    hits = [name for name in shown if name.startswith("hit_")]
    if options.all_positive and not hits:
        raise UsageError(f"--all-positive is of hit rates, and job '{context.job}' has none; leave it out")
    known = context.store.experiments(TEST, context.job, first=context.config.experiments)
    wanted = experiments(options.experiment, known, context.job)
    readable = Readable()
    tests = (
        each for each in measured_days(context, readable, options.day)
        if each.experiment in wanted and _within(options, str(each.day))
    )  # fmt: skip
    found = means_of(tests, shown, options.group)
    if options.all_positive:
        found = {name: each.as_hits(n for n in hits if n in each.values) for name, each in found.items()}
    rows = [
        {"experiment": name, "days": each.days, "judged": each.weight, "all_positive": each.all_positive,
         **{measure: f"{each.values[measure]:.6f}" if measure in each.values else "" for measure in shown}}
        for name, each in found.items()
    ]  # fmt: skip
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return int(readable.tell())
    writer = csv.DictWriter(sys.stdout, ["experiment", "days", "judged", "all_positive", *shown], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return int(readable.tell())


def rows_of(
    context: JobContext, readable: Readable, day: Day | None = None, *, everything: bool = False
) -> list[dict[str, Any]]:
    """A row for each tested day (or for ``day``) and experiment.

    Args:
        everything: the gate's verdict, reasons, counts and groups too.
    """
    shown = columns(context.config.known_measures)
    rows = [tested.row(shown, everything=everything) for tested in measured_days(context, readable, day)]
    if not everything:
        return rows
    return [{**row, "verdict": _verdict(context, readable, row)} for row in rows]


def _verdict(context: JobContext, readable: Readable, row: Mapping[str, Any]) -> str | None:
    judged = readable(context.store.current, Ref(GATE, context.job, Day.parse(row["day"]), row["experiment"]))
    said = readable(GateRecord.of, judged) if judged is not None else None
    return said.verdict if said is not None else None
