"""``run`` and ``backfill``: the line of a day, a range of days."""

from __future__ import annotations

import argparse

from pipeline.cli.arguments import (
    Commands,
    accept_days,
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
from pipeline.cli.growth import tell_growth
from pipeline.errors import UsageError
from pipeline.job import JobContext
from pipeline.process.tensorflow_start import start_tensorflow
from pipeline.release.preflight import refuse_other_place, refuse_unfit_redis
from pipeline.stages.line import Line, guard_order


def register(commands: Commands) -> None:
    run = commands.add("run", _run, "Run the whole line of one day.", "run --job ads --day 2022-04-27")
    add_job(run)
    add_day(run)
    add_experiments(run)
    _add_again(run)
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
    _add_again(backfill)
    backfill.add_argument("--late-days", action="store_true", help="take in skipped days that have come since")
    backfill.add_argument("--dry-run", action="store_true", help="print per day and stage what would run and why")
    add_accept(backfill)


def _add_again(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reprocess", action="store_true", help="read the sources again, train again")
    parser.add_argument("--retrain", action="store_true", help="train again on the days as they were read")


def _experiments(context: JobContext, asked: list[str] | None) -> list[str]:
    return experiments(asked, list(context.config.experiments), context.job)


def _check_models(context: JobContext, names: list[str]) -> None:
    """Before anything is read: a wrong option would only show when the first day is trained."""
    start_tensorflow()
    from models.engine.engine import configure

    # Building a model starts TensorFlow's threads, whose number is then settled.
    configure(context.config.threads)
    check_models(context.config, names)


def _run(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    options.day.guard_begun(context.config.timezone)
    names = _experiments(context, options.experiment)
    changed = overrides(options)
    if options.dry_run:
        stuck = tell_growth(context, names)
        print_plan(
            context, options.day, options.day, names,
            publish="each", reprocess=options.reprocess, retrain=options.retrain, overrides=changed,
        )  # fmt: skip
        return 1 if stuck else 0
    refuse_unfit_redis(context)
    refuse_other_place(context)
    if context.skipped(options.day) is None or options.reprocess:
        _check_models(context, names)
        tell_growth(context, names)
    accept_days(context, options)
    guard_order(context, options.day, names)
    line = Line(context, names, publish="each", reprocess=options.reprocess, retrain=options.retrain, overrides=changed)
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
        stuck = tell_growth(context, names)
        print_plan(
            context, options.first, options.last, names,
            publish=options.publish, reprocess=options.reprocess, retrain=options.retrain, late_days=options.late_days,
        )  # fmt: skip
        return 1 if stuck else 0
    if options.publish != "none":
        refuse_unfit_redis(context)
        refuse_other_place(context)
    _check_models(context, names)
    tell_growth(context, names)
    accept_days(context, options)
    guard_order(context, options.first, names)
    line = Line(
        context, names, publish=options.publish, reprocess=options.reprocess, retrain=options.retrain,
        late_days=options.late_days,
    )  # fmt: skip
    return 0 if line.run(options.first, options.last) else 1
