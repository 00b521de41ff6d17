"""The verdict on a day: the tested checkpoint against the incumbent, on the same rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from pipeline.days import Day
from pipeline.evaluation.bootstrap import Scored
from pipeline.evaluation.measured import Evaluation
from pipeline.evaluation.plausibility import Usual, implausible, usual
from pipeline.evaluation.records import GateRecord, TestRecord
from pipeline.evaluation.verdict import NO_MODEL, decide, of_tasks
from pipeline.features.arrays import files as day_arrays
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import GATE
from pipeline.storage.artifacts.making import Recipe
from pipeline.storage.digests import content_digest
from pipeline.training import logits
from pipeline.training.joint import with_joint_logits, with_joints
from pipeline.training.loaded_trainers import Trainers, seed_of
from pipeline.training.members import pruned_parts


@dataclass(frozen=True)
class _Against:
    """What a test is judged by.

    Attributes:
        doubted: what the days before make likely, where the measure is beyond it.
    """

    incumbent: Artifact | None
    doubted: Usual | None
    recipe: Recipe


def stands(
    context: JobContext,
    day: Day,
    experiment: str,
    test: Artifact,
    *,
    promoted: Collection[Day] = (),
    reprocess: bool = False,
) -> Artifact | None:
    """The verdict on a test if there is nothing to judge anew."""
    return context.standing(_against(context, day, experiment, test, promoted).recipe, reprocess=reprocess)


def _against(
    context: JobContext, day: Day, experiment: str, test: Artifact, promoted: Collection[Day]
) -> _Against:
    incumbent = _incumbent(context, day, experiment)
    inputs = [test.as_input(), *([incumbent.as_input()] if incumbent is not None else [])]
    likely = usual(context, day, experiment, promoted)
    value = TestRecord.of(test).values.get(context.config.primary)
    doubted = likely if likely is not None and value is not None and likely.beyond(value) else None
    # Only where they decide, so that a day that is as usual does not hang on all days before it.
    inputs += [each.as_input() for each in doubted.tests] if doubted is not None else []
    ref, settings = Ref(GATE, context.job, day, experiment), context.config.stage_settings("gate")
    return _Against(incumbent, doubted, Recipe(ref, inputs, settings))


def gate_day(
    context: JobContext,
    day: Day,
    experiment: str,
    features: Artifact,
    test: Artifact,
    *,
    promoted: Collection[Day] = (),
    reprocess: bool = False,
) -> Artifact:
    """The verdict on the checkpoint that was tested, against the last one that the gate let pass.

    Args:
        promoted: days whose checkpoint of the experiment somebody has promoted by hand, however good it was.
    """
    config, tested = context.config, TestRecord.of(test)
    tasks = [task.name for task in config.tasks_of(experiment)]
    against = _against(context, day, experiment, test, promoted)
    incumbent, doubted, value = against.incumbent, against.doubted, tested.values.get(config.primary)
    with context.making(*against.recipe, reprocess=reprocess) as made:
        if made.stands is not None:
            return made.stands
        evaluation = Evaluation(
            test.manifest.rows["tested"], tested.values, tested.reasons, tested.counts, tested.groups
        )
        pruned = incumbent is not None and bool(pruned_parts(context.store, incumbent))
        scored, rise, seed = None, None, seed_of(config, experiment, day, "gate")
        if doubted is not None or (incumbent is not None and not pruned):
            arrays, new = day_arrays.read(features), with_joint_logits(config, logits.read(test))
            judged = with_joints(config, arrays)
            rows = Scored(config.kind, judged, day_arrays.key_rank(features), config.measures.composite, new, new)
            if doubted is not None and value is not None:
                rise = implausible(doubted, value, rows, config.release.gate, seed)
            if incumbent is not None and not pruned:
                before = Trainers.of(context, experiment).incumbent.at(incumbent).scores(arrays)
                scored = replace(rows, old=with_joint_logits(config, logits.by_task(before, tasks)))
        unopposed = f"{incumbent.id} is pruned" if incumbent is not None else NO_MODEL
        gate = of_tasks(config.release.gate, config.judged_of(experiment))
        decision = decide(gate, evaluation, scored, config.kind, seed, unopposed=unopposed, rise=rise)
        return made.commit(
            content_digest(decision.as_dict()), timings={"gate": made.seconds},
            extra=GateRecord(
                verdict=decision.verdict, reasons=decision.reasons, intervals=decision.intervals,
                checkpoint=tested.checkpoint, incumbent=incumbent.id if incumbent is not None else None, rise=rise,
            ).written(),
        )  # fmt: skip


def _incumbent(context: JobContext, day: Day, experiment: str) -> Artifact | None:
    """The checkpoint that the newest gate before ``day`` left standing."""
    before = context.store.latest_before(GATE, context.config.job, day, experiment)
    if before is None:
        return None
    said = GateRecord.of(before)
    standing_id = said.checkpoint if said.verdict == "promote" else said.incumbent
    return context.store.load(standing_id) if standing_id is not None else None
