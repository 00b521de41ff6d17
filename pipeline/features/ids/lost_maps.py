"""Id maps must hold what the days before were mapped to: an older copy, or none, would give other ids their places."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from models.schema import FIRST
from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.features.ids.idmap import IdMap
from pipeline.features.ids.store import IdMapStore
from pipeline.features.records import MapsRecord
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import MAPS

_TAIL = 1_000


def tail_digest(found: IdMap, size: int) -> str:
    """Digest of the last thousand ids below ``size``: the same however far the map has grown since.

    Enough to tell an older copy that has grown differently, and the same work on every day of a long chain; all ids
    are compared by ``audit``.
    """
    ids = found.ids[max(size - FIRST - _TAIL, 0) : max(size - FIRST, 0)].tolist()
    return hashlib.blake2b(json.dumps(ids).encode(), digest_size=16).hexdigest()


@dataclass
class _Guarded:
    """The newest day's maps that this process has compared with the files; their artefact's id."""

    maps: str | None = None


def guard_maps(context: JobContext, kinds: Mapping[str, str], until: Day) -> None:
    """Whether the id maps hold all that days before ``until`` were mapped to.

    Args:
        kinds: type of the ids, by id space.

    Raises:
        CorruptArtifact: a map lacks ids that were given, or has others in their places.
    """
    newest = context.store.latest_before(MAPS, context.job, until)
    if newest is None or context.kept(_Guarded, _Guarded).maps == newest.id:
        return
    said = MapsRecord.of(newest)
    for space, kind in kinds.items():
        found = IdMapStore.of(context).read(space, kind)
        size = said.sizes.get(space, FIRST)
        if found.size < size:
            what = f"holds {found.size - FIRST} ids where {size - FIRST} were"
            raise CorruptArtifact(_lost(context, space, newest, what))
        recorded = said.tails.get(space)
        if recorded is not None and tail_digest(found, size) != recorded:
            what = f"has other ids in its first {size - FIRST} places than were"
            raise CorruptArtifact(_lost(context, space, newest, what))
    context.kept(_Guarded, _Guarded).maps = newest.id


def _lost(context: JobContext, space: str, newest: Artifact, what: str) -> str:
    day = newest.ref.day
    marked = {each for each, _ in IdMapStore.of(context).read(space, context.config.spaces[space]).marks}
    lost = [
        each for each in context.store.days(MAPS, context.job)
        if each <= day and each not in marked and context.store.current(Ref(MAPS, context.job, each)) is not None
    ]  # fmt: skip
    first = min(lost, default=day)
    return (
        f"{IdMapStore.of(context).folder / f'{space}.json'}: {what} given by {newest.id}; is it an older copy? Put the "
        f"newest one back, or map the days that it lacks again, in order, beginning with `python -m pipeline stage "
        f"update_id_maps --job {context.job} --day {first} --reprocess`"
    )
