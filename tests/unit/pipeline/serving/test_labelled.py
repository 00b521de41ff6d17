from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.release.contents.parts import encoded
from pipeline.serving.labelled import KnownByTheModel
from pipeline.serving.meta import Meta
from tests.unit.pipeline.features import cells


def test_a_reader_says_that_the_model_alone_answers() -> None:
    settings = cells.config()
    fields: dict[str, Any] = {
        "encoding": 2, "config": settings.model_dump(mode="json", by_alias=True), "day": "2024-03-04", "frames": {},
        "overall": {}, "counters": {},
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"job 'cells' is of labelled rows.*`serving_default` of its exported model"):
        KnownByTheModel(Meta({name: encoded(value) for name, value in fields.items()}))
