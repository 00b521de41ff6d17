"""Which days' tables and arrays go by age: none that a chain, a release or another day still needs."""

from __future__ import annotations

from collections.abc import Iterator

from models.architecture import TREE_COLUMNS
from pipeline.config.retention import replayed_span
from pipeline.days import Day
from pipeline.features.records import StateRecord
from pipeline.features.state.state import FORMAT
from pipeline.ingest.late_labels import due, waiting
from pipeline.job import JobContext
from pipeline.release.contents.homework import context_days
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import EXTRACT, FEATURES, MAPS, STATE, VALIDATED
from pipeline.storage.artifacts.lineage import Lineage
from pipeline.training.chain import Chain
from pipeline.training.records import CheckpointRecord


def past_days(context: JobContext, released: list[Day]) -> Iterator[Artifact]:
    """Extracts, validated tables and arrays that are older than ``retention`` says and that nothing needs.

    Call it, and prune, under the locks of all chains.

    Args:
        released: days whose releases may have to be derived again.
    """
    store, keep = context.store, context.config.retention
    built = store.days(FEATURES, context.job)
    if not built:
        return
    needs = _Needs(context, built, [*released, built[-1]])
    for kind, days in (
        (EXTRACT, keep.extract_days), (VALIDATED, keep.validated_days), (FEATURES, keep.feature_days),
    ):  # fmt: skip
        if days == "all":
            continue
        kept = days + (replayed_span(context.config.replay) if kind == VALIDATED else 0)
        for day in store.days(kind, context.job):
            if built[-1] - day < kept:
                break
            artifact = store.current(Ref(kind, context.job, day))
            if artifact is not None and artifact.has_payload and not needs.keep(artifact):
                yield artifact


class _Needs:
    """What is read again, however old it is."""

    def __init__(self, context: JobContext, built: list[Day], released: list[Day]) -> None:
        self._context, self._first, self._newest = context, built[0], built[-1]
        self._lineage = Lineage(context.store)
        self._unread = {*due(context), *waiting(context)}
        self._goes_on = self._first_outstanding()
        self._replayed = replayed_span(context.config.replay)
        back = context_days(context.config.history)
        self._released = {each.plus(-days) for each in released for days in range(back + 1)}
        self._snapshots: set[str] | None = None

    def keep(self, artifact: Artifact) -> bool:
        """Whether it is still to be read; an artefact that is tainted is, until another has taken its place."""
        day = artifact.ref.day
        if artifact.ref.kind == EXTRACT:
            return day in self._unread or not self._stands(VALIDATED, artifact) or artifact.id in self._read_as_snapshot
        if artifact.ref.kind == FEATURES:
            return self._is_outstanding(day) or self._lineage.reason(artifact) is not None
        made = (MAPS, STATE, FEATURES) if day >= self._first else (MAPS, STATE)
        return (
            day in self._released
            or self._is_outstanding(day.plus(self._replayed))
            or not all(self._stands(kind, artifact) for kind in made)
            or self._is_of_an_earlier_version(day)
        )

    def _first_outstanding(self) -> Day | None:
        """From which day on some experiment is to be trained."""
        firsts: list[Day] = []
        for name, settings in self._context.config.experiments.items():
            chain = Chain.of(self._context, name)
            tainted = [day for day, _ in chain.tainted(self._lineage)]
            resumed = [chain.resume(day) for day in chain.outstanding(tainted)]
            firsts += [day.plus(1 - settings.window) for day in resumed]
            if self._has_trees(chain):
                from pipeline.training.earlier_days import first_fitted  # here: it needs TensorFlow

                firsts += [first_fitted(self._context, name, day) for day in resumed]
        return min(firsts, default=None)

    def _has_trees(self, chain: Chain) -> bool:
        newest = chain.trained(chain.days()[-1]) if chain.days() else None
        built = CheckpointRecord.of(newest).architecture if newest is not None else None
        return built is not None and TREE_COLUMNS in built.axes

    def _is_outstanding(self, day: Day) -> bool:
        return self._goes_on is not None and day >= self._goes_on

    def _stands(self, kind: str, of: Artifact) -> bool:
        """Whether the day's artefact of a kind is there, was made of this one, and is not to be made again."""
        made = self._context.store.current(Ref(kind, of.ref.job, of.ref.day))
        if made is None or all(each.digest != of.manifest.digest for each in made.manifest.inputs):
            return False
        return self._lineage.reason(made) is None

    def _is_of_an_earlier_version(self, day: Day) -> bool:
        """The day's state is brought into today's form from its tables."""
        state = self._context.store.current(Ref(STATE, self._context.job, day))
        return state is not None and StateRecord.of(state).format != FORMAT

    @property
    def _read_as_snapshot(self) -> set[str]:
        """Extracts whose running columns were read for a day that can still be validated again."""
        if self._snapshots is None:
            store, job, days = self._context.store, self._context.job, self._context.config.retention.extract_days
            recent = [each for each in store.days(VALIDATED, job) if days == "all" or self._newest - each < days]
            found = (store.current(Ref(VALIDATED, job, each)) for each in recent)
            self._snapshots = {made.id for each in found if each is not None for made in each.manifest.inputs}
        return self._snapshots
