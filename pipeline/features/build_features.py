"""Building a day's arrays, and those of the days that are replayed beside it, as one artefact of kind ``features``."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.features.arrays import files
from pipeline.features.arrays.assemble import Built, build
from pipeline.features.arrays.kinds import arrays_of
from pipeline.features.arrays.look_up import Indices, Maps
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.records import PROMPT, FeaturesRecord
from pipeline.features.rows import joined
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import DayRows
from pipeline.features.rows.whole_day import WholeDay
from pipeline.features.state.day_order import start_of, state_before
from pipeline.features.state.factor_store import commit_factors, factors_for
from pipeline.features.state.in_memory import states_of
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import FEATURES, MAPS, ROWS
from pipeline.storage.digests import content_digest

STAGE = "build_features"


def build_day(context: JobContext, day: Day, *, reprocess: bool = False) -> Artifact:
    """The day's arrays, committed.

    Raises:
        ChainError: the day's rows or id maps, or the feature state of an earlier day, are not there.
        PrunedPayload: the rows were removed once the features stood that were built of them.
    """
    with context.day_lock(STAGE, day):
        rows, mapped = context.needed(ROWS, day), context.needed(MAPS, day)
        _guard_one_reading(rows, mapped)
        before = state_before(context, day)
        # Rows are the validated day in another form: what is built of them is made of that day.
        inputs = [*rows.manifest.inputs, mapped.as_input(), *([before.as_input()] if before is not None else [])]
        inputs += [each.as_input() for each in commit_factors(context, day)]
        ref, settings = Ref(FEATURES, context.job, day), context.config.stage_settings(STAGE)
        with context.making(ref, inputs, settings, reprocess=reprocess) as made:
            if made.stands is not None:
                return made.stands
            sets, missing = _sets(context, joined.read(rows))
            digests = {name: files.write(made.path, name, built) for name, built in sets.items()}
            return made.commit(
                content_digest(digests), rows=dict(sets[files.ROWS].counts), timings={"build": made.seconds},
                extra=_said(context, sets, missing, digests).written(),
            )  # fmt: skip


def _sets(context: JobContext, whole: WholeDay) -> tuple[dict[str, Built], dict[str, str]]:
    """The arrays of the day and of each replayed one, by name; and why others are not replayed."""
    plan = Plan.of(context)
    maps = {space: IdMapStore.of(context).read(space, kind) for space, kind in plan.spaces.items()}
    sets: dict[str, Built] = {files.ROWS: _built(context, plan, whole.rows, whole.listed, maps, "days")}
    missing = dict(whole.missing)
    for past in whole.replayed:
        start = start_of(context)
        if start is not None and past.rows.day <= start:
            missing[str(past.rows.day)] = f"the feature state starts on {start}"
            continue
        sets[files.replay_name(past.rows.day)] = _built(context, plan, past.rows, past.listed, maps, "replay")
    return sets, missing


def _guard_one_reading(rows: Artifact, mapped: Artifact) -> None:
    """Raises ``ChainError`` where rows and maps are not of the same validated day: growth died between them."""
    if not {each.digest for each in rows.manifest.inputs} <= {each.digest for each in mapped.manifest.inputs}:
        job, day = rows.ref.job, rows.ref.day
        raise ChainError(
            f"{job} {day}: the id maps are not of the rows that were joined last; run `python -m pipeline stage "
            f"update_id_maps --job {job} --day {day}`"
        )


def _built(
    context: JobContext, plan: Plan, rows: DayRows, listed: Listed | None, maps: Maps, purpose: str
) -> Built:
    """The arrays of some rows as of the end of the day before their own."""
    states = states_of(context, purpose)
    state = states.as_of(rows.day.previous())
    arrays, look = arrays_of(plan), Indices(maps)
    pool, last_year = arrays.pool(state, listed, look), arrays.last_year(context, rows, look)
    factors = factors_for(context, states, plan.collaborative_settings, rows.day)
    return build(plan, rows, maps, state, pool=pool, last_year=last_year, factors=factors)


def _said(
    context: JobContext, sets: Mapping[str, Built], missing: dict[str, str], digests: Mapping[str, str]
) -> FeaturesRecord:
    own = sets[files.ROWS]
    late = [name for name, task in context.config.tasks.items() if task.late is not None and task.late.wait_days]
    prompt = content_digest({**digests, files.ROWS: files.digest_but(own, late)}) if late else None
    return FeaturesRecord(
        empty_days=files.empty_day_histogram(own, context.config.history.length),
        groups={name: int(chosen.sum()) for name, chosen in own.groups.items()},
        replayed={
            name: {what: int(number) for what, number in built.counts.items()}
            for name, built in sets.items() if name != files.ROWS
        },
        not_replayed=missing, parts={PROMPT: prompt} if prompt is not None else None,
    )  # fmt: skip
