"""Limits of bins that past numbers fall into alike, fitted to counts of them.

A number is counted in its cell: the numbers that agree in sign, exponent and the first eight binary digits behind the
point. So days are added up as whole numbers, whole numbers up to 512 have a cell each, and others are told apart by
.4 % of themselves. Limits are lower ends of cells, at quantiles of the counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import MISSING_INT
from pipeline.config.bins import Bins
from pipeline.days import Day

_DIGITS = 15
"""Of the 23 binary digits of a float32, those that a cell leaves open."""
_BELOW_SIGN = np.int32(0x7FFFFFFF)
_TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Tally:
    """How many numbers there were.

    Attributes:
        cells: int32 ``[cells]``, ascending as their numbers are.
        counts: int64 ``[cells]``.
    """

    cells: NDArray[np.int32]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, numbers: NDArray[np.float32]) -> Tally:
        """The numbers of a day, ``[rows]``; those that are not finite are none."""
        there = numbers[np.isfinite(numbers)]
        bits = (there + np.float32(0)).view(np.int32)  # so that -0 is 0
        return cls(*_unique(_turned(bits) >> _DIGITS))

    def plus(self, other: Tally) -> Tally:
        """The numbers of both."""
        cells, place = np.unique(np.concatenate([self.cells, other.cells]), return_inverse=True)
        counts = np.zeros(len(cells), np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        return Tally(cells, counts)

    def limits(self, bins: int) -> NDArray[np.float32]:
        """The lowest number of each bin but the first, float32 ``[bins - 1]``, rising; equal ones have none between."""
        below = np.cumsum(self.counts)
        wanted = int(below[-1]) * np.arange(1, bins) // bins
        ordered = self.cells[np.searchsorted(below, wanted, side="right")] << _DIGITS
        return _turned(ordered).view(np.float32)


def _unique(cells: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    found, counts = np.unique(cells, return_counts=True)
    return found, counts.astype(np.int64)


def _turned(bits: NDArray[np.int32]) -> NDArray[np.int32]:
    """The bits of floats as whole numbers that rise as they do, and back."""
    return bits ^ ((bits >> 31) & _BELOW_SIGN)


@dataclass(frozen=True)
class BinTable:
    """What is known of a number, and the limits that it is read by.

    Attributes:
        fitted: ordinal of the day as of whose end the limits were fitted; 0: never.
    """

    rule: Bins
    past: Tally
    limits: NDArray[np.float32]
    fitted: int

    @classmethod
    def empty(cls, rule: Bins) -> BinTable:
        return cls(rule, Tally.of(np.zeros(0, np.float32)), np.zeros(0, np.float32), 0)

    def after(self, day: Day, numbers: Tally | None) -> BinTable:
        """The table after a day; one without any number, or stored before they were asked for, changes nothing."""
        if numbers is None or not len(numbers.cells):
            return self
        known = replace(self, past=self.past.plus(numbers))
        if self.fitted and day.ordinal - self.fitted < self.rule.every:
            return known
        return replace(known, limits=known.past.limits(self.rule.count), fitted=day.ordinal)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "cells": self.past.cells, "counts": self.past.counts, "limits": self.limits,
            "fitted": np.array([self.fitted], np.int64),
        }  # fmt: skip

    def of(self, arrays: Mapping[str, NDArray[Any]], name: str) -> BinTable:
        """The table of the same rule of which ``arrays`` are, under ``name``."""
        past = Tally(arrays[f"{name}/cells"], arrays[f"{name}/counts"])
        return replace(self, past=past, limits=arrays[f"{name}/limits"], fitted=int(arrays[f"{name}/fitted"][0]))


def bins_of(numbers: NDArray[np.float32], limits: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bin of each number, int64 ``[rows]``: how many limits it reaches. Missing where there is no number, and of
    all where no limits are fitted yet."""
    found = np.searchsorted(limits, numbers, side="right").astype(np.int64)
    found[~np.isfinite(numbers) | (not len(limits))] = MISSING_INT
    return found


def numbers_of(bins: NDArray[np.int64], limits: NDArray[np.float32]) -> NDArray[np.float32]:
    """A number of each bin, or of the next one where no number can be in it; NaN where it is missing."""
    if not len(limits):
        return np.full(bins.shape, np.nan, np.float32)
    below = np.nextafter(limits[:1], np.float32(-np.inf))
    # TensorFlow takes what is nearer to 0 than any normal number for 0.
    below = np.where((below < 0) & (below > -_TINY), -_TINY, below)
    lowest = np.concatenate([below, limits])
    there = (bins >= 0) & (bins < len(lowest))
    return np.where(there, lowest[np.where(there, bins, 0)], np.float32(np.nan))
