"""What one day added to the id maps, as its artefact of kind ``maps`` says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.schema import FIRST
from pipeline.days import Day
from pipeline.features.ids.idmap import IdMap
from pipeline.features.ids.lost_maps import tail_digest
from pipeline.features.records import MapsRecord
from pipeline.storage.digests import content_digest


@dataclass(frozen=True)
class DaySizes:
    """A day's place in the maps.

    Attributes:
        digest: of the day's new ids and their places.
        said: sizes before and after the day, and what tells an older copy of a map.
    """

    digest: str
    said: MapsRecord

    @classmethod
    def of(cls, maps: Mapping[str, IdMap], day: Day) -> DaySizes:
        before = {space: _size_before(found, day) for space, found in maps.items()}
        # A day read again has its new ids at the end of the map; the days after it are trained from a model that has
        # them.
        after = {
            space: max((size for marked, size in found.marks if marked <= day), default=FIRST)
            for space, found in maps.items()
        }
        new = {space: found.ids[before[space] - FIRST : found.size_at(day) - FIRST] for space, found in maps.items()}
        said = MapsRecord(
            sizes=after, tails={space: tail_digest(found, after[space]) for space, found in maps.items()},
            sizes_before=before, new_ids={space: len(ids) for space, ids in new.items()},
        )  # fmt: skip
        ids = {f"ids/{space}": ids for space, ids in new.items()}
        return cls(content_digest({"sizes": after, "before": before, **ids}), said)


def _size_before(found: IdMap, day: Day) -> int:
    """Size of the map when the day's first ids were added, in the order in which days were mapped."""
    size = FIRST
    for marked, after in found.marks:
        if marked == day:
            break
        size = after
    return size
