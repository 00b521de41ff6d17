from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pipeline.stages.line import unpaired


def test_lists_that_are_out_of_step_are_told_in_the_line_of_the_day() -> None:
    features: Any = SimpleNamespace(manifest=SimpleNamespace(rows={"rows": 9, "unpaired.click": 1, "unpaired.path": 0}))
    assert unpaired(features) == ["1 row with unequal lists of group 'click'"]
