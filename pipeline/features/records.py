"""What the manifests of id maps and of a day's arrays say."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field

from pipeline.storage.artifacts import kinds
from pipeline.storage.artifacts.manifest import Count
from pipeline.storage.artifacts.record import Record, is_none


class MapsRecord(Record):
    """The id maps of a day, by space.

    Attributes:
        sizes: after the day.
        sizes_before: before its first new id.
        new_ids: how many it added.
        tails: digests of the last ids.
        replayed: by replayed day, its requests.
        not_replayed: by day, why.
        indexed: by what the state keeps in indices, the ids that they are of.
    """

    kind: ClassVar = kinds.MAPS

    sizes: dict[str, Count]
    sizes_before: dict[str, Count]
    new_ids: dict[str, Count]
    tails: dict[str, str] = Field(default_factory=dict)
    replayed: dict[str, Count] = Field(default_factory=dict)
    not_replayed: dict[str, str] = Field(default_factory=dict)
    indexed: dict[str, str] = Field(default_factory=dict)


class StateRecord(Record):
    """What a day adds to the feature state.

    Attributes:
        format: in which it is kept; the first one was not said.
        renewed: the digest of the arrays alone, where the day's own is of those of an earlier format.
    """

    kind: ClassVar = kinds.STATE

    format: Count = 1
    renewed: str | None = Field(default=None, exclude_if=is_none)


PROMPT: Final = "prompt"
"""Of a day's arrays all but the labels of tasks that wait for them."""


class FeaturesRecord(Record):
    """The arrays of a day.

    Attributes:
        empty_days: by group of requests, how many have so many empty days in their window.
        groups: requests of each group.
        replayed: by set of replayed rows, its counts.
        not_replayed: by day, why.
        parts: digests of parts of the content that some of what is made of them reads alone, by name.
    """

    kind: ClassVar = kinds.FEATURES

    empty_days: dict[str, list[Count]] = Field(default_factory=dict)
    groups: dict[str, Count] = Field(default_factory=dict)
    replayed: dict[str, dict[str, Count]] = Field(default_factory=dict)
    not_replayed: dict[str, str] = Field(default_factory=dict)
    parts: dict[str, str] | None = Field(default=None, exclude_if=is_none)
