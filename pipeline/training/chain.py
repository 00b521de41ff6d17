"""An experiment's checkpoints in order of data date: who is whose parent, what may be trusted, what may be pruned."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Literal

from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact, DayspringError, UsageError
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT
from pipeline.storage.artifacts.lineage import Lineage, _ref_of
from pipeline.storage.artifacts.manifest import Manifest
from pipeline.storage.artifacts.skipped_days import check_no_hole, skip_marker
from pipeline.storage.artifacts.store import ArtifactStore
from pipeline.storage.files import write_atomic
from pipeline.storage.locks import held

LOCK_SECONDS = 60.0
"""How long a trainer waits for another one of the same chain."""

DayState = Literal["trained", "skipped", "tainted", "missing"]


class Chain:
    """The chain of one experiment.

    A checkpoint's manifest names its parent, the checkpoint it was trained from, among its inputs.

    Args:
        store: where checkpoints and day markers are.
        job: name of the job.
        experiment: name of the experiment.
        start: the first day by the settings; ``None`` leaves it to the first day that is trained.
    """

    def __init__(self, store: ArtifactStore, job: str, experiment: str, start: Day | None) -> None:
        self._store = store
        self._job = job
        self._experiment = experiment
        self._configured = start
        self._record = store.root / CHECKPOINT / job / experiment / "chain.json"

    @classmethod
    def of(cls, context: JobContext, experiment: str) -> Chain:
        """The chain of an experiment of the job."""
        # One that has left the YAML keeps its chain.
        settings = context.config.experiments.get(experiment)
        start = (settings.start if settings is not None else None) or context.config.start
        return cls(context.store, context.job, experiment, start)

    @property
    def start(self) -> Day | None:
        """First day of the chain: as recorded, else the first trained day, else by the settings."""
        recorded = self._recorded()
        if recorded is not None:
            return recorded
        trained = self.days()
        return trained[0] if trained else self._configured

    def begin(self, day: Day) -> None:
        """Record the chain's start if it has none: the settings' first day, else ``day``.

        Raises:
            ChainError: ``day`` is before the start.
        """
        with held(self._store.lock_path(self._job, f"begin.{self._experiment}"), timeout=60.0, what=self._name):
            if self._recorded() is None:
                start = self.start or day
                self._guard_start(day, start)
                self._record.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(self._record, json.dumps({"start": str(start)}).encode() + b"\n")
        self._guard_start(day, self.start)

    def parent(self, day: Day) -> Artifact | None:
        """The checkpoint that ``day`` is trained from and tests: the newest before it, over skipped days only.

        ``None`` where ``day`` is the first of the chain. The payload may have been pruned (see ``kept_ancestor``).

        Raises:
            ChainError: a day between has no checkpoint and no skip marker, or ``day`` is before the chain's start.
        """
        start = self.start
        if start is None:
            return None
        self._guard_start(day, start)
        newest = next((each for each in self._before(day) if each.ref.day >= start), None)
        hole = start if newest is None else newest.ref.day.next()
        check_no_hole(hole, day, self._is_skipped, job=self._job, name=self._name, lacks="checkpoint", wanted=day)
        return newest

    def kept_ancestor(self, day: Day) -> Artifact | None:
        """The newest checkpoint before ``day`` whose payload is kept."""
        return next((each for each in self._before(day) if not each.manifest.pruned), None)

    def resume(self, day: Day) -> Day:
        """Where training begins so that ``day`` can be trained again: after its nearest ancestor that is kept."""
        ancestor = self.kept_ancestor(day)
        return ancestor.ref.day.next() if ancestor is not None else (self.start or day)

    def rechain(self, tainted: list[Day]) -> str:
        """The shortest backfill that makes the chain whole again: from after its nearest kept ancestor."""
        first, last = self.resume(tainted[0]), self.days()[-1]
        return (
            f"python -m pipeline backfill --job {self._job} --experiment {self._experiment} --from {first} --to {last}"
        )

    def trained(self, day: Day) -> Artifact | None:
        """The current checkpoint of a day; ``None`` if it was not trained."""
        artifact = self._store.current(self._ref(day))
        return artifact if artifact is not None and artifact.manifest.state == "done" else None

    def days(self) -> list[Day]:
        """Trained days, ascending."""
        found = self._store.days(CHECKPOINT, self._job, self._experiment)
        return [day for day in found if self.trained(day) is not None]

    def states(self, first: Day, last: Day, *, tainted: Collection[Day] | None = None) -> dict[Day, DayState]:
        """What has become of each day of a range.

        Args:
            tainted: the days of ``tainted()``, where they are known.
        """
        if tainted is None:
            tainted = {day for day, _ in self.tainted()}
        trained = set(self.days())
        return {
            day: "tainted"
            if day in tainted
            else "trained"
            if day in trained
            else "skipped"
            if self._is_skipped(day)
            else "missing"
            for day in first.through(last)
        }

    def tainted(self, lineage: Lineage | None = None) -> list[tuple[Day, str]]:
        """Trained days that are not to be trusted, ascending, with the reason.

        A checkpoint is tainted if it or anything it was made from was tainted by hand, if an input's content differs
        from the input's current generation, or if a day that now stands between it and its parent was trained since.

        Args:
            lineage: of the same store, where several chains are looked at: what they share is then read once.
        """
        lineage = lineage or Lineage(self._store)
        found: list[tuple[Day, str]] = []
        before: Day | None = None
        for day in self.days():
            artifact = self.trained(day)
            if artifact is None:
                continue
            reason = lineage.reason(artifact) or self._wrong_parent(artifact.manifest, before, found)
            if reason is not None:
                found.append((day, reason))
            before = day
        return found

    def lock(self, timeout: float | None = None) -> AbstractContextManager[None]:
        """One trainer (or pruner) at a time; ``LockTimeout`` names the other's pid, host and age."""
        path = self._store.lock_path(self._job, f"train.{self._experiment}")
        return held(path, timeout=LOCK_SECONDS if timeout is None else timeout, what=self._name)

    def protected(self, released: Iterable[str] = ()) -> set[str]:
        """Ids of the checkpoints that no pruning may touch.

        What is released (as given), the newest checkpoint, which the next day starts from, and the ones from which
        the first tainted day, or the first hole, would be trained again.

        Args:
            released: ids of released checkpoints, the champion's and any other to keep, such as the best.
        """
        ancestors = (self.kept_ancestor(day) for day in self.outstanding())
        return {*released, *(each.id for each in ancestors if each is not None)}

    def outstanding(self, tainted: Collection[Day] | None = None) -> set[Day]:
        """The days that training goes on with: the next one, the first that is tainted and the first hole, if any.

        Of a chain that is not begun its first day by the settings; none where they leave it open.

        Args:
            tainted: the days of ``tainted()``, where they are known.
        """
        days, start = self.days(), self.start
        if not days:
            return {start} if start is not None else set()
        if tainted is None:
            tainted = [day for day, _ in self.tainted()]
        holes = set((start or days[0]).through(days[-1])) - set(days)
        open_days = [day for day in sorted(holes) if not self._is_skipped(day)]
        return {days[-1].next(), *sorted(tainted)[:1], *open_days[:1]}

    def retention(
        self, keep_last: int = 7, monthly: bool = True, *, protected: Collection[str] | None = None
    ) -> list[Artifact]:
        """Checkpoints to prune, oldest first: all but the newest, the first of each month, and the protected.

        Superseded generations go too, unless protected. Call it, and prune, under ``lock``.

        Args:
            keep_last: number of newest trained days to keep, at least 1.
            monthly: keep the first trained day of every month.
            protected: ids from ``protected(released)``; left out, nothing counts as released.
        """
        if keep_last < 1:
            raise UsageError(f"keep_last is {keep_last}; at least the newest checkpoint is kept, for the next day")
        keep = self.protected() | set(protected or ())
        days = self.days()
        kept_days = set(days[-keep_last:])
        if monthly:
            firsts = {(day.date.year, day.date.month): day for day in reversed(days)}
            kept_days |= set(firsts.values())
        found: list[Artifact] = []
        for day in self._store.days(CHECKPOINT, self._job, self._experiment):
            current = self._store.current(self._ref(day))
            for artifact in self._store.generations(self._ref(day)):
                newest = current is not None and artifact.generation == current.generation
                if artifact.has_payload and artifact.id not in keep and not (newest and day in kept_days):
                    found.append(artifact)
        return found

    @property
    def _name(self) -> str:
        return f"experiment '{self._experiment}' of job '{self._job}'"

    def _before(self, day: Day) -> Iterator[Artifact]:
        """Checkpoints of the days before ``day``, newest first, read one by one."""
        for each in reversed(self._store.days(CHECKPOINT, self._job, self._experiment)):
            artifact = self.trained(each) if each < day else None
            if artifact is not None:
                yield artifact

    def _ref(self, day: Day) -> Ref:
        return Ref(CHECKPOINT, self._job, day, self._experiment)

    def _recorded(self) -> Day | None:
        try:
            return Day.parse(json.loads(self._record.read_bytes())["start"])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, DayspringError) as error:
            raise CorruptArtifact(
                f"{self._record}: the chain's record is damaged ({error}); write "
                '{"start": "YYYY-MM-DD"} with the first trained day into it'
            ) from error

    def _guard_start(self, day: Day, start: Day | None) -> None:
        if start is not None and day < start:
            raise ChainError(
                f"{self._name}: day {day} is before the chain's start, {start}; a chain only grows forward: run "
                f"`python -m pipeline backfill --job {self._job} --from {start} --to D`, or name a new experiment "
                "for an earlier start"
            )

    def _is_skipped(self, day: Day) -> bool:
        checkpoint = self._store.current(self._ref(day))
        if checkpoint is not None:
            return checkpoint.manifest.state == "skipped"
        return skip_marker(self._store, self._job, day) is not None

    def _wrong_parent(self, manifest: Manifest, before: Day | None, tainted: list[tuple[Day, str]]) -> str | None:
        for each in manifest.inputs:
            ref = _ref_of(each.id)
            if ref is None or (ref.kind, ref.job, ref.experiment) != (CHECKPOINT, self._job, self._experiment):
                continue
            if before is not None and ref.day < before:
                return f"trained from {ref.day}, but {before} has been trained since"
            if any(day == ref.day for day, _ in tainted):
                return f"its parent {ref.day} is tainted"
        return None
