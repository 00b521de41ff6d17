"""A day's arrays on disk: written once, memory-mapped by every experiment.

An artefact of kind ``features`` holds ``rows.arrays`` and, for each replayed day, ``replay-<day>.arrays``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import ONLY, Columns, DayArrays, Layout
from models.tasks import NOT_JUDGED
from pipeline.days import Day
from pipeline.features.arrays.assemble import Built
from pipeline.features.arrays.packed import packed, unpacked
from pipeline.features.frames.frame import Array
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.digests import content_digest

ROWS = "rows"
_SIDES = ("request_ids", "item_ids", "request_dense", "item_dense", "pair_dense")
_MATRICES = (
    "request_ids", "request_dense", "item_ids", "item_dense", "offsets", "pair_item", "pair_dense", "label", "weight",
    "user",
)  # fmt: skip
_REPLAY = re.compile(r"replay-(\d{4}-\d{2}-\d{2})")


def replay_name(day: Day) -> str:
    """The name of the arrays of a replayed day."""
    return f"replay-{day}"


def write(folder: Path, name: str, built: Built) -> str:
    """Write a set of arrays; returns the digest of its content."""
    arrays, layout = _content(built)
    stored, told = packed(arrays)
    array_file.write(folder / f"{name}.arrays", stored, {"layout": layout, "stored": told, "tasks": built.arrays.tasks})
    return _digest(arrays, layout)


def digest_but(built: Built, tasks: Collection[str]) -> str:
    """Digest of the content, whatever the labels of some tasks are."""
    withheld = np.isin(built.arrays.tasks, list(tasks))
    label = np.where(withheld, NOT_JUDGED, built.arrays.label).astype(built.arrays.label.dtype)
    return _digest(*_content(replace(built, arrays=replace(built.arrays, label=label))))


def _content(built: Built) -> tuple[dict[str, Array], dict[str, Any]]:
    """What is kept of a set of arrays, and where its columns stand."""
    arrays: dict[str, Array] = {field: getattr(built.arrays, field) for field in _MATRICES}
    if len(built.arrays.tasks) == 1:
        arrays["label"] = arrays["label"][:, 0]
    arrays |= {"key_rank": built.key_rank, "empty_days": built.empty_days}
    arrays |= {f"group.{group}": chosen for group, chosen in built.groups.items()}
    arrays |= {f"key.{column}": values for column, values in built.keys.items()}
    layout = {side: {n: asdict(place) for n, place in getattr(built.arrays.layout, side).items()} for side in _SIDES}
    return arrays, layout


def digest(path: Path) -> str:
    """Digest of a file's content, however it is stored."""
    arrays, meta = _read(path)
    return _digest(arrays, meta["layout"])


def _digest(arrays: dict[str, Array], layout: dict[str, Any]) -> str:
    return content_digest({**arrays, "layout": json.dumps(layout, sort_keys=True)})


def _read(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays of a file, the large ones memory-mapped, and what else it says."""
    stored, meta = array_file.read(path)
    return unpacked(stored, meta.get("stored", {})), meta


def read(artifact: Artifact, name: str = ROWS) -> DayArrays:
    """The day's own arrays, or those of a replayed day; memory-mapped."""
    arrays, meta = _read(artifact.file(f"{name}.arrays"))
    sides = {
        side: {
            feature: Columns(place["start"], place["stop"], tuple(place["shape"]))
            for feature, place in meta["layout"][side].items()
        }
        for side in _SIDES
    }
    fields: dict[str, Any] = {field: arrays[field] for field in _MATRICES}
    if fields["label"].ndim == 1:
        fields["label"] = fields["label"][:, None]
    # Days that were built before a job could have several tasks do not say which they are of.
    return DayArrays(layout=Layout(**sides), **fields, tasks=tuple(meta.get("tasks", (ONLY,))))


def replays(artifact: Artifact) -> list[tuple[str, Day]]:
    """Name and day of each replayed set, ascending by day."""
    names = [name.removesuffix(".arrays") for name in artifact.manifest.files]
    found = [(name, Day.parse(match[1])) for name in names if (match := _REPLAY.fullmatch(name))]
    return sorted(found, key=lambda each: each[1])


def key_rank(artifact: Artifact, name: str = ROWS) -> NDArray[np.int32]:
    """Place of each item's raw key, int32 ``[items]``: breaks ties of score."""
    return np.asarray(_read(artifact.file(f"{name}.arrays"))[0]["key_rank"], np.int32)


def groups(artifact: Artifact, name: str = ROWS) -> dict[str, NDArray[np.bool_]]:
    """Requests by what is known of their owner, bool ``[requests]`` by name (see ``Built.groups``)."""
    return {group: np.asarray(chosen, bool) for group, chosen in _named(artifact, name, "group.").items()}


def keys(artifact: Artifact, name: str = ROWS) -> dict[str, Array]:
    """Raw ids that name the rows (see ``Built.keys``)."""
    return _named(artifact, name, "key.")


def _named(artifact: Artifact, name: str, prefix: str) -> dict[str, Array]:
    arrays = _read(artifact.file(f"{name}.arrays"))[0]
    return {key.removeprefix(prefix): values for key, values in arrays.items() if key.startswith(prefix)}


def empty_day_histogram(built: Built, length: int) -> dict[str, list[int]]:
    """By group, the number of requests with 0 … ``length`` empty days in their window."""
    days = built.empty_days
    return {group: np.bincount(days[chosen], minlength=length + 1).tolist() for group, chosen in built.groups.items()}
