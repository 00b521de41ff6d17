"""A day's rows, joined once and committed: growth maps their ids, and the features are built of them.

They are made of the validated day alone, so what is built of them names that day as what it was made from. A long day
is joined in parts that follow each other in canonical order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.engines.open import shards_of
from pipeline.features.frames.frame import Array
from pipeline.features.frames.from_arrow import Places, first_rows
from pipeline.features.plan.plan import Plan
from pipeline.features.rows import rows_file
from pipeline.features.rows.kinds import rows_of
from pipeline.features.rows.whole_day import WholeDay
from pipeline.ingest.day_tables import DayTables, PartTables
from pipeline.job import JobContext
from pipeline.storage import array_file
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import ROWS
from pipeline.storage.artifacts.making import Recipe
from pipeline.storage.digests import content_digest

_STAGE = "build_features"
"""Whose settings decide what the rows are: those of the maps, and which days are replayed."""
_PLACES = "items.arrays"
"""The file that says which items of the day those of each part are."""


@dataclass(frozen=True)
class ToJoin:
    """A part of a day's rows that are not joined yet.

    Attributes:
        rows: of the table that is read in parts, the first row and that behind the last; none = the whole day.
        folder: where they are to be written; none = nowhere.
        replay: with the rows of earlier days that are trained beside them.
    """

    context: JobContext
    tables: DayTables
    day: Day
    part: int
    rows: tuple[int, int] | None
    folder: Path | None
    replay: bool

    def whole(self) -> WholeDay:
        """Join them."""
        tables, rows = self.tables, rows_of(Plan.of(self.context))
        if self.rows is not None:
            tables = PartTables(self.context, tables.artifact, rows.parted or "", self.rows)
        return rows.whole(self.context, tables, self.day, replay=self.replay)


@dataclass(frozen=True)
class _Joined:
    digest: str
    counts: dict[str, int]
    items: Array | None


def parts_to_join(
    context: JobContext, tables: DayTables, day: Day, folder: Path | None, *, replay: bool
) -> list[ToJoin]:
    """The parts in which a day is joined, in order."""
    parted = rows_of(Plan.of(context)).parted
    if parted is not None:
        rows = tables.artifact.manifest.rows[parted]
        parts = max(1, min(shards_of(context.config, rows), rows))
        if parts > 1:
            cuts = [rows * part // parts for part in range(parts + 1)]
            return [
                ToJoin(context, tables, day, part, (cuts[part], cuts[part + 1]), folder, replay)
                for part in range(parts)
            ]  # fmt: skip
    return [ToJoin(context, tables, day, 0, None, folder, replay)]


def standing_rows(context: JobContext, tables: DayTables, day: Day, *, reprocess: bool = False) -> Artifact | None:
    """The day's rows if they are committed and still hold; their payload may be pruned."""
    return context.standing(_recipe(context, tables, day), reprocess=reprocess)


def _recipe(context: JobContext, tables: DayTables, day: Day) -> Recipe:
    return Recipe(
        Ref(ROWS, context.job, day), [tables.artifact.as_input()], context.config.stage_settings(_STAGE)
    )  # fmt: skip


def join(context: JobContext, tables: DayTables, day: Day) -> Artifact:
    """Join the day's rows and those replayed beside them, and commit them."""
    with context.making(*_recipe(context, tables, day), reprocess=True) as made:
        asked = parts_to_join(context, tables, day, made.path, replay=True)
        digest, counts = context.engine().gathered(_join, asked, partial(_placed, made.path))
        return made.commit(digest, rows=counts, timings={"join": made.seconds})


def _join(asked: ToJoin) -> _Joined:
    whole = asked.whole()
    assert asked.folder is not None
    digest = rows_file.write(asked.folder, whole, asked.part)
    items = None if asked.rows is None else rows_of(Plan.of(asked.context)).item_keys(whole.rows)
    return _Joined(digest, dict(whole.rows.counts), items)


def _placed(folder: Path, parts: Iterable[_Joined]) -> tuple[str, dict[str, int]]:
    """Write which items of the day those of each part are; returns the digest of all parts, and their counts."""
    done = [*parts]
    keys = [part.items for part in done if part.items is not None]
    if len(done) == 1 or len(keys) < len(done):
        return done[0].digest, done[0].counts
    every = np.concatenate([np.asarray(each) for each in keys])
    place = np.split(Places(every[first_rows(every)])(every), np.cumsum([len(each) for each in keys])[:-1])
    array_file.write(folder / _PLACES, {str(part): each for part, each in enumerate(place)})
    counts = {name: sum(part.counts[name] for part in done) for name in done[0].counts}
    return digest_of([part.digest for part in done]), counts


def digest_of(parts: Iterable[str]) -> str:
    """The digest of rows of several parts, by those of the parts; of one part it is its own."""
    named = {rows_file.file_of(part): digest for part, digest in enumerate(parts)}
    return content_digest(named) if len(named) > 1 else named[rows_file.FILE]


def parts_of(rows: Artifact) -> int:
    """In how many parts a day's rows are committed."""
    return sum(name != _PLACES for name in rows.manifest.files)


def read(rows: Artifact, part: int = 0) -> WholeDay:
    """A part of the committed rows of a day; raises ``PrunedPayload`` once they were removed."""
    return rows_file.read(rows.file(rows_file.file_of(part)))


def item_places(rows: Artifact, part: int) -> tuple[NDArray[np.int64], int] | None:
    """The place of a part's items among the day's, and that of the first that no part before it has.

    ``None`` where the day is one part.
    """
    if parts_of(rows) == 1:
        return None
    places = array_file.read(rows.file(_PLACES))[0]
    before = [int(places[str(each)].max(initial=-1)) for each in range(part)]
    return places[str(part)], max(before, default=-1) + 1
