"""Id maps and feature state grow in day order: an index depends on the data alone.

A day is taken only after every earlier day from the state's start on is done or skipped. Days of the one pass are
mapped together, some at a time. A day's rows are committed first, then its state, and last its maps: they say that it
is done.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.days import Day
from pipeline.errors import DataError
from pipeline.features.grown_parts import Grown, Mapped, grown
from pipeline.features.ids.day_sizes import DaySizes
from pipeline.features.ids.idmap import IdMap
from pipeline.features.ids.lost_maps import guard_maps
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.renew_state import renew_states
from pipeline.features.rows import joined
from pipeline.features.state.changed_ids import guard_indexed, indexed
from pipeline.features.state.day_order import GROWTH, days_before, made_of, of_one_pass, settle_start
from pipeline.features.state.in_memory import states_of
from pipeline.ingest.day_tables import DayTables
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import MAPS, STATE
from pipeline.storage.artifacts.making import Recipe, key_of
from pipeline.storage.artifacts.manifest import Input

_VALUES_AT_ONCE = 4_000_000
"""Raw ids and events held in memory before id maps are written: a pass over years writes them a few times."""


def grow(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact | None:
    """The id maps and feature state as of the end of ``day``, committed; ``None`` for a skipped day.

    Raises:
        ChainError: an earlier day is neither done nor skipped, or ``day`` is before the state's start.
        DataError: the day, or one of the one pass before it, is not validated.
    """
    with context.lock(GROWTH, timeout=600):
        guard_growth(context, day, reprocess=reprocess)
        renew_states(context)
        context.kept(Mapped, Mapped).listed = None
        one_pass = _one_pass(context, day)
        for batch in _in_batches(grown(context, tables, each, None) for each, tables in one_pass):
            _grow_batch(context, batch)
        if context.skipped(day) is not None:
            return None
        tables = DayTables.needed(context, day)
        done = _standing(context, tables, day, reprocess=reprocess)
        rows = None
        if not of_one_pass(context, day):
            rows = _rows(context, tables, day, needed=done is None, reprocess=reprocess)
        if done is None:
            _grow_batch(context, [grown(context, tables, day, rows)])
            done = context.store.current(Ref(MAPS, context.job, day))
        return done


def guard_growth(context: JobContext, day: Day, *, reprocess: bool = False) -> None:
    """Raises where ``day`` is before the state's start (``ChainError``) or id maps are lost (``CorruptArtifact``)."""
    settle_start(context, day)
    # A day that is mapped again may be what a restored map lacks.
    guard_maps(context, Plan.of(context).spaces, day if reprocess else day.next())


def _one_pass(context: JobContext, day: Day) -> Iterator[tuple[Day, DayTables]]:
    """The validated tables of the days that ``day`` waits for, one after another."""
    for each in days_before(context, day):
        tables = DayTables.on(context, each)
        if tables is None:
            raise DataError(
                f"{context.job} {each}: nothing is validated of this day, which is mapped before {day}; run `python -m "
                f"pipeline stage {GROWTH} --job {context.job} --day {day}`, which reads such days first"
            )
        yield each, tables


def _rows(context: JobContext, tables: DayTables, day: Day, *, needed: bool, reprocess: bool) -> Artifact:
    """The day's rows, committed; where they are ``needed`` with their payload."""
    done = joined.standing_rows(context, tables, day, reprocess=reprocess)
    if done is None or (needed and done.manifest.pruned):
        return joined.join(context, tables, day)
    return done


def _in_batches(days: Iterable[Grown]) -> Iterator[list[Grown]]:
    batch: list[Grown] = []
    for prepared in days:
        batch.append(prepared)
        if sum(each.values for each in batch) >= _VALUES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _grow_batch(context: JobContext, batch: Sequence[Grown]) -> None:
    """Map some days in order, then commit each day's state and, last, its maps."""
    plan = Plan.of(context)
    guard_indexed(context, plan, batch[0].day)
    began = time.perf_counter()
    maps = {
        space: IdMapStore.of(context).add_days(space, kind, [(each.day, each.raw[space]) for each in batch])
        for space, kind in plan.spaces.items()
    }
    mapping = (time.perf_counter() - began) / len(batch)
    for each in batch:
        began = time.perf_counter()
        inputs = made_of(context, each.day, each.tables)
        settings = context.config.stage_settings(GROWTH)
        # The store itself names the state before among the inputs.
        states_of(context).commit(
            each.day, each.events, key=key_of(inputs, settings), inputs=[each.tables.artifact.as_input()]
        )
        _commit_maps(context, each, maps, inputs, settings, mapping + time.perf_counter() - began)


def _commit_maps(
    context: JobContext, each: Grown, maps: Mapping[str, IdMap], inputs: list[Input], settings: str, seconds: float
) -> Artifact:
    sizes = DaySizes.of(maps, each.day)
    said = sizes.said.model_copy(
        update={"replayed": each.replayed, "not_replayed": each.missing, "indexed": indexed(Plan.of(context))}
    )
    with context.making(Ref(MAPS, context.job, each.day), inputs, settings, reprocess=True) as made:
        return made.commit(
            sizes.digest, rows=each.counts, timings={"read": each.seconds, "map": seconds},
            extra=said.written(),
        )  # fmt: skip


def _standing(
    context: JobContext, tables: DayTables, day: Day, *, reprocess: bool
) -> Artifact | None:
    """The day's maps if both they and its state are committed and still hold."""
    inputs, settings = made_of(context, day, tables), context.config.stage_settings(GROWTH)
    recipes = [Recipe(Ref(kind, context.job, day), inputs, settings) for kind in (STATE, MAPS)]
    state, maps = (context.standing(recipe, reprocess=reprocess) for recipe in recipes)
    return maps if state is not None else None
