"""What a release holds of ids: all of them with their indices, and the histories of their owners; or which they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from models.schema import FIRST
from pipeline.features.frames.frame import Lists
from pipeline.features.state.events import TIMES
from pipeline.features.state.keys import ids_of
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.columns_json import plain
from pipeline.release.contents.keyed_parts import grouped_by_owner, owners_of
from pipeline.release.contents.parts import Part
from pipeline.storage.digests import tensor_digest


def looked_up(here: AsOf, sizes: Mapping[str, int]) -> list[Part]:
    """What requests are looked up in by the ids of who asks.

    Args:
        sizes: by id space, how many indices the released model knows.
    """
    return [*_id_maps(here, sizes), _histories(here)]


def told(here: AsOf, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Which ids the released model knows, by space: how many indices, and a digest of the ids in their order."""
    return {
        space: {"size": size, "digest": tensor_digest(here.maps[space].ids[: size - FIRST])}
        for space, size in sizes.items()
    }


def _id_maps(here: AsOf, sizes: Mapping[str, int]) -> Iterable[Part]:
    for space, id_map in here.maps.items():
        known = id_map.ids[: max(sizes.get(space, 2) - 2, 0)].tolist()
        yield Part(f"ids.{space}", {str(raw): b"%d" % index for index, raw in enumerate(known, 2)})


def _histories(here: AsOf) -> Part:
    table = here.state.histories
    kept = table.kept(here.day)
    owners = owners_of(here, ids_of(kept, table.rule.arity))
    days = kept.columns["days"]
    assert isinstance(days, Lists)
    columns: dict[str, list[Any]] = {"days": days.values.tolist()}
    for part, space in [*here.plan.request.history_parts.items(), *([(TIMES, None)] if here.plan.request.time else [])]:
        lengths, values = kept.columns[f"{part}.lengths"], kept.columns[f"{part}.values"]
        assert isinstance(lengths, Lists)
        assert isinstance(values, Lists)
        ends = np.concatenate([[0], np.cumsum(lengths.values)]).astype(np.int64)
        columns[part] = plain(Lists(ends, here.raw(space, values.values) if space else values.values))
    return grouped_by_owner("histories", owners, days.offsets, columns)
