"""``embed-items``: vectors of items that came or changed, put into what is served without training anything."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pipeline.cli.arguments import Commands, add_job, add_json, day
from pipeline.cli.output import print_json
from pipeline.errors import DaySkipped
from pipeline.job import JobContext


def register(commands: Commands) -> None:
    parser = commands.add(
        "embed-items", _embed, "Give what is served the vectors of items that came or changed, by its own item tower.",
        "embed-items --job recall",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument(
        "--day", type=day, metavar="YYYY-MM-DD",
        help="whose validated tables list the items (default: the table as its source holds it now)",
    )  # fmt: skip
    add_json(parser)


def _embed(options: argparse.Namespace) -> int:
    from pipeline.release.build import generations
    from pipeline.stages.embed_items import embed_items

    context = JobContext.open(options.job)
    context.guard_begun("embed items beside")
    try:
        if generations(context).current() is None:
            raise DaySkipped(f"job '{context.job}' serves nothing yet; there is nothing to embed items beside")
        found = embed_items(context, options.day)
    finally:
        context.close()
    if options.json:
        print_json(asdict(found))
        return 0
    told = f"{len(found.new)} are new, {len(found.changed)} changed and {len(found.gone)} are gone"
    print(f"release {found.release_id}: of {found.listed} items {told}; looked at {found.at}")
    return 0
