"""A release that was served once, derived again from what is kept of its day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.errors import DayspringError, UsageError
from pipeline.job import JobContext
from pipeline.release.build import payload
from pipeline.release.publish.release_files import Pointer, ReleaseFiles


class KeptRelease:
    """Reads of a release as of ``ReleaseReader``, its contents in memory.

    Attributes:
        pointer: as it was when it was published.
        model: folder of its exported model.

    Raises:
        UsageError: nothing of this name was published.
        DayspringError: what it was made from is no longer kept.
    """

    def __init__(self, context: JobContext, release_id: str) -> None:
        files = ReleaseFiles.of(context.root, context.job)
        published = files.published(release_id)
        if published is None:
            known = ", ".join(each.pointer.release_id for each in files.all_published()) or "none"
            raise UsageError(f"--release {release_id}: no such release; published were {known}")
        kept = payload(context, published.release)
        if kept.model is None:
            raise DayspringError(
                f"--release {release_id}: its exported model was pruned (`retention` says how long one is kept); name "
                "a newer release"
            )
        self.pointer: Pointer = published.pointer
        self.model: Path = kept.model
        self._parts: Mapping[str, Mapping[str, bytes]] = {part.name: part.fields for part in kept.parts()}

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, bytes]]:
        """The values of the named fields by part; fields that are not there are left out."""
        found: dict[str, dict[str, bytes]] = {}
        for part, names in wanted.items():
            fields = self._parts.get(part, {})
            found[part] = {name: fields[name] for name in names if name in fields}
        return found
