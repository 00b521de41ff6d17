"""The leak test carried through to the model: weights and scores of a day do not move when the future is planted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config.job import JobConfig
from pipeline.features.build_features import build_day
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.stages.experiment import run as run_experiment
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.lessons import DAY

pytestmark = pytest.mark.slow


def trained(job: JobContext, days: int) -> dict[str, Any]:
    """Digests of what the model is and says on ``DAY``, the last day."""
    try:
        for day in DAY.plus(-2).through(DAY.plus(days)):
            extract(job, day)
            validate(job, day)
            grow(job, day)
        for day in DAY.plus(-2).through(DAY):
            build_day(job, day)
            run_experiment(job, day, "pooled")
        found = {}
        for kind in ("features", "test", "checkpoint"):
            artifact = job.store.current(Ref(kind, job.job, DAY, None if kind == "features" else "pooled"))
            assert artifact is not None
            found[kind] = artifact.manifest.digest
            found[f"{kind} tensors"] = artifact.manifest.tensors
        return found
    finally:
        job.close()


@pytest.mark.parametrize(
    "config", [shows.config(), shows.with_moments(), shows.with_outcomes()], ids=["days", "moments", "outcomes"]
)
def test_weights_and_scores_do_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: JobConfig) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    plain, planted, moved, known = (tmp_path / name for name in ("plain", "planted", "moved", "known"))
    future = shows.log(*[(user, ad, 1, 7, 1e9, ["/z/z/z"]) for user in (1, 2, 3) for ad in (10, 11, 12)])
    answers = pa.array([1e9 * click for click in shows.LOG["click"].to_pylist()])
    for folder in (plain, planted, moved, known):
        shows.write_undated(folder)
        for day in DAY.plus(-2).through(DAY.plus(2)):
            # Of days before it is what histories and counters are made of, where they are.
            planted_too = folder == known and (day == DAY or not config.values)
            rows = shows.LOG.append_column("answered", answers) if planted_too else shows.LOG
            shows.write_day(folder, day, shows.at(rows, day, "08:00", "08:10", "09:00", "09:10", "12:00"))
    for ahead in (1, 2):
        shows.write_day(planted, DAY.plus(ahead), shows.at(future, DAY.plus(ahead), *["00:01"] * 9))
    shows.write_day(moved, DAY.previous(), shows.at(future, DAY.previous(), *["08:05"] * 9))

    before = trained(shows.context(plain, monkeypatch, config), 0)
    # The days after are read, mapped and in the feature state before the day is built, tested and trained.
    after = trained(shows.context(planted, monkeypatch, config), 2)
    assert before == after
    # Nor does what came of the day's own rows, in a column declared as an outcome.
    assert trained(shows.context(known, monkeypatch, config), 0) == before
    # The same rows on an earlier day are no future, and do move it.
    assert trained(shows.context(moved, monkeypatch, config), 0)["test"] != before["test"]
