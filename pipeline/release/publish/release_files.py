"""The pointer: the one value that says what is served, and its copy and history on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, DayspringError
from pipeline.storage.files import write_atomic


@dataclass(frozen=True)
class Pointer:
    """A served release, as ``{namespace}:{job}:current`` and ``<job>/current.json`` hold it.

    Attributes:
        release_id: names the release; every shard in Redis carries it.
        day: data day at whose end its contents stand; it serves the next day.
        experiment, checkpoint: where its model comes from (``checkpoint`` is an artefact's id).
        version: the model's number in the object store.
        parts: number of shards of each part.
        previous: the release that served before it, to which a rollback returns.
        model: digest of the model's files: a version's number says nothing of what lies under it. Empty in a pointer
            of before there were any, which nobody answers with.
    """

    release_id: str
    job: str
    day: Day
    experiment: str
    checkpoint: str
    version: int
    parts: dict[str, int]
    previous: str | None = None
    model: str = ""

    def to_json(self) -> bytes:
        return json.dumps({**asdict(self), "day": str(self.day)}, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes | str, where: str) -> Pointer:
        """The pointer in ``text``; ``where`` is named if it cannot be understood."""
        try:
            record = json.loads(text)
            # A later version may know more of it.
            known = {each.name: record[each.name] for each in fields(cls) if each.name in record}
            return cls(**{**known, "day": Day.parse(record["day"])})
        except (ValueError, TypeError, KeyError, DayspringError) as error:
            raise CorruptArtifact(
                f"{where}: not a release pointer ({error}); delete it and publish the newest day again"
            ) from None


@dataclass(frozen=True)
class Published:
    """A release that was pushed at least once: its pointer then, and what a second push must reproduce.

    Attributes:
        release: id of its release artefact.
        digests: digest of each part.
        fields: number of fields of each part.
    """

    pointer: Pointer
    release: str
    digests: dict[str, str]
    fields: dict[str, int]


@dataclass(frozen=True)
class Place:
    """A store that a job is published to.

    Attributes:
        id: what was written into it when it was first published to: the same store under another address has it too.
        where: its address.
    """

    id: str
    where: str


@dataclass(frozen=True)
class Hold:
    """Set by a rollback: nothing is published until ``promote`` or ``--release-hold``.

    ``done`` is false while the rollback that set it has not switched yet.
    """

    left: str
    restored: str
    reason: str
    done: bool = False


@dataclass(frozen=True)
class Championship:
    """From ``day`` on the releases come from this experiment. ``by``: ``superiority`` or ``promote``."""

    experiment: str
    day: Day
    by: str


@dataclass(frozen=True)
class ReleaseFiles:
    """The durable side of a job's releases: ``root/releases/<job>/``. Writers hold ``lock``.

    ``served.json`` copies the Redis pointer, which is authoritative; it counts only where Redis has lost its own.
    """

    folder: Path

    @classmethod
    def of(cls, root: Path, job: str) -> ReleaseFiles:
        return cls(root / "releases" / job)

    @property
    def root(self) -> Path:
        return self.folder.parents[1]

    @property
    def lock(self) -> Path:
        return self.folder / "lock"

    def served(self) -> Pointer | None:
        path = self.folder / "served.json"
        return Pointer.from_json(path.read_bytes(), str(path)) if path.is_file() else None

    def set_served(self, pointer: Pointer) -> None:
        self._write("served.json", pointer.to_json())

    def published(self, release_id: str) -> Published | None:
        path = self.folder / "published" / f"{release_id}.json"
        if not path.is_file():
            return None
        record = self._read(path)
        pointer = Pointer.from_json(json.dumps(record["pointer"]).encode(), str(path))
        return Published(pointer, record["release"], record["digests"], record["fields"])

    def has_published(self) -> bool:
        """Whether anything was ever pushed to be served."""
        return any((self.folder / "published").glob("*.json"))

    def all_published(self) -> list[Published]:
        """Every release that was ever served."""
        names = sorted(path.stem for path in (self.folder / "published").glob("*.json"))
        return [each for name in names if (each := self.published(name)) is not None]

    def set_published(self, published: Published) -> None:
        record = {**asdict(published), "pointer": json.loads(published.pointer.to_json())}
        self._write(f"published/{published.pointer.release_id}.json", json.dumps(record, indent=1).encode())

    def places(self) -> dict[str, Place]:
        """Where the job is published, by kind of store; empty before anything was."""
        path = self.folder / "place.json"
        if not path.is_file():
            return {}
        return {name: Place(str(each["id"]), str(each["where"])) for name, each in self._read(path).items()}

    def set_places(self, places: Mapping[str, Place]) -> None:
        record = {name: asdict(each) for name, each in places.items()}
        self._write("place.json", json.dumps(record, indent=1).encode())

    def hold(self) -> Hold | None:
        path = self.folder / "hold.json"
        return Hold(**self._read(path)) if path.is_file() else None

    def set_hold(self, hold: Hold) -> None:
        self._write("hold.json", json.dumps(asdict(hold), indent=1).encode())
        left = self.rolled_back() | {hold.left}
        self._write("rolled_back.json", json.dumps({"releases": sorted(left)}, indent=1).encode())

    def rolled_back(self) -> set[str]:
        """Ids of every release that was left by a rollback and not promoted since."""
        path = self.folder / "rolled_back.json"
        return set(self._read(path)["releases"]) if path.is_file() else set()

    def trust(self, release_id: str) -> None:
        """A release that was rolled back counts again: it was promoted by hand."""
        left = self.rolled_back()
        if release_id in left:
            self._write("rolled_back.json", json.dumps({"releases": sorted(left - {release_id})}, indent=1).encode())

    def finish_hold(self, hold: Hold) -> None:
        self.set_hold(replace(hold, done=True))

    def release_hold(self) -> bool:
        """Lets publishing go on; ``False`` if nothing was held."""
        path = self.folder / "hold.json"
        there = path.is_file()
        path.unlink(missing_ok=True)
        return there

    def champions(self) -> list[Championship]:
        """Every change of the champion, oldest first."""
        path = self.folder / "champion.json"
        if not path.is_file():
            return []
        return [Championship(e["experiment"], Day.parse(e["day"]), e["by"]) for e in self._read(path)["changes"]]

    def add_champion(self, change: Championship) -> None:
        """Records a change; one that is already recorded is not recorded twice."""
        changes = self.champions()
        if changes and changes[-1] == change:
            return
        if change.by == "superiority" and change in changes:
            return
        record = [{**asdict(each), "day": str(each.day)} for each in [*changes, change]]
        self._write("champion.json", json.dumps({"changes": record}, indent=1).encode())

    def _write(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)

    def promoted(self, experiment: str) -> list[Day]:
        """The days on which an experiment was promoted by hand."""
        return [each.day for each in self.champions() if each.by == "promote" and each.experiment == experiment]

    @staticmethod
    def _read(path: Path) -> dict[str, Any]:
        try:
            record = json.loads(path.read_bytes())
        except ValueError as error:
            raise CorruptArtifact(f"{path}: damaged ({error}); delete it and publish the newest day again") from None
        if not isinstance(record, dict):
            raise CorruptArtifact(f"{path}: not a JSON object; delete it and publish the newest day again")
        return record
