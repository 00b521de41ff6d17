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
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.schools import FIRST, PROJECT, against, reading_only, run_school, told
from examples.school.options import USUAL, Options
from pipeline.config.job import JobConfig
from pipeline.config.load import load_job

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
    return reading_only(config.model_copy(update={"experiments": experiments, "release": release}))


def _counts(source: object) -> bool:
    return isinstance(source, str) and (source == "history.style_counts" or source.startswith("style_counts."))


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
        ("planted", USUAL),
        ("not planted", USUAL - {"repetition"}),
    ):
        with ExitStack() as folders:
            schools = []
            for seed in given.seeds:
                made = school(seed, effects)
                folder = Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="policies-")))
                schools.append(run_school(made, config, folder, state_from=made.last_year[0]))
            print(f"repetition {title}")
            for what, first, other, group in (
                ("last year's history, new_owner", NO_LAST_YEAR, PLAIN, "new_owner"),
                ("last year's history, new_user", NO_LAST_YEAR, PLAIN, "new_user"),
                ("last year's same-day rows, everyone", PLAIN, REPLAY, None),
                ("another seed", PLAIN, AGAIN, None),
            ):
                print(f"  {what}: {told(against(schools, first, other, MEASURE, group=group), MEASURE)}", flush=True)


if __name__ == "__main__":
    main()
