"""Lists of one row that are read together, brought into step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.schema import Kind
from pipeline.features.frames.frame import Column, Frame, Lists
from pipeline.features.frames.texts import placed

if TYPE_CHECKING:
    from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.groups import _OF_DAYS

UNPAIRED = "unpaired."
"""Before a group's name, in a day's counts: the requests whose lists of it differ in length."""


def paired_lengths(features: Iterable[PlannedFeature], frame: Frame) -> dict[str, NDArray[np.int64]]:
    """The steps that each row has in each group of lists: those of the longest one, ``[rows]``."""
    found: dict[str, NDArray[np.int64]] = {}
    for group, columns in _lists(features, frame).items():
        found[group] = np.maximum.reduce([lists.lengths for lists in columns.values()])
    return found


def unpaired_rows(features: Iterable[PlannedFeature], frame: Frame) -> dict[str, int]:
    """By group that is made of several columns, the rows whose lists differ in length."""
    found: dict[str, int] = {}
    for group, columns in _lists(features, frame).items():
        lengths = [lists.lengths for lists in columns.values()]
        if len(lengths) > 1:
            found[group] = int(np.logical_or.reduce([each != lengths[0] for each in lengths]).sum())
    return found


def _lists(features: Iterable[PlannedFeature], frame: Frame) -> dict[str, dict[str, Lists]]:
    """By group, the distinct list columns of a frame that its members are made of."""
    groups: dict[str, dict[str, Lists]] = {}
    for planned in features:
        feature = planned.feature
        if feature.group is None or feature.kind is not Kind.SEQUENCE or planned.frame in _OF_DAYS:
            continue
        column: Column = frame[planned.keys[0]]
        if isinstance(column, Lists):
            groups.setdefault(feature.group, {})[planned.keys[0]] = column
    return groups


def lengthened(lists: Lists, lengths: NDArray[np.int64], missing: object) -> Lists:
    """The lists with as many values as ``lengths`` says, missing ones at their end; none gets shorter."""
    if np.array_equal(lists.lengths, lengths):
        return lists
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    moved = np.repeat(offsets[:-1] - lists.offsets[:-1], lists.lengths)
    return Lists(offsets, placed(lists.values, np.arange(len(lists.values)) + moved, int(offsets[-1]), missing))
