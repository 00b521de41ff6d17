"""What is served, what was served before it, and what the gates and checks said of the newest day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pipeline.days import Day
from pipeline.errors import DayspringError
from pipeline.monitoring.overview.index import Index
from pipeline.monitoring.overview.job import Job
from pipeline.monitoring.overview.parts import problem
from pipeline.release.publish.pointer import Championship, Hold, Pointer, ReleaseFiles
from pipeline.storage.artifacts.artifact import parse_id
from pipeline.storage.artifacts.kinds import CHECK, GATE, PUBLISH, RELEASE

NEWEST = 60
"""Releases listed one by one; all are marked in the curves."""


Record = TypeVar("Record")


def verdicts(index: Index, job: Job) -> dict[str, Any]:
    """Of the newest day that was judged: each experiment's verdicts, with their reasons."""
    names = list(dict.fromkeys([*job.experiments, *index.experiments(GATE, index.job)]))
    gates = {name: index.series(GATE, name) for name in names}
    judged = [day for series in gates.values() for day in series]
    if not judged:
        return {"day": None, "experiments": []}
    day = max(judged)
    rows = []
    for name in names:
        gate = gates[name].get(day)
        checks = index.series(CHECK, name)
        check = checks.get(day)
        rows.append({
            "name": name,
            "verdict": gate.extra["verdict"] if gate is not None else None,
            "reasons": list(gate.extra["reasons"]) if gate is not None else [],
            "checkpoint": _day_of(gate.extra.get("checkpoint")) if gate is not None else None,
            "check": check.extra["verdict"] if check is not None else None,
            "check_reasons": list(check.extra["reasons"]) if check is not None else [],
        })  # fmt: skip
    return {"day": str(day), "experiments": rows}


def _day_of(artifact_id: Any) -> str | None:
    try:
        return str(parse_id(str(artifact_id))[0].day)
    except DayspringError:
        return None


def releases(index: Index, job: Job, days: list[Day], root: Path) -> dict[str, Any]:
    """The served release, the hold if there is one, the history, and marks for calendars and curves."""
    damaged: list[dict[str, str]] = []
    files = ReleaseFiles.of(root, index.job)

    def read(name: str, reader: Callable[[], Record], wrong: Callable[[Record], bool], instead: Record) -> Record:
        try:
            found = reader()
            if not wrong(found):
                return found
            what = "a value in it is damaged"
        except (DayspringError, LookupError, TypeError, ValueError, AttributeError, OSError, RecursionError) as error:
            what = problem(error)
        path = files.folder / name
        damaged.append({"path": f"releases/{index.job}/{name}", "problem": what if str(path) in what else
                        f"{path}: damaged ({what}); restore it from a backup, or delete it"})  # fmt: skip
        return instead

    served: Pointer | None = read("served.json", files.served, _wrong_pointer, None)
    hold: Hold | None = read("hold.json", files.hold, _wrong_hold, None)
    champions: list[Championship] = read("champion.json", files.champions, _wrong_champions, [])
    left: set[str] = read("rolled_back.json", files.rolled_back, lambda ids: not _are_texts(*ids), set())
    built, published = index.series(RELEASE), index.series(PUBLISH)
    numbers = {day: number for number, day in enumerate(days)}
    marks: dict[str, list[int]] = {}
    listed: list[dict[str, Any]] = []
    for day, release in built.items():
        outcome = published.get(day)
        status = outcome.extra["status"] if outcome is not None else "not published"
        if release.state == "skipped":
            listed.append({"day": str(day), "release_id": None, "status": "none", "reasons": [release.reason]})
            continue
        extra = release.extra
        trained = numbers.get(_parsed(extra["checkpoint_day"]) or day)
        if trained is not None and status == "published":
            marks.setdefault(extra["experiment"], []).append(trained)
        listed.append({
            "day": str(day), "release_id": extra["release_id"], "experiment": extra["experiment"],
            "checkpoint_day": extra["checkpoint_day"], "by": extra.get("by") or "", "status": status,
            "why": (outcome.extra.get("reason") or "") if outcome is not None else "",
            "reasons": list(extra.get("reasons") or []),
            "rolled_back": extra["release_id"] in left,
        })  # fmt: skip
    pointer = None
    if served is not None:
        trained_on = _parsed(_day_of(served.checkpoint))
        pointer = {
            "release_id": served.release_id, "day": str(served.day), "experiment": served.experiment,
            "checkpoint_day": str(trained_on) if trained_on is not None else None, "version": served.version,
            "previous": served.previous, "age_days": served.day - trained_on if trained_on is not None else None,
            "behind_days": days[-1] - served.day if days else 0,
        }  # fmt: skip
    return {
        "served": pointer,
        "hold": {"left": hold.left, "reason": hold.reason} if hold is not None else None,
        "rollback": f"python -m pipeline rollback --job {index.job}" if pointer and pointer["previous"] else None,
        "release_hold": f"python -m pipeline rollback --job {index.job} --release-hold" if hold is not None else None,
        "champions": [{"day": str(each.day), "experiment": each.experiment, "by": each.by} for each in champions],
        "history": listed[::-1][:NEWEST],
        "count": len(listed),
        "trained": marks,
        "published": [numbers[day] for day, each in published.items()
                      if day in numbers and each.extra["status"] == "published"],
        "damaged": damaged,
    }  # fmt: skip


def _are_texts(*values: Any) -> bool:
    return all(isinstance(each, str) for each in values)


def _wrong_pointer(served: Pointer | None) -> bool:
    if served is None:
        return False
    texts = (served.release_id, served.experiment, served.checkpoint, served.previous or "")
    return not _are_texts(*texts) or type(served.version) is not int


def _wrong_hold(hold: Hold | None) -> bool:
    return hold is not None and not _are_texts(hold.left, hold.reason)


def _wrong_champions(champions: list[Championship]) -> bool:
    return not all(_are_texts(each.experiment, each.by) for each in champions)


def _parsed(text: str | None) -> Day | None:
    try:
        return Day.parse(text) if text is not None else None
    except DayspringError:
        return None
