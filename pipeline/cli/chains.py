"""``compare-chains``: exit 0 only if two chains are the same, bit for bit."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from pipeline.cli.arguments import Commands, add_experiments, add_job, add_json


def register(commands: Commands) -> None:
    parser = commands.add(
        "compare-chains", _compare, "Compare every trained day's tensors, slots, id maps and feature state.",
        "compare-chains .dayspring/a .dayspring/b --job ads",
    )  # fmt: skip
    parser.add_argument("root_a", type=Path, metavar="ROOT_A")
    parser.add_argument("root_b", type=Path, metavar="ROOT_B")
    add_job(parser)
    add_experiments(parser)
    add_json(parser)


def _compare(options: argparse.Namespace) -> int:
    from pipeline.training.compare_chains import compare

    found = compare(options.root_a, options.root_b, options.job, options.experiment)
    if options.json:
        print(json.dumps(asdict(found)))
    elif found.difference is None:
        state = " and feature state too" if found.state else " too; the feature state is kept in two forms"
        print(
            f"equal: {found.days} trained days of {found.experiments} experiments, {found.tensors} tensors "
            f"bit for bit, id maps{state}"
        )
    else:
        print(f"different: {found.difference}")
    return 0 if found.difference is None else 1
