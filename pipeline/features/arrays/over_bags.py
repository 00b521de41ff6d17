"""Everything that is declared over bags, for a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.config.bags import BagCounter, OverBag
from pipeline.days import Day
from pipeline.features.arrays.bag_values import AskedBags, OwnEvents, bag_value
from pipeline.features.arrays.candidates import Candidates
from pipeline.features.arrays.collaborative_values import ContextValues, collaborative_value
from pipeline.features.arrays.feature_codes import frame_codes
from pipeline.features.arrays.fitted_scores import Scores
from pipeline.features.frames.frame import Array
from pipeline.features.ids.fingerprints import MISSING, Codes
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.day import DayRows
from pipeline.features.state.state import FeatureState


def values_over_bags(
    plan: Plan, rows: DayRows, candidates: Candidates, state: FeatureState, scores: Mapping[str, Scores]
) -> dict[str, Array]:
    """Every declared counter over bags ``[pairs]``, and how they suit who asks ``[pairs, 2]``.

    Args:
        scores: by name of the settings that they are fitted by.
    """
    day = _Day(plan, rows, candidates, state)
    values: dict[str, Array] = {}
    pair_item = candidates.items.pair_item
    for name, counter in plan.bag_counters.items():
        if name in candidates.counters:
            values[name] = candidates.counters[name][pair_item]
        elif name in candidates.without_own:
            values[name] = candidates.without_own[name][pair_item]
            pairs, asked, own = day.of_own(counter)
            if len(pairs):
                values[name][pairs] = _scaled(counter, bag_value(counter, asked, own, rows.day))
        else:
            values[name] = _scaled(counter, bag_value(counter, day.asked(counter), day.own(counter), rows.day))
    for name, settings in plan.collaborative.items():
        owner = day.owner(settings.owner)
        values[name] = collaborative_value(day.asked(settings), day.known(settings), owner, scores[settings.name])
    return values


def with_bags(plan: Plan, candidates: Candidates, state: FeatureState, day: Day) -> Candidates:
    """Candidates with those counters over bags that are theirs whoever asks: of no owner, in a context of theirs."""
    theirs = {
        name: _scaled(counter, bag_value(counter, asked, None, day))
        for name, counter, asked in _asked_of_items(plan, candidates, state) if counter.owner is None
    }  # fmt: skip
    return replace(candidates, counters={**candidates.counters, **theirs})


def with_bags_of_nobody(plan: Plan, candidates: Candidates, state: FeatureState, day: Day) -> Candidates:
    """Candidates with what the others in a context of theirs are for an owner of whom nothing is known in it."""
    nobody = np.full(1, MISSING)
    return replace(candidates, without_own={
        name: _scaled(counter, bag_value(counter, asked, OwnEvents.of(asked, nobody, counter.owner), day))
        for name, counter, asked in _asked_of_items(plan, candidates, state) if counter.owner is not None
    })  # fmt: skip


def _asked_of_items(
    plan: Plan, candidates: Candidates, state: FeatureState
) -> Iterator[tuple[str, BagCounter, AskedBags]]:
    """The counters in a context of the candidates', each with the bags of all of them."""
    asked: dict[tuple[str, str], AskedBags] = {}
    for name, counter in plan.bag_counters.items():
        if counter.context in candidates.codes:
            key = counter.context, counter.bag
            if key not in asked:
                context, bags = candidates.codes[counter.context], candidates.bags[counter.bag]
                asked[key] = AskedBags(np.zeros(len(context), np.int64), context, bags, state.bags[key])
            yield name, counter, asked[key]


def _scaled(counter: BagCounter, value: NDArray[np.float64]) -> NDArray[np.float32]:
    return (value / counter.scale).astype(np.float32)


class _Day:
    """What several features of a day read, made once."""

    def __init__(self, plan: Plan, rows: DayRows, candidates: Candidates, state: FeatureState) -> None:
        self._plan, self._rows, self._candidates, self._state = plan, rows, candidates, state
        self._asked: dict[tuple[str, str], AskedBags] = {}
        self._known: dict[tuple[str, str], ContextValues] = {}
        self._own: dict[tuple[str, str, str], OwnEvents] = {}
        self._of_own: dict[tuple[str, str, str], tuple[NDArray[np.int64], AskedBags, OwnEvents | None]] = {}

    def owner(self, name: str) -> Codes:
        return frame_codes(self._plan, self._plan.features[name], self._rows.requests)

    def asked(self, over: OverBag) -> AskedBags:
        key = over.context, over.bag
        if key not in self._asked:
            tables = self._state.bags[key]
            self._asked[key] = AskedBags.of(self._plan, self._rows, self._candidates, over, tables)
        return self._asked[key]

    def known(self, over: OverBag) -> ContextValues:
        key = over.context, over.bag
        if key not in self._known:
            self._known[key] = ContextValues.of(self.asked(over))
        return self._known[key]

    def own(self, over: OverBag) -> OwnEvents | None:
        if over.owner is None:
            return None
        key = over.owner, over.context, over.bag
        if key not in self._own:
            self._own[key] = OwnEvents.of(self.asked(over), self.owner(over.owner), over.owner)
        return self._own[key]

    def of_own(self, over: OverBag) -> tuple[NDArray[np.int64], AskedBags, OwnEvents | None]:
        """The pairs in whose context their owner has events, and these pairs alone with the events, if any."""
        assert over.owner is not None
        key = over.owner, over.context, over.bag
        if key not in self._of_own:
            owner, asked = self.owner(over.owner), self.asked(over)
            pairs = asked.with_events(owner, over.owner)
            there = asked.only(pairs)
            self._of_own[key] = pairs, there, OwnEvents.of(there, owner, over.owner) if len(pairs) else None
        return self._of_own[key]
