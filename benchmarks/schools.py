"""Experiments on generated schools whose law is known: trained day by day, and compared over the days of all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from examples.school.generate import write_ads, write_homework
from examples.school.options import Options
from examples.tally import Tally
from examples.targets import SqlTarget, parse_target
from models.schema import Side
from pipeline.config.features import FeatureSettings
from pipeline.config.job import JobConfig
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


def run_school(
    options: Options, config: JobConfig, folder: Path, *, state_from: Day | None = None, first: Day | None = None
) -> JobContext:
    """Generate a school and train every experiment on each of its days, each tested on the next day first.

    Args:
        state_from: the first day that the feature state is made of; none: the first that is trained.
        first: the first day that is trained; none: the school's.
    """
    context = JobContext(config.model_copy(update={"state_from": state_from}), folder / "root")
    os.environ[context.source_variable] = _written(options, config.job, folder)
    try:
        for day in (first or options.first).through(options.last):
            for name in SHARED:
                stage(name).run(context, day)
            if context.skipped(day) is None:
                for name in config.experiments:
                    train_day(context, day, name)
    finally:
        context.close()
    return context


def reading_only(config: JobConfig) -> JobConfig:
    """The job without the counters and histories that none of its experiments reads: they take most of a day."""
    read = {name for experiment in config.experiments for name in config.inputs(experiment)}
    read |= {stand_in for name in read if (stand_in := config.features[name].stand_in) is not None}

    def needed(name: str, feature: FeatureSettings) -> bool:
        idle = feature.side is Side.PAIR or feature.kind.is_history or feature.counter is not None
        return name in read or not idle

    features = {name: feature for name, feature in config.features.items() if needed(name, feature)}
    return config.model_copy(update={"features": features})


def _written(options: Options, job: str, folder: Path) -> str:
    """The URL of the tables that a job reads."""
    if job == "ads":
        url = f"parquet:{folder / 'ads'}"
        ads = parse_target(url)
        assert not isinstance(ads, SqlTarget)
        write_ads(options, ads, Tally())
        return url
    url = f"sqlite:///{folder / 'school.db'}"
    target = parse_target(url, sorted((PROJECT / "sql" / "schema").glob("*.sql")))
    assert isinstance(target, SqlTarget)
    with target:
        write_homework(options, target, Tally())
    return url


def train_day(context: JobContext, day: Day, name: str) -> None:
    """Test the newest checkpoint on the day, then train on it."""
    features = context.store.current(Ref(FEATURES, context.job, day))
    assert features is not None
    chain = Chain.of(context, name)
    chain.begin(day)
    parent = chain.parent(day)
    if parent is not None:
        next_day.run_test(context, day, name, features, parent)
    train.train(context, day, name, features, parent)


def against(
    schools: Sequence[JobContext], first: str, other: str, measure: str, *, group: str | None = None,
    since: Day | None = None,
) -> Standing:  # fmt: skip
    """``other`` against ``first`` over the days of all schools: a school's day is a day like any other."""
    asked = Asked((first, other), measure, group)
    found = [compare(school, asked, Readable(), first=since) for school in schools]
    (standing,) = replace(found[0], days=[day for each in found for day in each.days]).over_days()
    return standing


def told(standing: Standing, measure: str) -> str:
    if standing.difference is None:
        return "no day to compare"
    return (
        f"{measure} {standing.first:.3f} -> {standing.value:.3f}, {standing.difference:+.4f} "
        f"[{standing.low:+.4f}, {standing.high:+.4f}] over {standing.days} days: {standing.verdict}"
    )
