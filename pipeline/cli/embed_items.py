"""``embed-items``: vectors of items that came or changed, put into what is served without training anything."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pipeline.cli.arguments import Commands, add_job, add_json, day
from pipeline.cli.output import print_json
from pipeline.errors import UsageError
from pipeline.job import JobContext
from pipeline.storage.artifacts.kinds import VALIDATED


def register(commands: Commands) -> None:
    parser = commands.add(
        "embed-items", _embed, "Put vectors of items that came or changed into what is served, by its own item tower.",
        "embed-items --job recall",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument(
        "--day", type=day, metavar="YYYY-MM-DD", help="whose validated tables list the items (default: the newest)"
    )
    add_json(parser)


def _embed(options: argparse.Namespace) -> int:
    from pipeline.stages.embed_items import embed_items

    context = JobContext.open(options.job)
    days = context.store.days(VALIDATED, context.job)
    if options.day is None and not days:
        raise UsageError(f"job '{context.job}' has no validated day; run `python -m pipeline stage validate` first")
    found = embed_items(context, options.day or days[-1])
    if options.json:
        print_json(asdict(found))
        return 0
    told = f"{len(found.new)} are new and {len(found.changed)} changed"
    print(f"release {found.release_id}: of {found.listed} items {told}; updated at {found.at}")
    return 0
