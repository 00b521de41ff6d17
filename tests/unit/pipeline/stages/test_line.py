from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pipeline.config.experiment import Experiment
from pipeline.job import JobContext
from pipeline.stages.line import Line, unpaired
from tests.unit.pipeline.release.days import FIRST, context


def test_lists_that_are_out_of_step_are_told_in_the_line_of_the_day() -> None:
    features: Any = SimpleNamespace(manifest=SimpleNamespace(rows={"rows": 9, "unpaired.click": 1, "unpaired.path": 0}))
    assert unpaired(features) == ["1 row with unequal lists of group 'click'"]


def test_a_member_that_has_failed_fails_its_blend(tmp_path: Path) -> None:
    """Whatever is there of an earlier run; the blend comes last, however the experiments are written."""
    here = context(tmp_path)
    blend = Experiment(model="blend", options={"of": ["a", "b"]})
    config = here.config.model_copy(update={"experiments": {"all": blend, **here.config.experiments}})
    line = Line(JobContext(config, tmp_path), list(config.experiments), failed={"b": "the loss is not finite"})
    assert line.experiments == ["a", "b", "all"]
    assert line._experiment(FIRST, "all") == "failed"
    assert line.failed["all"] == f"{FIRST}: its member 'b' has failed"
