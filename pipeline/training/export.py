"""Exporting a checkpoint: a SavedModel that takes raw ids, and golden rows to check it by."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models import registry
from models.export import nearest, warm_up
from models.export.graphs import GRAPH, Graph
from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.features.arrays import files as day_arrays
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.state.in_memory import states_of
from pipeline.ingest.day_tables import NextTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import EXPORT, STATE, VALIDATED
from pipeline.storage.artifacts.making import Recipe
from pipeline.storage.digests import content_digest, file_digest
from pipeline.training import golden_rows
from pipeline.training.item_vectors import item_vectors
from pipeline.training.keras_trainer import KerasTrainer
from pipeline.training.loaded_trainers import Trainers, seed_of
from pipeline.training.records import ExportRecord
from pipeline.training.trainer import Trainer

MODEL = "model"
_WARM_UPS = (1, 16)
"""Golden rows of each request that a server warms up with: one as a service asks, and some at once."""


def stands(context: JobContext, day: Day, experiment: str, checkpoint: Artifact) -> Artifact | None:
    """The export of ``checkpoint`` if there is nothing to export anew."""
    return context.standing(_recipe(context, day, experiment, checkpoint))


def _recipe(context: JobContext, day: Day, experiment: str, checkpoint: Artifact) -> Recipe:
    ref, settings = Ref(EXPORT, context.job, day, experiment), context.config.stage_settings("export", experiment)
    made_of = [checkpoint]
    if any(feature.bins for feature in context.config.experiment_schema(experiment).features):
        made_of.append(context.needed(STATE, day))  # it holds the limits of bins
    if registry.has_towers(context.config.experiments[experiment].model):
        made_of.append(context.needed(VALIDATED, day))  # it lists the items
    return Recipe(ref, [each.as_input() for each in made_of], settings)


def export(context: JobContext, day: Day, experiment: str, features: Artifact, checkpoint: Artifact) -> Artifact:
    """The exported model of ``checkpoint``, trained on ``day``: files ``model/``, golden rows beside it."""
    config = context.config
    with context.making(*_recipe(context, day, experiment, checkpoint)) as made:
        if made.stands is not None:
            return made.stands
        trainer = Trainers.of(context, experiment).trainer.at(checkpoint)
        schema = config.experiment_schema(experiment)
        maps = {space: IdMapStore.of(context).read(space, config.spaces[space]) for space in trainer.spaces}
        metadata = {"job": config.job, "experiment": experiment, "checkpoint": checkpoint.id, "day": str(day)}
        made_by = {
            f"{stage} {name}": config.stage_settings(stage, name)
            for stage in ("build_features", "export") for name in (experiment, *config.experiments[experiment].members)
        }  # fmt: skip
        # As they stand at the day's end, which the next day's rows are read by.
        binned = any(feature.bins for feature in schema.features)
        limits = states_of(context).as_of(day).limits if binned else {}
        kinds, ids = {s: each.kind for s, each in maps.items()}, {s: (each.kind, each.ids) for s, each in maps.items()}
        made_with = content_digest({**made_by, "schema": repr(schema)})
        graph = trainer.module(kinds).write(
            made.path / MODEL, trainer.sizes, ids, metadata, made_with, _earlier_graph(context, day, experiment),
            limits, config.powers_of(experiment),
        )  # fmt: skip
        golden_rows.write(
            made.path, trainer, schema, day_arrays.read(features), maps, seed_of(config, experiment, day, "golden"),
            limits, config.powers_of(experiment),
        )  # fmt: skip
        _write_warm_ups(made.path, config.job)
        beside = made.path / MODEL / nearest.BESIDE
        for name, tower in trainer.tower_modules(kinds).items():
            tower.write(beside / name, trainer.sizes, ids, metadata, made_with, None, limits)
        items = None
        if registry.has_towers(config.experiments[experiment].model):
            items = _write_items(context, day, trainer, beside)
        return made.commit(
            # The files of a SavedModel differ in bytes at every save; its content is the checkpoint's.
            checkpoint.manifest.digest,
            rows={space: each.size for space, each in maps.items()}, timings={"export": made.seconds},
            extra=ExportRecord(
                checkpoint=checkpoint.id, golden_rows=len(np.load(made.path / golden_rows.OUTPUTS)["special"]),
                checksums={
                    path.relative_to(made.path).as_posix(): file_digest(path)
                    for path in sorted(made.path.rglob("*")) if path.is_file()
                },
                graph=graph, items=items,
            ).written(),
        )  # fmt: skip


def _write_items(context: JobContext, day: Day, trainer: Trainer, beside: Path) -> str | None:
    """Write the vectors of all items, as they stand at the day's end; their digest, if a table lists items."""
    assert isinstance(trainer, KerasTrainer)
    plan = Plan.of(context)
    maps = {space: IdMapStore.of(context).read(space, kind) for space, kind in plan.spaces.items()}
    found = item_vectors(plan, trainer, maps, NextTables.needed(context, day), day.next())
    if found is None:
        return None
    nearest.write_items(beside / nearest.FOLDER, *found)
    keys, vectors = found
    return content_digest({"keys": keys, "vectors": vectors})


def _write_warm_ups(path: Path, job: str) -> None:
    """Beside the model, what a server asks it before it is served: of the golden rows."""
    with np.load(path / golden_rows.INPUTS, allow_pickle=False) as golden:
        inputs = dict(golden)
    if all(map(len, inputs.values())):  # a day may be without requests
        warm_up.write(path / MODEL, job, [{name: each[:rows] for name, each in inputs.items()} for rows in _WARM_UPS])


def _earlier_graph(context: JobContext, day: Day, experiment: str) -> Graph | None:
    """The graph of the newest export before ``day``, if it is there as it was written."""
    before = context.store.latest_before(EXPORT, context.job, day, experiment)
    if before is None or before.manifest.pruned:
        return None
    record, name = ExportRecord.of(before), f"{MODEL}/{GRAPH}"
    try:
        path = before.file(name)
    except CorruptArtifact:  # one is traced anew; who reads that day is told
        return None
    if record.graph is None or file_digest(path) != record.checksums.get(name):
        return None
    return Graph(record.graph, path.read_bytes())
