"""What is kept of bags: by context and value, and of each owner."""

from __future__ import annotations

import numpy as np

from pipeline.config.bags import BagCounter
from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import MISSING
from pipeline.features.state.bags import EVENT, BagRule, BagTables, bag_rules, joined, parted
from pipeline.features.state.state import FeatureState
from tests.unit.pipeline.features.state_jobs import FIRST_DAY, random_events, ranking

DAY = Day.of(2024, 3, 1)


def test_what_counters_ask_for_is_kept_once() -> None:
    counters = [
        BagCounter(bag="b", context="c", half_life=30), BagCounter(bag="b", context="c", owner="u", keep=5),
        BagCounter(bag="b", context="c", owner="u", keep=9, half_life=14), BagCounter(bag="b", context="d", owner="v"),
    ]  # fmt: skip
    assert bag_rules(counters) == {
        ("c", "b"): BagRule((14.0, 30.0), {"u": 9}), ("d", "b"): BagRule((30.0,), {"v": 4096}),
    }  # fmt: skip


def test_positive_events_of_a_known_context_count() -> None:
    owner, context = np.array([1, 1, MISSING, 1]), np.array([10, MISSING, 10, 10])
    bags = Lists.of([[5, 6], [5], [6], [7]], np.int64)
    tables = BagTables.empty(BagRule((2.0,), {"u": 8})).apply({"u": owner}, context, bags, np.int8([1, 1, 1, 0]), DAY)
    assert tables.all.contexts.lookup(np.array([10, 20])).count.tolist() == [2, 0]
    assert tables.all.values.lookup(np.array(10), np.array([5, 6, 7])).count.tolist() == [1, 2, 0]
    entries = tables.own["u"].entries((np.array([1]),))
    context, held = parted(entries.parts[EVENT])
    assert (entries.days.tolist(), context.tolist(), held.values.tolist()) == ([DAY.ordinal], [10], [5, 6])


def test_an_event_is_kept_as_one_list() -> None:
    bags = Lists.of([[5, 6], [], [7]], np.int64)
    events = joined(np.array([10, 20, 30]), bags)
    assert events.values.tolist() == [10, 5, 6, 20, 30, 7]
    context, again = parted(events)
    assert context.tolist() == [10, 20, 30]
    assert (again.offsets.tolist(), again.values.tolist()) == (bags.offsets.tolist(), [5, 6, 7])


def test_a_day_that_was_stored_before_the_counter_was_declared_adds_nothing() -> None:
    events = random_events(ranking(), FIRST_DAY, np.random.default_rng(3))
    state = FeatureState.empty(ranking())
    assert len(state.apply(events).bags["chapters", "sections"].all.contexts) > 0
    before = state.apply(type(events)(**{**events.__dict__, "bags": {}})).bags["chapters", "sections"]
    assert len(before.all.contexts) == 0
