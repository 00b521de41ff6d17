"""The validated tables of a day, read once each."""

from __future__ import annotations

import pyarrow as pa

from pipeline import validated
from pipeline.artifacts import Artifact, Ref
from pipeline.context import JobContext
from pipeline.days import Day

VALIDATED = "validated"


class DayTables:
    """Calling it with a table's name in the settings gives the table."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._tables: dict[str, pa.Table] = {}

    @classmethod
    def on(cls, context: JobContext, day: Day) -> DayTables | None:
        """The tables of a validated day; ``None`` if it was skipped, pruned or never validated."""
        artifact = context.store.current(Ref(VALIDATED, context.job, day))
        if artifact is None or artifact.manifest.state == "skipped" or artifact.manifest.pruned:
            return None
        return cls(artifact)

    def __call__(self, name: str) -> pa.Table:
        if name not in self._tables:
            self._tables[name] = validated.read(self.artifact, name)
        return self._tables[name]

    def digest(self, name: str) -> str:
        """Digest of a table's content."""
        return str(self.artifact.manifest.extra["digests"][name])
