"""Packages by their roles: codes, and what stands for the ids of the features that are made of them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.features.arrays.feature_codes import column_codes, list_codes
from pipeline.features.arrays.look_up import LookUp
from pipeline.features.arrays.raw_values import list_ids
from pipeline.features.frames.frame import Lists
from pipeline.features.plan.declared import PlannedFeature
from pipeline.features.plan.homework import HomeworkPlan
from pipeline.features.plan.plan import Plan

Roles = Mapping[str, Lists]
"""By role of packages, their lists of codes."""


def role_codes(plan: Plan, request: HomeworkPlan, role: str, lists: Lists) -> Lists:
    """A role of packages in codes."""
    return Lists(lists.offsets, column_codes(plan, request.roles[role], lists.values, f"item.{role}"))


def package_codes(plan: Plan, request: HomeworkPlan, planned: PlannedFeature, roles: Roles, look: LookUp) -> Lists:
    """The codes of a feature of packages."""
    if planned.plain:
        return roles[planned.column]
    return list_codes(_made(plan, request, planned, roles, look))


def package_lists(plan: Plan, request: HomeworkPlan, planned: PlannedFeature, roles: Roles, look: LookUp) -> Lists:
    """What stands for the ids of a feature of packages."""
    if planned.plain:
        codes = roles[planned.column]
        return Lists(codes.offsets, look.of_codes(request.roles[planned.column], codes.values))
    raw = _made(plan, request, planned, roles, look)
    return Lists(raw.offsets, look.of_raw(planned.feature.space or "", raw.values))


def raw_roles(request: HomeworkPlan, role: str, roles: Roles, look: LookUp) -> Lists:
    """The raw ids of a role."""
    codes, space = roles[role], request.roles[role]
    return Lists(codes.offsets, look.raw(space, look.of_codes(space, codes.values)))


def _made(plan: Plan, request: HomeworkPlan, planned: PlannedFeature, roles: Roles, look: LookUp) -> Lists:
    """The raw ids that a feature's rule makes of those of a role."""
    raw = raw_roles(request, planned.column, roles, look)
    return list_ids(planned, raw, plan.space_kind(planned.feature.space or ""))
