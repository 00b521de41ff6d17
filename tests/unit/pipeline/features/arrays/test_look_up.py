from __future__ import annotations

import numpy as np
import pytest

from models.schema import PADDING, UNKNOWN
from pipeline.days import Day
from pipeline.features.arrays.look_up import Indices, LookUp, made_ids
from pipeline.features.ids import fingerprints
from pipeline.features.ids.idmap import IdMap
from pipeline.features.plan.plan import Plan
from pipeline.serving.raw_look_up import RawIds
from tests.unit.pipeline.features import lessons

PLAN = Plan(lessons.composed())


def indices() -> Indices:
    none = np.zeros(0, np.int64)
    maps = {space: IdMap(space, "int", none) for space in ("style", "style_kind")}
    maps["style"] = maps["style"].grown(np.array([40111, 3, 20100]), Day.of(2024, 3, 1))
    maps["style_kind"] = maps["style_kind"].grown(np.array([2, 4]), Day.of(2024, 3, 1))
    return Indices(maps)


def test_ids_of_the_state_become_indices() -> None:
    look = indices()
    asked = np.array([[3, fingerprints.MISSING], [fingerprints.PADDING, 77]])
    assert look.of_codes("style", asked).tolist() == [[3, UNKNOWN], [PADDING, UNKNOWN]]
    assert look.columns("style", asked).tolist() == [[1, -1], [-2, -1]]
    assert look.raw("style", np.array([2, 4])).tolist() == [40111, 20100]


@pytest.mark.parametrize("look", [indices(), RawIds(PLAN, [])], ids=["indices", "raw ids"])
def test_a_rule_makes_ids_of_ids_whatever_stands_for_them(look: LookUp) -> None:
    styles = np.array([[40111, 20100, 40111], [3, fingerprints.PADDING, fingerprints.MISSING]])
    made = made_ids(PLAN, PLAN.features["set_kinds"], "style", look.of_codes("style", styles), look)
    # A plain style such as 3 is of no kind.
    expected = np.array([[4, 2, 4], [fingerprints.PADDING, fingerprints.PADDING, fingerprints.MISSING]])
    assert made.tolist() == look.of_codes("style_kind", expected).tolist()
