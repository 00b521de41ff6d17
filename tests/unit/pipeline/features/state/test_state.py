from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.features import Counter
from pipeline.errors import ChainError, CorruptArtifact
from pipeline.features.arrays.counter_values import counter_value
from pipeline.features.frames import keyed
from pipeline.features.state.delta import Delta
from pipeline.features.state.state import FeatureState
from tests.unit.pipeline.features.state_jobs import FIRST_DAY, random_events, ranking

CONFIG = ranking()


def same(one: FeatureState, other: FeatureState) -> bool:
    first, second = one.arrays(), other.arrays()
    return list(first) == list(second) and all(
        first[name].dtype == second[name].dtype and first[name].tobytes() == second[name].tobytes() for name in first
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 4), min_size=2, max_size=10), st.sets(st.integers(0, 9)))
def test_every_way_to_a_day_ends_with_the_same_bits(seed: int, steps: list[int], stored: set[int]) -> None:
    rng = np.random.default_rng(seed)
    rolled = by_way_of_disk = FeatureState.empty(CONFIG)
    rows = keyed._LAYER_ROWS
    day = FIRST_DAY
    try:
        for number, step in enumerate(steps):
            day = day.plus(step)
            events = random_events(CONFIG, day, rng)
            keyed._LAYER_ROWS = rows
            rolled = rolled.apply(events)
            keyed._LAYER_ROWS = 3  # and layers folded at other times
            delta = Delta.from_arrays(day, Delta(events).arrays())
            by_way_of_disk = by_way_of_disk.after(delta)
            if number in stored:
                by_way_of_disk = FeatureState.from_arrays(CONFIG, day, by_way_of_disk.arrays())
            assert same(rolled, by_way_of_disk)
    finally:
        keyed._LAYER_ROWS = rows


def test_a_state_handed_out_never_changes() -> None:
    rng = np.random.default_rng(1)
    state = FeatureState.empty(CONFIG).apply(random_events(CONFIG, FIRST_DAY, rng))
    before = {name: array.copy() for name, array in state.arrays().items()}
    for step in range(1, 6):
        state.apply(random_events(CONFIG, FIRST_DAY.plus(step), rng)).apply(
            random_events(CONFIG, FIRST_DAY.plus(step + 1), rng)
        )
    assert all(np.array_equal(array, before[name], equal_nan=True) for name, array in state.arrays().items())


def test_the_counters_of_a_state_are_those_of_its_events() -> None:
    rng = np.random.default_rng(2)
    state, taken = FeatureState.empty(CONFIG), 0
    for step in range(4):
        events = random_events(CONFIG, FIRST_DAY.plus(step), rng)
        taken += int((events.keys["package"] == 5).sum())
        state = state.apply(events)
    cells = state.counters["package",].lookup(np.array([5]))
    today = FIRST_DAY.plus(4)
    assert counter_value(Counter(key=("package",), measure="count"), cells, state.overall, today) == [taken]
    assert int(state.overall.count) == 48
    assert state.overall.half_lives == (2.0, 14.0)


def test_a_value_is_summed_of_the_events_that_have_it() -> None:
    rng = np.random.default_rng(3)
    state, seen = FeatureState.empty(CONFIG), []
    for step in range(3):
        events = random_events(CONFIG, FIRST_DAY.plus(step), rng)
        state = state.apply(events)
        seen.append((events.keys["package"], events.values["effort"].astype(np.float64)))
    package, effort = (np.concatenate(each) for each in zip(*seen, strict=True))
    there = ~np.isnan(effort)
    cells = state.counters["package", "=effort>0"].lookup(np.array([5]))
    assert cells.count.tolist() == [int((there & (package == 5)).sum())]
    assert cells.positive.tolist() == [float((effort[package == 5] > 0).sum())]
    assert int(state.totals["effort"].count) == there.sum() < len(there)
    assert float(state.totals["effort"].positive) == pytest.approx(effort[there].sum(), rel=1e-12)
    without = FeatureState.empty(CONFIG).apply(replace(events, values={}))
    assert len(without.counters["package", "=effort>0"]) == 0, "a day that was stored without the value"
    assert len(without.counters["package",]) > 0


def test_days_go_forward_only() -> None:
    rng = np.random.default_rng(0)
    state = FeatureState.empty(CONFIG).apply(random_events(CONFIG, FIRST_DAY, rng))
    with pytest.raises(ChainError, match="the feature state is of 2024-02-20, so events of 2024-02-20 cannot"):
        state.apply(random_events(CONFIG, FIRST_DAY, rng))


def test_stored_arrays_that_do_not_fit_are_refused() -> None:
    arrays = FeatureState.empty(CONFIG).apply(random_events(CONFIG, FIRST_DAY, np.random.default_rng(0))).arrays()
    lacking = {name: array for name, array in arrays.items() if name != "latest/values"}
    with pytest.raises(CorruptArtifact, match="holds no 'latest/values'"):
        FeatureState.from_arrays(CONFIG, FIRST_DAY, lacking)
    with pytest.raises(CorruptArtifact, match=r"latest/values is float32 .* but the settings say float32"):
        FeatureState.from_arrays(CONFIG, FIRST_DAY, {**arrays, "latest/values": arrays["latest/values"][:-1]})
