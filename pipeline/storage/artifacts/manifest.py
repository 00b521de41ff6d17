"""The manifest of an artefact: what it was made of, by whom, and what is in it."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, UsageError
from pipeline.storage.digests import content_digest

NAME = "manifest.json"
"""File name of the manifest inside its artefact."""

State = Literal["done", "skipped"]


@dataclass(frozen=True)
class Input:
    """One artefact that another was made from."""

    id: str
    digest: str


@dataclass
class Manifest:
    """What is known of one generation of an artefact; kept when its payload is pruned.

    Attributes:
        id: ``kind/job/[experiment/]day=YYYY-MM-DD/gen=NNNN``.
        key: digest of the inputs' digests and of the settings that the stage reads; equal key = nothing to do.
        digest: digest of the content (tensors, columns), not of file bytes.
        settings: digest of the settings that the stage reads.
        rows: counts by name.
        timings: seconds by name.
        code_version: git commit, else the package's version; recorded, never part of ``key``.
        tensors: digest of each tensor by name.
        files: bytes of each file by name.
        reason: why, where ``state`` is ``skipped``.
        pruned: the payload was removed; digests remain.
        created_at: ISO instant, UTC.
        owner: ``pid`` and ``host`` of the process that committed it.
        extra: what a stage adds; JSON values only.
    """

    id: str
    kind: str
    job: str
    day: Day
    experiment: str | None
    generation: int
    key: str
    digest: str
    inputs: list[Input] = field(default_factory=list)
    settings: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    code_version: str = ""
    seed: int | None = None
    threads: int | None = None
    tensors: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    state: State = "done"
    reason: str = ""
    pruned: bool = False
    created_at: str = ""
    owner: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The manifest as indented JSON, UTF-8."""
        record = {each.name: getattr(self, each.name) for each in fields(self)}
        record["day"] = str(self.day)
        record["inputs"] = [{"id": each.id, "digest": each.digest} for each in self.inputs]
        record = json.loads(json.dumps(record, default=_plain))
        record["checksum"] = _checksum(record)
        return (json.dumps(record, indent=1, ensure_ascii=False, default=_plain) + "\n").encode()

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """The manifest in a file; raises ``FileNotFoundError``, or ``CorruptArtifact`` if it cannot be understood."""
        data = path.read_bytes()
        try:
            found = cls._from(json.loads(data))
            found.extra = _Extra(path, found.extra)
            return found
        except (ValueError, TypeError, KeyError, RecursionError, UsageError) as error:
            raise CorruptArtifact(
                f"{path}: the manifest is damaged ({type(error).__name__}: {error}); delete the folder {path.parent} "
                "and run the stage of that day again, or restore the file from a backup"
            ) from error

    @classmethod
    def _from(cls, record: dict[str, Any]) -> Manifest:
        if not isinstance(record, dict):
            raise TypeError("not a JSON object")
        known = {each.name: each for each in fields(cls)}
        needed = {name for name, each in known.items() if each.default is MISSING and each.default_factory is MISSING}
        missing = sorted(needed - set(record))
        if missing:
            raise KeyError(f"no field {', '.join(missing)}")
        # A manifest of a later version may say more; what this version knows is enough to read the artefact.
        values = {name: value for name, value in record.items() if name in known}
        values["day"] = Day.parse(record["day"])
        values["inputs"] = [Input(str(each["id"]), str(each["digest"])) for each in record.get("inputs", [])]
        values["generation"] = int(record["generation"])
        for name in ("rows", "timings", "tensors", "files", "owner", "extra"):
            if not isinstance(values.get(name, {}), dict):
                raise TypeError(f"field {name} is not an object")
        return cls(**values)


def is_as_written(path: Path) -> bool:
    """Whether nothing in a readable manifest was changed since; one of a version without checksums counts as such."""
    record = json.loads(path.read_bytes())
    return "checksum" not in record or record.pop("checksum") == _checksum(record)


def _checksum(record: dict[str, Any]) -> str:
    return content_digest({name: value for name, value in record.items() if name != "checksum"})


class _Extra(dict[str, Any]):
    """What a stage added, as read from a file; a name that is not there is damage, and said to be."""

    def __init__(self, path: Path, values: dict[str, Any]) -> None:
        super().__init__(values)
        self._path = path

    def __missing__(self, name: str) -> Any:
        raise CorruptArtifact(
            f"{self._path}: the manifest's `extra` lacks '{name}', which its stage wrote; restore the file from a "
            f"backup, or delete the folder {self._path.parent} and run the stage of that day again"
        )


def _plain(value: object) -> object:
    # Counts and measures often arrive as numpy scalars.
    item = getattr(value, "item", None)
    if item is None or getattr(value, "ndim", 0) != 0:
        raise TypeError(f"a manifest cannot hold a value of type {type(value).__name__}")
    return item()


