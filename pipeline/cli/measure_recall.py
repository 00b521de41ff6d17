"""``measure-recall``: how much of each day's positive rows two towers would have recalled before it was trained."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pipeline.cli.arguments import Commands, add_job, add_json, day
from pipeline.cli.output import in_columns, print_json
from pipeline.errors import UsageError
from pipeline.job import JobContext
from pipeline.process.tensorflow_start import start_tensorflow

_SETS = {"all": None, "cold items": "items", "cold users": "users"}


def register(commands: Commands) -> None:
    parser = commands.add(
        "measure-recall", _measure, "Of each day's positive rows, how many have their item among the first N recalled.",
        "measure-recall --job recall --experiment towers --from 2022-04-27 --to 2022-05-04 --top 50",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--experiment", required=True, metavar="NAME", help="with two towers")
    parser.add_argument("--from", dest="first", type=day, required=True, metavar="YYYY-MM-DD", help="first tested day")
    parser.add_argument("--to", dest="last", type=day, required=True, metavar="YYYY-MM-DD", help="last tested day")
    parser.add_argument("--top", type=int, default=50, metavar="N", help="items that are recalled")
    add_json(parser)


def _measure(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    if options.top < 1:
        raise UsageError(f"--top {options.top}: at least 1")
    if options.experiment not in context.config.experiments:
        known = ", ".join(context.config.experiments)
        raise UsageError(f"--experiment {options.experiment}: no experiment of '{context.job}'; one of {known}")
    start_tensorflow()
    from pipeline.evaluation.recalled import pooled, recalled
    from pipeline.training.chain import Chain

    tested = [each for each in Chain.of(context, options.experiment).days() if options.first <= each <= options.last]
    if not tested:
        raise UsageError(f"'{options.experiment}' was trained on no day from {options.first} to {options.last}")
    days = recalled(context, options.experiment, tested, options.top)
    told = {name: pooled(days, chosen) for name, chosen in _SETS.items()}
    auc = [{"day": str(each.day), **each.auc} for each in days]
    if options.json:
        print_json({"top": options.top, "auc": auc, **{name: _plain(each) for name, each in told.items()}})
        return 0
    print(f"recall@{options.top} of {tested[0]} … {tested[-1]}, among all items that are listed")
    head = ["of", "rows", "users", "towers", "content", "popularity", "random", "hit: towers", "content", "popularity"]
    print(in_columns(head, [_row(name, each) for name, each in told.items()]))
    print(in_columns(["day", "AUC", "of content alone"], [
        [str(each["day"]), *("" if each[way] is None else f"{each[way]:.4f}" for way in ("towers", "content"))]
        for each in auc
    ]))  # fmt: skip
    return 0


def _row(name: str, told: dict[str, Any]) -> list[str]:
    if not told["rows"]:
        return [name, "0", "0", *[""] * 7]
    ways = [told[way] for way in ("towers", "content", "popularity")]
    shares = [f"{way['recall'].value:.4f} [{way['recall'].low:.4f}, {way['recall'].high:.4f}]" for way in ways]
    hits = [f"{way['hit']:.4f}" for way in ways]
    return [name, str(told["rows"]), str(told["users"]), *shares, f"{told['random']:.4f}", *hits]


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {**value, "recall": asdict(value["recall"])} if isinstance(value, dict) else value
        for name, value in told.items()
    }
