"""What a day brings to id maps and feature state, made of its rows part by part and put together in their order."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.arrays.day_events import events_of
from pipeline.features.arrays.day_ids import by_space, ids_of_part
from pipeline.features.frames.frame import Array
from pipeline.features.plan.plan import Plan
from pipeline.features.rows import joined
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.whole_day import WholeDay
from pipeline.features.state.bins import Tally
from pipeline.features.state.delta import Delta
from pipeline.features.state.events import Events
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.storage import array_file
from pipeline.storage.array_file import StoredArray
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import MAPS

_IDS, _EVENTS = "ids", "events"


@dataclass(frozen=True)
class Grown:
    """What is mapped and kept of a day: its rows themselves are many times as large.

    Attributes:
        raw: raw ids by id space, in the order in which new ones get their indices.
        counts: of the rows, and of what was drawn; replayed: rows by replayed day; missing: why others are not.
    """

    day: Day
    tables: DayTables
    events: Events
    raw: dict[str, Array]
    counts: dict[str, int]
    replayed: dict[str, int]
    missing: dict[str, str]
    seconds: float

    @property
    def values(self) -> int:
        return sum(len(values) for values in self.raw.values()) + len(self.events.label)


@dataclass
class Mapped:
    """The candidate table that was mapped last: while it is the same, it holds nothing new."""

    listed: Listed | None = None


@dataclass(frozen=True)
class _Asked:
    """A part of a day's rows: as they are committed, or to be joined."""

    context: JobContext
    number: int
    rows: Artifact | joined.ToJoin
    folder: Path

    def whole(self) -> WholeDay:
        return joined.read(self.rows, self.number) if isinstance(self.rows, Artifact) else self.rows.whole()


def grown(context: JobContext, tables: DayTables, day: Day, rows: Artifact | None) -> Grown:
    """What a day brings.

    Args:
        rows: the day's committed rows; none = they are joined and not kept, as nothing is built of them.
    """
    began = time.perf_counter()
    # Nothing is committed of it: what it holds is gone with the block, or swept up.
    with context.store.draft(Ref(MAPS, context.job, day)) as scratch:
        parts: Sequence[Artifact | joined.ToJoin]
        if rows is not None:
            parts = [rows] * joined.parts_of(rows)
        else:
            parts = joined.parts_to_join(context, tables, day, None, replay=False)
        asked = [_Asked(context, number, each, scratch.path) for number, each in enumerate(parts)]
        # Put together here, where they are kept.
        return _together(Plan.of(context), day, tables, began, context.engine().run(_grow, asked))


def _grow(asked: _Asked) -> Path:
    plan, whole = Plan.of(asked.context), asked.whole()
    listed, mapped = whole.listed, asked.context.kept(Mapped, Mapped)
    if isinstance(asked.rows, joined.ToJoin):  # days of one pass, whose tables are mostly the same
        listed, mapped.listed = (listed if listed is not mapped.listed else None), listed
    ids = ids_of_part(plan, whole.rows, listed)
    # The ids of replayed rows come after all of the day's own.
    for past in whole.replayed:
        ids += ids_of_part(plan, past.rows, past.listed)
    events = events_of(plan, whole.rows)
    arrays: dict[str, NDArray[Any]] = {f"{_IDS}/{place}": values for place, (_, values) in enumerate(ids)}
    arrays |= {f"{_EVENTS}/{name}": values for name, values in Delta(events).arrays().items()}
    path = asked.folder / f"{asked.number:04d}.arrays"
    array_file.write(path, arrays, {
        "spaces": [space for space, _ in ids],
        "counts": {name: int(count) for name, count in {**whole.rows.counts, **events.counts}.items()},
        "replayed": {str(past.rows.day): past.rows.requests.rows for past in whole.replayed},
        "missing": whole.missing,
    })  # fmt: skip
    return path


def _together(plan: Plan, day: Day, tables: DayTables, began: float, parts: Iterable[Path]) -> Grown:
    found = [array_file.stored(path) for path in parts]
    first = found[0][1]
    ids = [
        [(space, arrays[f"{_IDS}/{place}"][:]) for place, space in enumerate(said["spaces"])] for arrays, said in found
    ]
    events = _joined([_under(arrays, _EVENTS) for arrays, _ in found])
    return Grown(
        # Those that were read hold what they read.
        day, DayTables(tables.artifact), Delta.from_arrays(day, events).events, by_space(plan, ids),
        {name: sum(said["counts"][name] for _, said in found) for name in first["counts"]},
        first["replayed"], first["missing"], time.perf_counter() - began,
    )  # fmt: skip


def _joined(parts: Sequence[Mapping[str, StoredArray | NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """The events of parts that follow each other, as they are stored."""
    # One array after the other: all parts of all of them would be as much again.
    events = {name: np.concatenate([part[name][:] for part in parts]) for name in parts[0]}
    for cells in [name for name in events if name.startswith("bin/") and name.endswith("/cells")]:
        counts = f"{cells.removesuffix('cells')}counts"
        tally, *others = (Tally(part[cells][:], part[counts][:]) for part in parts)
        for other in others:
            tally = tally.plus(other)
        events |= {cells: tally.cells, counts: tally.counts}
    return events


def _under(arrays: Mapping[str, StoredArray | NDArray[Any]], prefix: str) -> dict[str, StoredArray | NDArray[Any]]:
    return {name.removeprefix(f"{prefix}/"): each for name, each in arrays.items() if name.startswith(f"{prefix}/")}
