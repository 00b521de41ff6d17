"""``status``: the picture of a job, from manifests and the notes of what failed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.cli.arguments import Commands, add_experiments, add_json, day, experiments
from pipeline.cli.output import print_json
from pipeline.cli.status_in_words import print_picture
from pipeline.config.load import conf_folder, job_names
from pipeline.days import Day
from pipeline.errors import ConfigError, UsageError
from pipeline.evaluation.measures_by_day import TestedDay, measured_days
from pipeline.ingest.late_days import LateDay, late_days
from pipeline.ingest.records import ValidatedRecord
from pipeline.job import JobContext
from pipeline.monitoring.failures import LONGEST_WAIT, Failure, failures
from pipeline.monitoring.table_watch import changes_on, standing, stored
from pipeline.release.decision import champion_now
from pipeline.release.publish.release_files import Published, ReleaseFiles
from pipeline.release.records import ReleaseRecord
from pipeline.storage.artifacts.artifact import Ref, parse_id
from pipeline.storage.artifacts.kinds import CHECKPOINT, DAY, RELEASE, VALIDATED
from pipeline.storage.artifacts.readable import Readable
from pipeline.training.chain import Chain
from pipeline.training.lost_days import kept_since, lost_days, read_again
from pipeline.training.overrides import Overrides
from pipeline.training.records import CheckpointRecord
from pipeline.training.wild_values import told


def register(commands: Commands) -> None:
    parser = commands.add(
        "status", _status, "Every experiment and day: state, parent, rows, measures, release; taints; bytes on disk.",
        "status --job ads --from 2022-05-01",
    )  # fmt: skip
    parser.add_argument("--job", help="default: every YAML of DAYSPRING_CONF")
    parser.add_argument("--from", dest="first", type=day, metavar="YYYY-MM-DD", help="only days from here on")
    add_experiments(parser)
    parser.add_argument(
        "--check-sources", action="store_true", help="ask the sources whether a skipped day has come since"
    )
    add_json(parser)


def _status(options: argparse.Namespace) -> int:
    if options.experiment and options.job is None:
        raise UsageError("--experiment is of one job: name it by --job")
    names = [options.job] if options.job else job_names()
    if not names:
        raise ConfigError(f"{conf_folder()}: holds no job YAML; set DAYSPRING_CONF to the folder that does")
    seen, broken = [], 0
    for name in names:
        try:
            seen.append(_look_at(JobContext.open(name), options))
        except ConfigError as error:
            if options.job is not None:
                raise
            print(f"error: {error}", file=sys.stderr)  # the others are looked at all the same
            broken = error.exit_code
    if options.json:
        pictures = [
            picture | ({"late": [{**asdict(each), "day": str(each.day)} for each in late]} if late is not None else {})
            for picture, late in seen
        ]
        print_json(pictures[0] if options.job else pictures, indent=1)
    else:
        for picture, late in seen:
            print_picture(picture, late)
    return broken or int(any(picture["damaged"] for picture, _ in seen))


def _look_at(context: JobContext, options: argparse.Namespace) -> tuple[dict[str, Any], list[LateDay] | None]:
    """The picture of a job; and the skipped days that have come since, where the sources were to be asked."""
    picture = collect(context, options.first, options.experiment)
    return picture, list(late_days(context)) if options.check_sources else None


def collect(context: JobContext, first: Day | None = None, only: list[str] | None = None) -> dict[str, Any]:
    """The job as its artefacts show it."""
    store, config = context.store, context.config
    names = experiments(only, store.experiments(CHECKPOINT, config.job, first=config.experiments), context.job)
    readable = Readable()
    measures = {(tested.day, tested.experiment): tested for tested in measured_days(context, readable)}
    published = tuple(ReleaseFiles.of(context.root, context.job).all_published())
    releases = _releases(context, readable, published)
    marked = {d: readable(context.skipped, d) for d in store.days(DAY, config.job)}
    taints: dict[str, dict[Day, str]] = {}
    failed = failures(context.root, context.job)
    look = _Look(
        context, readable, first, measures, releases, frozenset(each.pointer.release_id for each in published), marked,
        failed, taints,
    )  # fmt: skip
    shown = {name: readable(_experiment, look, name) or _unreadable(context, name) for name in names}
    sizes = store.sizes(config.job)
    columns = readable(stored, context) or {}
    return {
        "job": config.job, "experiments": shown, "served": readable(_served, context, taints),
        "champion": readable(champion_now, context),
        "failed": [
            {"day": str(day), "stage": each.stage, "at": each.at, "why": each.message}
            for (day, what), each in sorted(failed.items(), reverse=True)
            if not what and (first is None or day >= first)
        ],
        "labels": _labels(context),
        "columns": {
            "missing": {
                table: {column: str(since) for column, since in sorted(found.items())}
                for table, found in standing(columns).items()
            },
            "changes": {
                str(each): [f"{change.table}: {change.text}" for change in found]
                for each in columns
                if (first is None or each >= first) and (found := changes_on(each, columns, config.alerts))
            },
        },
        "kept_since": {kind: str(each) for kind, each in (readable(kept_since, context) or {}).items()},
        "bytes": sizes, "bytes_total": sum(sizes.values()), "damaged": readable.damaged,
    }  # fmt: skip


@dataclass(frozen=True)
class _Look:
    """What every experiment's part of the picture is made with."""

    context: JobContext
    readable: Readable
    first: Day | None
    measures: Mapping[tuple[Day, str], TestedDay]
    releases: Mapping[str, str]
    published: frozenset[str]
    marked: Mapping[Day, str | None]
    failed: Mapping[tuple[Day, str], Failure]
    taints: dict[str, dict[Day, str]]


def _experiment(look: _Look, name: str) -> dict[str, Any]:
    chain = Chain.of(look.context, name)
    trained, start = chain.days(), chain.start
    tainted = look.taints[name] = dict(chain.tainted())
    rows = []
    if start is not None and (trained or look.marked):
        last = max([*trained, *(d for d in look.marked if d >= start)], default=start)
        noted = (d for d, what in look.failed if what in ("", name) and d - last <= LONGEST_WAIT)
        last = max([last, *noted])
        states = chain.states(start, last, tainted=tainted)
        rows = [
            _day_row(look, name, each, states[each], tainted.get(each))
            for each in start.through(last) if look.first is None or each >= look.first
        ]  # fmt: skip
    return {
        "start": str(start) if start is not None else None, "days": rows,
        "removed": name not in look.context.config.experiments,
        "rechain": chain.rechain(sorted(tainted)) if tainted else None, "lost": look.readable(_lost, look, chain, name),
        "settings_changed": look.readable(_settings_changed, look.context, name, trained),
        "renamed_from": _renamed_from(look.context, name) if not trained else None,
    }  # fmt: skip


def _lost(look: _Look, chain: Chain, name: str) -> str | None:
    """What has to be read again before the chain can go on or be made whole; ``None`` where everything is kept."""
    outstanding = chain.outstanding(look.taints[name]) if name in look.context.config.experiments else set()
    if not outstanding:
        return None
    lost = lost_days(look.context, min(chain.resume(day) for day in outstanding))
    return f"{lost[0]} … {lost[-1]}: {read_again(look.context, name, lost)}" if lost else None


def _unreadable(context: JobContext, name: str) -> dict[str, Any]:
    """An experiment of which what its chain is made of cannot be read."""
    removed = name not in context.config.experiments
    return {"start": None, "days": [], "removed": removed, "rechain": None, "lost": None, "settings_changed": None,
            "renamed_from": None, "unreadable": True}  # fmt: skip


def _day_row(look: _Look, name: str, each: Day, state: str, taint: str | None) -> dict[str, Any]:
    store, job, readable = look.context.store, look.context.config.job, look.readable
    checkpoint = readable(store.current, Ref(CHECKPOINT, job, each, name))
    tested, skipped = look.measures.get((each, name)), look.marked.get(each)
    validated = readable(store.current, Ref(VALIDATED, job, each))
    checked = readable(ValidatedRecord.of, validated) if validated is not None else None
    said = readable(CheckpointRecord.of, checkpoint) if checkpoint is not None else None
    row: dict[str, Any] = {"day": str(each), "state": state}
    failed = look.failed.get((each, name)) or look.failed.get((each, ""))
    if state == "missing" and failed is not None:
        row |= {"state": "failed", "stage": failed.stage, "why": failed.message, "at": failed.at}
    if skipped is not None:
        row["why"] = skipped
    if taint is not None:
        row["why"] = taint
    if checkpoint is not None and said is not None:
        content = f"{checkpoint.ref}/{checkpoint.manifest.digest}"
        row |= {
            "parent": str(said.parent_day) if said.parent_day is not None else None,
            "rows": checkpoint.manifest.rows.get("rows", 0),
            "replayed": sum(rows for part, rows in checkpoint.manifest.rows.items() if part != "rows"),
            "quarantined": checked.quarantined if checked is not None else 0, "loss": said.loss,
            "pruned": checkpoint.manifest.pruned, "release": (release := look.releases.get(content)),
            "published": release in look.published,
        }  # fmt: skip
        if said.growth is not None:
            row["growth"] = said.growth.model_dump()
        if wild := told(said):
            row["wild_values"] = {feature: values.model_dump() for feature, values in wild.items()}
    if checked is not None and checked.was_accepted:
        row["accepted"] = checked.accepted
    if tested is not None:
        row["measures"] = tested.values
    return row


def _releases(context: JobContext, readable: Readable, published: Iterable[Published]) -> dict[str, str]:
    """Newest release of each checkpoint, by its digest: trained again to the same bits, it is the one released."""
    store, released = context.store, {}
    for each in store.days(RELEASE, context.config.job):
        artifact = readable(store.current, Ref(RELEASE, context.config.job, each))
        done = artifact is not None and artifact.manifest.state == "done"
        said = readable(ReleaseRecord.of, artifact) if done else None
        if said is not None:
            released[said.release_id] = said.checkpoint
    # Also those that were served before another one of their day.
    for record in sorted(published, key=lambda record: record.pointer.day):
        released[record.pointer.release_id] = record.pointer.checkpoint
    found: dict[str, str] = {}
    for release_id, checkpoint in released.items():
        then = store.load(checkpoint)
        if then is not None:
            found[f"{then.ref}/{then.manifest.digest}"] = release_id
    return found


def _served(context: JobContext, taints: dict[str, dict[Day, str]]) -> dict[str, Any] | None:
    """What is served, and why it is not to be trusted, if so."""
    from pipeline.release.control import served

    found = served(context)
    if found is None:
        return None
    ref = parse_id(found["checkpoint"])[0]
    now, then = context.store.current(ref), context.store.load(found["checkpoint"])
    reason = taints.get(ref.experiment or "", {}).get(ref.day)
    if reason is None and now is not None and then is not None and now.manifest.digest != then.manifest.digest:
        reason = f"{ref.day} has been trained again since, as {now.id}"
    return {**found, "tainted": reason}


def _labels(context: JobContext) -> dict[str, Any] | None:
    """Days to be read again, and days whose labels are still to mature; ``None`` for a job without a label delay."""
    if context.config.labels is None:
        return None
    from pipeline.ingest.late_labels import due, waiting

    later = waiting(context)
    return {"due": [str(each) for each in due(context)], "waiting": {str(d): at.isoformat() for d, at in later.items()}}


def _renamed_from(context: JobContext, name: str) -> str | None:
    """An experiment that left the YAML with the settings that this one, which has no chain, came with."""
    store, job = context.store, context.config.job
    if name not in context.config.experiments:
        return None
    settings = context.config.stage_settings("train", name)
    for other in store.experiments(CHECKPOINT, job):
        if other not in context.config.experiments:
            newest = store.latest_before(CHECKPOINT, job, Day.of(9999, 12, 31), other)
            if newest is not None and newest.manifest.settings == settings:
                return other
    return None


def _settings_changed(context: JobContext, name: str, trained: list[Day]) -> bool:
    if not trained or name not in context.config.experiments:
        return False
    newest = context.store.current(Ref(CHECKPOINT, context.config.job, trained[-1], name))
    if newest is None:
        return False
    config = Overrides.recorded(CheckpointRecord.of(newest)).applied(context.config, name)
    return newest.manifest.settings != config.stage_settings("train", name)
