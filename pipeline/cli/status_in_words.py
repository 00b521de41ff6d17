"""The picture of a job as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from models.architecture import Growth
from pipeline.config.measures import figures
from pipeline.ingest.late_days import LateDay
from pipeline.stages.stage import EXPERIMENT
from pipeline.storage.artifacts.kinds import EXTRACT, FEATURES, VALIDATED
from pipeline.training.records import Wild
from pipeline.training.wild_values import in_words

_KEPT = {EXTRACT: "extracts", VALIDATED: "validated tables", FEATURES: "arrays"}
_ALIKE = 4
"""So many days in a row that are missing or skipped alike are one line."""
_CHANGES = 5
"""So many days with changed columns are shown."""


def print_picture(picture: dict[str, Any], late: Sequence[LateDay] | None) -> None:
    """The picture of a job as a table of days, and below it what is not in order, with the command for each.

    Args:
        late: skipped days that have come since; ``None`` where the sources were not asked.
    """
    _print_failed(picture["job"], picture["failed"])
    for name, experiment in picture["experiments"].items():
        _print_experiment(picture["job"], name, experiment)
    if sum(bool(each["rechain"]) and not each["removed"] for each in picture["experiments"].values()) > 1:
        print(f"all tainted chains at once: python -m pipeline rechain --job {picture['job']}")
    _print_labels(picture["job"], picture["labels"])
    _print_late(late)
    _print_columns(picture["columns"])
    _print_served(picture["job"], picture["served"], picture["champion"])
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
    for row, last in _folded(experiment["days"]):
        if last is not None:
            print(f"  {row['day']} … {last['day']}  {row['state']}" + (f" ({row['why']})" if row.get("why") else ""))
            continue
        print("  ".join(_told_of_day(row)))
        if row["state"] == "failed" and row["stage"] == EXPERIMENT:
            print(f"    once that is corrected: python -m pipeline backfill --job {job} --experiment {name} "
                  f"--from {row['day']} --to {experiment['days'][-1]['day']}")  # fmt: skip
    if experiment["rechain"] and experiment["removed"]:
        print("  tainted days; put the experiment back into the YAML to train them again")
    elif experiment["rechain"]:
        print(f"  tainted days; the shortest re-chain: {experiment['rechain']}")
    if experiment.get("lost"):
        print(f"  cannot be trained on {experiment['lost']}")
    if experiment["settings_changed"]:
        print("  settings have changed since the last trained day; they apply from the next untrained day")


def _folded(days: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each day; of many in a row that say the same and nothing else, the first with the last."""
    for _, alike in groupby(days, key=lambda row: {name: value for name, value in row.items() if name != "day"}):
        rows = list(alike)
        if len(rows) >= _ALIKE and rows[0]["state"] in ("missing", "skipped"):
            yield rows[0], rows[-1]
        else:
            yield from ((row, None) for row in rows)


def _print_failed(job: str, failed: list[dict[str, str]]) -> None:
    """Days at which a stage failed that all experiments share, with what goes on from there."""
    for each in failed:
        day = each["day"]
        print(f"{job} {day}: {each['stage']} failed at {each['at']}: {each['why']}")
        print(f"  once that is corrected: python -m pipeline backfill --job {job} --from {day} --to {day}")


def _told_of_day(row: dict[str, Any]) -> list[str]:
    parts = [f"  {row['day']}  {row['state']:8}"]
    if "rows" in row:
        parts.append(f"parent {row['parent'] or '-':10}  rows {row['rows']:7}")
        parts += [f"{what} {row[what]}" for what in ("replayed", "quarantined") if row[what]]
        parts += ["pruned"] if row["pruned"] else []
    if row.get("release"):
        # A hold, or `--publish none`.
        parts.append(("released as " if row.get("published", True) else "made into, not served: ") + row["release"])
    if measures := " ".join(figures(row.get("measures", {}))):
        parts.append(f"tested: {measures}")
    if row.get("wild_values"):
        parts.append(in_words({name: Wild(**each) for name, each in row["wild_values"].items()}))
    if row.get("growth"):
        parts.append(f"began with: {Growth.model_validate(row['growth']).in_words}")
    if row.get("accepted"):
        parts.append(f"accepted beyond the limits: {row['accepted']}")
    if row["state"] == "failed":
        # What all experiments share is told above them.
        parts.append(f"({row['why']})" if row["stage"] == EXPERIMENT else f"(at {row['stage']}, see above)")
    elif row.get("why"):
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


def _print_served(job: str, served: dict[str, Any] | None, champion: str | None) -> None:
    if champion is not None:
        print(f"champion: {champion}")
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
