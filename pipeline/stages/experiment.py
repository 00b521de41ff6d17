"""One experiment's part of a day: test the newest checkpoint before it, judge it, train on the day, export."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.measures import headline
from pipeline.days import Day
from pipeline.errors import PrunedPayload
from pipeline.evaluation import gate_day, next_day
from pipeline.job import JobContext
from pipeline.release.publish.pointer import ReleaseFiles
from pipeline.stages.features import build_features
from pipeline.storage.artifacts.artifact import Artifact, parse_id
from pipeline.storage.artifacts.kinds import CHECKPOINT, FEATURES
from pipeline.training import export as exporting
from pipeline.training import train
from pipeline.training.chain import Chain
from pipeline.training.overrides import NONE, Overrides
from pipeline.training.wild_values import in_words, told


@dataclass(frozen=True)
class Outcome:
    """What was done on the day, newest artefacts of each step, and a line that says so."""

    test: Artifact | None
    gate: Artifact | None
    checkpoint: Artifact
    export: Artifact
    trained: bool

    @property
    def summary(self) -> str:
        values = self.test.manifest.extra["values"] if self.test is not None else {}
        parts = ["trained" if self.trained else "already trained", *headline(values)]
        if self.gate is not None:
            judged = self.gate.manifest.extra
            parts.append(f"{judged['verdict']} ({judged['rise']})" if "rise" in judged else judged["verdict"])
        if self.trained and (wild := in_words(told(self.checkpoint.manifest))):
            parts.append(wild)
        return ", ".join(parts)


def run(
    context: JobContext,
    day: Day,
    experiment: str,
    *,
    reprocess: bool = False,
    overrides: Overrides = NONE,
) -> Outcome:
    """Test, gate, train and export ``day`` for one experiment, as the only trainer of its chain.

    Args:
        overrides: what this run trains otherwise than the YAML says.

    Raises:
        UsageError: ``overrides`` for a day that is trained already with other settings.
        ChainError: the day has no features, or a day before it has neither a checkpoint nor a skip marker.
        LockTimeout: another process trains this experiment.
    """
    features = context.needed(FEATURES, day)
    chain = Chain.of(context, experiment)
    with chain.lock():
        chain.begin(day)
        restored: set[str] = set()
        while True:
            try:
                return _run(context, day, experiment, features, overrides, reprocess=reprocess)
            except PrunedPayload as needed:
                _restore(context, experiment, needed, restored)
                features = context.needed(FEATURES, day)


def _restore(context: JobContext, experiment: str, needed: PrunedPayload, restored: set[str]) -> None:
    """Make a pruned payload again, and those that it takes; each once."""
    while True:
        if needed.artifact in restored:
            raise needed
        restored.add(needed.artifact)
        ref = parse_id(needed.artifact)[0]
        if ref.kind == FEATURES:
            build_features(context, ref.day, reprocess=True)
            return
        if ref.kind != CHECKPOINT:
            raise needed
        try:
            train.restore(context, experiment, needed.artifact)
            return
        except PrunedPayload as features:
            # Of one of the days that are trained again.
            _restore(context, experiment, features, restored)
            restored.remove(needed.artifact)


def _run(
    context: JobContext, day: Day, experiment: str, features: Artifact, overrides: Overrides, *, reprocess: bool
) -> Outcome:
    parent = Chain.of(context, experiment).parent(day)
    test = gate = None
    if parent is not None:
        promoted = ReleaseFiles.of(context.root, context.job).promoted(experiment)
        test = next_day.run_test(context, day, experiment, features, parent, reprocess=reprocess)
        gate = gate_day.gate_day(context, day, experiment, features, test, promoted=promoted, reprocess=reprocess)
    checkpoint, trained = train.train(
        context, day, experiment, features, parent, reprocess=reprocess, overrides=overrides
    )
    export = exporting.export(context, day, experiment, features, checkpoint)
    return Outcome(test, gate, checkpoint, export, trained)
