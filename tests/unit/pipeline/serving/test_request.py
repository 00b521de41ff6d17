from __future__ import annotations

import numpy as np
import pytest

from models.schema import MISSING_INT
from pipeline.errors import UsageError
from pipeline.features.frames.frame import Lists
from pipeline.serving.request import canonical, typed
from tests.unit.pipeline.features import lessons, shows


def test_values_are_read_as_the_table_declares_them() -> None:
    config = lessons.config()
    teacher = typed(config, "teacher", "501")
    assert isinstance(teacher, np.ndarray)
    assert teacher.tolist() == [501]
    missing = typed(config, "teacher", None)
    assert isinstance(missing, np.ndarray)
    assert missing.tolist() == [MISSING_INT]
    assert typed(config, "teacher", None) is missing, "the same array, whose tensor is kept"
    chapters = typed(config, "chapter_id", "[10, 20]")
    assert isinstance(chapters, Lists)
    assert chapters.values.tolist() == [10, 20]


def test_what_is_no_id_is_told_by_name_and_value() -> None:
    with pytest.raises(UsageError, match="teacher: 'Anna' is not a whole number"):
        typed(lessons.config(), "teacher", "Anna")
    with pytest.raises(UsageError, match="items: '' is not a text id"):
        canonical("items", ["a", ""], "str")


def test_a_vector_is_a_list_of_finite_numbers_of_its_length() -> None:
    found = typed(shows.with_vectors(), "heard", [1, 2.5])
    assert isinstance(found, Lists)
    assert (found.values.dtype, found.values.tolist()) == (np.float64, [1.0, 2.5])
    missing = typed(shows.with_vectors(), "heard", None)
    assert isinstance(missing, Lists)
    assert len(missing) == 1
    assert not len(missing.values)
    told = (([1.0], "1 numbers, where 2 are declared"), ([1.0, float("nan")], "finite"), ("x", "finite"))
    for wrong, message in told:
        with pytest.raises(UsageError, match=f"heard: .*{message}"):
            typed(shows.with_vectors(), "heard", wrong)


def test_whole_numbers_and_their_texts_are_the_same_ids() -> None:
    assert canonical("teacher", [501, -3], "int").tolist() == canonical("teacher", ["501", "-3"], "int").tolist()
    assert canonical("package", [11], "str").tolist() == canonical("package", ["11"], "str").tolist() == ["11"]
    assert canonical("teacher", [], "int").tolist() == []
    for wrong in (2**64, 2**63, MISSING_INT, MISSING_INT - 1):
        with pytest.raises(UsageError, match=f"teacher: '{wrong}' is not a whole number"):
            canonical("teacher", [wrong], "int")
