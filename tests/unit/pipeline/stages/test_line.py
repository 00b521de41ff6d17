from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config.experiment import Experiment
from pipeline.job import JobContext
from pipeline.stages.line import Line, of_validation, unpaired
from tests.unit.pipeline import small_job
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


def test_rows_in_quarantine_are_told_with_what_most_of_them_are_there_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = {**small_job.LOG, "columns": {**small_job.LOG["columns"], "price": {"type": "float", "source": "Prce"}}}
    settings = small_job.config({"log": log, "ads": small_job.ADS}, validation={"max_quarantined": 0.5})
    job = small_job.context(tmp_path, monkeypatch, settings)
    small_job.write_ads(tmp_path)
    rows = small_job.log_rows
    bad = [rows(1, label=[7]), rows(1, label=[7], user=[2]), rows(1, user=[0])]
    small_job.write_log(tmp_path, pa.concat_tables([rows(40), *bad]))
    told, never = of_validation(job, small_job.both(job))
    assert told == (
        "3 rows in quarantine (validated/tiny/day=2024-03-04/gen=0001), mostly log.label: not an allowed value ('7')"
    )
    assert never.startswith("log: the source has no column Prce (`price`): read as missing in every row")
