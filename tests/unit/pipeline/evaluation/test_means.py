"""Means of tested days, against those worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.evaluation import measures_by_day
from pipeline.evaluation.means import Means, means_of

MONDAY = Day.of(2024, 3, 4)


def a_day(day: int, experiment: str, values: dict[str, Any], alone: int = 0, **groups: dict[str, Any]) -> Any:
    counts = {"all_positive": alone}
    return measures_by_day.TestedDay(MONDAY.plus(day), experiment, MONDAY, 10, values, {}, counts, groups)


SEVERAL = {"covered": 12, "hit_1": 0.5, "all_positive": 2}
TESTS = [
    a_day(0, "din", {"covered": 40, "hit_1": 0.5, "log_loss": 2.0}, 10, several=SEVERAL),
    a_day(1, "din", {"covered": 10, "hit_1": 0.25, "log_loss": None}, 0),
    a_day(0, "pooled", {"covered": 0, "hit_1": None, "log_loss": None}),
]


def test_a_day_weighs_its_requests_that_can_be_judged() -> None:
    found = means_of(TESTS, ["hit_1", "log_loss"])
    assert found["din"] == Means(2, 40, 10, {"hit_1": (0.5 * 30 + 0.25 * 10) / 40, "log_loss": 2.0})
    assert found["pooled"] == Means(0, 0, 0, {})


def test_requests_of_nothing_but_positives_count_as_hits_where_it_is_asked() -> None:
    counted = means_of(TESTS, ["hit_1", "log_loss"])["din"].as_hits(["hit_1"])
    assert (counted.weight, counted.all_positive) == (50, 10)
    assert counted.values == {"hit_1": pytest.approx((15 + 2.5 + 10) / 50), "log_loss": 2.0}


def test_a_group_has_requests_of_its_own() -> None:
    found = means_of(TESTS, ["hit_1"], "several")
    assert found["din"] == Means(1, 10, 2, {"hit_1": 0.5})
    assert found["din"].as_hits(["hit_1"]).values["hit_1"] == pytest.approx(7 / 12)


def test_a_group_that_no_test_has_is_refused() -> None:
    with pytest.raises(UsageError, match="--group sevral: no test has it; there are several"):
        means_of(TESTS, ["hit_1"], "sevral")


def test_days_without_candidates_weigh_alike() -> None:
    days = [a_day(0, "din", {"auc": 0.5}), a_day(1, "din", {"auc": 0.75}), a_day(2, "din", {"auc": None})]
    assert means_of(days, ["auc"])["din"] == Means(3, 3, 0, {"auc": 0.625})
