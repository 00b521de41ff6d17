"""The test of a day: the newest checkpoint before it on its rows, and the gate's verdict on it."""

from __future__ import annotations

import time
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from models.batching import score_day
from models.schema import DayArrays
from pipeline.artifacts import Artifact, Ref
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.durable import content_digest, tensor_digest
from pipeline.evaluation import Evaluation, evaluate_impressions, evaluate_ranking
from pipeline.features import arrays as day_arrays
from pipeline.gate import Decision, Scored, decide
from pipeline.reuse import as_input, key_of, standing
from pipeline.session import Session, seed_of
from pipeline.superiority import LOGITS


def run_test(
    context: JobContext, day: Day, experiment: str, features: Artifact, checkpoint: Artifact, *, reprocess: bool = False
) -> Artifact:
    """Test ``checkpoint`` on ``day``: measures in the manifest, logits of every pair beside it."""
    config, store = context.config, context.store
    ref = Ref("test", config.job, day, experiment)
    inputs = [as_input(features), as_input(checkpoint)]
    settings = config.stage_settings("test")
    done = standing(store, config, ref, inputs, settings, reprocess=reprocess)
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


def gate_day(
    context: JobContext, day: Day, experiment: str, features: Artifact, test: Artifact, *, reprocess: bool = False
) -> Artifact:
    """The verdict on the checkpoint that was tested, against the last one that the gate let pass."""
    config, store = context.config, context.store
    ref = Ref("gate", config.job, day, experiment)
    incumbent = _incumbent(context, day, experiment)
    inputs = [as_input(test), *([as_input(incumbent)] if incumbent is not None else [])]
    settings = config.stage_settings("gate")
    done = standing(store, config, ref, inputs, settings, reprocess=reprocess)
    if done is not None:
        return done
    began = time.perf_counter()
    extra = test.manifest.extra
    evaluation = Evaluation(
        test.manifest.rows["tested"], extra["values"], extra["reasons"], extra["counts"], extra["groups"]
    )
    scored = None
    if incumbent is not None and not incumbent.manifest.pruned:
        arrays = day_arrays.read(features)
        scored = Scored(
            kind=config.kind, arrays=arrays,
            key_rank=day_arrays.key_rank(features), composite=config.measures.composite,
            new=np.load(test.file(LOGITS)),
            old=score_day(Session.of(context, experiment).incumbent.at(incumbent), arrays),
        )  # fmt: skip
    decision = decide(config.release.gate, evaluation, scored, config.kind, seed_of(config, experiment, day, "gate"))
    if scored is None and incumbent is not None:
        decision = Decision(decision.verdict, [f"{incumbent.id} is pruned, floors alone decide", *decision.reasons[1:]])
    with store.draft(ref) as draft:
        return draft.commit(
            key=key_of(inputs, settings), digest=content_digest(decision.as_dict()), inputs=inputs, settings=settings,
            timings={"gate": time.perf_counter() - began},
            extra={
                **decision.as_dict(), "checkpoint": extra["checkpoint"],
                "incumbent": incumbent.id if incumbent is not None else None,
            },
        )  # fmt: skip


def _incumbent(context: JobContext, day: Day, experiment: str) -> Artifact | None:
    """The checkpoint that the newest gate before ``day`` left standing."""
    before = context.store.latest_before("gate", context.config.job, day, experiment)
    if before is None:
        return None
    extra = before.manifest.extra
    standing_id = extra["checkpoint"] if extra["verdict"] == "promote" else extra["incumbent"]
    return context.store.load(standing_id) if standing_id is not None else None
