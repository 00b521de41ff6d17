"""What one request reads of a release: every field once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pipeline.release.contents.parts import decoded
from pipeline.release.publish.release_files import Pointer


class Release(Protocol):
    """Where fields of a release are read from, as they are stored."""

    @property
    def pointer(self) -> Pointer: ...

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, bytes]]: ...


class Fields:
    """Decoded fields of a release, kept as long as the request is answered."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._found: dict[str, dict[str, Any]] = {}

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
        """The named fields by part, those that were not read yet in one round trip.

        What is not there is left out; parts that the release lacks give nothing.
        """
        asked = {part: list(names) for part, names in wanted.items()}
        missing: dict[str, list[str]] = {}
        for part, names in asked.items():
            known = self._found.setdefault(part, {})
            new = [name for name in names if name not in known]
            if new and part in self._release.pointer.parts:
                missing[part] = new
        if missing:
            for part, fields in self._release.fetch(missing).items():
                read = {name: decoded(fields[name]) if name in fields else None for name in missing[part]}
                self._found[part].update(read)
        return {
            part: {name: value for name in names if (value := self._found[part].get(name)) is not None}
            for part, names in asked.items()
        }
