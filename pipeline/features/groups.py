"""Histories that are read together: which may be, and how the lists of a row are brought into step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.schema import FeatureSchema, Kind
from pipeline.config.tables import Table
from pipeline.errors import ConfigError
from pipeline.features.frame import Column, Frame, Lists

if TYPE_CHECKING:
    from pipeline.features.plan import PlannedFeature

UNPAIRED = "unpaired."
"""Before a group's name, in a day's counts: the requests whose lists of it differ in length."""
_OF_DAYS = ("history", "last_year")


def check_groups(
    schema: FeatureSchema, features: Mapping[str, PlannedFeature], tables: Mapping[str, Table], chapters: str | None
) -> None:
    """Every group's members tell of the same steps of the same rows.

    Args:
        tables: the tables behind the frames ``row`` and ``user``.
        chapters: of a ranking, the column of the request's chapters, ``row.…``.

    Raises:
        ConfigError: two members of a group can disagree on what a step is; it names both.
    """
    try:
        groups = schema.together()
    except ValueError as error:
        raise ConfigError(f"features: {error}") from None
    for group in groups:
        members = [features[f.name] for f in group]
        for other in members[1:]:
            _check_source(group[0].group, members[0], other, tables, chapters)
        stand_ins = [features[f.stand_in] for f in group if f.stand_in]
        for other in stand_ins[1:]:
            _check_source(group[0].group, stand_ins[0], other, tables, chapters)


def _check_source(
    group: str | None, one: PlannedFeature, two: PlannedFeature, tables: Mapping[str, Table], chapters: str | None
) -> None:
    both = f"features '{one.name}' and '{two.name}' are read together as group '{group}', but"
    if one.frame != two.frame:
        raise ConfigError(
            f"{both} come from `{one.frame}.` and `{two.frame}.`: the steps of one are not those of the other; "
            f"give them groups of their own"
        )
    if one.frame in _OF_DAYS or one.columns == two.columns:
        return
    for planned in (one, two):
        if planned.keys[0] == chapters:
            raise ConfigError(
                f"{both} the request's chapters '{chapters}' are base chapters, sorted, each once: nothing is paired "
                f"with them; give the features groups of their own"
            )
        declared = tables[planned.frame or ""].columns[planned.column]
        if not declared.type.endswith("_list"):
            raise ConfigError(
                f"{both} '{planned.keys[0]}' is declared as {declared.type}, which has no steps; group lists only"
            )
        if declared.absent:
            raise ConfigError(
                f"{both} `absent` of the column '{planned.column}' takes values out of its lists, so that later ones "
                f"would stand beside another's step; drop `absent` there, or give the features groups of their own"
            )


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
    values = np.full(offsets[-1], missing, lists.values.dtype)
    moved = np.repeat(offsets[:-1] - lists.offsets[:-1], lists.lengths)
    values[np.arange(len(lists.values)) + moved] = lists.values
    return Lists(offsets, values)
