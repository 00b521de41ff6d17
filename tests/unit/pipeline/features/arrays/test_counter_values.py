"""Places of candidates in their lists."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.config.features import Counter
from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.arrays.counter_values import NEVER, counter_value, of_lists
from pipeline.features.state.counters import Cells, CounterTable
from tests.unit.pipeline.features.counted import MONDAY, OVERALL, TODAY, counted


@pytest.fixture
def table() -> CounterTable:
    return counted()


def value(table: CounterTable, **settings: Any) -> list[float]:
    counter = Counter(key=("package",), **settings)
    return counter_value(counter, table.lookup(np.array([5, 6, 7])), OVERALL, TODAY).tolist()


def test_counts(table: CounterTable) -> None:
    assert value(table, measure="count") == [4, 1, 0]
    assert value(table, measure="count", positives=True) == [2, 1, 0]
    logs = [math.log(5) / 2, math.log(2) / 2, 0]
    assert value(table, measure="count", transform="log", scale=2) == pytest.approx(logs)


def test_a_count_halves_in_its_half_life(table: CounterTable) -> None:
    # A week-old event weighs one half, yesterday's 0.5^(1/7).
    assert value(table, measure="count", half_life=7) == pytest.approx([1.5 + 0.5 ** (1 / 7), 0.5, 0])
    assert value(table, measure="count", half_life=2, positives=True) == pytest.approx([2 * 0.5**3.5, 0.5**3.5, 0])


def test_rates_are_smoothed_towards_the_overall_rate(table: CounterTable) -> None:
    assert value(table, measure="rate", smoothing=6) == pytest.approx([(2 + 2.4) / 10, (1 + 2.4) / 7, 0.4])
    logit = math.log(0.4 / 0.6)
    assert value(table, measure="rate", smoothing=6, transform="logit")[2] == pytest.approx(logit)
    decayed = [(1 + 2.4) / (1.5 + 0.5 ** (1 / 7) + 6), (0.5 + 2.4) / 6.5, 0.4]
    assert value(table, measure="rate", smoothing=6, half_life=7) == pytest.approx(decayed)


def test_a_rate_of_nothing_is_one_half_and_logits_stay_finite() -> None:
    nothing = Cells.absent((), ())
    counter = Counter(key=("package",), measure="rate", transform="logit")
    assert counter_value(counter, Cells.absent((2,), ()), nothing, TODAY).tolist() == [0, 0]
    sure = Cells.absent((1,), ()).counted(np.array([10**9]), np.array([10**9]), MONDAY)
    everything = Cells.absent((), ()).counted(np.array(10**9), np.array(10**9), MONDAY)
    assert counter_value(counter, sure, everything, TODAY)[0] == pytest.approx(math.log((1 - 1e-6) / 1e-6))


def test_a_trend_is_of_two_half_lives(table: CounterTable) -> None:
    settings = {"measure": "trend", "half_life": 2, "against": 7}
    late = 0.5 ** (1 / 2) + 3 * 0.5**3.5
    expected = [math.log(late + 0.5) - math.log(1.5 + 0.5 ** (1 / 7) + 0.5), math.log((0.5**3.5 + 0.5) / 1), 0]
    assert value(table, **settings, smoothing=0.5) == pytest.approx(expected)
    positive = [math.log((2 * 0.5**3.5 + 0.5) / 1.5), math.log((0.5**3.5 + 0.5) / 1), 0]
    assert value(table, **settings, smoothing=0.5, positives=True) == pytest.approx(positive)


def of_values(**settings: Any) -> list[float]:
    """Of keys 5, 6 and 7: 5 has 1.5 and -0.5 of a week ago and 4 of yesterday, 6 has 2, 7 nothing; NaN is no event."""
    codes = (np.array([5, 5, 6, 7]),)
    seven = np.array([1.5, -0.5, 2.0, np.nan], np.float32)
    empty = CounterTable.empty(1, (7.0,), sums=True)
    table = empty.apply(codes, np.int8([0] * 4), MONDAY, seven)
    table = table.apply((np.array([5]),), np.int8([0]), MONDAY.plus(6), np.float32([4.0]))
    overall = Cells.absent((), (7.0,), sums=True).counted(np.array(3), np.array(3.0), MONDAY)
    overall = overall.counted(np.array(1), np.array(4.0), MONDAY.plus(6))
    counter = Counter(key=("package",), value="seconds", **settings)
    return counter_value(counter, table.lookup(np.array([5, 6, 7])), overall, TODAY).tolist()


def test_a_mean_is_smoothed_towards_that_of_all() -> None:
    # All four events sum to 7: their mean is 1.75.
    assert of_values(measure="mean", smoothing=5) == pytest.approx([(5 + 8.75) / 8, (2 + 8.75) / 6, 1.75])
    centred = [(5 + 8.75) / 8 - 1.75, (2 + 8.75) / 6 - 1.75, 0]
    assert of_values(measure="mean", smoothing=5, centre=True) == pytest.approx(centred)
    late = 0.5 ** (1 / 7)
    mean = (1.5 + 4 * late) / (1.5 + late)
    halved = [(0.5 + 4 * late + 5 * mean) / (1 + late + 5), (1 + 5 * mean) / 5.5, mean]
    assert of_values(measure="mean", smoothing=5, half_life=7) == pytest.approx(halved)


def test_a_sum_and_its_logarithm_on_both_sides_of_zero() -> None:
    assert of_values(measure="sum") == [5, 2, 0]
    assert of_values(measure="sum", transform="log", scale=2) == pytest.approx([math.log(6) / 2, math.log(3) / 2, 0])
    table = CounterTable.empty(1, (), sums=True).apply((np.array([5]),), np.int8([0]), MONDAY, np.float32([-3]))
    counter = Counter(key=("x",), measure="sum", value="v", transform="log")
    overall = Cells.absent((), (), sums=True)
    assert counter_value(counter, table.lookup(np.array([5])), overall, TODAY) == pytest.approx([-math.log(4)])


def test_what_is_made_of_no_value_at_all_is_zero() -> None:
    nothing = Cells.absent((), (), sums=True)
    for measure in ("mean", "share", "sum"):
        counter = Counter(key=("x",), measure=measure, value="v", centre=measure != "sum")
        assert counter_value(counter, Cells.absent((2,), (), sums=True), nothing, TODAY).tolist() == [0, 0]


def test_a_centred_rate_is_zero_where_nothing_is_known(table: CounterTable) -> None:
    logit = value(table, measure="rate", smoothing=6, transform="logit")
    centred = value(table, measure="rate", smoothing=6, transform="logit", centre=True)
    assert centred == pytest.approx([each - logit[2] for each in logit])


def test_days_since_and_seen(table: CounterTable) -> None:
    assert value(table, measure="days_since") == [1, 7, NEVER]
    assert value(table, measure="days_since", positives=True) == [7, 7, NEVER]
    assert value(table, measure="seen") == [1, 1, 0]
    assert value(table, measure="days_since", transform="log", scale=6)[1] == pytest.approx(math.log(8) / 6)


def test_long_ago_is_never() -> None:
    table = CounterTable.empty(1, ()).apply((np.array([5]),), np.int8([1]), Day.of(2000, 1, 1))
    days_since = Counter(key=("x",), measure="days_since")
    assert counter_value(days_since, table.lookup(np.array([5])), OVERALL, TODAY) == NEVER


def test_a_state_of_the_day_itself_is_refused(table: CounterTable) -> None:
    with pytest.raises(DataError, match="read for day 2024-03-03 holds events of 2024-03-03; read it as of 2024-03-02"):
        counter_value(Counter(key=("x",), measure="count"), table.lookup(np.array([5])), OVERALL, TODAY.previous())


def test_places_count_from_zero_in_each_list() -> None:
    found = of_lists(Counter(measure="rank"), np.array([0, 3, 3, 5]))
    assert found.tolist() == [0, 1, 2, 0, 1]
    assert found.dtype == np.float32


def test_how_many_are_listed_is_of_each_request() -> None:
    found = of_lists(Counter(measure="listed", transform="log"), np.array([0, 3, 3, 5]))
    assert found.tolist() == pytest.approx([math.log(4), 0, math.log(3)])


def test_places_are_brought_to_scale_as_the_settings_say() -> None:
    found = of_lists(Counter(measure="rank", transform="log", scale=2.0), np.array([0, 2]))
    assert found.tolist() == pytest.approx([0.0, np.log(2) / 2])
