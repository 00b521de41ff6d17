"""``status``: the picture of a job, from manifests alone."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.architecture import Growth
from pipeline.cli.arguments import Commands, add_experiments, add_job, add_json, day, experiments
from pipeline.cli.output import print_json
from pipeline.config.measures import figures
from pipeline.days import Day
from pipeline.evaluation.measures_by_day import TestedDay, measured_days
from pipeline.ingest.late_days import LateDay, late_days
from pipeline.ingest.records import ValidatedRecord
from pipeline.job import JobContext
from pipeline.monitoring.table_watch import changes_on, standing, stored
from pipeline.release.publish.release_files import ReleaseFiles
from pipeline.release.records import ReleaseRecord
from pipeline.storage.artifacts.artifact import Ref, parse_id
from pipeline.storage.artifacts.kinds import CHECKPOINT, DAY, EXTRACT, FEATURES, RELEASE, VALIDATED
from pipeline.storage.artifacts.readable import Readable
from pipeline.training.chain import Chain
from pipeline.training.lost_days import kept_since, lost_days, read_again
from pipeline.training.overrides import Overrides
from pipeline.training.records import CheckpointRecord, Wild
from pipeline.training.wild_values import in_words, told

_KEPT = {EXTRACT: "extracts", VALIDATED: "validated tables", FEATURES: "arrays"}
_CHANGES = 5
"""So many days with changed columns are shown."""


def register(commands: Commands) -> None:
    parser = commands.add(
        "status", _status, "Every experiment and day: state, parent, rows, measures, release; taints; bytes on disk.",
        "status --job ads --from 2022-05-01",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--from", dest="first", type=day, metavar="YYYY-MM-DD", help="only days from here on")
    add_experiments(parser)
    parser.add_argument(
        "--check-sources", action="store_true", help="ask the sources whether a skipped day has come since"
    )
    add_json(parser)


def _status(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    picture = collect(context, options.first, options.experiment)
    late = list(late_days(context)) if options.check_sources else None
    damaged = picture["damaged"]
    if options.json:
        found = {"late": [{**asdict(each), "day": str(each.day)} for each in late]} if late is not None else {}
        print_json({**picture, **found}, indent=1)
    else:
        _print(picture, late)
    return 1 if damaged else 0


def collect(context: JobContext, first: Day | None = None, only: list[str] | None = None) -> dict[str, Any]:
    """The job as its artefacts show it."""
    store, config = context.store, context.config
    names = experiments(only, store.experiments(CHECKPOINT, config.job, first=config.experiments), context.job)
    readable = Readable()
    measures = {(tested.day, tested.experiment): tested for tested in measured_days(context, readable)}
    releases = _releases(context, readable)
    marked = {d: readable(context.skipped, d) for d in store.days(DAY, config.job)}
    taints: dict[str, dict[Day, str]] = {}
    look = _Look(context, readable, first, measures, releases, marked, taints)
    shown = {name: readable(_experiment, look, name) or _unreadable(context, name) for name in names}
    sizes = store.sizes(config.job)
    columns = readable(stored, context) or {}
    return {
        "job": config.job, "experiments": shown, "served": readable(_served, context, taints),
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
    marked: Mapping[Day, str | None]
    taints: dict[str, dict[Day, str]]


def _experiment(look: _Look, name: str) -> dict[str, Any]:
    chain = Chain.of(look.context, name)
    trained, start = chain.days(), chain.start
    tainted = look.taints[name] = dict(chain.tainted())
    rows = []
    if start is not None and (trained or look.marked):
        last = max([*trained, *(d for d in look.marked if d >= start)], default=start)
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
            "pruned": checkpoint.manifest.pruned, "release": look.releases.get(content),
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


def _releases(context: JobContext, readable: Readable) -> dict[str, str]:
    """Newest release of each checkpoint, by its digest: trained again to the same bits, it is the one released."""
    store, released = context.store, {}
    for each in store.days(RELEASE, context.config.job):
        artifact = readable(store.current, Ref(RELEASE, context.config.job, each))
        done = artifact is not None and artifact.manifest.state == "done"
        said = readable(ReleaseRecord.of, artifact) if done else None
        if said is not None:
            released[said.release_id] = said.checkpoint
    # Also those that were served before another one of their day.
    published = ReleaseFiles.of(context.root, context.job).all_published()
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


def _print(picture: dict[str, Any], late: Sequence[LateDay] | None) -> None:
    for name, experiment in picture["experiments"].items():
        _print_experiment(picture["job"], name, experiment)
    if sum(bool(each["rechain"]) and not each["removed"] for each in picture["experiments"].values()) > 1:
        print(f"all tainted chains at once: python -m pipeline rechain --job {picture['job']}")
    _print_labels(picture["job"], picture["labels"])
    _print_late(late)
    _print_columns(picture["columns"])
    _print_served(picture["job"], picture["served"])
    for text in picture["damaged"]:
        print(f"DAMAGED: {text}")
    if picture["damaged"]:
        print(f"what is damaged is left out above; `python -m pipeline audit --job {picture['job']}` says all of it")
    _print_kept(picture["kept_since"])
    print("on disk: " + ", ".join(f"{kind} {size / 1e6:.1f} MB" for kind, size in picture["bytes"].items())
          + f"; together {picture['bytes_total'] / 1e6:.1f} MB")  # fmt: skip


def _print_experiment(job: str, name: str, experiment: dict[str, Any]) -> None:
    print(f"{job} / {name}" + (" (no longer in the YAML)" if experiment["removed"] else ""))
    if experiment.get("unreadable"):
        print("  what its chain is made of is damaged, see below")
    elif not experiment["days"]:
        print(f"  no day yet; run `python -m pipeline backfill --job {job} --from DAY --to DAY`")
    if experiment["renamed_from"]:
        print(f"  has the settings of '{experiment['renamed_from']}', which has left the YAML. A chain keeps its "
              "name: put that name back, or let this one start anew (`start:` says where)")  # fmt: skip
    for row in experiment["days"]:
        print("  ".join(_told_of_day(row)))
    if experiment["rechain"] and experiment["removed"]:
        print("  tainted days; put the experiment back into the YAML to train them again")
    elif experiment["rechain"]:
        print(f"  tainted days; the shortest re-chain: {experiment['rechain']}")
    if experiment.get("lost"):
        print(f"  cannot be trained on {experiment['lost']}")
    if experiment["settings_changed"]:
        print("  settings have changed since the last trained day; they apply from the next untrained day")


def _told_of_day(row: dict[str, Any]) -> list[str]:
    parts = [f"  {row['day']}  {row['state']:8}"]
    if "rows" in row:
        parts.append(f"parent {row['parent'] or '-':10}  rows {row['rows']:7}")
        parts += [f"{what} {row[what]}" for what in ("replayed", "quarantined") if row[what]]
        parts += ["pruned"] if row["pruned"] else []
    if row.get("release"):
        parts.append(f"released as {row['release']}")
    if measures := " ".join(figures(row.get("measures", {}))):
        parts.append(f"tested: {measures}")
    if row.get("wild_values"):
        parts.append(in_words({name: Wild(**each) for name, each in row["wild_values"].items()}))
    if row.get("growth"):
        parts.append(f"began with: {Growth.model_validate(row['growth']).in_words}")
    if row.get("accepted"):
        parts.append(f"accepted beyond the limits: {row['accepted']}")
    if row.get("why"):
        parts.append(f"({row['why']})")
    return parts


def _print_labels(job: str, labels: dict[str, Any] | None) -> None:
    if labels is None or not (labels["due"] or labels["waiting"]):
        return
    told = [f"{len(labels['waiting'])} days still to mature"] if labels["waiting"] else []
    if labels["due"]:
        told.append(f"{', '.join(labels['due'])} due: python -m pipeline mature --job {job}")
    print(f"labels: {'; '.join(told)}")


def _print_late(days: Sequence[LateDay] | None) -> None:
    """``None``: the sources were not asked."""
    for late in days or []:
        print(f"{late.day} {late.told}")
    if days is not None and not days:
        print("no skipped day has come since")


def _print_served(job: str, served: dict[str, Any] | None) -> None:
    if served is None:
        print("served: nothing yet")
        return
    hold = f", held: {served['hold']}" if served.get("hold") else ""
    age = served["age_days"]
    print(
        f"served: {served['release_id']} (checkpoint of {served['checkpoint_day']}, "
        f"{age} day{'s' * (age != 1)} old on {served['day']}){hold}"
    )
    if served["tainted"]:
        back = f", `rollback` goes back to {served['previous']} at once" if served["previous"] else ""
        print(f"  what is served is tainted: {served['tainted']}; `python -m pipeline rechain --job "
              f"{job}` trains it again and publishes{back}")  # fmt: skip


def _print_kept(since: Mapping[str, str]) -> None:
    """From when on days can be trained again, where retention has taken older ones."""
    if since:
        told = ", ".join(f"{_KEPT[kind]} since {each}" for kind, each in since.items())
        print(f"kept: {told}" + ("; a chain that begins earlier has its days read from the source again"
                                 if {VALIDATED, FEATURES} <= set(since) else ""))  # fmt: skip


def _print_columns(columns: dict[str, Any]) -> None:
    """The newest changes, and what is missing to this day."""
    changed = list(columns["changes"].items())
    for each, texts in changed[-_CHANGES:]:
        print(f"columns of {each}: {'; '.join(texts)}")
    if len(changed) > _CHANGES:
        print(f"columns changed on {len(changed) - _CHANGES} earlier days too; --json has them")
    for table, missing in columns["missing"].items():
        told = ", ".join(f"{column} since {since}" for column, since in missing.items())
        print(f"columns of {table} without a value: {told}")
