"""What the manifests of checks, releases and publications say."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from pipeline.storage.artifacts import kinds
from pipeline.storage.artifacts.manifest import DayText
from pipeline.storage.artifacts.record import Record, is_none


class CheckRecord(Record):
    """The check of an export.

    Attributes:
        figures: what the checking process found.
    """

    kind: ClassVar = kinds.CHECK

    verdict: Literal["ok", "block"]
    reasons: list[str]
    figures: dict[str, Any] = Field(default_factory=dict)
    export: str
    checkpoint: str

    @property
    def unknown(self) -> dict[str, float]:
        """By field, the share of ids over all candidates that the model does not know."""
        found: dict[str, float] = self.figures.get("unknown", {})
        return found

    @property
    def loaded_whole(self) -> bool:
        """Whether the export was loaded from its files alone, not its variables into the graph of another day's."""
        return self.figures.get("loaded") != "variables"


class ReleaseRecord(Record):
    """A release with a model; one without says in its manifest why.

    Attributes:
        by: what decided it.
        verdict: of the day's gate.
        champion: from whom to whom the champion changed with it, and why, in words.
    """

    kind: ClassVar = kinds.RELEASE

    release_id: str
    experiment: str
    checkpoint: str
    checkpoint_day: DayText
    age_days: int
    export: str
    by: str | None = None
    verdict: str = "none"
    reasons: list[str] | None = None
    champion: str | None = Field(default=None, exclude_if=is_none)


class PublishRecord(Record):
    """What came of a release at the place that it is served from.

    Attributes:
        served, version: what is served since.
    """

    kind: ClassVar = kinds.PUBLISH

    status: str
    reason: str | None
    release_id: str | None = None
    served: str | None = None
    version: int | None = None
