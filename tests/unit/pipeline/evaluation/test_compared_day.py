"""A day's differences by hand, and what of a day says nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UsageError
from pipeline.evaluation.compared_day import Asked, committed_tests, compare_day, days_tested, made_of
from pipeline.evaluation.records import ComparedDay
from tests.unit.pipeline.evaluation.tested import Days
from tests.unit.pipeline.judged import BETTER, USERS, impressions
from tests.unit.pipeline.release.days import FIRST, commit, context

ROWS, GOOD, BAD = impressions()


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(context(tmp_path), monkeypatch)


def compared(days: Days, asked: Asked) -> ComparedDay:
    return compare_day(days.here, FIRST, committed_tests(days.here, FIRST, asked), asked)


@pytest.mark.parametrize("measure", ["auc", "gauc", "log_loss", "calibration"])
def test_a_difference_known_by_hand_whichever_way_the_measure_is_better(days: Days, measure: str) -> None:
    days.put(FIRST, ROWS, {"a": BAD, "b": GOOD})
    for names, sign in ((("a", "b"), 1), (("b", "a"), -1)):
        found = compared(days, Asked(names, measure))
        each = found.differences[names[1]]
        assert [each.difference, each.low, each.high] == pytest.approx([sign * BETTER["impressions"][measure]] * 3)
        # Every user's rows are alike, so that no draw of users changes anything.
        assert each.spread == pytest.approx(0, abs=1e-9)
        assert found.left_out == {}
    assert compared(days, Asked(("a", "b"), "auc")).values == pytest.approx({"a": 0.5, "b": 1.0})


def test_several_experiments_are_each_compared_with_the_first(days: Days) -> None:
    days.put(FIRST, ROWS, {"a": BAD, "b": GOOD, "c": BAD})
    found = compared(days, Asked(("c", "a", "b"), "auc"))
    assert list(found.differences) == ["a", "b"]
    assert found.differences["a"].difference == 0
    assert found.differences["b"].difference == pytest.approx(0.5)


def test_a_group_is_its_own_requests_alone(days: Days) -> None:
    # The first ten users are scored well by `b`, the others by `a`: 40 rows each.
    half = 2 * USERS
    days.put(FIRST, ROWS, {"a": [*BAD[:half], *GOOD[half:]], "b": [*GOOD[:half], *BAD[half:]]})
    early = np.arange(ROWS.requests) < half
    days.groups = {"early": early, "late": ~early}
    for group, sign in (("early", 1), ("late", -1)):
        found = compared(days, Asked(("a", "b"), "auc", group))
        assert found.differences["b"].difference == pytest.approx(sign * 0.5)
    assert compared(days, Asked(("a", "b"), "auc")).differences["b"].difference == pytest.approx(0, abs=1e-9)
    with pytest.raises(UsageError, match=r"--group new: job 'tiny' has no such group of requests; it has early, late"):
        compared(days, Asked(("a", "b"), "auc", "new"))
    days.groups = {}
    with pytest.raises(UsageError, match=r"it has none"):
        compared(days, Asked(("a", "b"), "auc", "new"))


def test_who_was_not_tested_is_left_out(days: Days) -> None:
    days.put(FIRST, ROWS, {"a": BAD})
    assert compared(days, Asked(("a", "b"), "auc")).left_out == {"b": "'b' was not tested"}
    found = compared(days, Asked(("b", "a"), "auc"))
    assert (found.left_out, found.differences, found.values) == ({"a": "'b' was not tested"}, {}, {})


def test_a_test_on_other_rows_is_left_out(days: Days) -> None:
    days.put(FIRST, ROWS, {"a": BAD, "b": GOOD})
    anew = commit(days.here, "features", FIRST, digest="other rows")
    asked = Asked(("a", "b"), "auc")
    assert compared(days, asked).left_out == {
        "b": "its features were made anew since it was tested; test it again (`backfill`)"
    }
    days.test(anew, "a", BAD)
    assert compared(days, asked).left_out == {"b": "'b' was tested on other rows of the day than 'a'"}
    days.test(anew, "b", GOOD)
    assert compared(days, asked).differences["b"].difference == pytest.approx(0.5)
    days.here.store.prune(anew)
    assert compared(days, asked).left_out == {"b": "its features are pruned"}


def test_a_measure_that_the_day_does_not_allow_is_left_out(days: Days) -> None:
    days.put(FIRST, replace(ROWS, label=np.zeros_like(ROWS.label)), {"a": BAD, "b": GOOD})
    found = compared(days, Asked(("a", "b"), "auc"))
    assert found.left_out == {"b": "auc is not defined on its rows (fewer than two users, or one class only)"}


def test_pruned_scores_are_left_out(days: Days) -> None:
    days.put(FIRST, ROWS, {"a": BAD, "b": GOOD})
    for name in ("b", "a"):
        asked = Asked(("a", "b"), "auc")
        days.here.store.prune(committed_tests(days.here, FIRST, asked)[name])
        assert compared(days, asked).left_out["b"] == f"the scores of '{name}' are pruned"


def test_what_a_day_was_made_of_changes_with_its_tests_and_with_what_is_asked(days: Days) -> None:
    features = days.put(FIRST, ROWS, {"a": BAD, "b": GOOD})
    asked = Asked(("a", "b"), "auc")
    before = made_of(days.here, committed_tests(days.here, FIRST, asked), asked)
    assert compared(days, asked).made_of == before
    others = [Asked(("b", "a"), "auc"), Asked(("a", "b"), "gauc"), Asked(("a", "b"), "auc", "new")]
    found = {made_of(days.here, committed_tests(days.here, FIRST, each), each) for each in others}
    days.test(features, "b", BAD)
    found.add(made_of(days.here, committed_tests(days.here, FIRST, asked), asked))
    assert len(found | {before}) == 5


def test_days_of_a_range_on_which_any_was_tested(days: Days) -> None:
    for place, name in enumerate(("a", "b", "a")):
        days.put(FIRST.plus(place), ROWS, {name: BAD})
    assert days_tested(days.here, ("a", "b"), None, None) == list(FIRST.through(FIRST.plus(2)))
    assert days_tested(days.here, ("a",), FIRST.next(), None) == [FIRST.plus(2)]
    assert days_tested(days.here, ("a", "b"), None, FIRST.next()) == [FIRST, FIRST.next()]
