"""``stage``: one stage of a day. Airflow starts a process for each, so what only some stages need is imported there."""

from __future__ import annotations

import argparse
import json
import sys

from pipeline.cli.arguments import (
    Commands,
    accept_days,
    add_accept,
    add_day,
    add_job,
    add_overrides,
    experiments,
    overrides,
)
from pipeline.errors import DaySkipped, UsageError
from pipeline.job import JobContext
from pipeline.stages.stage import CLOSING, EXPERIMENT, SHARED, STAGES, stage

RELEASE, REPORT = "release", "report"


def register(commands: Commands) -> None:
    parser = commands.add(
        "stage", _stage, "Run one stage of a day: what Airflow calls.",
        "stage experiment --job ads --day 2022-04-27 --experiment din",
    )  # fmt: skip
    parser.add_argument("name", choices=STAGES, metavar="NAME", help=f"one of {', '.join(STAGES)}")
    add_job(parser)
    add_day(parser)
    parser.add_argument(
        "--experiment", action="append", default=[], metavar="E",
        help=f"for the stage `{EXPERIMENT}`; for `{RELEASE}`: the experiments that this run trains (repeatable)",
    )  # fmt: skip
    parser.add_argument("--reprocess", action="store_true", help="do it again although it is done")
    parser.add_argument("--json", action="store_true", help=f"for the stage `{REPORT}`: print the day's measures")
    add_overrides(parser)
    add_accept(parser)


def _check_stage(context: JobContext, options: argparse.Namespace) -> None:
    """Each option belongs to some of the stages only; raises ``UsageError`` for one that would be without effect."""
    name = options.name
    if name == EXPERIMENT and len(options.experiment) != 1:
        raise UsageError(
            f"the stage `{EXPERIMENT}` needs one --experiment; one of {', '.join(context.config.experiments)}"
        )
    if name not in (EXPERIMENT, RELEASE) and options.experiment:
        raise UsageError(f"--experiment is for the stage `{EXPERIMENT}`; `{name}` runs for all of them")
    if options.reprocess and name in CLOSING:
        raise UsageError(f"--reprocess is for {', '.join((*SHARED, EXPERIMENT))}; `{name}` follows from them")
    if overrides(options) and name != EXPERIMENT:
        raise UsageError(f"--epochs and --learning-rate are for the stage `{EXPERIMENT}`; `{name}` does not train")
    if options.json and name != REPORT:
        raise UsageError(f"--json is for the stage `{REPORT}`; `{name}` has no measures to print")


def _refuse_other_champion(context: JobContext, options: argparse.Namespace) -> None:
    """Nothing is released where the run has left the champion out; raises ``DaySkipped``."""
    from pipeline.stages.line import missing_champion, nothing_released

    champion = missing_champion(context, options.day)
    if champion is not None and champion not in options.experiment:
        raise DaySkipped(nothing_released(options.day, champion))


def _stage(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    options.day.guard_begun(context.config.timezone)
    if options.experiment:
        options.experiment = experiments(options.experiment, list(context.config.experiments), context.job)
    _check_stage(context, options)
    accept_days(context, options)
    if options.name == RELEASE and options.experiment:
        _refuse_other_champion(context, options)
    if options.name == SHARED[0]:  # of a day's stages the first: Airflow trains after it
        from pipeline.release.preflight import refuse_unfit_redis

        refuse_unfit_redis(context)
    asked = stage(options.name)
    try:
        if options.name == EXPERIMENT:
            (experiment,) = options.experiment
            outcome = asked.run(
                context, options.day, experiment, reprocess=options.reprocess, overrides=overrides(options)
            )
            print(f"{experiment} {options.day}: {outcome.summary}", file=sys.stderr)
            return 0
        made = asked.run(context, options.day, **({"reprocess": True} if options.reprocess else {}))
        skipped = context.skipped(options.day)
        said = ["done" if skipped is None else f"skipped: {skipped}"]
        if options.name == "validate":
            from pipeline.stages.line import of_validation

            said += of_validation(context, made)
        print(f"{options.name} {options.day}: {', '.join(said)}", file=sys.stderr, flush=True)
        if options.json:
            from pipeline.cli.measures import rows_of
            from pipeline.storage.artifacts.readable import Readable

            # On one line, and last: what calls the stage takes it from there.
            print(json.dumps(rows_of(context, Readable(), options.day, everything=True)), flush=True)
        return 0
    finally:
        context.close()
