"""Building a day's arrays, and those of the days that are replayed beside it, as one artefact of kind ``features``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.days import Day
from pipeline.errors import ChainError
from pipeline.features.arrays import files
from pipeline.features.built_parts import Written, built_of, write_in_parts
from pipeline.features.records import PROMPT, FeaturesRecord
from pipeline.features.rows import joined
from pipeline.features.state.day_order import start_of, state_before
from pipeline.features.state.factor_store import commit_factors
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
            sets, missing = _written(context, rows, made.path)
            return made.commit(
                content_digest(_digests(sets)), rows=sets[files.ROWS].counts, timings={"build": made.seconds},
                extra=_said(sets, missing).written(),
            )  # fmt: skip


def _written(context: JobContext, rows: Artifact, folder: Path) -> tuple[dict[str, Written], dict[str, str]]:
    """The arrays of the day and of each replayed one, by name; and why others are not replayed."""
    if joined.parts_of(rows) > 1:
        return {files.ROWS: write_in_parts(context, rows, folder)}, {}
    whole, config = joined.read(rows), context.config
    sets = {files.ROWS: Written.of(folder, files.ROWS, built_of(context, whole.rows, whole.listed, "days"), config)}
    missing = dict(whole.missing)
    for past in whole.replayed:
        start = start_of(context)
        if start is not None and past.rows.day <= start:
            missing[str(past.rows.day)] = f"the feature state starts on {start}"
            continue
        name, built = files.replay_name(past.rows.day), built_of(context, past.rows, past.listed, "replay")
        sets[name] = Written.of(folder, name, built, config)
    return sets, missing


def _guard_one_reading(rows: Artifact, mapped: Artifact) -> None:
    """Raises ``ChainError`` where rows and maps are not of the same validated day: growth died between them."""
    if not {each.digest for each in rows.manifest.inputs} <= {each.digest for each in mapped.manifest.inputs}:
        job, day = rows.ref.job, rows.ref.day
        raise ChainError(
            f"{job} {day}: the id maps are not of the rows that were joined last; run `python -m pipeline stage "
            f"update_id_maps --job {job} --day {day}`"
        )


def _digests(sets: Mapping[str, Written]) -> dict[str, str]:
    return {name: each.digest for name, each in sets.items()}


def _said(sets: Mapping[str, Written], missing: dict[str, str]) -> FeaturesRecord:
    own = sets[files.ROWS]
    prompt = content_digest({**_digests(sets), files.ROWS: own.prompt}) if own.prompt is not None else None
    return FeaturesRecord(
        empty_days=own.empty_days, groups=own.groups,
        replayed={name: each.counts for name, each in sets.items() if name != files.ROWS},
        not_replayed=missing, parts={PROMPT: prompt} if prompt is not None else None,
    )  # fmt: skip
