"""The test of a day: the newest checkpoint before it on its rows, and the gate's verdict on it."""

from __future__ import annotations

import time
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from models.batching import score_day
from models.schema import DayArrays
from pipeline.artifacts import Artifact, Ref
from pipeline.bootstrap import Scored
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.durable import content_digest, tensor_digest
from pipeline.evaluation import Evaluation, evaluate_impressions, evaluate_ranking
from pipeline.features import arrays as day_arrays
from pipeline.gate import NO_MODEL, decide
from pipeline.plausibility import implausible, usual
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
    extra = test.manifest.extra
    range_before = usual(context, day, experiment)
    value = extra["values"].get(config.primary)
    doubted = range_before if range_before is not None and value is not None and range_before.beyond(value) else None
    # Only where they decide, so that a day that is as usual does not hang on all days before it.
    inputs += [as_input(each) for each in doubted.tests] if doubted is not None else []
    settings = config.stage_settings("gate")
    done = standing(store, config, ref, inputs, settings, reprocess=reprocess)
    if done is not None:
        return done
    began = time.perf_counter()
    evaluation = Evaluation(
        test.manifest.rows["tested"], extra["values"], extra["reasons"], extra["counts"], extra["groups"]
    )
    pruned = incumbent is not None and incumbent.manifest.pruned
    scored, rise, seed = None, None, seed_of(config, experiment, day, "gate")
    if doubted is not None or (incumbent is not None and not pruned):
        arrays, new = day_arrays.read(features), np.load(test.file(LOGITS))
        rows = Scored(config.kind, arrays, day_arrays.key_rank(features), config.measures.composite, new, new)
        if doubted is not None:
            rise = implausible(doubted, value, rows, config.release.gate, seed)
        if incumbent is not None and not pruned:
            scored = replace(rows, old=score_day(Session.of(context, experiment).incumbent.at(incumbent), arrays))
    unopposed = f"{incumbent.id} is pruned" if incumbent is not None else NO_MODEL
    decision = decide(config.release.gate, evaluation, scored, config.kind, seed, unopposed=unopposed, rise=rise)
    with store.draft(ref) as draft:
        return draft.commit(
            key=key_of(inputs, settings), digest=content_digest(decision.as_dict()), inputs=inputs, settings=settings,
            timings={"gate": time.perf_counter() - began},
            extra={
                **decision.as_dict(), "checkpoint": extra["checkpoint"],
                "incumbent": incumbent.id if incumbent is not None else None,
                **({"rise": rise} if rise is not None else {}),
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
