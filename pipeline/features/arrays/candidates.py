"""The candidates of some requests with what is theirs whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import Side
from pipeline.days import Day
from pipeline.features.arrays.counter_values import item_counters
from pipeline.features.arrays.items import DayItems
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.request import RequestArrays
from pipeline.features.frames.frame import Array, Lists
from pipeline.features.frames.from_arrow import ranks
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.state.histories import distinct_values
from pipeline.features.state.state import FeatureState


@dataclass(frozen=True)
class Candidates:
    """What ``assemble`` makes of candidates alone.

    Attributes:
        values: by feature, ``[items, …]``.
        codes: by feature that counters are keyed by, one ``[items]`` each.
        counters: by feature, the counters whose whole key is the candidates', ``[items]``; ``over_bags.with_bags`` adds
            those over bags.
        bags: by feature whose bags are counted, codes of each item's values, each once, ``[items]``.
        without_own: by feature, what counters over bags are for an owner without events in the candidate's context,
            ``[items]``; where they were made before.
        ranked: ``rank``, where it was made before.
    """

    items: DayItems
    values: Mapping[str, Array]
    codes: Mapping[str, Codes]
    counters: Mapping[str, Array]
    bags: Mapping[str, Lists] = field(default_factory=dict)
    without_own: Mapping[str, Array] = field(default_factory=dict)
    ranked: NDArray[np.int64] | None = None

    @cached_property
    def rank(self) -> NDArray[np.int64]:
        """``[items]``: each one's place in the order of the raw ids, among these or more."""
        return self.ranked if self.ranked is not None else ranks(self.items.raw)

    @cached_property
    def of_one_request(self) -> Mapping[str, Array]:
        """``values`` as one request asks for them, ``[1, pairs, …]``: the same arrays however often it is asked."""
        return {name: each[self.items.pair_item][None] for name, each in self.values.items()}


def candidates_of(
    arrays: RequestArrays[Any], items: DayItems, look: LookUp, state: FeatureState, day: Day
) -> Candidates:
    """The candidates of the requests of a day, and what the state of an earlier one says of them."""
    plan = arrays.plan
    keyed = [plan.features[name] for name in plan.key_features]
    codes = {each.name: arrays.item_codes(each, items, look) for each in keyed if each.feature.side is Side.ITEM}
    bags = {name: distinct_values(arrays.item_bags(plan.features[name], items, look)) for name in plan.bag_features}
    values, counters = arrays.item_values(items, look, day), item_counters(plan, codes, state, day)
    return Candidates(items, values, codes, counters, bags)
