"""Wild values do not rule a column's statistics, and honest ones enter as they are, however heavy their tail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from models.layers.normalise import (
    COUNT,
    HIGHEST,
    LOWEST,
    MEAN,
    Normalise,
    bound,
    no_statistics,
)
from tests.unit.models.layers.past_days import add_statistics

Values = np.ndarray


def column(*values: float) -> Values:
    return np.array(values, np.float32)[:, None]


def uniform(draw: np.random.Generator, rows: int = 500) -> Values:
    return draw.uniform(1, 100, (rows, 1)).astype(np.float32)


def after(days: list[Values]) -> Values:
    statistics = no_statistics(1)
    for day in days:
        statistics = add_statistics(statistics, day)
    return statistics


def seen(statistics: Values, method: str) -> Values:
    """What a model sees of 1, 50 and 100."""
    layer = Normalise(1, method, name="n")
    layer.set_statistics(statistics)
    return np.asarray(layer(column(1, 50, 100)))[:, 0]


@pytest.mark.parametrize("method", ["zscore", "minmax"])
@pytest.mark.parametrize("first", [0, 3])
@pytest.mark.parametrize("wild", [[3.4028235e38], [1e9], [1e12], [-1e30], [1e9, -1e30, 3e38], [1e5], [-999999.0] * 20])
def test_wild_values_leave_the_others_apart(wild: list[float], first: int, method: str) -> None:
    draw = np.random.default_rng(0)
    days = [uniform(draw) for _ in range(6)]
    clean = seen(after(days), method)
    days[first][: len(wild), 0] = wild
    np.testing.assert_allclose(seen(after(days), method), clean, atol=0.03)
    assert bound(no_statistics(1), days[first]).wild.tolist() == [len(wild)]


def test_a_wild_value_enters_as_the_nearest_of_the_others() -> None:
    values = column(*range(1, 51), 1e9, -1e8)
    day = bound(no_statistics(1), values)
    assert (day.wild.tolist(), day.known.tolist(), day.furthest.tolist()) == ([2], [52], [1e9])
    assert day.values[-2:, 0].tolist() == [50.0, 1.0]
    # 1 … 50 add up to 1275, and 50 and 1 stand in.
    statistics = add_statistics(no_statistics(1), values)
    assert statistics[[COUNT, MEAN, LOWEST, HIGHEST], 0].tolist() == [52.0, 1326 / 52, 1.0, 50.0]
    assert values[-2, 0] == 1e9, "the day's own values are not changed"


def test_each_column_is_bounded_by_its_own_values() -> None:
    values = np.stack([np.arange(50), np.arange(50) * 1e6], axis=1).astype(np.float32)
    values[7, 0] = 4.9e7
    assert bound(no_statistics(2), values).wild.tolist() == [1, 0]


HONEST: dict[str, Callable[[np.random.Generator, int], Values]] = {
    "log-normal": lambda draw, rows: draw.lognormal(0, 3, rows),
    "Pareto": lambda draw, rows: draw.pareto(1.5, rows),
    "mostly zero": lambda draw, rows: (draw.random(rows) < 0.01) * draw.lognormal(2, 2, rows),
    "counts": lambda draw, rows: draw.poisson(0.05, rows),
    "six decades": lambda draw, rows: 10 ** draw.uniform(-3, 3, rows),
    "rare amounts": lambda draw, rows: (draw.random(rows) < 0.0005) * draw.lognormal(10, 1, rows),
    "two units": lambda draw, rows: draw.uniform(1, 9, rows) * np.where(draw.random(rows) < 0.2, 1000, 1),
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("rows", [5, 100, 20_000])
def test_honest_values_enter_bit_for_bit(name: str, rows: int) -> None:
    draw, statistics = np.random.default_rng(1), no_statistics(1)
    for _ in range(20):
        values = HONEST[name](draw, rows).astype(np.float32)[:, None]
        day = bound(statistics, values)
        assert day.values is values
        assert not day.wild.any()
        assert not day.anew.any()
        statistics = add_statistics(statistics, values)


def test_the_order_of_the_rows_says_nothing() -> None:
    draw = np.random.default_rng(2)
    values = uniform(draw)
    values[::100, 0] = 1e9
    order = draw.permutation(len(values))
    one, other = bound(no_statistics(1), values), bound(no_statistics(1), values[order])
    np.testing.assert_array_equal(one.values[order], other.values)


def test_a_day_of_few_values_is_judged_by_the_days_before() -> None:
    past = after([uniform(np.random.default_rng(3))])
    assert bound(past, column(3.4e38, np.nan)).wild.tolist() == [1]
    assert add_statistics(past, column(3.4e38))[HIGHEST, 0] == past[HIGHEST, 0]
    # Nothing is known of a first day's only value.
    assert bound(no_statistics(1), column(3.4e38)).wild.tolist() == [0]


def test_a_new_level_is_followed() -> None:
    draw = np.random.default_rng(4)
    past = after([uniform(draw)])
    day = bound(past, uniform(draw) * np.float32(1e5))
    assert not day.wild.any()


def test_among_equal_values_only_a_sure_one_is_wild() -> None:
    zeros = [0.0] * 200
    assert bound(no_statistics(1), column(*zeros, 5000.0)).wild.tolist() == [0]
    assert bound(no_statistics(1), column(*zeros, 1e9, 1e9)).wild.tolist() == [2]


@pytest.mark.parametrize("wild", [3.4e38, 1e9])
def test_statistics_that_a_wild_value_rules_begin_anew(wild: float) -> None:
    draw = np.random.default_rng(5)
    # As the version before wrote them: 4,000 values of 1 … 100 and a wild one.
    every = np.append(draw.uniform(1, 100, 4000), wild)
    poisoned = np.array([[len(every)], [every.mean()], [np.square(every - every.mean()).sum()], [1.0], [wild]])
    values = uniform(draw)
    day = bound(poisoned, values)
    assert day.anew.tolist() == [True]
    np.testing.assert_array_equal(add_statistics(poisoned, values), add_statistics(no_statistics(1), values))
    assert day.record() == {"wild": 0, "known": 500, "furthest": 0.0, "anew": True}
