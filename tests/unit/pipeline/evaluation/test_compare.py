"""Ranges of days: a planted winner is found, two seeds of one experiment are not told apart, few days say little."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.evaluation.bootstrap import percentiles
from pipeline.evaluation.compare import Comparison, Standing, compare, corrected, mean_of_days
from pipeline.evaluation.compared_day import Asked
from pipeline.evaluation.records import Difference
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.readable import Readable
from pipeline.training.logits import LOGITS
from tests.unit.pipeline.evaluation.tested import Days
from tests.unit.pipeline.judged import USERS, day, impressions
from tests.unit.pipeline.release.days import FIRST, commit, context

ROWS, GOOD, BAD = impressions()
ASKED = Asked(("a", "b"), "auc")


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(context(tmp_path), monkeypatch)


def compared(days: Days, asked: Asked = ASKED, **more: Day) -> Comparison:
    return compare(days.here, asked, Readable(), **more)


def simulate(days: Days, seed: int, *, noise: dict[str, float], length: int = 6) -> None:
    """Days of 60 users with five rows each, scored by the law that clicks follow and noise of the model's own.

    Half of a model's noise is its luck with each user, the same on all days, and half comes anew with each day.
    """
    rng = np.random.default_rng(seed)
    users = np.repeat(np.arange(60), 5)
    taste = rng.normal(size=60)
    luck = {name: rng.normal(size=60) * size for name, size in noise.items()}
    for place in range(length):
        truth = taste[users] + rng.normal(size=len(users))
        clicked = (rng.random(len(users)) < 1 / (1 + np.exp(-truth))).astype(int)
        scores = {name: truth + luck[name][users] + rng.normal(size=len(users)) * size for name, size in noise.items()}
        days.put(FIRST.plus(place), day(list(range(len(users) + 1)), clicked.tolist(), users.tolist()), scores)


def test_two_seeds_of_one_experiment_are_told_apart_in_one_of_twenty_tries_at_most(days: Days) -> None:
    said = []
    for seed in range(20):
        simulate(days, seed, noise={"a": 0.4, "b": 0.4})
        (standing,) = compared(days).over_days()
        assert standing.days == 6
        said.append(standing.verdict)
    assert said.count("cannot tell") >= 19


@pytest.mark.parametrize(("measure", "group"), [("auc", None), ("gauc", None), ("log_loss", None), ("auc", "even")])
def test_a_planted_winner_is_found_by_every_measure_and_in_a_group(days: Days, measure: str, group: str | None) -> None:
    simulate(days, 1, noise={"a": 2.0, "b": 0.2, "c": 2.0})
    days.groups = {"even": np.arange(300) % 2 == 0}
    worse, seed = compared(days, Asked(("b", "a", "c"), measure, group)).over_days()
    assert (worse.verdict, seed.verdict) == ("worse", "worse")
    better, seed = compared(days, Asked(("a", "b", "c"), measure, group)).over_days()
    assert (better.experiment, better.verdict) == ("b", "better")
    assert (seed.experiment, seed.verdict) == ("c", "cannot tell")
    assert better.difference == pytest.approx(-(worse.difference or 0))


def test_a_standing_is_the_mean_of_the_days_on_which_both_were_tested(days: Days) -> None:
    half = 2 * USERS
    days.put(FIRST, ROWS, {"a": BAD, "b": GOOD})
    days.put(FIRST.plus(1), ROWS, {"a": GOOD})
    days.put(FIRST.plus(2), ROWS, {"a": GOOD, "b": [*GOOD[:half], *BAD[half:]]})
    found = compared(days)
    (standing,) = found.over_days()
    on_the_last = found.days[2].values["b"] - 1
    assert standing.days == 2
    assert standing.first == pytest.approx((0.5 + 1) / 2)
    assert standing.difference == pytest.approx((0.5 + on_the_last) / 2)
    assert found.left_out() == [f"'b' was not tested ({FIRST.plus(1)})"]
    assert [(when, each.verdict) for when, each in found.by_day()] == [
        (FIRST, "better"), (FIRST.plus(2), "worse"),
    ]  # fmt: skip
    (first_day,) = compared(days, last=FIRST).over_days()
    assert (first_day.days, first_day.verdict) == (1, "better")
    assert compared(days, first=FIRST.plus(1), last=FIRST.plus(1)).over_days() == [Standing("b", 0)]


def differences(*values: float, spread: float = 0.0) -> list[Difference]:
    return [Difference(difference=value, low=value, high=value, spread=spread) for value in values]


def test_draws_of_few_days_spread_as_students_t_does() -> None:
    # By hand: the days' mean is 2, its standard error 1 / sqrt(3); Student's 97.5 % of two degrees is 4.303.
    drawn = mean_of_days(differences(1, 2, 3), resamples=200_000, seed=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert np.median(drawn) == pytest.approx(2, abs=0.02)
    # Three days have ten different draws, so that the tails are a little longer than those of a normal's t.
    assert (high - 2, 2 - low) == (
        pytest.approx(4.303 / np.sqrt(3), rel=0.2),
        pytest.approx(4.303 / np.sqrt(3), rel=0.2),
    )


def test_the_users_of_a_day_are_drawn_too() -> None:
    assert mean_of_days(differences(1, 1, 1, 1), resamples=500, seed=1) == pytest.approx(1)
    drawn = mean_of_days(differences(1, 1, 1, 1, spread=0.5), resamples=100_000, seed=1)
    # Of four days alike, the mean of four independent errors.
    assert drawn.std() == pytest.approx(0.5 / 2, rel=0.02)
    alone = mean_of_days(differences(1, spread=0.5), resamples=100_000, seed=1)
    assert alone.std() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize(("measure", "most"), [("auc", 1.0), ("log_loss", np.inf)])
def test_no_interval_holds_a_difference_that_cannot_be(days: Days, measure: str, most: float) -> None:
    """Of two days that contradict each other, whose draws of Student's t go far beyond."""
    days.put(FIRST, ROWS, {"a": BAD, "b": GOOD})
    days.put(FIRST.plus(1), ROWS, {"a": GOOD, "b": BAD})
    found = compared(days, Asked(("a", "b"), measure))
    (standing,) = found.over_days()
    assert found.most == most
    assert standing.low is not None
    assert standing.high is not None
    free = corrected(
        percentiles(
            mean_of_days([each.differences["b"] for each in found.days], resamples=4000, seed=found.seed), 0.95
        ) or (0.0, 0.0), standing.difference or 0.0, 0.95, 1,
    )  # fmt: skip
    assert free[0] < -1 < 1 < free[1]
    assert (standing.low, standing.high) == (max(free[0], -most), min(free[1], most))


def test_bonferroni_widens_an_interval_about_its_difference() -> None:
    assert corrected((0.9, 1.2), 1.0, 0.95, 1) == pytest.approx((0.9, 1.2))
    # Of ten comparisons, the normal quantile of 1 - .05 / 20 is 2.807, of one 1.960.
    assert corrected((0.9, 1.2), 1.0, 0.95, 10) == pytest.approx(
        (1 - 0.1 * 2.807 / 1.96, 1 + 0.2 * 2.807 / 1.96), abs=1e-3
    )


def test_the_more_are_compared_the_wider_are_the_intervals(days: Days) -> None:
    simulate(days, 3, noise={"a": 1.0, "b": 0.6, "c": 0.6})
    alone, together = compared(days), compared(days, Asked(("a", "b", "c"), "auc"))
    wide, wider = alone.over_days()[0], together.over_days()[0]
    assert wide.low is not None
    assert wider.low is not None
    assert wider.low < wide.low
    assert wider.difference == wide.difference
    # By day, six of them are told together.
    (_, by_day), day = together.by_day()[0], together.days[0].differences["b"]
    within = corrected((day.low, day.high), day.difference, 0.95, 12)
    assert (by_day.low, by_day.high) == pytest.approx(within)


def test_days_compared_before_are_not_compared_again(days: Days) -> None:
    simulate(days, 4, noise={"a": 1.0, "b": 0.5}, length=3)
    known = compared(days).days
    worked: list[Day] = []
    features = days.here.store.current(Ref("features", days.here.job, FIRST.next()))
    assert features is not None
    days.test(features, "b", np.zeros(300))
    found = compare(days.here, ASKED, Readable(), known=known, tell=worked.append)
    assert worked == [FIRST.next()]
    assert [each.made_of == before.made_of for each, before in zip(found.days, known, strict=True)] == [
        True, False, True,
    ]  # fmt: skip


def test_a_day_that_said_nothing_is_looked_at_again_and_one_that_did_stands_when_its_rows_are_pruned(
    days: Days,
) -> None:
    simulate(days, 4, noise={"a": 1.0, "b": 0.5}, length=2)
    features = [days.here.store.current(Ref("features", days.here.job, FIRST.plus(place))) for place in (0, 1)]
    assert features[0] is not None
    assert features[1] is not None
    days.here.store.prune(features[0])
    known = compared(days).days
    assert [list(each.differences) for each in known] == [[], ["b"]]
    assert known[0].left_out == {"b": "its features are pruned"}
    days.here.store.prune(features[1])
    commit(days.here, "features", FIRST, digest=features[0].manifest.digest)  # made again, to the same bits
    found = compare(days.here, ASKED, Readable(), known=known).days
    assert [list(each.differences) for each in found] == [["b"], ["b"]]
    assert found[1] == known[1]


def test_what_cannot_be_compared_is_refused(days: Days) -> None:
    with pytest.raises(UsageError, match=r"takes two experiments at least; job 'tiny' has a, b"):
        compared(days, Asked(("a",), "auc"))
    with pytest.raises(UsageError, match=r"--measure hit_1: job 'tiny' can be compared by auc, gauc, log_loss"):
        compared(days, Asked(("a", "b"), "hit_1"))


def test_a_damaged_test_is_left_out_and_told(days: Days) -> None:
    simulate(days, 5, noise={"a": 1.0, "b": 0.5}, length=3)
    test = days.here.store.current(Ref("test", days.here.job, FIRST.next(), "b"))
    assert test is not None
    test.file(LOGITS).write_bytes(b"")
    readable = Readable()
    found = compare(days.here, ASKED, readable)
    assert [each.day for each in found.days] == [FIRST, FIRST.plus(2)]
    assert len(readable.damaged) == 1
