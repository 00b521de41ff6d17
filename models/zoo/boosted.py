"""What all models of boosted trees have in common: which numbers they ask, and on which days they are fitted."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.architecture import Segments
from models.options import ModelOptions
from models.registry import TREES
from models.schema import DayArrays, Feature, FeatureSchema, Kind, Side


class BoostedOptions(ModelOptions):
    """Options of :class:`Boosted`."""

    fit: Literal["anew", "continued"] = Field(
        "anew", description="all trees anew on the rows of some days, or each day adds some to those there are"
    )
    days: int = Field(14, ge=1, description="trained days whose rows trees are fitted anew on, the newest among them")
    half_life: float | None = Field(
        None, gt=0, description="trained days after which a row weighs half in a fit anew; none: all days weigh alike"
    )
    every: int = Field(1, ge=1, description="trained days from one fit anew to the next; a younger chain has one daily")
    trees: int = Field(
        300, ge=1, le=10_000, description="trees of a fit; of continued ones, the most that are kept: the oldest go"
    )
    added: int = Field(30, ge=1, le=10_000, description="trees that a day adds to continued ones")
    leaves: int = Field(15, ge=2, le=1024, description="of a tree, at most")
    rate: float = Field(0.03, gt=0, le=1, description="what a tree's values are multiplied by when it is added")
    rows: int = Field(200, ge=1, description="of a leaf, at least")
    features: float = Field(0.5, gt=0, le=1, description="share of the numbers that a tree may ask")
    l2: float = Field(0.0, ge=0, description="penalty on the squares of the leaves' values")

    def fits(self, trained_days: int) -> bool:
        """Whether trees are fitted on the day after so many trained ones."""
        return self.fit == "continued" or trained_days < self.every or trained_days % self.every == 0

    @property
    def reach(self) -> int:
        """How many trained days before a day trees may be fitted on with it."""
        return self.days - 1 if self.fit == "anew" else 0

    def earlier(self, trained_days: int) -> int:
        """How many they are on the day after so many trained ones."""
        return min(self.reach, trained_days) if self.fits(trained_days) else 0


class Boosted:
    """Trees over the numbers of a pair: its dense features and vectors, as they are; ids and histories are not asked.

    Raises:
        ValueError: there is no number.
    """

    family = "trees"
    needs = "a number (a dense feature or a vector)"
    trainer = TREES
    Options: type[BoostedOptions] = BoostedOptions
    objective = "binary"
    """What LightGBM lowers: of every pair by itself, or over the candidates of a request."""

    def __init__(self, schema: FeatureSchema, options: Any, tasks: tuple[str, ...]) -> None:
        self.schema = schema
        self.options = options
        self.read = tuple(each for each in schema.features if each.kind in (Kind.DENSE, Kind.VECTOR))
        if not self.read:
            raise ValueError("trees ask numbers, and there is none: a dense feature, such as a counter of an id")
        if options.fit == "continued" and options.added > options.trees:
            raise ValueError(f"a day adds {options.added} trees (`added`), but only {options.trees} are kept (`trees`)")

    @property
    def columns(self) -> Segments:
        """What the trees ask, by feature, in the order of the matrix."""
        return tuple((feature.name, feature.size) for feature in self.read)

    def idle_options(self) -> dict[str, str]:
        if self.options.fit == "continued":
            idle = ("days", "every", "half_life")
            return dict.fromkeys(idle, "trees are continued, not fitted anew (`fit: continued`)")
        one_day = {"half_life": "trees are fitted on one day (`days: 1`)"} if self.options.days == 1 else {}
        return {"added": "trees are fitted anew (`fit: anew`)", **one_day}

    def matrix(
        self, arrays: DayArrays, pairs: NDArray[np.int64], request: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The numbers of some pairs, float32 ``[pairs, columns]``; NaN where one is missing.

        Args:
            request: of each pair.
        """
        rows: dict[Side, NDArray[Any]] = {
            Side.REQUEST: request, Side.ITEM: np.asarray(arrays.pair_item)[pairs], Side.PAIR: pairs,
        }  # fmt: skip
        parts = [_values(arrays, feature, rows[feature.side]) for feature in self.read]
        return np.concatenate(parts, axis=1)


def _values(arrays: DayArrays, feature: Feature, rows: NDArray[Any]) -> NDArray[np.float32]:
    place = arrays.layout.on(feature.side, ids=False)[feature.name]
    return np.asarray(arrays.on(feature.side, ids=False)[:, place.start : place.stop], np.float32)[rows]
