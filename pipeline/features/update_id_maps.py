"""Id maps and feature state grow in day order: an index depends on the data alone.

A day is taken only after every earlier day from the state's start on is done or skipped. The days before the first one
that is trained (``state_from``) are read, mapped and added in one pass.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.days import Day
from pipeline.errors import ChainError, CorruptArtifact, DataError, UsageError
from pipeline.features.arrays.indices import events_of, raw_ids
from pipeline.features.frames.frame import Array
from pipeline.features.ids.guard import guard_maps, tail_digest
from pipeline.features.ids.idmap import FIRST, IdMap
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.packages import Packages
from pipeline.features.rows.whole_day import WholeDay, day_rows
from pipeline.features.state.kept import states_of
from pipeline.ingest.day_tables import DayTables
from pipeline.ingest.extract import extract
from pipeline.ingest.validate import validate
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import FEATURES, MAPS, STATE
from pipeline.storage.artifacts.making import key_of, standing
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import content_digest
from pipeline.storage.files import write_atomic

STAGE = "update_id_maps"
_VALUES_AT_ONCE = 4_000_000
"""Raw ids held in memory before id maps are written: a pass over years writes them a few times, not once a day."""


class _Settled(set[Day]):
    """Days that this process has seen mapped or skipped."""


def plan_of(context: JobContext) -> Plan:
    """The job's features, made ready once a process."""
    return context.kept(Plan, lambda: Plan(context.config))


@dataclass(frozen=True)
class _Prepared:
    """A day that is read and not yet mapped."""

    day: Day
    tables: DayTables
    whole: WholeDay
    raw: dict[str, Array]
    seconds: float

    @property
    def values(self) -> int:
        return sum(len(values) for values in self.raw.values())


def grow(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact | None:
    """The id maps and feature state as of the end of ``day``, committed; ``None`` for a skipped day.

    Raises:
        ChainError: an earlier day is neither done nor skipped, or ``day`` is before the state's start.
        DataError: the day is not validated.
    """
    with context.lock(STAGE, timeout=600):
        start = _start(context, day)
        # A day that is mapped again may be what a restored map lacks.
        guard_maps(context, plan_of(context).spaces, day if reprocess else day.next())
        missing = _missing(context, start, day)
        if missing:
            _guard_hole(context, missing, day)
            for batch in _in_batches(_prepared(context, _read(context, missing), replay=False)):
                _grow_batch(context, batch)
        if context.skipped(day) is not None:
            return None
        tables = DayTables.on(context, day)
        if tables is None:
            raise DataError(
                f"{context.job} {day}: nothing is validated; run `python -m pipeline stage validate --job "
                f"{context.job} --day {day}`"
            )
        done = _standing(context, tables, day, reprocess=reprocess)
        if done is None:
            for batch in _in_batches(_prepared(context, [(day, tables)], replay=_is_trained(context, day))):
                _grow_batch(context, batch)
            done = context.store.current(Ref(MAPS, context.job, day))
        return done


def _is_trained(context: JobContext, day: Day) -> bool:
    """Whether rows are replayed beside the day's own: not on a day of the one pass, mapped again."""
    trained = context.store.days(FEATURES, context.job)
    return not trained or day >= trained[0]


def start_of(context: JobContext) -> Day | None:
    """The first day that was mapped, as recorded; ``None`` before that. Raises ``CorruptArtifact``."""
    try:
        return Day.parse(_recorded(context)["start"])
    except FileNotFoundError:
        return None


def _recorded(context: JobContext) -> dict[str, Any]:
    path = _record(context)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        Day.parse(found["start"])
    except (ValueError, TypeError, KeyError, UsageError) as error:
        raise CorruptArtifact(
            f"{path}: damaged ({error}); write {{\"start\": \"YYYY-MM-DD\"}} into it, with the first day of the "
            f"folders under {path.parent}"
        ) from None
    return dict(found)


def _record(context: JobContext) -> Path:
    return context.store.root / MAPS / context.job / "start.json"


def _start(context: JobContext, day: Day) -> Day:
    """The state's first day: as recorded, else ``state_from``, else ``start``, else ``day``; recorded for good."""
    config = context.config
    recorded = start_of(context)
    wanted = config.state_from
    if recorded is None:
        recorded = wanted or min(config.start or day, day)
        if recorded > day:
            raise UsageError(f"{context.job}: {day} is before state_from {recorded}; begin with --from {recorded}")
        path = _record(context)
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"start": str(recorded), "in_one_pass": wanted is not None}
        write_atomic(path, json.dumps(record).encode() + b"\n")
    guard_start(context)
    if day < recorded:
        raise ChainError(
            f"{context.job}: day {day} is before the feature state's start {recorded}; build the chain anew in another "
            "DAYSPRING_ROOT with an earlier state_from"
        )
    return recorded


def guard_start(context: JobContext) -> None:
    """Raises ``ChainError`` where ``state_from`` is before the first day of the state that is there."""
    wanted, recorded = context.config.state_from, start_of(context)
    if wanted is not None and recorded is not None and wanted < recorded:
        raise ChainError(
            f"{context.job}: the feature state starts on {recorded} ({_record(context)}), so state_from {wanted} comes "
            "too late: ids are given in day order. Build the chain anew in another DAYSPRING_ROOT"
        )


def state_days(context: JobContext, day: Day) -> list[Day]:
    """The days before ``day`` that its id maps would read first, ascending."""
    start = start_of(context) or context.config.state_from
    return _missing(context, start, day) if start is not None and start < day else []


def _missing(context: JobContext, start: Day, day: Day) -> list[Day]:
    """The earlier days that are neither mapped nor skipped, ascending."""
    # A settled day stays so; only days that this process has not seen yet are looked up.
    settled = context.kept(_Settled, _Settled)
    missing = []
    for each in start.through(day.previous()):
        if each in settled:
            continue
        if context.store.current(Ref(MAPS, context.job, each)) is None and context.skipped(each) is None:
            missing.append(each)
        else:
            settled.add(each)
    return missing


def state_before(context: JobContext, day: Day) -> Artifact | None:
    """The newest state of a day before ``day``; ``None`` where ``day`` is the first."""
    start = start_of(context)
    each = day.previous()
    while start is not None and each >= start:
        found = context.store.current(Ref(STATE, context.job, each))
        if found is not None:
            return found
        each = each.previous()
    return None


def _guard_hole(context: JobContext, missing: Sequence[Day], day: Day) -> None:
    """Days before the first one with features are read in one pass; a hole after it is the user's to fill."""
    trained = context.store.days(FEATURES, context.job)
    # A pass that was begun with --state-from and died goes on without it.
    one_pass = context.config.state_from is not None or bool(_recorded(context).get("in_one_pass"))
    if not one_pass or (trained and trained[0] < missing[-1]):
        raise ChainError(
            f"{context.job}: day {missing[0]} is neither mapped nor skipped, so the id maps cannot take day {day}; run "
            f"`python -m pipeline backfill --job {context.job} --from {missing[0]} --to {day}`"
        )


def _read(context: JobContext, days: Sequence[Day]) -> Iterator[tuple[Day, DayTables]]:
    """The validated tables of the days that have data; the others get their skip marker."""
    for day in days:
        if extract(context, day).manifest.state == "skipped":
            continue
        validate(context, day)
        tables = DayTables.on(context, day)
        if tables is not None:
            yield day, tables


def _prepared(context: JobContext, days: Iterable[tuple[Day, DayTables]], *, replay: bool) -> Iterator[_Prepared]:
    plan = plan_of(context)
    mapped: Listed | None = None
    for day, tables in days:
        began = time.perf_counter()
        whole = day_rows(plan, context, tables, day, replay=replay)
        # The candidate table is parsed once while it does not change, and holds nothing new the second time.
        raw = raw_ids(plan, whole.rows, _packages(whole.listed) if whole.listed is not mapped else None)
        mapped = whole.listed
        # Ids of replayed rows come after all of the day's own.
        for past in whole.replayed:
            more = raw_ids(plan, past.rows, _packages(past.listed))
            raw = {space: np.concatenate([raw[space], more[space]]) for space in raw}
        yield _Prepared(day, tables, whole, raw, time.perf_counter() - began)


def _packages(listed: Listed | None) -> Packages | None:
    return listed.packages if listed is not None else None


def _in_batches(days: Iterable[_Prepared]) -> Iterator[list[_Prepared]]:
    batch: list[_Prepared] = []
    for prepared in days:
        batch.append(prepared)
        if sum(each.values for each in batch) >= _VALUES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _indexed(plan: Plan) -> dict[str, str]:
    """By what the state keeps in indices, the id space that they are of and the rule that makes the ids."""
    found = {f"histories: {part}": space for part, space in plan.history_parts.items()}
    for name in plan.key_features:
        planned = plan.features[name]
        rules = {"buckets", "part", "digits", "compose", *(("source",) if planned.settings.compose is not None else ())}
        rule = planned.settings.model_dump(mode="json", include=rules)
        told = {key: value for key, value in rule.items() if value is not None}
        found[f"features.{name}"] = f"space {planned.feature.space}, {json.dumps(told, sort_keys=True)}"
    return found


def _guard_indexed(context: JobContext, plan: Plan, day: Day) -> None:
    """Raises ``ChainError`` where indices of earlier days would be read as those of other ids.

    Counters and histories go on from the state before; a space or a rule that is another one since makes their indices
    mean something else.
    """
    before = state_before(context, day)
    mapped = context.store.current(Ref(MAPS, context.job, before.ref.day)) if before is not None else None
    known = mapped.manifest.extra.get("indexed", {}) if mapped is not None else {}
    for name, now in _indexed(plan).items():
        if known.get(name, now) != now:
            raise ChainError(
                f"{context.job} {day}: {name} is of {now}, but the state of the days before is of {known[name]}: what "
                "was counted then would be read as of other ids. Give the changed feature another name, so that it "
                "counts anew, or build the chain anew in another DAYSPRING_ROOT"
            )


def _grow_batch(context: JobContext, batch: Sequence[_Prepared]) -> None:
    """Map some days in order, then commit each day's state and, last, its maps: their artefact says that it is done."""
    plan = plan_of(context)
    _guard_indexed(context, plan, batch[0].day)
    began = time.perf_counter()
    maps = {
        space: IdMapStore.of(context).add_days(space, kind, [(each.day, each.raw[space]) for each in batch])
        for space, kind in plan.spaces.items()
    }
    mapping = (time.perf_counter() - began) / len(batch)
    for each in batch:
        began = time.perf_counter()
        inputs = _inputs(context, each.day, each.tables)
        settings = context.config.stage_settings(STAGE)
        events = events_of(plan, each.whole.rows, maps)
        # The store itself names the state before among the inputs.
        states_of(context).commit(
            each.day, events, key=key_of(inputs, settings), inputs=[each.tables.artifact.as_input()]
        )
        _commit_maps(context, each, maps, inputs, settings, mapping + time.perf_counter() - began)


def _inputs(context: JobContext, day: Day, tables: DayTables) -> list[Input]:
    """The day's tables and the state that it adds to."""
    before = state_before(context, day)
    return [tables.artifact.as_input(), *([before.as_input()] if before is not None else [])]


def _commit_maps(
    context: JobContext, each: _Prepared, maps: Mapping[str, IdMap], inputs: list[Input], settings: str, seconds: float
) -> Artifact:
    before = {space: _size_before(found, each.day) for space, found in maps.items()}
    # A day read again has its new ids at the end of the map; the days after it are trained from a model that has them.
    after = {
        space: max((size for day, size in found.marks if day <= each.day), default=FIRST)
        for space, found in maps.items()
    }
    new = {space: found.ids[before[space] - FIRST : found.size_at(each.day) - FIRST] for space, found in maps.items()}
    whole = each.whole
    extra = {
        "sizes": after, "tails": {space: tail_digest(found, after[space]) for space, found in maps.items()},
        "sizes_before": before, "new_ids": {space: len(ids) for space, ids in new.items()},
        "replayed": {str(past.rows.day): past.rows.requests.rows for past in whole.replayed},
        "not_replayed": whole.missing, "indexed": _indexed(plan_of(context)),
    }  # fmt: skip
    digest = content_digest({"sizes": after, "before": before, **{f"ids/{space}": ids for space, ids in new.items()}})
    with context.store.draft(Ref(MAPS, context.job, each.day)) as draft:
        return draft.commit(
            key=key_of(inputs, settings), digest=digest, inputs=inputs, settings=settings, rows=dict(whole.rows.counts),
            timings={"read": each.seconds, "map": seconds}, extra=extra,
        )  # fmt: skip


def _size_before(found: IdMap, day: Day) -> int:
    """Size of the map when the day's first ids were added, in the order in which days were mapped."""
    size = FIRST
    for marked, after in found.marks:
        if marked == day:
            break
        size = after
    return size


def _standing(
    context: JobContext, tables: DayTables, day: Day, *, reprocess: bool
) -> Artifact | None:
    """The day's maps if both they and its state are committed and still hold."""
    inputs = _inputs(context, day, tables)
    config, settings = context.config, context.config.stage_settings(STAGE)
    found = [
        standing(
            context.store, config.experiments, Ref(kind, config.job, day), inputs, settings, reprocess=reprocess
        )
        for kind in (STATE, MAPS)
    ]
    return found[1] if found[0] is not None else None
