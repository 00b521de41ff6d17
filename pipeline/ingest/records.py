"""What the manifests of extracted, validated and matured days say."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from pipeline.storage.artifacts import kinds
from pipeline.storage.artifacts.manifest import Count
from pipeline.storage.artifacts.record import Record


class ExtractRecord(Record):
    """An extract, by table.

    Attributes:
        url: of the sources.
        read_at: the instant at which the reading began (ISO, UTC).
        sources: the source's name of each table.
        digests: of the content.
        missing_columns: declared columns that the source does not have.
        unread_columns: columns of the source that the job does not declare.
        as_of: the instant at which an undated table was read (ISO).
        versions: of undated tables at their source.
        linked: tables that are files of an earlier extract.
        notes: what the source noted of the day, to be read next time.
    """

    kind: ClassVar = kinds.EXTRACT

    digests: dict[str, str]
    url: str = ""
    read_at: str | None = None
    sources: dict[str, str] = Field(default_factory=dict)
    missing_columns: dict[str, list[str]] = Field(default_factory=dict)
    unread_columns: dict[str, list[str]] = Field(default_factory=dict)
    as_of: dict[str, str] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    linked: list[str] = Field(default_factory=list)
    notes: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Counts(BaseModel):
    """What became of a table's rows: ``read = duplicates + quarantined + kept``.

    Attributes:
        reasons: rows in quarantine by ``column: reason``.
        other_day_time: rows kept although their time is up to a day away from the day.
        running_unavailable: rows whose running columns read as missing, for want of a snapshot of the day.
        missing_columns: declared columns that the source does not have.
        missing: rows kept that have no value, by column that may be without one; ``None`` where the day does not say.
        repeated: rows kept that earlier days had too; ``None`` where there is none to compare with, or too few.
        repeated_of: the day that had most of them, and how many.
        repeated_usually: how many one day has by chance.
        constant: columns that are the same in all rows; ``None`` where there are too few to tell.
        rarely: columns in which hardly any row differs from the others.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    read: Count
    quarantined: Count
    duplicates: Count = 0
    kept: Count = 0
    reasons: dict[str, Count] = {}
    other_day_time: Count = 0
    running_unavailable: Count = 0
    missing_columns: list[str] = []
    missing: dict[str, Count] | None = None
    repeated: Count | None = None
    repeated_of: dict[str, Count] = {}
    repeated_usually: Count = 0
    constant: list[str] | None = None
    rarely: list[str] = []


class ValidatedRecord(Record):
    """A validated day, by table.

    Attributes:
        keys: of undated tables, digests of all that they were made from.
        running: the extracts that running columns are of (``from``), and those of the day after (``next_from``).
        sources, unread_columns: as in the extract.
        fingerprints: the columns that the stored fingerprints of rows are of.
        beyond_limits: the limits that the day breaks, in words.
        accepted: why it was accepted all the same.
    """

    kind: ClassVar = kinds.VALIDATED

    counts: dict[str, Counts]
    digests: dict[str, str] = Field(default_factory=dict)
    keys: dict[str, str] = Field(default_factory=dict)
    running: dict[str, dict[str, str | None]] = Field(default_factory=dict)
    sources: dict[str, str] | None = None
    unread_columns: dict[str, list[str]] | None = None
    fingerprints: dict[str, list[str]] = Field(default_factory=dict)
    beyond_limits: list[str] = Field(default_factory=list)
    accepted: str | None = None

    @property
    def quarantined(self) -> int:
        """Rows of all tables that were put aside."""
        return sum(each.quarantined for each in self.counts.values())

    @property
    def was_accepted(self) -> bool:
        """Beyond the limits, and taken all the same."""
        return bool(self.accepted and self.beyond_limits)
