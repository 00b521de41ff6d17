"""``run``, ``backfill`` and ``stage``: the line of a day, a range of days, one stage of a day."""

from __future__ import annotations

import argparse
import json
import sys

from pipeline.cli.arguments import (
    Commands,
    add_accept,
    add_day,
    add_experiments,
    add_job,
    add_overrides,
    day,
    experiments,
    overrides,
)
from pipeline.cli.checks import check_models
from pipeline.cli.dry_run import print_plan
from pipeline.cli.measures import rows_of
from pipeline.errors import DaySkipped, UsageError
from pipeline.job import JobContext
from pipeline.process.tensorflow_start import start_tensorflow
from pipeline.release.preflight import refuse_other_place, refuse_unfit_redis
from pipeline.stages.line import (
    Line,
    guard_order,
    missing_champion,
    nothing_released,
    of_validation,
)
from pipeline.stages.stage import CLOSING, EXPERIMENT, SHARED, STAGES, stage
from pipeline.storage.artifacts.readable import Readable


def register(commands: Commands) -> None:
    run = commands.add("run", _run, "Run the whole line of one day.", "run --job ads --day 2022-04-27")
    add_job(run)
    add_day(run)
    add_experiments(run)
    run.add_argument("--reprocess", action="store_true", help="read the sources again, train again")
    run.add_argument("--dry-run", action="store_true", help="print per stage what would run and why")
    add_overrides(run)
    add_accept(run)

    backfill = commands.add(
        "backfill", _backfill, "Run every day of a range in order, in one process; done days cost nothing.",
        "backfill --job homework --from 2011-01-01 --to 2011-08-31 --state-from 2009-12-01",
    )  # fmt: skip
    add_job(backfill)
    backfill.add_argument("--from", dest="first", type=day, required=True, metavar="YYYY-MM-DD")
    backfill.add_argument("--to", dest="last", type=day, required=True, metavar="YYYY-MM-DD")
    backfill.add_argument(
        "--state-from", type=day, metavar="YYYY-MM-DD",
        help="build id maps, feature state and candidates from this day on, without training",
    )  # fmt: skip
    add_experiments(backfill)
    backfill.add_argument("--publish", choices=("last", "each", "none"), default="last", help="default: last")
    backfill.add_argument("--reprocess", action="store_true", help="read the sources again, train again")
    backfill.add_argument("--late-days", action="store_true", help="take in skipped days that have come since")
    backfill.add_argument("--dry-run", action="store_true", help="print per day and stage what would run and why")
    add_accept(backfill)

    stage = commands.add(
        "stage", _stage, "Run one stage of a day: what Airflow calls.",
        "stage experiment --job ads --day 2022-04-27 --experiment din",
    )  # fmt: skip
    stage.add_argument("name", choices=STAGES, metavar="NAME", help=f"one of {', '.join(STAGES)}")
    add_job(stage)
    add_day(stage)
    stage.add_argument(
        "--experiment", action="append", default=[], metavar="E",
        help=f"for the stage `{EXPERIMENT}`; for `{RELEASE}`: the experiments that this run trains (repeatable)",
    )  # fmt: skip
    stage.add_argument("--reprocess", action="store_true", help="do it again although it is done")
    stage.add_argument("--json", action="store_true", help=f"for the stage `{REPORT}`: print the day's measures")
    add_overrides(stage)
    add_accept(stage)


RELEASE, REPORT = "release", "report"


def _experiments(context: JobContext, asked: list[str] | None) -> list[str]:
    return experiments(asked, list(context.config.experiments), context.job)


def _check_models(context: JobContext) -> None:
    """Before anything is read: a wrong option would only show when the first day is trained."""
    start_tensorflow()
    from models.engine.engine import configure

    # Building a model starts TensorFlow's threads, whose number is then settled.
    configure(context.config.threads)
    check_models(context.config)


def _accept(context: JobContext, options: argparse.Namespace) -> None:
    if not options.accept_day:
        if options.reason:
            raise UsageError("--reason goes with --accept-day: name the day that it is the reason for")
        return
    if not options.reason:
        raise UsageError("--accept-day needs --reason: why the day is good enough is recorded with it")
    from pipeline.ingest.validate import accept_day

    for accepted in options.accept_day:
        accept_day(context, accepted, options.reason)


def _run(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    options.day.guard_begun(context.config.timezone)
    names = _experiments(context, options.experiment)
    changed = overrides(options)
    if options.dry_run:
        print_plan(
            context, options.day, options.day, names, publish="each", reprocess=options.reprocess, overrides=changed
        )
        return 0
    refuse_unfit_redis(context)
    refuse_other_place(context)
    if context.skipped(options.day) is None or options.reprocess:
        _check_models(context)
    _accept(context, options)
    guard_order(context, options.day, names)
    line = Line(context, names, publish="each", reprocess=options.reprocess, overrides=changed)
    if not line.run(options.day, options.day):
        return 1
    return 99 if context.skipped(options.day) is not None else 0


def _backfill(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job, state_from=options.state_from)
    if options.last < options.first:
        raise UsageError(f"--from {options.first} is after --to {options.last}")
    if options.state_from is not None and options.state_from > options.first:
        raise UsageError(f"--state-from {options.state_from} is after --from {options.first}; give that day or earlier")
    options.last.guard_begun(context.config.timezone)
    names = _experiments(context, options.experiment)
    if options.dry_run:
        print_plan(
            context, options.first, options.last, names,
            publish=options.publish, reprocess=options.reprocess, late_days=options.late_days,
        )  # fmt: skip
        return 0
    if options.publish != "none":
        refuse_unfit_redis(context)
        refuse_other_place(context)
    _check_models(context)
    _accept(context, options)
    guard_order(context, options.first, names)
    line = Line(
        context, names, publish=options.publish, reprocess=options.reprocess, late_days=options.late_days
    )  # fmt: skip
    return 0 if line.run(options.first, options.last) else 1


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


def _stage(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    options.day.guard_begun(context.config.timezone)
    options.experiment = _experiments(context, options.experiment) if options.experiment else []
    _check_stage(context, options)
    _accept(context, options)
    champion = missing_champion(context, options.day) if options.name == RELEASE and options.experiment else None
    if champion is not None and champion not in options.experiment:
        raise DaySkipped(nothing_released(options.day, champion))
    if options.name == SHARED[0]:  # of a day's stages the first: Airflow trains after it
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
            said += of_validation(context, made)
        print(f"{options.name} {options.day}: {', '.join(said)}", file=sys.stderr, flush=True)
        if options.json:
            # On one line, and last: what calls the stage takes it from there.
            print(json.dumps(rows_of(context, Readable(), options.day, everything=True)), flush=True)
        return 0
    finally:
        context.close()
