"""The manifest of an artefact: what it was made of, by whom, and what is in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from pipeline.days import Day
from pipeline.errors import CorruptArtifact, UsageError
from pipeline.storage.digests import content_digest

NAME = "manifest.json"
"""File name of the manifest inside its artefact."""

State = Literal["done", "skipped"]

Count = Annotated[int, Field(ge=0, le=1 << 53)]
"""Beyond it a browser no longer tells whole numbers apart; no count of a pipeline comes near."""

_SHOWN = 60
_AS_WRITTEN = ConfigDict(strict=True, extra="ignore")

parse_day = lru_cache(maxsize=1 << 15)(Day.parse)


def _to_day(value: Any) -> Day:
    try:
        return value if isinstance(value, Day) else parse_day(value if type(value) is str else "")
    except UsageError as error:
        raise ValueError(str(error)) from None


DayText = Annotated[Day, PlainValidator(_to_day), PlainSerializer(str)]
"""A day in a manifest, written ``YYYY-MM-DD``."""


@dataclass(frozen=True)
class Input:
    """One artefact that another was made from."""

    __pydantic_config__ = _AS_WRITTEN

    id: Annotated[str, Field(max_length=1000)]
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
        extra: what a stage adds, JSON values only: written and read as the ``Record`` of the kind.
    """

    __pydantic_config__ = _AS_WRITTEN

    id: str
    kind: str
    job: str
    day: DayText
    experiment: str | None
    generation: int
    key: str
    digest: str
    inputs: list[Input] = field(default_factory=list)
    settings: str = ""
    rows: dict[str, Count] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    code_version: str = ""
    seed: int | None = None
    threads: int | None = None
    tensors: dict[str, str] = field(default_factory=dict)
    files: dict[str, Count] = field(default_factory=dict)
    state: State = "done"
    reason: str = ""
    pruned: bool = False
    created_at: str = ""
    owner: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def holds(self, digest: str) -> bool:
        """Whether a digest is of the content, or of a part of it (``parts``) that others are made of alone."""
        return digest == self.digest or digest in (self.extra.get("parts") or {}).values()

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
        """The manifest in a file; raises ``FileNotFoundError``, or ``CorruptArtifact`` if it cannot be understood.

        A manifest of a later version may say more; what this version knows is enough to read the artefact.
        """
        data = path.read_bytes()
        try:
            return _MANIFEST.validate_json(data)
        except ValidationError as error:
            raise CorruptArtifact(damage(path, error)) from error


_MANIFEST = TypeAdapter(Manifest)
_OF_A_UNION = re.compile(r"(constrained-)?(int|float)")


def damage(path: Path, error: ValidationError, below: str = "") -> str:
    """What is wrong with a manifest, and what to do about it.

    Args:
        below: the field that was read.
    """
    first = error.errors(include_url=False)[0]
    steps = [str(each) for each in first["loc"]]
    if len(steps) > 1 and _OF_A_UNION.fullmatch(steps[-1]):
        del steps[-1]
    where = ".".join([below, *steps] if below else steps)
    if first["type"] == "missing":
        what = f"the manifest's {where} is missing"
    else:
        value = repr(first["input"])
        value = value if len(value) <= _SHOWN else f"{value[:_SHOWN]} …"
        what = f"the manifest's {where} is damaged ({value})" if where else f"the manifest is damaged ({first['msg']})"
    return (
        f"{path}: {what}; restore the file from a backup, or delete the folder {path.parent} and run the day again"
    )


def is_as_written(path: Path) -> bool:
    """Whether nothing in a readable manifest was changed since; one of a version without checksums counts as such."""
    record = json.loads(path.read_bytes())
    return "checksum" not in record or record.pop("checksum") == _checksum(record)


def _checksum(record: dict[str, Any]) -> str:
    return content_digest({name: value for name, value in record.items() if name != "checksum"})


def _plain(value: object) -> object:
    # Counts and measures often arrive as numpy scalars.
    item = getattr(value, "item", None)
    if item is None or getattr(value, "ndim", 0) != 0:
        raise TypeError(f"a manifest cannot hold a value of type {type(value).__name__}")
    return item()
