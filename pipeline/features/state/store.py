"""The feature state on disk: what each day added, and now and then a snapshot of the whole.

Kind ``state``: a day's delta, whose digest covers that of the day before, so that equal digests are equal states.
Kind ``snapshot``: the whole state as of a day; made of deltas, never needed, only quicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.job import JobConfig
from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact
from pipeline.features.records import StateRecord
from pipeline.features.state.delta import LATEST, Delta, history_of
from pipeline.features.state.events import Events, HistoryRows
from pipeline.features.state.histories import check_parts
from pipeline.features.state.state import FORMAT, FeatureState, StatePlan
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import SNAPSHOT, STATE
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.skipped_days import check_no_hole, skip_marker
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.digests import content_digest

FILE = "arrays.bin"
_HELD = 4
_ROWS_HELD = 64
_SNAPSHOT_BYTES = 32 << 20
_KEEP_EVERY_DAYS = 120


class StateStore:
    """Reads and grows one job's feature state.

    Args:
        store: where its artefacts are.
        config: of the job.
        snapshot_every: days with data between snapshots; sooner if the days since take more bytes than the last one.
    """

    def __init__(self, store: ArtifactStore, config: JobConfig, *, snapshot_every: int = 30) -> None:
        self._store = store
        self._job = config.job
        self._plan = StatePlan.of(config)
        self._snapshot_every = snapshot_every
        # By day: the state, and the last delta in it. Newest use last; states share what they have in common.
        self._held: dict[Day, tuple[FeatureState, Artifact]] = {}
        self._rows: dict[str, HistoryRows] = {}

    def as_of(self, day: Day | None) -> FeatureState:
        """The state as of the end of ``day``; empty before the first day.

        Raises:
            ChainError: a day up to ``day`` has been neither committed nor skipped.
        """
        empty = FeatureState.of_plan(self._plan)
        days = self._days()
        if day is None or not days or day < days[0]:
            return empty if day is None else empty.at(day)
        state, last = self._nearest(day)
        expected = days[0] if state.day is None else state.day.next()
        for each in days:
            if expected <= each <= day:
                delta = self._delta(each)
                if delta is None:
                    continue
                self._check_skipped(expected, each, day)
                state, last = state.after(_read_delta(delta)), delta
                expected = each.next()
        self._check_skipped(expected, day.next(), day)
        state = state.at(day)
        if last is not None:
            self._hold(day, state, last)
        return state

    def commit(self, day: Day, events: Events, *, key: str, inputs: Sequence[Input]) -> Artifact:
        """Store what ``day`` adds; the same once more with the same key changes nothing.

        Where the day was committed before with other content, or late, the days after it are tainted.
        """
        if events.day != day:
            raise ChainError(f"events of {events.day} cannot be committed as the state of {day}")
        days = self._days()
        previous = next((found for each in reversed(days) if each < day and (found := self._delta(each))), None)
        arrays = Delta(events).arrays()
        before = previous.manifest.digest if previous is not None else ""
        digest = content_digest({"before": before, **arrays})
        ref = Ref(STATE, self._job, day)
        current = self._store.current(ref)
        renewed = StateRecord.of(current).renewed if current is not None else None
        # The digest of before stands only where both the day and what it is added to are as they were.
        if renewed != content_digest(arrays) or state_before_of(current) != before:
            renewed = None
        if current is not None and renewed is not None:
            digest = current.manifest.digest
        same = current is not None and current.manifest.digest == digest
        if current is not None and same and current.manifest.key == key and self._store.taint_reason(ref) is None:
            return current
        later = [each for each in days if each > day and self._delta(each)]
        if not same:
            for each in later:
                after = Ref(STATE, self._job, each)
                if self._store.taint_reason(after) is None:
                    self._store.taint(after, f"the feature state of {day} was committed after it")
        with self._store.draft(ref) as draft:
            array_file.write(draft.path / FILE, arrays)
            artifact = draft.commit(
                key=key, digest=digest, inputs=[*inputs, *([previous.as_input()] if previous else [])],
                settings=self._plan.digest, rows=_counts(events),
                extra=StateRecord(format=FORMAT, renewed=renewed).written(),
            )  # fmt: skip
        if not later:
            self._snapshot_if_due(day, sorted({*days, day}))
        return artifact

    def outdated(self) -> list[Artifact]:
        """What an earlier version has stored of days in another form, ascending."""
        found = [self._delta(day) for day in self._days()]
        return [each for each in found if each is not None and not _is_readable(each)]

    def renew(self, outdated: Artifact, events: Events) -> Artifact:
        """Store in today's form what an earlier version stored of a day: the same state, so of the same digest.

        Nothing that was made of it is to be made again, and what was tainted stays so.
        """
        manifest, arrays = outdated.manifest, Delta(events).arrays()
        tainted = self._store.taint_reason(outdated.ref)
        with self._store.draft(outdated.ref) as draft:
            array_file.write(draft.path / FILE, arrays)
            artifact = draft.commit(
                key=manifest.key, digest=manifest.digest, inputs=manifest.inputs, settings=self._plan.digest,
                rows=_counts(events), extra=StateRecord(format=FORMAT, renewed=content_digest(arrays)).written(),
            )  # fmt: skip
        if tainted is not None:
            self._store.taint(outdated.ref, tainted)
        return artifact

    def check_newest(self) -> None:
        """Raises ``ChainError`` if the newest day was stored without a part of histories that the settings ask for."""
        newest = next((found for day in reversed(self._days()) if (found := self._delta(day))), None)
        if newest is not None and _is_readable(newest):
            check_parts(self._plan.history, history_of(_delta_arrays(newest)), newest.ref.day)

    def history_rows(self, day: Day) -> HistoryRows | None:
        """What ``day`` added to histories; ``None`` if it has no data."""
        delta = self._delta(day)
        if delta is None:
            return None
        if delta.id not in self._rows:
            self._rows[delta.id] = history_of(_delta_arrays(delta))
            if len(self._rows) > _ROWS_HELD:
                del self._rows[next(iter(self._rows))]
        return self._rows[delta.id]

    def _days(self) -> list[Day]:
        """Days with a folder, ascending: a cheap superset of the committed ones, which ``_delta`` tells apart."""
        folder = self._store.root / STATE / self._job
        if not folder.is_dir():
            return []
        names = [each.name for each in folder.iterdir()]
        return sorted(Day.parse(name.removeprefix("day=")) for name in names if name.startswith("day="))

    def _delta(self, day: Day) -> Artifact | None:
        return self._store.current(Ref(STATE, self._job, day))

    def _nearest(self, day: Day) -> tuple[FeatureState, Artifact | None]:
        """The newest state at hand that is not after ``day``: held in memory, else a snapshot, else the empty one."""
        held = self._newest_held(day)
        snapshot = self._newest_snapshot(day, None if held is None else held[0].day)
        if snapshot is None:
            return held if held is not None else (FeatureState.of_plan(self._plan), None)
        try:
            state = FeatureState.from_arrays(self._plan, snapshot.ref.day, _arrays_of(snapshot))
        except CorruptArtifact:
            if self._valid_snapshot(snapshot.ref.day) is None:  # thinned out by another process just now
                return self._nearest(day)
            raise
        return state, self._delta(snapshot.ref.day)

    def _newest_held(self, day: Day) -> tuple[FeatureState, Artifact] | None:
        for each in sorted(self._held, reverse=True):
            state, last = self._held[each]
            if each > day:
                continue
            if self._is_current(last.ref.day, last.manifest.digest):
                self._held[each] = self._held.pop(each)
                return state, last
            del self._held[each]
        return None

    def _newest_snapshot(self, day: Day, since: Day | None) -> Artifact | None:
        """The newest valid snapshot up to ``day`` and after ``since``."""
        for each in reversed(self._store.days(SNAPSHOT, self._job)):
            if since is not None and each <= since:
                return None
            if each <= day and (artifact := self._valid_snapshot(each)) is not None:
                return artifact
        return None

    def _valid_snapshot(self, day: Day) -> Artifact | None:
        """The snapshot of ``day`` if it is there, of these settings, and made of what is committed now."""
        artifact = self._store.current(Ref(SNAPSHOT, self._job, day))
        if artifact is None or artifact.manifest.pruned or artifact.manifest.settings != self._plan.digest:
            return None
        return artifact if self._is_current(day, artifact.manifest.inputs[0].digest) else None

    def _is_current(self, day: Day, digest: str) -> bool:
        """Whether the state of ``day`` has this digest and nothing before it was committed after it."""
        now = self._delta(day)
        ref = Ref(STATE, self._job, day)
        return now is not None and now.manifest.digest == digest and self._store.taint_reason(ref) is None

    def _hold(self, day: Day, state: FeatureState, last: Artifact) -> None:
        self._held.pop(day, None)
        self._held[day] = (state, last)
        while len(self._held) > _HELD:
            del self._held[next(iter(self._held))]

    def _check_skipped(self, first: Day, until: Day, wanted: Day) -> None:
        """Raise unless every day from ``first`` to before ``until`` is recorded as skipped."""
        check_no_hole(
            first, until, lambda day: skip_marker(self._store, self._job, day) is not None,
            job=self._job, name=self._job, lacks="feature state", wanted=wanted,
        )  # fmt: skip

    def _snapshot_if_due(self, day: Day, days: Sequence[Day]) -> None:
        newest = self._newest_snapshot(day, None)
        since = [each for each in days if newest is None or each > newest.ref.day]
        known = 0 if newest is None else sum(newest.manifest.files.values())
        deltas = [delta for each in since if (delta := self._delta(each)) is not None]
        added = sum(sum(delta.manifest.files.values()) for delta in deltas)
        if len(deltas) < self._snapshot_every and added <= max(known, _SNAPSHOT_BYTES):
            return
        state, made_from = self.as_of(day), self._delta(day)
        assert made_from is not None
        arrays: dict[str, NDArray[Any]] = state.arrays()
        with self._store.draft(Ref(SNAPSHOT, self._job, day)) as draft:
            array_file.write(draft.path / FILE, {name: np.ascontiguousarray(each) for name, each in arrays.items()})
            draft.commit(
                key=content_digest({"state": made_from.manifest.digest, "settings": self._plan.digest}),
                digest=content_digest(arrays),
                inputs=[made_from.as_input()],
                settings=self._plan.digest,
            )
        self._thin_snapshots()

    def _thin_snapshots(self) -> None:
        """Keep the newest two, and of the older ones one in so many days."""
        kept: Day | None = None
        for each in self._store.days(SNAPSHOT, self._job)[:-2]:
            artifact = self._store.current(Ref(SNAPSHOT, self._job, each))
            if artifact is None or artifact.manifest.pruned:
                continue
            if kept is None or each - kept >= _KEEP_EVERY_DAYS:
                kept = each
            else:
                self._store.prune(artifact)


def _arrays_of(artifact: Artifact) -> dict[str, NDArray[Any]]:
    return array_file.read(artifact.file(FILE))[0]


def state_before_of(delta: Artifact | None) -> str:
    """The digest of the state that a day was added to, as recorded; empty where it is the first."""
    inputs = delta.manifest.inputs if delta is not None else []
    return next((each.digest for each in inputs if each.id.startswith(f"{STATE}/")), "")


def _counts(events: Events) -> dict[str, int]:
    return {
        "events": len(events.label), "history": len(events.history.owner[0]), "catalogue": len(events.catalogue_keys),
        LATEST: len(events.latest_keys[0]),
    }  # fmt: skip


def _is_readable(delta: Artifact) -> bool:
    return StateRecord.of(delta).format == FORMAT


def _delta_arrays(delta: Artifact) -> dict[str, NDArray[Any]]:
    if not _is_readable(delta):
        job, day = delta.ref.job, delta.ref.day
        raise ChainError(
            f"{job} {day}: the feature state was stored by an earlier version, in another form; run `python -m "
            f"pipeline stage update_id_maps --job {job} --day {day}`, which brings all days into today's form"
        )
    return _arrays_of(delta)


def _read_delta(artifact: Artifact) -> Delta:
    return Delta.from_arrays(artifact.ref.day, _delta_arrays(artifact))
