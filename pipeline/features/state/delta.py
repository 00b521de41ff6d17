"""A day's addition to the feature state as arrays: what is stored of each day, and what the state is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.frames.keyed import concat_lists
from pipeline.features.ids.fingerprints import Codes
from pipeline.features.state.bins import Tally
from pipeline.features.state.events import Events, HistoryRows

Arrays = Mapping[str, NDArray[Any]]

COUNTS_BY_ID, LATEST, NEGATIVES = "style_counts", "study", "negatives"
"""The names that counts by id, the newest values, and what could have stood in steps have in what is stored."""


@dataclass(frozen=True)
class Delta:
    """A day's events as they are stored."""

    events: Events

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Named arrays; ``from_arrays`` makes an equal delta of them."""
        events, history = self.events, self.events.history
        out: dict[str, NDArray[Any]] = {
            "label": events.label,
            "history.groups": history.groups, "history.own": history.own,
            "catalogue.keys": events.catalogue_keys, "catalogue.taken": events.catalogue_taken,
            "latest.values": events.latest,
        }  # fmt: skip
        out |= _put_ids("history.owner", history.owner) | _put_ids("latest.keys", events.latest_keys)
        out |= {f"key/{name}": codes for name, codes in events.keys.items()}
        for name, lists in history.parts.items():
            out |= put_lists(f"history/{name}", lists)
        out |= {f"value/{name}": values for name, values in events.values.items()}
        for name, lists in events.bags.items():
            out |= put_lists(f"bag/{name}", lists)
        for name, tally in events.bins.items():
            out |= {f"bin/{name}/cells": tally.cells, f"bin/{name}/counts": tally.counts}
        for what, rows in ((COUNTS_BY_ID, events.counts_by_id), (NEGATIVES, events.negatives)):
            if rows is not None:
                out |= _put_ids(f"{what}.owner", rows.owner)
                for name, lists in rows.parts.items():
                    out |= put_lists(f"{what}/{name}", lists)
        for name, lists in events.catalogue.items():
            out |= put_lists(f"catalogue/{name}", lists)
        return {name: np.ascontiguousarray(array) for name, array in sorted(out.items())}

    @classmethod
    def from_arrays(cls, day: Day, arrays: Arrays) -> Delta:
        """The delta that ``arrays`` were made of."""
        events = Events(
            day=day,
            keys={name: arrays[f"key/{name}"] for name in names(arrays, "key")},
            label=arrays["label"],
            history=history_of(arrays),
            catalogue_keys=arrays["catalogue.keys"],
            catalogue_taken=arrays["catalogue.taken"],
            catalogue={name: take_lists(arrays, f"catalogue/{name}") for name in names(arrays, "catalogue")},
            latest_keys=(arrays["latest.keys/0"], arrays["latest.keys/1"]),
            latest=arrays["latest.values"],
            values={name: arrays[f"value/{name}"] for name in names(arrays, "value")},
            bags={name: take_lists(arrays, f"bag/{name}") for name in names(arrays, "bag")},
            bins={
                name: Tally(arrays[f"bin/{name}/cells"], arrays[f"bin/{name}/counts"]) for name in names(arrays, "bin")
            },
            counts_by_id=_rows_of(arrays, COUNTS_BY_ID),
            negatives=_rows_of(arrays, NEGATIVES),
        )
        return cls(events)


def history_of(arrays: Arrays) -> HistoryRows:
    """The history rows of a stored delta."""
    return HistoryRows(
        _take_ids(arrays, "history.owner"),
        {name: take_lists(arrays, f"history/{name}") for name in names(arrays, "history")},
        arrays["history.groups"],
        arrays["history.own"],
    )


def _rows_of(arrays: Arrays, what: str) -> HistoryRows | None:
    if f"{what}.owner/0" not in arrays:
        return None
    parts = {name: take_lists(arrays, f"{what}/{name}") for name in names(arrays, what)}
    return HistoryRows(_take_ids(arrays, f"{what}.owner"), parts)


def _put_ids(name: str, codes: tuple[Codes, ...]) -> dict[str, NDArray[Any]]:
    return {f"{name}/{place}": each for place, each in enumerate(codes)}


def _take_ids(arrays: Arrays, name: str) -> tuple[Codes, ...]:
    return tuple(arrays[f"{name}/{place}"] for place in names(arrays, name))


def names(arrays: Arrays, prefix: str) -> list[str]:
    """The names after ``prefix/``, each once, in order."""
    return list(dict.fromkeys(name.split("/")[1] for name in arrays if name.startswith(f"{prefix}/")))


def put_lists(name: str, lists: Lists) -> dict[str, NDArray[Any]]:
    """Lists as two arrays: int32 lengths, and values of whole numbers as they are."""
    flat = concat_lists([lists])
    return {f"{name}/lengths": flat.lengths.astype(np.int32), f"{name}/values": flat.values}


def take_lists(arrays: Arrays, name: str) -> Lists:
    lengths = arrays[f"{name}/lengths"]
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return Lists(offsets, arrays[f"{name}/values"])
