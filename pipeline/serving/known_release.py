"""What a release tells all its requests alike: read once, and gone with the release."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from pipeline.features.arrays.kinds import arrays_of
from pipeline.features.state.state import FeatureState
from pipeline.serving.known_bags import KnownBags
from pipeline.serving.meta import Meta
from pipeline.serving.raw_look_up import RawIds
from pipeline.serving.shared_counters import SharedCounters


class KnownRelease:
    """What requests of one release share; what else they do is told by the kind of job.

    Attributes:
        empty: the feature state, as of the release's day, of nobody.
        look: what stands for ids that all requests know.
        bags: what counters over bags are read from.
        counters: those of candidates, and of whatever is nobody's own.
        arrays: what makes arrays of the job's rows.
    """

    def __init__(self, meta: Meta) -> None:
        self.meta = meta
        nobody = FeatureState.of_plan(meta.state_plan)
        self.empty = replace(nobody, day=meta.day, overall=meta.overall, totals=meta.totals)
        self.look = RawIds(meta.plan, self.counted_ids())
        self.counters = SharedCounters(meta)
        self.bags = KnownBags(meta, self.look)
        self.arrays = arrays_of(meta.plan)

    @property
    def shared(self) -> FeatureState:
        """The feature state as far as it is nobody's own and was asked for."""
        counters = {**self.empty.counters, **self.counters.tables}
        return replace(self.empty, counters=counters, bags=self.bags.tables)

    def counted_ids(self) -> Iterable[tuple[str, Sequence[Any]]]:
        """By id space, the ids that have a column in counts by id."""
        return ()
