"""Histories that are read together: which may be, and how the lists of a row are brought into step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from models.schema import FeatureSchema, Kind
from pipeline.config.tables import Table
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.features.plan.declared import PlannedFeature

_OF_DAYS = ("history", "last_year")


def check_groups(
    schema: FeatureSchema, features: Mapping[str, PlannedFeature],
    tables: Mapping[str, Table], unpaired: Mapping[str, str],
) -> None:  # fmt: skip
    """Every group's members tell of the same steps of the same rows.

    Args:
        tables: the tables behind the frames ``row`` and ``user``.
        unpaired: columns whose lists stand in step with no other, as ``row.…``, and why.

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
            _check_source(group[0].group, members[0], other, tables, unpaired)
        _check_ages(members, [f for f in features.values() if f.feature.kind is Kind.AGES])
        stand_ins = [features[f.stand_in] for f in group if f.stand_in]
        for other in stand_ins[1:]:
            _check_source(group[0].group, stand_ins[0], other, tables, unpaired)


def _check_ages(members: Sequence[PlannedFeature], every: Sequence[PlannedFeature]) -> None:
    """Ages are told of what the feature state keeps, entry by entry."""
    for ages in every:
        for member in members:
            if ages.feature.group != member.feature.group:
                continue
            if ages.settings.steps not in (None, member.feature.steps):
                raise ConfigError(
                    f"features.{ages.name}.steps: {ages.settings.steps}, but '{member.name}' of its group has "
                    f"{member.feature.steps}; leave it out"
                )
            if member.frame != "history" or not member.plain:
                rule = "" if member.plain else " by a rule"
                raise ConfigError(
                    f"features '{ages.name}' and '{member.name}' are read together as group '{member.feature.group}', "
                    f"but `history.age` is of the steps of a history that is kept as it is, not of those of "
                    f"'{member.keys[0]}'{rule}"
                )


def _check_source(
    group: str | None, one: PlannedFeature, two: PlannedFeature,
    tables: Mapping[str, Table], unpaired: Mapping[str, str],
) -> None:  # fmt: skip
    both = f"features '{one.name}' and '{two.name}' are read together as group '{group}', but"
    if one.settings.sessions != two.settings.sessions:
        raise ConfigError(f"{both} their `sessions` differ: the steps of one are not those of the other")
    if one.settings.levels != two.settings.levels:
        raise ConfigError(f"{both} their `levels` differ: the steps of one are not those of the other")
    if one.frame != two.frame:
        raise ConfigError(
            f"{both} come from `{one.frame}.` and `{two.frame}.`: the steps of one are not those of the other; "
            f"give them groups of their own"
        )
    days = one.frame in _OF_DAYS
    if (days and one.feature.kind is not Kind.SESSIONS) or one.columns == two.columns:
        return
    for planned in (one, two):
        if planned.keys[0] in unpaired:
            raise ConfigError(f"{both} {unpaired[planned.keys[0]]}; give the features groups of their own")
        if days:
            continue
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


