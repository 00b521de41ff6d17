"""Do the policies for thin data work? Trained on generated schools whose law is known, at the production schema.

    python -m benchmarks.policies [--teachers 400] [--last-year-classes 6] [--days 10] [--seeds 1 2]

Every school has new teachers, gaps, dirty rows, last year's window and a day without data. On each, three variants of
one experiment of ``conf/homework.yaml`` are trained day by day over the same features: with last year's history and
without replay; without last year's history; with last year's same-day rows. A school has some hundred requests a day:
the variants take smaller batches and bigger steps than production, to learn from ten days what takes it months. They
do without the counters, most of which count last year's rows of the same counties too: beside them last year's history
has nothing to add on these schools (``--counters`` shows it). Printed are paired differences of hit@3 on the next
days, with intervals by bootstrap over teachers:

* last year's history, for requests of classes without a history of their own: should be above zero, the more so the
  less chapters have favourites of their own (the repetition is 60 % of all choices, and hides what a group prefers);
* last year's same-day rows, for all requests, where the school plants their repetition: should be above zero;
* the same where it does not: should not be.

The rows are made up: the figures say that a policy can be seen to work, not how much it is worth on real data.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from examples.school.generate import write_homework
from examples.school.options import EFFECTS, Options
from examples.tally import Tally
from examples.targets import SqlTarget, parse_target
from pipeline.config.job import JobConfig
from pipeline.config.load import load_job
from pipeline.days import Day
from pipeline.evaluation import logits, next_day
from pipeline.evaluation.homework import request_scores
from pipeline.features.arrays import files
from pipeline.job import JobContext
from pipeline.stages.stage import SHARED, stage
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import FEATURES
from pipeline.training import train
from pipeline.training.chain import Chain

PROJECT = Path(__file__).resolve().parents[1]
FIRST = Day.of(2024, 2, 26)  # with it a 29 February is among the days
OUTAGE = FIRST.plus(5)
PLAIN, NO_LAST_YEAR, REPLAY = "plain", "no_last_year", "replay"
RESAMPLES, CONFIDENCE = 2000, 0.95
QUICK = {"batch": 8, "learning_rate": 1e-2}


@dataclass(frozen=True)
class Hits:
    """Tested requests: hit@3 of each variant, and the teacher and whether there was a history, ``[requests]``."""

    hits: Mapping[str, NDArray[np.bool_]]
    teacher: NDArray[np.int64]
    no_history: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence[Hits]) -> Hits:
        """All requests together; teachers of different parts must have different numbers."""
        return cls(
            {name: np.concatenate([part.hits[name] for part in parts]) for name in parts[0].hits},
            np.concatenate([part.teacher for part in parts]),
            np.concatenate([part.no_history for part in parts]),
        )


@dataclass(frozen=True)
class Difference:
    """A paired difference of hit@3 with its interval."""

    requests: int
    new: float
    old: float
    low: float
    high: float

    def __str__(self) -> str:
        difference = self.new - self.old
        return (
            f"hit@3 {self.old:.3f} -> {self.new:.3f}, {difference:+.4f} [{self.low:+.4f}, {self.high:+.4f}] "
            f"over {self.requests} requests"
        )


def difference(found: Hits, new: str, old: str, chosen: NDArray[np.bool_], seed: int = 1) -> Difference:
    """hit@3 of ``new`` less that of ``old`` on the chosen requests; percentile interval over resampled teachers."""
    _, teacher = np.unique(found.teacher[chosen], return_inverse=True)
    gain = found.hits[new][chosen].astype(float) - found.hits[old][chosen]
    teachers = int(teacher.max(initial=-1)) + 1
    if teachers < 2:
        raise ValueError(f"{teachers} teachers among the chosen requests; an interval needs more")
    total, count = np.bincount(teacher, weights=gain), np.bincount(teacher)
    draws = np.random.default_rng(seed).multinomial(teachers, np.full(teachers, 1 / teachers), size=RESAMPLES)
    low, high = np.quantile((draws @ total) / (draws @ count), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    means = [float(found.hits[name][chosen].mean()) for name in (new, old)]
    return Difference(int(chosen.sum()), means[0], means[1], float(low), float(high))


def variants(conf: Path, experiment: str, *, counters: bool = False) -> JobConfig:
    """The production job with three variants of one of its experiments instead of its own."""
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
    }
    release = config.release.model_copy(update={"champion": PLAIN})
    return config.model_copy(update={"experiments": experiments, "release": release})


def _counts(source: object) -> bool:
    return isinstance(source, str) and (source == "history.style_counts" or source.startswith("style_counts."))


def run_school(options: Options, config: JobConfig, folder: Path) -> Hits:
    """Generate a school, train every variant on each of its days, and collect the hits of every next-day test."""
    database = f"sqlite:///{folder / 'school.db'}"
    target = parse_target(database, sorted((PROJECT / "sql" / "schema").glob("*.sql")))
    assert isinstance(target, SqlTarget)
    with target:
        write_homework(options, target, Tally())
    config = config.model_copy(update={"state_from": options.last_year[0]})
    context = JobContext(config, folder / "root")
    os.environ[context.source_variable] = database
    found: list[Hits] = []
    try:
        for day in options.this_year:
            for name in SHARED:
                stage(name).run(context, day)
            if context.skipped(day) is None:
                tests = {name: _experiment(context, day, name) for name in config.experiments}
                if day != options.first:
                    found.append(_hits(context, day, {name: test for name, test in tests.items() if test is not None}))
    finally:
        context.close()
    return Hits.joined(found)


def _experiment(context: JobContext, day: Day, name: str) -> Artifact | None:
    """Test the newest checkpoint on the day, then train on it; the test."""
    features = context.store.current(Ref(FEATURES, context.job, day))
    assert features is not None
    chain = Chain.of(context, name)
    chain.begin(day)
    parent = chain.parent(day)
    test = next_day.run_test(context, day, name, features, parent) if parent is not None else None
    train.train(context, day, name, features, parent)
    return test


def _hits(context: JobContext, day: Day, tests: Mapping[str, Artifact]) -> Hits:
    features = context.store.current(Ref(FEATURES, context.job, day))
    assert features is not None
    rows, key_rank, groups = files.read(features), files.key_rank(features), files.groups(features)
    label = rows.label_of(rows.tasks[0])
    scores = {
        name: request_scores(rows, label, logits.read(test)[rows.tasks[0]], key_rank)
        for name, test in tests.items()
    }
    judged = scores[PLAIN].judged
    return Hits(
        {name: each.hits(3)[judged] for name, each in scores.items()},
        np.asarray(rows.user, np.int64)[judged],
        ~groups["known"][judged],
    )


def compare(options: Sequence[Options], config: JobConfig) -> Hits:
    """The hits of several schools together."""
    found = []
    for number, each in enumerate(options):
        with tempfile.TemporaryDirectory(prefix="policies-") as folder:
            hits = run_school(each, config, Path(folder))
        found.append(Hits(hits.hits, hits.teacher + (number << 32), hits.no_history))
    return Hits.joined(found)


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
        found = compare([school(seed, effects) for seed in given.seeds], config)
        print(f"repetition {title}")
        print(f"  last year's history, no own history: {difference(found, PLAIN, NO_LAST_YEAR, found.no_history)}")
        everyone = np.ones(len(found.teacher), bool)
        print(f"  last year's same-day rows, everyone: {difference(found, REPLAY, PLAIN, everyone)}", flush=True)


if __name__ == "__main__":
    main()
