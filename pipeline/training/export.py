"""Exporting a checkpoint: a SavedModel that takes raw ids, and golden rows to check it by."""

from __future__ import annotations

import time

import numpy as np

from models.export.saved_model import export as write_model
from pipeline.days import Day
from pipeline.features.arrays import files as day_arrays
from pipeline.features.ids.store import IdMapStore
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import EXPORT
from pipeline.storage.artifacts.reuse import as_input, key_of, standing
from pipeline.storage.digests import file_digest
from pipeline.training import golden_rows
from pipeline.training.engines import Session, seed_of

MODEL = "model"


def export(context: JobContext, day: Day, experiment: str, features: Artifact, checkpoint: Artifact) -> Artifact:
    """The exported model of ``checkpoint``, trained on ``day``: files ``model/``, golden rows beside it."""
    config, store = context.config, context.store
    ref = Ref(EXPORT, config.job, day, experiment)
    inputs = [as_input(checkpoint)]
    settings = config.stage_settings("export", experiment)
    done = standing(store, config.experiments, ref, inputs, settings)
    if done is not None:
        return done
    began = time.perf_counter()
    engine = Session.of(context, experiment).trainer.at(checkpoint)
    schema = config.experiment_schema(experiment)
    maps = {space: IdMapStore.of(context).read(space, config.spaces[space]) for space in engine.spaces}
    metadata = {"job": config.job, "experiment": experiment, "checkpoint": checkpoint.id, "day": str(day)}
    with store.draft(ref) as draft:
        write_model(
            engine, {space: (each.kind, each.ids) for space, each in maps.items()}, draft.path / MODEL, metadata
        )
        golden_rows.write(
            draft.path, engine, schema, day_arrays.read(features), maps, seed_of(config, experiment, day, "golden")
        )
        return draft.commit(
            # The files of a SavedModel differ in bytes at every save; its content is the checkpoint's.
            key=key_of(inputs, settings), digest=checkpoint.manifest.digest, inputs=inputs, settings=settings,
            rows={space: each.size for space, each in maps.items()}, timings={"export": time.perf_counter() - began},
            extra={
                "checkpoint": checkpoint.id, "golden_rows": len(np.load(draft.path / golden_rows.OUTPUTS)["special"]),
                "checksums": {
                    path.relative_to(draft.path).as_posix(): file_digest(path)
                    for path in sorted(draft.path.rglob("*")) if path.is_file()
                },
            },
        )  # fmt: skip
