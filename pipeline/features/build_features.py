"""Building a day's arrays, and those of the days that are replayed beside it, as one artefact of kind ``features``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.features.arrays import files
from pipeline.features.arrays.assemble import Built, build
from pipeline.features.arrays.indices import Maps
from pipeline.features.arrays.last_year_windows import last_year_of
from pipeline.features.arrays.pool import Pool, listed_pool, seen_pool
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.rows import joined
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import DayRows
from pipeline.features.state.day_order import start_of, state_before
from pipeline.features.state.kept import states_of
from pipeline.features.state.state import FeatureState
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import FEATURES, MAPS, ROWS
from pipeline.storage.artifacts.making import key_of, standing
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import content_digest

STAGE = "build_features"


def build_day(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The day's arrays, committed.

    Raises:
        ChainError: the day's rows or id maps, or the feature state of an earlier day, are not there.
        PrunedPayload: the rows were removed once the features stood that were built of them.
    """
    with context.day_lock(STAGE, day):
        return _build_day(context, day, reprocess)


def _build_day(context: JobContext, day: Day, reprocess: bool) -> Artifact:
    store, config, plan = context.store, context.config, Plan.of(context)
    rows, mapped = (store.current(Ref(kind, config.job, day)) for kind in (ROWS, MAPS))
    if rows is None or mapped is None or not _of_one_reading(rows, mapped):
        raise ChainError(
            f"{config.job} {day}: no rows and id maps of this day yet; run `python -m pipeline stage update_id_maps "
            f"--job {config.job} --day {day}`"
        )
    before = state_before(context, day)
    # Rows are the validated day in another form, which takes nothing from what they were made of.
    inputs = [*rows.manifest.inputs, mapped.as_input(), *([before.as_input()] if before is not None else [])]
    settings = config.stage_settings(STAGE)
    ref = Ref(FEATURES, config.job, day)
    done = standing(store, config.experiments, ref, inputs, settings, reprocess=reprocess)
    if done is not None:
        return done
    began = time.perf_counter()
    maps = {space: IdMapStore.of(context).read(space, kind) for space, kind in plan.spaces.items()}
    whole = joined.read(rows)
    sets: dict[str, Built] = {files.ROWS: _built(context, plan, whole.rows, whole.listed, maps, "days")}
    missing = dict(whole.missing)
    for past in whole.replayed:
        start = start_of(context)
        if start is not None and past.rows.day <= start:
            missing[str(past.rows.day)] = f"the feature state starts on {start}"
            continue
        sets[files.replay_name(past.rows.day)] = _built(context, plan, past.rows, past.listed, maps, "replay")
    return _commit(context, ref, sets, inputs, settings, missing, time.perf_counter() - began)


def _of_one_reading(rows: Artifact, mapped: Artifact) -> bool:
    """Whether the rows and the maps are of the same validated day: growth may have died between them."""
    return {each.digest for each in rows.manifest.inputs} <= {each.digest for each in mapped.manifest.inputs}


def _built(
    context: JobContext, plan: Plan, rows: DayRows, listed: Listed | None, maps: Maps, purpose: str
) -> Built:
    """The arrays of some rows as of the end of the day before their own."""
    state = states_of(context, purpose).as_of(rows.day.previous())
    pool = pool_of(plan, state, listed, maps) if plan.ranking else None
    return build(plan, rows, maps, state, pool=pool, last_year=last_year_of(context, plan, rows, maps))


def pool_of(plan: Plan, state: FeatureState, listed: Listed | None, maps: Maps) -> Pool:
    """The packages that requests may be answered with: those of the candidate table, or those taken so far."""
    return seen_pool(plan, state, maps[plan.item_space]) if listed is None else listed_pool(plan, listed, maps)


def _commit(
    context: JobContext, ref: Ref, sets: Mapping[str, Built], inputs: list[Input], settings: str,
    missing: Mapping[str, str], seconds: float,
) -> Artifact:  # fmt: skip
    own = sets[files.ROWS]
    length = context.config.history.length
    extra: dict[str, Any] = {
        "empty_days": files.empty_day_histogram(own, length),
        "groups": {name: int(chosen.sum()) for name, chosen in own.groups.items()},
        "replayed": {name: built.counts for name, built in sets.items() if name != files.ROWS},
        "not_replayed": dict(missing),
    }
    with context.store.draft(ref) as draft:
        digests = {name: files.write(draft.path, name, built) for name, built in sets.items()}
        return draft.commit(
            key=key_of(inputs, settings), digest=content_digest(digests), inputs=inputs, settings=settings,
            rows=dict(own.counts), timings={"build": seconds}, extra=extra,
        )  # fmt: skip
