"""The test of a day: the newest checkpoint before it on its rows, and the gate's verdict on it."""

from __future__ import annotations

import time
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from models.engine.batching import score_day
from models.schema import DayArrays
from pipeline.days import Day
from pipeline.evaluation.measures import Evaluation, evaluate_impressions, evaluate_ranking
from pipeline.evaluation.superiority import LOGITS
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import TEST
from pipeline.storage.artifacts.reuse import as_input, key_of, standing
from pipeline.storage.digests import content_digest, tensor_digest
from pipeline.training.engines import Session


def run_test(
    context: JobContext, day: Day, experiment: str, features: Artifact, checkpoint: Artifact, *, reprocess: bool = False
) -> Artifact:
    """Test ``checkpoint`` on ``day``: measures in the manifest, logits of every pair beside it."""
    config, store = context.config, context.store
    ref = Ref(TEST, config.job, day, experiment)
    inputs = [as_input(features), as_input(checkpoint)]
    settings = config.stage_settings("test")
    done = standing(store, config.experiments, ref, inputs, settings, reprocess=reprocess)
    if done is not None:
        return done
    began = time.perf_counter()
    arrays = day_arrays.read(features)
    logits = score_day(Session.of(context, experiment).trainer.at(checkpoint), arrays)
    found = evaluate(context, features, arrays, logits)
    with store.draft(ref) as draft:
        np.save(draft.path / LOGITS, logits)
        return draft.commit(
            key=key_of(inputs, settings), digest=content_digest({"logits": logits, "values": asdict(found)}),
            inputs=inputs, settings=settings, rows={"tested": found.rows},
            timings={"test": time.perf_counter() - began}, threads=config.threads,
            tensors={"logits": tensor_digest(logits)},
            extra={
                "checkpoint": checkpoint.id, "checkpoint_day": str(checkpoint.ref.day), "values": found.values,
                "reasons": found.reasons, "counts": found.counts, "groups": found.groups,
            },
        )  # fmt: skip


def evaluate(context: JobContext, features: Artifact, arrays: DayArrays, logits: NDArray[np.float32]) -> Evaluation:
    """Measures of the job's kind."""
    if context.config.kind == "impressions":
        return evaluate_impressions(arrays, logits)
    return evaluate_ranking(
        arrays, logits, day_arrays.key_rank(features), context.config.measures.composite, day_arrays.groups(features)
    )
