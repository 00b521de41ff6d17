"""Packages by their roles, in codes and in what stands for ids."""

from __future__ import annotations

import numpy as np

from models.schema import PADDING, UNKNOWN
from pipeline.features.arrays.look_up import Indices
from pipeline.features.arrays.package_codes import package_codes, package_lists, raw_roles, role_codes
from pipeline.features.frames.frame import Lists
from pipeline.features.ids.fingerprints import codes_of
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.plan import Plan
from pipeline.serving.raw_look_up import RawIds
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY
from tests.unit.pipeline.features.school import lists

PLAN = Plan(lessons.composed())
STYLES = Lists.of([[40111], [3], [], [20100]], np.int64)


def test_numbers_are_their_own_codes_and_text_has_fingerprints() -> None:
    assert lists(role_codes(PLAN, PLAN.request, "style", STYLES)) == [[40111], [3], [], [20100]]
    keys = np.array(["11|1", "12|3"], object)
    found = role_codes(PLAN, PLAN.request, "key", Lists(np.array([0, 1, 2]), keys))
    assert found.values.tolist() == codes_of(keys).tolist() != [0, 0]


def test_a_plain_feature_has_the_codes_of_its_role_and_a_rule_makes_codes_of_its_own() -> None:
    roles, look = {"style": STYLES}, RawIds(PLAN)
    assert package_codes(PLAN, PLAN.request, PLAN.features["style"], roles, look) is STYLES
    # The first digit of five; a style of fewer digits has no kind.
    kinds = package_codes(PLAN, PLAN.request, PLAN.features["style_kind"], roles, look)
    assert lists(kinds) == [[4], [], [], [2]]
    flags = package_codes(PLAN, PLAN.request, PLAN.features["flag"], roles, look)
    assert lists(flags) == [[1], [-1], [], [0]]


def test_in_indices_the_ids_are_those_of_the_features_own_space() -> None:
    maps = {
        "style": IdMap("style", "int", np.array([20100, 3])).grown(np.array([40111]), DAY),
        "style_kind": IdMap("style_kind", "int", np.array([2])),
    }
    look, roles = Indices(maps), {"style": STYLES}
    assert lists(package_lists(PLAN, PLAN.request, PLAN.features["style"], roles, look)) == [[4], [3], [], [2]]
    # Kind 4 has no index yet.
    kinds = package_lists(PLAN, PLAN.request, PLAN.features["style_kind"], roles, look)
    assert lists(kinds) == [[UNKNOWN], [], [], [2]]
    assert PADDING not in kinds.values


def test_raw_ids_come_back_by_what_stands_for_them() -> None:
    look = Indices({"style": IdMap("style", "int", np.array([3, 20100, 40111]))})
    assert lists(raw_roles(PLAN.request, "style", {"style": STYLES}, look)) == [[40111], [3], [], [20100]]
