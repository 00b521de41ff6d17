"""One experiment's part of a day: test the newest checkpoint before it, judge it, train on the day, export."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

from pipeline.config.measures import headline
from pipeline.days import Day
from pipeline.evaluation import gate_day, next_day
from pipeline.evaluation.records import GateRecord, TestRecord
from pipeline.job import JobContext
from pipeline.release.publish.release_files import ReleaseFiles
from pipeline.stages.features import build_features
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.kinds import CHECKPOINT, FEATURES
from pipeline.training import export as exporting
from pipeline.training import train
from pipeline.training.chain import Chain
from pipeline.training.earlier_days import earlier_days, earlier_on
from pipeline.training.lost_days import guard_kept
from pipeline.training.members import members_on, pruned_parts
from pipeline.training.overrides import NONE, Overrides
from pipeline.training.records import CheckpointRecord
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
        values = TestRecord.of(self.test).values if self.test is not None else {}
        parts = ["trained" if self.trained else "already trained", *headline(values)]
        if self.gate is not None:
            judged = GateRecord.of(self.gate)
            why = judged.reasons[0] if judged.verdict == "block" and judged.reasons else judged.rise
            parts.append(judged.verdict + (f" ({why})" if why is not None else ""))
        if self.trained:
            record = CheckpointRecord.of(self.checkpoint)
            parts += [f"began with {record.growth.in_words}"] if record.growth is not None else []
            parts += [wild] if (wild := in_words(told(record))) else []
            parts += [record.fitted.in_words] if record.fitted is not None else []
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
    chain = Chain.of(context, experiment)
    with chain.lock():
        features = context.needed(FEATURES, day)
        chain.begin(day)
        asked = _Asked(context, day, experiment, overrides, reprocess)
        pruned = asked.pruned(features, chain.parent(day))
        if pruned:
            _restore(context, experiment, pruned)
            features = context.needed(FEATURES, day)
        return asked.run(features, chain.parent(day))


@dataclass(frozen=True)
class _Asked:
    """What is asked for: a day of an experiment, and how."""

    context: JobContext
    day: Day
    experiment: str
    overrides: Overrides
    reprocess: bool

    @cached_property
    def _promoted(self) -> Collection[Day]:
        return ReleaseFiles.of(self.context.root, self.context.job).promoted(self.experiment)

    def pruned(self, features: Artifact, parent: Artifact | None) -> list[Artifact]:
        """What will be read although its payload is gone; nothing of a day whose four artefacts stand.

        It stays true until the lock of the chain is let go: retention prunes under it.
        """
        context, day, name, again = self.context, self.day, self.experiment, self.reprocess
        trained = train.stands(context, day, name, features, parent, reprocess=again, overrides=self.overrides)
        # Of a blend that is still to be made, its members are exported.
        made_of = [trained] if trained is not None else members_on(context, day, name)
        if trained is None:
            made_of += earlier_days(context, name, day, parent)
        if not any(self._gone(each) for each in (features, parent, *made_of)):
            return []
        exported = exporting.stands(context, day, name, trained) if trained is not None else None
        tested = judged = None
        if parent is not None:
            tested = next_day.stands(context, day, name, features, parent, reprocess=again)
        if tested is not None:
            judged = gate_day.stands(context, day, name, tested, promoted=self._promoted, reprocess=again)
        read = []
        if exported is None or (parent is not None and judged is None):
            read.append(features)
        if parent is not None and (trained is None or tested is None):
            read.append(parent)
        if exported is None:
            read += made_of
        return [gone for each in read for gone in self._gone(each)]

    def _gone(self, artifact: Artifact | None) -> list[Artifact]:
        """What of an artefact would have to be made again to be read."""
        if artifact is None:
            return []
        if artifact.ref.kind == CHECKPOINT:
            return pruned_parts(self.context.store, artifact)
        return [artifact] if artifact.manifest.pruned else []

    def run(self, features: Artifact, parent: Artifact | None) -> Outcome:
        context, day, name, again = self.context, self.day, self.experiment, self.reprocess
        test = gate = None
        if parent is not None:
            test = next_day.run_test(context, day, name, features, parent, reprocess=again)
            gate = gate_day.gate_day(context, day, name, features, test, promoted=self._promoted, reprocess=again)
        checkpoint, trained = train.train(
            context, day, name, features, parent, reprocess=again, overrides=self.overrides
        )
        export = exporting.export(context, day, name, features, checkpoint)
        return Outcome(test, gate, checkpoint, export, trained)


def _restore(context: JobContext, experiment: str, pruned: Sequence[Artifact]) -> None:
    """Make again what was pruned: the features first, then the checkpoints from the nearest ancestor that is kept.

    Those of a blend's members under the locks of their chains, before the blend's own.
    """
    again: dict[str, set[Day]] = {}
    for checkpoint in (each for each in pruned if each.ref.kind == CHECKPOINT):
        name, last = str(checkpoint.ref.experiment), checkpoint.ref.day
        chain = Chain.of(context, name)
        first = chain.resume(last.next())
        again.setdefault(name, set()).update(day for day in chain.days() if first <= day <= last)
    read = {each.ref.day for each in pruned if each.ref.kind == FEATURES}
    for name, trained in again.items():
        before = [Chain.of(context, name).trained(day) for day in trained]
        read |= trained | {each.ref.day for one in before if one is not None for each in earlier_on(context, one)}
    days = sorted(read)
    guard_kept(context, experiment, days)
    for day in days:
        if context.needed(FEATURES, day).manifest.pruned:
            build_features(context, day, reprocess=True)
    with ExitStack() as locks:
        for name in context.config.in_training_order(again):
            if name != experiment:
                locks.enter_context(Chain.of(context, name).lock())
            for day in sorted(again[name]):
                train.restore(context, day, name)
