"""`compare` finds what is planted in schools whose law is known: what last year's history and rows are for."""

from __future__ import annotations

from pathlib import Path

from benchmarks.policies import AGAIN, MEASURE, NO_LAST_YEAR, OUTAGE, PLAIN, REPLAY, variants
from benchmarks.schools import FIRST, PROJECT, against, run_school
from examples.school.options import USUAL, Options
from pipeline.job import JobContext


def _school(folder: Path, effects: frozenset[str], *names: str) -> JobContext:
    """The named variants, trained and tested on the days of a school."""
    school = Options(
        FIRST, days=10, teachers=400, last_year_classes=6, effects=effects, outages=frozenset({OUTAGE}), seed=1
    )
    config = variants(PROJECT / "conf", "pooled")
    experiments = {name: config.experiments[name].model_copy(update={"compile": "graph"}) for name in names}
    config = config.model_copy(update={"experiments": experiments})
    return run_school(school, config, folder, state_from=school.last_year[0])


def test_same_day_rows_help_where_they_are_repeated_and_another_seed_does_not(tmp_path: Path) -> None:
    school = _school(tmp_path, USUAL, PLAIN, REPLAY, AGAIN)
    assert against([school], PLAIN, REPLAY, MEASURE).verdict == "better"
    assert against([school], REPLAY, PLAIN, MEASURE).verdict == "worse"
    assert against([school], PLAIN, AGAIN, MEASURE).verdict == "cannot tell"


def test_last_years_history_helps_who_has_none_and_same_day_rows_do_not_where_nothing_is_repeated(
    tmp_path: Path,
) -> None:
    school = _school(tmp_path, USUAL - {"repetition"}, PLAIN, NO_LAST_YEAR, REPLAY)
    assert against([school], NO_LAST_YEAR, PLAIN, MEASURE).verdict == "better"
    for group in ("new_user", "new_owner"):  # some dozens of requests a day, too few for a verdict of their own
        assert (against([school], NO_LAST_YEAR, PLAIN, MEASURE, group=group).difference or 0) > 0.02
    assert against([school], PLAIN, REPLAY, MEASURE).verdict != "better"
