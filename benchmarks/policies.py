"""Do the policies for thin data work? Trained on generated schools whose law is known, at the production schema.

    python -m benchmarks.policies [--teachers 400] [--last-year-classes 6] [--days 10] [--seeds 1 2]

Every school has new teachers, gaps, dirty rows, last year's window and a day without data. On each, three variants of
one experiment of ``conf/homework.yaml`` are trained day by day over the same features: with last year's history and
without replay; without last year's history; with last year's same-day rows. A school has some hundred requests a day:
the variants take smaller batches and bigger steps than production, to learn from ten days what takes it months. They
do without the counters, most of which count last year's rows of the same counties too: beside them last year's history
has nothing to add on these schools (``--counters`` shows it). Printed is what ``compare`` says of hit@3 over the days
of all schools:

* last year's history, for requests of new classes and of new teachers, who have none of their own: should be better,
  the more so the less chapters have favourites of their own (the repetition is 60 % of all choices, and hides what a
  group prefers);
* last year's same-day rows, for all requests, where the school plants their repetition: should be better;
* the same where it does not: should not be;
* the first variant again, of another seed: cannot be told from it.

The rows are made up: the figures say that a policy can be seen to work, not how much it is worth on real data.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from examples.school.generate import write_homework
from examples.school.options import EFFECTS, Options
from examples.tally import Tally
from examples.targets import SqlTarget, parse_target
from pipeline.config.job import JobConfig
from pipeline.config.load import load_job
from pipeline.days import Day
from pipeline.evaluation import next_day
from pipeline.evaluation.compare import Standing, compare
from pipeline.evaluation.compared_day import Asked
from pipeline.job import JobContext
from pipeline.stages.stage import SHARED, stage
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import FEATURES
from pipeline.storage.artifacts.readable import Readable
from pipeline.training import train
from pipeline.training.chain import Chain

PROJECT = Path(__file__).resolve().parents[1]
FIRST = Day.of(2024, 2, 26)  # with it a 29 February is among the days
OUTAGE = FIRST.plus(5)
PLAIN, NO_LAST_YEAR, REPLAY, AGAIN = "plain", "no_last_year", "replay", "again"
MEASURE = "hit_3"
QUICK = {"batch": 8, "learning_rate": 1e-2}


def variants(conf: Path, experiment: str, *, counters: bool = False) -> JobConfig:
    """The production job with three variants of one of its experiments, and one of them again, instead of its own."""
    config = load_job("homework", conf)
    base = config.experiments[experiment].model_copy(update={**QUICK, "replay": "off"})
    if not counters:
        counting = (
            name for name, feature in config.features.items() if feature.counter is not None or _counts(feature.source)
        )
        base = base.model_copy(update={"without": (*base.without, *counting)})
    last_year = tuple(
        name
        for name, feature in config.features.items()
        if isinstance(feature.source, str) and feature.source.startswith("last_year.")
    )
    experiments = {
        PLAIN: base,
        NO_LAST_YEAR: base.model_copy(update={"without": (*base.without, *last_year)}),
        REPLAY: base.model_copy(update={"replay": "new"}),
        AGAIN: base,
    }
    release = config.release.model_copy(update={"champion": PLAIN})
    return config.model_copy(update={"experiments": experiments, "release": release})


def _counts(source: object) -> bool:
    return isinstance(source, str) and (source == "history.style_counts" or source.startswith("style_counts."))


def run_school(options: Options, config: JobConfig, folder: Path) -> JobContext:
    """Generate a school and train every variant on each of its days, each tested on the next day first."""
    database = f"sqlite:///{folder / 'school.db'}"
    target = parse_target(database, sorted((PROJECT / "sql" / "schema").glob("*.sql")))
    assert isinstance(target, SqlTarget)
    with target:
        write_homework(options, target, Tally())
    config = config.model_copy(update={"state_from": options.last_year[0]})
    context = JobContext(config, folder / "root")
    os.environ[context.source_variable] = database
    try:
        for day in options.this_year:
            for name in SHARED:
                stage(name).run(context, day)
            if context.skipped(day) is None:
                for name in config.experiments:
                    _experiment(context, day, name)
    finally:
        context.close()
    return context


def _experiment(context: JobContext, day: Day, name: str) -> None:
    """Test the newest checkpoint on the day, then train on it."""
    features = context.store.current(Ref(FEATURES, context.job, day))
    assert features is not None
    chain = Chain.of(context, name)
    chain.begin(day)
    parent = chain.parent(day)
    if parent is not None:
        next_day.run_test(context, day, name, features, parent)
    train.train(context, day, name, features, parent)


def against(schools: Sequence[JobContext], first: str, other: str, group: str | None = None) -> Standing:
    """``other`` against ``first`` over the days of all schools: a school's day is a day like any other."""
    asked = Asked((first, other), MEASURE, group)
    found = [compare(school, asked, Readable()) for school in schools]
    (standing,) = replace(found[0], days=[day for each in found for day in each.days]).over_days()
    return standing


def told(standing: Standing) -> str:
    if standing.difference is None:
        return "no day to compare"
    return (
        f"{MEASURE} {standing.first:.3f} -> {standing.value:.3f}, {standing.difference:+.4f} "
        f"[{standing.low:+.4f}, {standing.high:+.4f}] over {standing.days} days: {standing.verdict}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teachers", type=int, default=400)
    parser.add_argument("--last-year-classes", type=int, default=6)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--experiment", default="pooled", help="of conf/homework.yaml (default %(default)s)")
    parser.add_argument("--counters", action="store_true", help="let the variants read the counters as production does")
    given = parser.parse_args()
    config = variants(PROJECT / "conf", given.experiment, counters=given.counters)

    def school(seed: int, effects: frozenset[str]) -> Options:
        return Options(
            FIRST, days=given.days, teachers=given.teachers, last_year_classes=given.last_year_classes,
            effects=effects, outages=frozenset({OUTAGE}), seed=seed,
        )  # fmt: skip

    for title, effects in (
        ("planted", frozenset(EFFECTS)),
        ("not planted", frozenset(EFFECTS) - {"repetition"}),
    ):
        with ExitStack() as folders:
            schools = [
                run_school(
                    school(seed, effects), config,
                    Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="policies-"))),
                )
                for seed in given.seeds
            ]  # fmt: skip
            print(f"repetition {title}")
            for group in ("new_owner", "new_user"):
                print(f"  last year's history, {group}: {told(against(schools, NO_LAST_YEAR, PLAIN, group))}")
            print(f"  last year's same-day rows, everyone: {told(against(schools, PLAIN, REPLAY))}")
            print(f"  another seed: {told(against(schools, PLAIN, AGAIN))}", flush=True)


if __name__ == "__main__":
    main()
