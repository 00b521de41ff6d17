"""``compare``: which experiment is better, by day and over a range, or that nothing can be told."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pipeline.cli.arguments import Commands, add_job, add_json, day, experiments
from pipeline.cli.output import in_columns, print_json
from pipeline.errors import UsageError
from pipeline.evaluation.compare import Comparison, Standing, compare
from pipeline.evaluation.compared_day import Asked
from pipeline.job import JobContext
from pipeline.storage.artifacts.kinds import TEST
from pipeline.storage.artifacts.readable import Readable


def register(commands: Commands) -> None:
    parser = commands.add(
        "compare", _compare,
        "Compare experiments with the first of them, on the same test rows: better, worse, or cannot tell.",
        "compare --job ads --experiments pooled din --from 2022-04-26 --to 2022-05-04",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--experiments", nargs="+", metavar="E", help="the first is what the others are compared with")
    parser.add_argument("--measure", metavar="M", help="default: the job's primary measure")
    parser.add_argument("--group", metavar="G", help="only requests of this group, such as new_user")
    parser.add_argument("--from", dest="first", type=day, metavar="YYYY-MM-DD", help="only days from here on")
    parser.add_argument("--to", dest="last", type=day, metavar="YYYY-MM-DD", help="only days up to here")
    add_json(parser)


def _compare(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    if options.first is not None and options.last is not None and options.last < options.first:
        raise UsageError(f"--from {options.first} is after --to {options.last}")
    known = context.store.experiments(TEST, context.job, first=context.config.experiments)
    # Experiments that have left the YAML are compared where they are named.
    tested = context.store.experiments(TEST, context.job)
    wanted = options.experiments or [each for each in context.config.experiments if each in tested] or known
    names = experiments(wanted, known, context.job, option="--experiments")
    asked = Asked(tuple(names), options.measure or context.config.primary, options.group)
    readable = Readable()
    found = compare(context, asked, readable, first=options.first, last=options.last)
    if not any(day.differences for day in found.days):
        why = "; ".join(dict.fromkeys(f"{d.day}: {text}" for d in found.days for text in d.left_out.values()))
        raise UsageError(f"no day on which two of {', '.join(names)} can be compared{f' ({why})' if why else ''}")
    if options.json:
        print_json(as_json(context, found))
    else:
        _print(context, found)
        if untested := [each for each in context.config.experiments if each not in tested]:
            print(f"not tested yet: {', '.join(untested)}")
    return int(readable.tell())


def as_json(context: JobContext, found: Comparison) -> dict[str, Any]:
    """A comparison as JSON values."""
    asked = found.asked
    return {
        "job": context.job, "measure": asked.measure, "group": asked.group, "against": asked.first,
        "better": context.config.known_measures[asked.measure].better, "confidence": found.gate.confidence,
        "experiments": [_row(each) for each in found.over_days()],
        "days": [{"day": str(day), **_row(each)} for day, each in found.by_day()],
        "left_out": found.left_out(),
    }  # fmt: skip


def _row(each: Standing) -> dict[str, Any]:
    return {**asdict(each), "verdict": each.verdict}


def _print(context: JobContext, found: Comparison) -> None:
    asked, by_day = found.asked, found.by_day()
    better = {"higher": "higher", "lower": "lower", "near_one": "nearer to 1"}
    of = f" of the group {asked.group}" if asked.group is not None else ""
    print(
        f"{asked.measure}{of} ({better[context.config.known_measures[asked.measure].better]} is better) against "
        f"'{asked.first}' on the same rows, {found.days[0].day} to {found.days[-1].day}: above 0 is better"
    )
    figures = [asked.first, "its own", "difference"]
    print(in_columns(
        ["experiment", "days", *figures, _interval_of(found, len(asked.experiments) - 1), ""],
        [[each.experiment, str(each.days), *_figures(each)] for each in found.over_days()],
    ))  # fmt: skip
    print()
    print(in_columns(
        ["day", "experiment", *figures, _interval_of(found, len(by_day)), ""],
        [[str(day), each.experiment, *_figures(each)] for day, each in by_day],
    ))  # fmt: skip
    for text in found.left_out():
        print(f"left out: {text}")


def _interval_of(found: Comparison, rows: int) -> str:
    return f"{found.gate.confidence:.0%} interval" + (f" of all {rows}" if rows > 1 else "")


def _figures(each: Standing) -> list[str]:
    if each.difference is None:
        return ["–", "–", "–", "–", each.verdict]
    return [
        f"{each.first:.4f}", f"{each.value:.4f}", f"{each.difference:+.4f}", f"[{each.low:+.4f}, {each.high:+.4f}]",
        each.verdict,
    ]  # fmt: skip
