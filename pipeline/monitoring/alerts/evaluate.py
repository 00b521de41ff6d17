"""The causes in a day's artefacts. Equal artefacts give equal alerts; nothing is sent here."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from pipeline.days import Day
from pipeline.evaluation.plausibility import advice
from pipeline.evaluation.records import GateRecord, TestRecord
from pipeline.features.records import MapsRecord
from pipeline.job import JobContext
from pipeline.monitoring.alerts.causes import Alert, Kind
from pipeline.monitoring.table_watch import changes_of
from pipeline.release.control import served
from pipeline.release.records import CheckRecord
from pipeline.storage.artifacts.artifact import Artifact, Ref
from pipeline.storage.artifacts.kinds import CHECK, CHECKPOINT, GATE, MAPS, TEST
from pipeline.training.records import CheckpointRecord
from pipeline.training.wild_values import Told, in_words, news, told

_VERDICTS: tuple[tuple[type[GateRecord | CheckRecord], Kind], ...] = (
    (GateRecord, "gate_block"), (CheckRecord, "check_block"),
)  # fmt: skip


def evaluate(context: JobContext, day: Day) -> list[Alert]:
    """Everything about ``day`` that somebody should look at, from manifests alone."""
    found = [*_late(context, day), *_growth(context, day)]
    for name in context.config.experiments:
        found += [*_blocked(context, day, name), *_dropped(context, day, name), *_risen(context, day, name)]
        found += _unknown(context, day, name)
    return [*found, *_columns(context, day), *_wild(context, day), *_aged(context, day)]


def _late(context: JobContext, day: Day) -> Iterator[Alert]:
    """A day that is known to be dirty is no news."""
    reason = context.skipped(day)
    if reason is not None and not context.config.is_dirty(day):
        yield Alert(
            "late_day", context.job, day,
            f"skipped: {reason}. Should it still come, `python -m pipeline status --job {context.job} --check-sources` "
            "says so, with the command that takes it in",
            what="skipped",
        )  # fmt: skip


def _blocked(context: JobContext, day: Day, experiment: str) -> Iterator[Alert]:
    for record, alert in _VERDICTS:
        artifact = context.store.current(Ref(record.kind, context.job, day, experiment))
        said = record.of(artifact) if artifact is not None else None
        if said is not None and said.verdict == "block":
            text = f"{said.checkpoint} may not be released: {'; '.join(said.reasons)}"
            yield Alert(alert, context.job, day, text, experiment)


def _dropped(context: JobContext, day: Day, experiment: str) -> Iterator[Alert]:
    settings = context.config.alerts
    measure = settings.measure or context.config.primary
    values = [_measured(artifact, measure) for artifact in _trail(context, TEST, day, experiment)]
    now = _measured(context.store.current(Ref(TEST, context.job, day, experiment)), measure)
    usual = [value for value in values if value is not None]
    if now is None or len(usual) < settings.least_days:
        return
    mean = statistics.fmean(usual)
    turned = context.config.known_measures[measure].worth
    worse = turned(mean) - turned(now)
    if worse > settings.drop * abs(mean):
        yield Alert(
            "measure_drop", context.job, day,
            f"{measure} {now:.4f}, where the {len(usual)} tested days before it had {mean:.4f} on average "
            f"({worse / abs(mean):.0%} worse; alerts.drop is {settings.drop:.0%})",
            experiment,
        )  # fmt: skip


def _risen(context: JobContext, day: Day, experiment: str) -> Iterator[Alert]:
    """The gate has judged; nothing of it is weighed again here."""
    gate = context.store.current(Ref(GATE, context.job, day, experiment))
    rise = GateRecord.of(gate).rise if gate is not None else None
    if rise is not None:
        text = f"{rise}; {advice(context, experiment)}"
        yield Alert("measure_rise", context.job, day, text, experiment)


def _growth(context: JobContext, day: Day) -> Iterator[Alert]:
    settings = context.config.alerts
    maps = context.store.current(Ref(MAPS, context.job, day))
    if maps is None:
        return
    trail = [MapsRecord.of(each).new_ids for each in _trail(context, MAPS, day)]
    odd = []
    for space, new in MapsRecord.of(maps).new_ids.items():
        before = [each.get(space, 0) for each in trail]
        if len(before) < settings.least_days:
            continue
        usual = statistics.median(before)
        far = new > settings.growth * usual or new * settings.growth < usual
        if far and max(new, usual) >= settings.growth_ids:
            odd.append(f"{space} {new:,} new ids (usually {usual:,.0f})")
    if odd:
        yield Alert(
            "map_growth", context.job, day, f"{'; '.join(odd)}: outside alerts.growth = {settings.growth:g} times"
        )


def _unknown(context: JobContext, day: Day, experiment: str) -> Iterator[Alert]:
    settings = context.config.alerts
    check = context.store.current(Ref(CHECK, context.job, day, experiment))
    trail = [CheckRecord.of(each).unknown for each in _trail(context, CHECK, day, experiment)]
    odd = []
    for field, share in (CheckRecord.of(check).unknown if check is not None else {}).items():
        before = [shares[field] for shares in trail if field in shares]
        if len(before) >= settings.least_days and share > statistics.median(before) + settings.unknown:
            odd.append(f"{field} {share:.1%} (usually {statistics.median(before):.1%})")
    if odd:
        yield Alert(
            "unknown_ids", context.job, day,
            f"share of the candidates' ids that the model does not know: {'; '.join(odd)}", experiment,
        )  # fmt: skip


def _columns(context: JobContext, day: Day) -> Iterator[Alert]:
    for change in changes_of(context, day):
        text = f"{change.table}: {change.text}"
        if change.what == "missing_columns":
            text += (
                f". If a column has another name now, say so by `source:` in tables.{change.table}.columns and run "
                f"`python -m pipeline run --job {context.job} --day {day} --reprocess`"
            )
        yield Alert(change.what, context.job, day, text, what=change.table)


def _wild(context: JobContext, day: Day) -> Iterator[Alert]:
    def of(each: Day) -> list[Told]:
        found = (context.store.current(Ref(CHECKPOINT, context.job, each, name)) for name in names)
        return [told(CheckpointRecord.of(checkpoint)) for checkpoint in found if checkpoint is not None]

    names, settings = context.config.experiments, context.config.alerts
    found = news(of(day), [of(day.plus(-back)) for back in range(1, settings.days + 1)], settings.growth)
    if found:
        yield Alert(
            "wild_values", context.job, day, f"{in_words(found)}. `min:` and `max:` of a column put them in quarantine"
        )


def _aged(context: JobContext, day: Day) -> Iterator[Alert]:
    """One alert for a checkpoint, not one for each day that it grows older."""
    now = served(context)
    if now is None:
        return
    trained = Day.parse(now["checkpoint_day"])
    age = day - trained
    if age > context.config.alerts.age_days and Day.parse(now["day"]) <= day:
        yield Alert(
            "checkpoint_age", context.job, trained,
            f"the served checkpoint {now['checkpoint']} is {age} days old on {day} "
            f"(alerts.age_days is {context.config.alerts.age_days}); "
            + (now["hold"] or f"`python -m pipeline status --job {context.job}` shows what holds releases back"),
            now["experiment"],
        )  # fmt: skip


def _trail(context: JobContext, kind: str, day: Day, experiment: str | None = None) -> Sequence[Artifact]:
    """The artefacts of a kind on the trailing days."""
    days = (day.plus(-back) for back in range(1, context.config.alerts.days + 1))
    found = (context.store.current(Ref(kind, context.job, each, experiment)) for each in days)
    return [each for each in found if each is not None]


def _measured(test: Artifact | None, measure: str) -> float | None:
    value = TestRecord.of(test).values.get(measure) if test is not None else None
    return None if value is None else float(value)
