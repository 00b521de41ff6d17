"""Stage ``update_id_maps``: the day's new ids and events, in day order; first of all those since ``state_from``."""

from __future__ import annotations

from pipeline.artifacts import Artifact
from pipeline.context import JobContext
from pipeline.days import Day
from pipeline.growth import grow


def run(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact | None:
    """The committed id maps of the day (kind ``maps``), its feature state beside them; ``None`` for a skipped day."""
    return grow(context, day, reprocess=reprocess)
