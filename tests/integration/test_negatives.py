"""Negatives of a history through the line: the loss of next steps is trained and told, and nobody is asked for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from pipeline.features.build_features import build_day
from pipeline.features.update_id_maps import grow
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.stages.experiment import run as run_experiment
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.training.records import CheckpointRecord
from tests.unit.pipeline.features import shows
from tests.unit.pipeline.features.lessons import DAY

pytestmark = pytest.mark.slow
DAYS = [*DAY.plus(-2).through(DAY)]


def without(declared: Any) -> Any:
    """The same job, whose histories have no negatives, with the one experiment that reads none."""
    features = declared.model_dump(mode="json", by_alias=True)["features"]
    features["clicked"].pop("negatives")
    experiments = declared.model_dump(mode="json", by_alias=True)["experiments"]
    return shows.config(features=features, experiments={"pooled": experiments["pooled"]})


def lived(folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, *experiments: str, resumed: bool) -> JobContext:
    shows.write_undated(folder)
    for day in DAYS:
        shows.write_day(folder, day, shows.LOG)
    job = shows.context(folder, monkeypatch, settings)
    for day in DAYS:
        for stage in (extract, validate, grow, build_day):
            stage(job, day)
        for experiment in experiments:
            run_experiment(job, day, experiment)
        if resumed:
            job.close()
            job = JobContext(job.config, job.root)
    return job


def checkpoint(job: JobContext, experiment: str) -> Artifact:
    found = job.store.current(Ref("checkpoint", job.job, DAY, experiment))
    assert found is not None
    return found


def test_the_loss_of_next_steps_is_trained_and_told_and_nothing_else_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shows.with_negatives({"count": 3, "from": "shown"})
    job = lived(tmp_path / "whole", settings, monkeypatch, "pooled", "next", resumed=False)
    said, plain = (CheckpointRecord.of(checkpoint(job, name)) for name in ("next", "pooled"))
    assert said.losses is not None
    assert (set(said.losses), plain.losses) == ({"label", "clicks/next"}, None)
    assert said.losses["clicks/next"] > 0
    assert said.loss == pytest.approx(said.losses["label"] + 0.5 * said.losses["clicks/next"], rel=1e-5)
    assert checkpoint(job, "next").manifest.tensors != checkpoint(job, "pooled").manifest.tensors
    counted = job.store.current(Ref("maps", job.job, DAY))
    assert counted is not None
    assert counted.manifest.rows["steps_without_shown_negatives"] == 1, "user 3 saw nothing that he did not click"

    exported = job.store.current(Ref("export", job.job, DAY, "next"))
    assert exported is not None
    (folder,) = {path.parent for path in exported.path.rglob("saved_model.pb")}
    served = tf.saved_model.load(str(folder)).signatures["serving_default"].structured_input_signature[1]
    assert {"clicked", "clicked_kinds"} <= set(served)
    assert not [name for name in served if "negatives" in name]

    # Killed after every day and gone on with; and, of whoever does not ask, where nothing is drawn.
    again = lived(tmp_path / "resumed", settings, monkeypatch, "next", resumed=True)
    assert checkpoint(again, "next").manifest.tensors == checkpoint(job, "next").manifest.tensors
    undrawn = lived(tmp_path / "undrawn", without(settings), monkeypatch, "pooled", resumed=False)
    assert checkpoint(undrawn, "pooled").manifest.tensors == checkpoint(job, "pooled").manifest.tensors
    for each in (job, again, undrawn):
        each.close()
