"""``evaluate``: every kept checkpoint of a range of days, measured on the rows of one later day."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path

from pipeline.cli.arguments import Commands, add_day, add_experiments, add_job, add_json, day, experiments
from pipeline.cli.output import in_columns, print_json
from pipeline.config.measures import columns
from pipeline.errors import UsageError
from pipeline.evaluation.measures_by_day import TestedDay
from pipeline.job import JobContext
from pipeline.process.tensorflow_start import start_tensorflow
from pipeline.storage.files import write_atomic


def register(commands: Commands) -> None:
    parser = commands.add(
        "evaluate", _evaluate, "Measure the kept checkpoints of a range of days on the rows of one later day.",
        "evaluate --job ads --from 2022-04-25 --to 2022-05-03 --day 2022-05-04 --experiment din",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--from", dest="first", type=day, required=True, metavar="YYYY-MM-DD", help="first checkpoint")
    parser.add_argument("--to", dest="last", type=day, required=True, metavar="YYYY-MM-DD", help="last checkpoint")
    add_day(parser, help="whose rows they are measured on, after all of them")
    add_experiments(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write a CSV of the columns of `measures`")
    add_json(parser)


def _evaluate(options: argparse.Namespace) -> int:
    if options.output is not None and not options.output.parent.is_dir():
        raise UsageError(f"--output {options.output}: there is no folder {options.output.parent}")
    context = JobContext.open(options.job)
    if options.last < options.first:
        raise UsageError(f"--from {options.first} is after --to {options.last}")
    start_tensorflow()
    from pipeline.evaluation.kept_range import kept_between, rows_of, tested

    names = experiments(options.experiment, list(context.config.experiments), context.job)
    features = rows_of(context, options.day, options.last)
    found: list[TestedDay] = []
    pruned: list[str] = []
    for name in names:
        for of_day, checkpoint in kept_between(context, name, options.first, options.last):
            if checkpoint is None:
                pruned.append(f"{name} {of_day}")
            else:
                found.append(tested(context, name, features, checkpoint))
    if not found:
        told = f" (pruned: {', '.join(pruned)})" if pruned else ""
        raise UsageError(
            f"no checkpoint of {', '.join(names)} from {options.first} to {options.last} is kept{told}; "
            "`release.keep_checkpoints` says how many are"
        )
    _tell(context, found, pruned, options)
    return 0


def _tell(context: JobContext, found: list[TestedDay], pruned: list[str], options: argparse.Namespace) -> None:
    shown = columns(context.config.known_measures)
    head = ["day", "experiment", "checkpoint", "rows", *shown]
    rows = [each.row(shown) for each in found]
    if options.output is not None:
        text = io.StringIO()
        writer = csv.DictWriter(text, head, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomic(options.output, text.getvalue().encode())
    if options.json:
        print_json({"tested": [each.row(shown, everything=True) for each in found], "pruned": pruned})
        return
    print(in_columns(head, [[str(row[name]) for name in head] for row in rows]))
    if pruned:
        print(f"not measured, as they were pruned: {', '.join(pruned)}")
