from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import UsageError
from pipeline.features.frames.frame import Lists
from pipeline.ingest.canonical_ids import MISSING_INT
from pipeline.serving.request import canonical, typed
from tests.unit.pipeline.features import lessons


def test_values_are_read_as_the_table_declares_them() -> None:
    config = lessons.config()
    teacher = typed(config, "teacher", "501")
    assert isinstance(teacher, np.ndarray)
    assert teacher.tolist() == [501]
    missing = typed(config, "teacher", None)
    assert isinstance(missing, np.ndarray)
    assert missing.tolist() == [MISSING_INT]
    chapters = typed(config, "chapter_id", "[10, 20]")
    assert isinstance(chapters, Lists)
    assert chapters.values.tolist() == [10, 20]


def test_what_is_no_id_is_told_by_name_and_value() -> None:
    with pytest.raises(UsageError, match="teacher: 'Anna' is not a whole number"):
        typed(lessons.config(), "teacher", "Anna")
    with pytest.raises(UsageError, match="items: '' is not a text id"):
        canonical("items", ["a", ""], "str")
