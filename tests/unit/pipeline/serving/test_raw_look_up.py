from __future__ import annotations

import numpy as np
import pytest

from models.schema import MISSING_STR, PAD_STR
from pipeline.features.ids.fingerprints import MISSING, PADDING, codes_of
from pipeline.features.plan.plan import Plan
from pipeline.serving import raw_look_up
from pipeline.serving.raw_look_up import RawCodes, RawIds, array_of
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


def test_codes_of_texts_are_kept_and_forgotten_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, known = RawCodes(), codes_of(array_of(["11|1", "12|3", "x"], "str")).tolist()
    assert codes(["11|1", "12|3", "11|1"], "str").tolist() == [known[0], known[1], known[0]]
    assert (codes([7, 8], "int").tolist(), codes([], "str").dtype) == ([7, 8], np.int64)
    monkeypatch.setattr(raw_look_up, "_MOST_TEXTS", 1)
    assert codes(["x", "11|1"], "str").tolist() == [known[2], known[0]]
    assert set(codes._known) == {"x", "11|1"}
