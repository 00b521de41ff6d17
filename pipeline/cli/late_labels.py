"""``mature`` and ``rechain``: days whose labels have come since, and the chains that were trained before that."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.cli.arguments import Commands, add_experiments, add_job, add_json, day, experiments
from pipeline.cli.checks import check_models
from pipeline.days import Day
from pipeline.errors import DaySkipped, DayspringError
from pipeline.job import JobContext
from pipeline.stages.line import Line
from pipeline.stages.stage import SHARED, stage
from pipeline.training.rechain import Rechain, growing_after, plan_rechain

if TYPE_CHECKING:
    from pipeline.ingest.late_labels import Entry

_GROWING = SHARED[: SHARED.index("build_features")]


def register(commands: Commands) -> None:
    parser = commands.add(
        "mature", _mature, "Read days again whose labels have matured since; a ledger says what has changed.",
        "mature --job ads",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--day", type=day, metavar="YYYY-MM-DD", help="only this day")
    parser.add_argument("--dry-run", action="store_true", help="only say which days are due, and which will be when")
    parser.add_argument("--ledger", action="store_true", help="only show what the second readings so far have found")
    add_json(parser)

    parser = commands.add(
        "rechain", _rechain, "Train tainted days again, and publish the last: the shortest way to whole chains.",
        "rechain --job ads",
    )  # fmt: skip
    add_job(parser)
    add_experiments(parser)
    parser.add_argument("--publish", choices=("last", "none"), default="last", help="default: last")
    parser.add_argument("--dry-run", action="store_true", help="only say which days of which experiments")
    parser.add_argument(
        "--if-automatic", action="store_true", help="do nothing (exit 99) unless the job's labels.rechain is true"
    )


def _mature(options: argparse.Namespace) -> int:
    from pipeline.ingest.late_labels import due, ledger, mature, waiting

    context = JobContext.open(options.job)
    if context.config.labels is None:
        print(f"{options.job}: no label delay (`labels:`), nothing is read again", file=sys.stderr)
        return 0
    if options.ledger:
        entries = [each for each in ledger(context) if options.day in (None, each.day)]
        return _print_entries(entries, options.json)
    days = [each for each in due(context) if options.day in (None, each)]
    if options.dry_run:
        later = {each: when for each, when in waiting(context).items() if options.day in (None, each)}
        if options.json:
            instants = {str(each): when.isoformat() for each, when in later.items()}
            print(json.dumps({"due": [str(each) for each in days], "waiting": instants}))
            return 0
        for each in days:
            print(f"{each}: due")
        for each, when in later.items():
            print(f"{each}: labels mature at {when.isoformat(timespec='minutes')}")
        return 0
    failed, entries = 0, []
    for each in days:
        try:
            entry = mature(context, each)
        except DayspringError as error:
            # One day that the source has lost must not keep the others from being read.
            print(f"error: {error}", file=sys.stderr)
            failed += 1
            continue
        if entry is not None:
            entries.append(entry)
    context.close()
    _print_entries(entries, options.json)
    if any(entry.changed for entry in entries):
        print(f"what was trained on the changed days is tainted: python -m pipeline rechain --job {options.job}",
              file=sys.stderr)  # fmt: skip
    return 1 if failed else 0


def _print_entries(entries: list[Entry], as_json: bool) -> int:
    if as_json:
        print(json.dumps([{"day": str(each.day), **each.written(), "changed": each.changed} for each in entries]))
        return 0
    for entry in entries:
        print(entry.summary)
    return 0


def _rechain(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    labels = context.config.labels
    if options.if_automatic and (labels is None or not labels.rechain):
        raise DaySkipped(f"{options.job}: labels.rechain is not set; `rechain --job {options.job}` does it by hand")
    names = experiments(options.experiment, list(context.config.experiments), context.job)
    plans = plan_rechain(context, names)
    for plan in plans:
        print(_told(plan))
    if not plans:
        if options.if_automatic:
            raise DaySkipped(f"{options.job}: no day is tainted")
        print(f"{options.job}: no day of {', '.join(names)} is tainted")
        return 0
    if options.dry_run:
        return 0
    check_models(context.config)
    whole = [_run(options.job, plan, options.publish) for plan in plans]
    # Days that no experiment has come to yet grow in their order too.
    context = JobContext.open(options.job)
    _grow(context, growing_after(context, plans[-1].last))
    return 0 if all(whole) else 1


def _grow(context: JobContext, days: Sequence[Day]) -> None:
    for each in days:
        for name in _GROWING:
            stage(name).run(context, each)
    context.close()


def _told(plan: Rechain) -> str:
    text = ", ".join(f"{name} ({count} tainted)" for name, count in plan.tainted.items())
    grows = f"; before it the id maps and the feature state grow again from {plan.growing[0]}" if plan.growing else ""
    return f"re-chain from {plan.first} to {plan.last}: {text}{grows}"


def _run(job: str, plan: Rechain, publish: str) -> bool:
    # A context of its own: what a process remembers of extracts and validated days is of before.
    context = JobContext.open(job)
    _grow(context, plan.growing)
    return Line(context, plan.experiments, publish="last" if publish == "last" else "none").run(plan.first, plan.last)
