"""Popularity: counts of items, and of each user's items, that fade from day to day. The baseline of every chart."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.options import ModelOptions
from models.registry import COUNTS, register
from models.schema import PADDING, UNKNOWN, DayArrays, Feature, FeatureSchema, Kind, Side
from models.tasks import LossName


class PopularityOptions(ModelOptions):
    """Options of :class:`Popularity`."""

    item: str | None = Field(None, description="the feature whose ids are counted; by default the first of an item")
    user: str | None = Field(None, description="the feature whose ids have counts of their own; by default the first")
    half_life: float = Field(14.0, gt=0, description="trained days after which a count weighs half")
    smoothing: float = Field(20.0, gt=0, description="rows of the mean rate that a rate begins with (loss binary)")
    own: float = Field(10.0, ge=0, description="choices of others that one of the user's own weighs (loss softmax)")


@register("popularity")
class Popularity:
    """How often an item was taken, by all and by this user; no Keras, nothing is learnt by gradients.

    ``binary``: the logit of a click rate, the user's of the item, smoothed by the item's, smoothed by that of all.
    ``softmax``: ``log(1 + taken by all + own · taken by the user)``.

    Raises:
        ValueError: a feature that is named is not an id on its side, or there is no id at all.
    """

    Options = PopularityOptions
    family = "baseline"
    needs = "an id (a categorical feature) of the items or of the requests"
    trainer = COUNTS

    def __init__(self, schema: FeatureSchema, options: PopularityOptions, tasks: tuple[str, ...]) -> None:
        self.schema = schema
        self.options = options
        self.item = _feature(schema, "item", options.item, Side.ITEM)
        self.user = _feature(schema, "user", options.user, Side.REQUEST)
        if self.item is None and self.user is None:
            raise ValueError("model 'popularity' needs an id to count: a categorical feature of the items or requests")

    def idle_for(self, losses: Collection[LossName]) -> dict[str, str]:
        """Options that no task of these losses reads, each with what it lacks."""
        idle = {} if "softmax" in losses else {"own": "it is for `loss: softmax`"}
        return idle if "binary" in losses else {**idle, "smoothing": "it is for `loss: binary`"}

    def idle_options(self) -> dict[str, str]:
        return {} if self.user is not None else {"own": "there is no id of a user (a categorical feature of requests)"}

    @property
    def decay(self) -> float:
        """What a count keeps from one trained day to the next."""
        return float(0.5 ** (1.0 / self.options.half_life))

    def pairs_of(self, arrays: DayArrays, sizes: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The user's and the item's index of every pair, int64 ``[pairs]``; what is not known is ``UNKNOWN``."""
        request = np.repeat(np.arange(arrays.requests), arrays.candidates)
        nobody = np.full(arrays.pairs, UNKNOWN, np.int64)
        return (
            self._index(self.user, arrays, sizes)[request] if self.user is not None else nobody,
            self._index(self.item, arrays, sizes)[np.asarray(arrays.pair_item)] if self.item is not None else nobody,
        )

    def _index(self, feature: Feature, arrays: DayArrays, sizes: Mapping[str, int]) -> NDArray[np.int64]:
        place = arrays.layout.on(feature.side, ids=True)[feature.name]
        index = np.asarray(arrays.on(feature.side, ids=True)[:, place.start : place.stop], np.int64)[:, 0]
        return np.where((index > PADDING) & (index < sizes[str(feature.space)]), index, UNKNOWN)

    def score(self, loss: LossName, of_all: Any, of_item: Any, of_pair: Any, log: Callable[[Any], Any]) -> Any:
        """Logits of pairs, in numpy or in a graph alike.

        Args:
            of_all, of_item, of_pair: positives and judged ones, ``[…, 2]`` each.
            log: natural logarithm.
        """
        if loss == "softmax":
            return log(1.0 + of_item[..., 0] + self.options.own * of_pair[..., 0])
        base = (of_all[..., 0] + 1.0) / (of_all[..., 1] + 2.0)
        weight = self.options.smoothing
        of_the_item = (of_item[..., 0] + weight * base) / (of_item[..., 1] + weight)
        rate = (of_pair[..., 0] + weight * of_the_item) / (of_pair[..., 1] + weight)
        return log(rate) - log(1.0 - rate)


def _feature(schema: FeatureSchema, option: str, name: str | None, side: Side) -> Feature | None:
    """The feature that an option names, or the first id of its side."""
    able = [each for each in schema.on(side, ids=True) if each.kind is Kind.CATEGORICAL]
    if name is None:
        return able[0] if able else None
    for each in able:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in able) or "none"
    raise ValueError(f"model 'popularity', option '{option}': '{name}' is no id of the {side}'s side; one of {known}")
