from __future__ import annotations

import numpy as np

from models.schema import MISSING_STR, PAD_STR
from pipeline.features.ids.fingerprints import MISSING, PADDING
from pipeline.features.plan.plan import Plan
from pipeline.serving.raw_look_up import RawIds
from tests.unit.pipeline.features import lessons

PLAN = Plan(lessons.config())


def test_numbers_are_their_own_codes_and_texts_are_given_again() -> None:
    look = RawIds(PLAN, [])
    assert look.codes("teacher", [501, 502]).tolist() == [501, 502]
    packages = look.codes("package", ["11|1", "12|3"])
    asked = np.array([[packages[1], PADDING], [MISSING, packages[0]]])
    assert look.of_codes("package", asked).tolist() == [["12|3", PAD_STR], [MISSING_STR, "11|1"]]
    assert look.of_codes("teacher", np.array([501, MISSING])).tolist() == [501, MISSING]
    assert (look.padding("package"), look.unknown("teacher")) == (PAD_STR, MISSING)


def test_styles_have_the_columns_that_the_release_names() -> None:
    look = RawIds(PLAN, [("style", [30]), ("style", [30, 20, 10])])
    columns = look.columns("style", np.array([[20, 30], [99, MISSING]]))
    assert columns[0].tolist() == [1, 0]
    assert columns[1, 0] > 1000  # none of the columns
    assert columns[1, 1] == -1
