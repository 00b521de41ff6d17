"""Publishing and rolling back: upload, push, one switch. Every step may be killed and repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pipeline.days import Day
from pipeline.errors import DayspringError, UsageError
from pipeline.release.contents.parts import Part
from pipeline.release.publish.ledger import Ledger, What
from pipeline.release.publish.models import Models
from pipeline.release.publish.place import Held, guard, settle
from pipeline.release.publish.redis_generations import Generations
from pipeline.release.publish.release_files import Hold, Pointer, Published, ReleaseFiles
from pipeline.storage.locks import held

_LOCK_SECONDS = 600.0  # a push of a large release takes minutes

Status = Literal["published", "superseded", "held"]


@dataclass(frozen=True)
class Release:
    """A release that was built.

    Attributes:
        artifact: id of its artefact, from which model and contents can be derived again.
        export: digest of its exported model.
    """

    release_id: str
    artifact: str
    day: Day
    experiment: str
    checkpoint: str
    export: str


@dataclass(frozen=True)
class Payload:
    """What a release consists of, derived from committed artefacts: the same at every call.

    ``model`` is the folder of its SavedModel; ``None`` if that was pruned.
    """

    release: Release
    model: Path | None
    parts: Callable[[], Sequence[Part]]


class _Gone(DayspringError):
    """A release that cannot be served again as it was; asking again changes nothing."""


@dataclass(frozen=True)
class Outcome:
    """What a publish did, and what is served after it."""

    status: Status
    reason: str
    pointer: Pointer | None


class Publisher:
    """Moves a job's pointer: the only one that writes to its Redis keys, its object store and its release files.

    Attributes:
        generations: the releases in Redis.

    Args:
        payload: derives a release's payload from the id of its artefact.
        grace_seconds: how long generations other than the served and the previous one live on.
        keep_models: versions kept in the object store beside those two.
    """

    def __init__(
        self,
        job: str,
        files: ReleaseFiles,
        generations: Generations,
        models: Models,
        payload: Callable[[str], Payload],
        *,
        grace_seconds: int,
        keep_models: int,
    ) -> None:
        self._job = job
        self._files = files
        self._ledger = Ledger(files.folder)
        self.generations = generations
        self._models = models
        self._payload = payload
        self._grace = grace_seconds
        self._keep = keep_models

    def publish(self, artifact: str, *, forced: bool = False, why: str = "") -> Outcome:
        """Serves a release, unless a newer day is served or a rollback holds.

        Args:
            artifact: id of the release's artefact.
            forced: by ``promote``: also over a hold, which ends, and back in data day.
            why: told in the ledger.
        """
        with self._lock():
            guard(self._files, self.held())
            current = self._reconciled()
            hold = self._files.hold()
            if hold is not None and not hold.done and not forced:
                current = self._finish_rollback(hold)
            payload = self._payload(artifact)
            release = payload.release
            if hold is not None and not forced:
                self._restore_lost(current)
                return Outcome("held", f"a rollback from {hold.left} holds ({hold.reason})", current)
            if current is not None and release.day < current.day and not forced:
                self._restore_lost(current)
                return Outcome("superseded", f"day {current.day} is served", current)
            pointer = self._serve(payload, current, "promote" if forced else "publish", why)
            if forced:
                self._files.release_hold()
                self._files.trust(release.release_id)
            return Outcome("published", "", pointer)

    def rollback(self, reason: str, to: str | None = None) -> Pointer:
        """Goes back to an earlier release and holds it; repeated after an interruption, it goes back once.

        Args:
            to: its id; by default the one that was served before.

        Raises:
            UsageError: nothing is served, nothing was served before, or ``to`` never was.
            DayspringError: it cannot be served as it was; nothing is held then.
        """
        with self._lock():
            guard(self._files, self.held())
            hold = self._interrupted(to)
            if hold is None:
                current = self._reconciled()
                restored = self._earlier(current, to)
                assert current is not None
                # What cannot be served again must not hold up what can be.
                self._again(self._record(restored))
                hold = Hold(left=current.release_id, restored=restored, reason=reason)
                self._files.set_hold(hold)
            return self._finish_rollback(hold)

    def would_restore(self, to: str | None = None) -> tuple[Pointer, list[str]]:
        """What ``rollback`` would serve, and what it would have to do for it, in words; nothing is changed.

        Raises:
            UsageError: as of ``rollback``.
            DayspringError: it cannot be served as it was.
        """
        hold = self._interrupted(to)
        record = self._record(hold.restored if hold is not None else self._earlier(self.served(), to))
        pointer, todo = record.pointer, []
        if not self.generations.complete(pointer.release_id, pointer.parts, record.fields):
            todo.append("its contents are derived again and pushed to Redis")
        if self._models.fault(pointer) is not None:
            if self._payload(record.release).model is None:
                raise _Gone(
                    f"release {pointer.release_id}: its exported model was pruned, so it cannot be served again"
                )
            todo.append("its model is uploaded again")
        return pointer, todo

    def _interrupted(self, to: str | None) -> Hold | None:
        """A rollback that did not come to its end, where it is the one that is asked for."""
        hold = self._files.hold()
        return hold if hold is not None and not hold.done and to in (None, hold.restored) else None

    def _earlier(self, current: Pointer | None, to: str | None) -> str:
        """The id of the release to go back to."""
        if current is None:
            raise UsageError(f"job '{self._job}' serves no release yet, so there is nothing to roll back")
        if to is None:
            if current.previous is None:
                raise UsageError(f"job '{self._job}': no release was served before {current.release_id}")
            return current.previous
        if to == current.release_id:
            raise UsageError(f"--to {to}: is what job '{self._job}' serves now")
        if self._files.published(to) is None:
            raise UsageError(
                f"--to {to}: no such release; `python -m pipeline releases --job {self._job}` lists what was served"
            )
        return to

    def release_hold(self) -> bool:
        """Ends a rollback's hold; ``False`` if there was none."""
        with self._lock():
            return self._files.release_hold()

    def served(self) -> Pointer | None:
        """What is served now; from the copy on disk where Redis has lost its own."""
        return self.generations.current() or self._files.served()

    def guard(self) -> None:
        """Raises ``DayspringError`` where another root publishes to the stores, or this one publishes elsewhere."""
        with self._lock():
            guard(self._files, self.held())

    def move(self) -> Pointer | None:
        """Publishes to the place that the settings name from now on, beginning with what is served; that, if anything.

        What lies in the place before stays there, for services that still read it.
        """
        with self._lock():
            guard(self._files, self.held(), moving=True)
            current, hold = self._files.served(), self._files.hold()
            if hold is not None and not hold.done:
                settle(self._files, self.held(), moving=True)
                return self._finish_rollback(hold)
            if current is None:
                return None
            try:
                pointer = replace(self._again(self._record(current.release_id)), previous=current.previous)
            except _Gone:
                # What it says to do instead is done in the new place: the old one may be lost.
                settle(self._files, self.held(), moving=True)
                raise
            settle(self._files, self.held(), moving=True)
            self._switch(pointer, "move", "")
            return pointer

    def held(self) -> tuple[Held, ...]:
        """The stores that it publishes to, with what they say is served."""
        text = self._models.pointer()
        kept = Pointer.from_json(text, self._models.where) if text else None
        return (
            Held("redis", "DAYSPRING_REDIS_URL", self.generations, self.generations.current()),
            Held("models", "DAYSPRING_RELEASE_URL", self._models, kept),
        )

    def _serve(self, payload: Payload, current: Pointer | None, what: What, why: str) -> Pointer:
        release = payload.release
        record = self._files.published(release.release_id)
        if current is not None and current.release_id == release.release_id and record is not None:
            pointer = self._again(record)
            self._switch(replace(pointer, previous=current.previous), what, why)
            return pointer
        version, model = self._uploaded(payload)
        parts = payload.parts()
        shards = self.generations.push(release.release_id, parts)
        pointer = Pointer(
            release.release_id, self._job, release.day, release.experiment, release.checkpoint, version, shards,
            previous=current.release_id if current is not None else None, model=model,
        )  # fmt: skip
        digests = {part.name: part.digest for part in parts}
        fields = {part.name: len(part.fields) for part in parts}
        self._files.set_published(Published(pointer, release.artifact, digests, fields))
        self._switch(pointer, what, why)
        return pointer

    def _uploaded(self, payload: Payload) -> tuple[int, str]:
        """The model's number in the object store and its digest there."""
        if payload.model is None:
            raise _Gone(
                f"{payload.release.artifact}: the exported model was pruned; "
                f"`{self._promote(payload.release.experiment)}` releases the newest one"
            )
        release = payload.release
        version = self._models.upload(payload.model, day=int(str(release.day).replace("-", "")), export=release.export)
        return version, self._models.digest(version)

    def _finish_rollback(self, hold: Hold) -> Pointer:
        pointer = self._again(self._record(hold.restored))
        self._switch(pointer, "rollback", hold.reason)
        self._files.finish_hold(hold)
        return pointer

    def _record(self, release_id: str) -> Published:
        record = self._files.published(release_id)
        if record is None:
            served = self._files.served()
            raise _Gone(
                f"{self._files.folder}: no record of release {release_id}, so it cannot be restored; "
                f"`{self._promote(served.experiment if served is not None else 'NAME')}` releases the newest model"
            )
        return record

    def _again(self, record: Published) -> Pointer:
        """Makes an earlier release ready to be served: its keys kept or pushed again from disk, its model there."""
        pointer = record.pointer
        payload: Payload | None = None
        if self.generations.complete(pointer.release_id, pointer.parts, record.fields):
            self.generations.keep(pointer.release_id, pointer.parts)
        else:
            payload = self._payload(record.release)
            parts = payload.parts()
            other = [part.name for part in parts if record.digests.get(part.name) != part.digest]
            if other:
                raise _Gone(
                    f"release {pointer.release_id}: {', '.join(other)} would not be what was published (the days it "
                    f"was built from have changed); `{self._promote(pointer.experiment)}` builds a new one"
                )
            self.generations.push(pointer.release_id, parts)
        if self._models.fault(pointer) is not None:
            payload = payload or self._payload(record.release)
            pointer = self._with_its_model(pointer, payload)
            self._files.set_published(replace(record, pointer=pointer))
        return pointer

    def _with_its_model(self, pointer: Pointer, payload: Payload) -> Pointer:
        """The pointer with the model that it means in place: uploaded again, unless it only did not say which it is."""
        whole = not pointer.model and self._models.verified(pointer.version)
        told = self._models.digest(pointer.version, export=payload.release.export) if whole else ""
        if told:
            return replace(pointer, model=told)
        version, model = self._uploaded(payload)
        return replace(pointer, version=version, model=model)

    def _switch(self, pointer: Pointer, what: What, why: str) -> None:
        settle(self._files, self.held())
        self.generations.switch(pointer)
        self._follow(pointer, what, why)
        kept = {pointer.release_id} | ({pointer.previous} if pointer.previous else set())
        self.generations.expire_all_but(kept, self._grace)
        versions = {pointer.version}
        before = self._files.published(pointer.previous) if pointer.previous else None
        if before is not None:
            versions.add(before.pointer.version)
        self._models.prune(versions, self._keep)

    def _follow(self, pointer: Pointer, what: What, why: str) -> None:
        """The copies of the pointer: on disk, and beside the models; and the ledger."""
        self._ledger.enter(pointer, what, why)
        self._files.set_served(pointer)
        self._models.set_pointer(pointer.to_json())

    def _reconciled(self) -> Pointer | None:
        """What is served; copies that a killed switch left behind follow it."""
        pointer, copy = self.generations.current(), self._files.served()
        if pointer is None:
            return copy
        if pointer != copy or self._models.pointer() != pointer.to_json():
            self._follow(pointer, "found", "whoever switched to it died before it could be noted")
        return pointer

    def _restore_lost(self, current: Pointer | None) -> None:
        """Redis was emptied, or its pointer does not say which model it means: serves what was served."""
        there = self.generations.current()
        if current is None or (there is not None and there.model):
            return
        record = self._files.published(current.release_id)
        if record is not None:
            self._switch(replace(self._again(record), previous=current.previous), "publish", "Redis had lost it")

    def _promote(self, experiment: str) -> str:
        return f"python -m pipeline promote --job {self._job} --experiment {experiment}"

    def _lock(self) -> AbstractContextManager[None]:
        return held(self._files.lock, timeout=_LOCK_SECONDS, what=f"the release of job '{self._job}'")
