"""What is served, what was served before it, and what the gates and checks said of the newest day."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pipeline.days import Day
from pipeline.errors import DayspringError
from pipeline.evaluation.records import GateRecord
from pipeline.monitoring.overview.index import Index, problem
from pipeline.monitoring.overview.job import Job
from pipeline.release.publish.ledger import Entry, Ledger
from pipeline.release.publish.release_files import Championship, Hold, Pointer, ReleaseFiles
from pipeline.release.records import CheckRecord, PublishRecord, ReleaseRecord
from pipeline.storage.artifacts.artifact import parse_id
from pipeline.storage.artifacts.kinds import GATE, RELEASE

NEWEST = 60
"""Releases listed one by one; all are marked in the curves."""

Record = TypeVar("Record")


def verdicts(index: Index, job: Job) -> dict[str, Any]:
    """Of the newest day that was judged: each experiment's verdicts, with their reasons."""
    names = index.experiments(GATE, index.job, first=job.experiments)
    gates = {name: index.records(GateRecord, name) for name in names}
    judged = [day for series in gates.values() for day in series]
    if not judged:
        return {"day": None, "experiments": []}
    day = max(judged)
    rows = []
    for name in names:
        gate, check = gates[name].get(day), index.records(CheckRecord, name).get(day)
        rows.append({
            "name": name,
            "verdict": gate.verdict if gate is not None else None,
            "reasons": gate.reasons if gate is not None else [],
            "checkpoint": _day_of(gate.checkpoint) if gate is not None else None,
            "check": check.verdict if check is not None else None,
            "check_reasons": check.reasons if check is not None else [],
        })  # fmt: skip
    return {"day": str(day), "experiments": rows}


def _day_of(artifact_id: str | None) -> str | None:
    try:
        return str(parse_id(str(artifact_id))[0].day)
    except DayspringError:
        return None


def releases(index: Index, job: Job, days: list[Day], root: Path) -> dict[str, Any]:
    """The served release, the hold if there is one, the history, and marks for calendars and curves."""
    files = ReleaseFiles.of(root, index.job)
    records = _Records(files)
    served: Pointer | None = records.read("served.json", files.served, _wrong_pointer, None)
    hold: Hold | None = records.read("hold.json", files.hold, _wrong_hold, None)
    champions: list[Championship] = records.read("champion.json", files.champions, _wrong_champions, [])
    ledger: list[Entry] = records.read("ledger.json", Ledger(files.folder).entries, _wrong_entries, [])
    left: set[str] = records.read("rolled_back.json", files.rolled_back, lambda ids: not _are_texts(*ids), set())
    published = index.records(PublishRecord)
    numbers = {day: number for number, day in enumerate(days)}
    listed = _history(index, published, left, {each.release_id for each in ledger})
    pointer = _served(served, days) if served is not None else None
    return {
        "served": pointer,
        "hold": {"left": hold.left, "reason": hold.reason} if hold is not None else None,
        "rollback": f"python -m pipeline rollback --job {index.job}" if pointer and pointer["previous"] else None,
        "release_hold": f"python -m pipeline rollback --job {index.job} --release-hold" if hold is not None else None,
        "champion": next(
            (each.experiment for each in reversed(champions) if each.experiment in job.experiments), job.champion
        ),
        "ledger": [{**asdict(each), "day": str(each.day)} for each in ledger[:-NEWEST - 1:-1]],
        "champions": [{"day": str(each.day), "experiment": each.experiment, "by": each.by} for each in champions],
        "history": listed[::-1][:NEWEST],
        "count": len(listed),
        "trained": _trained(listed, numbers),
        "published": [number for row in listed if row["status"] == "published"
                      and (number := numbers.get(Day.parse(row["day"]))) is not None],
        "damaged": records.damaged,
    }  # fmt: skip


class _Records:
    """Reads the job's release records; one that is damaged is named in ``damaged`` and hides no other."""

    def __init__(self, files: ReleaseFiles) -> None:
        self._files = files
        self.damaged: list[dict[str, str]] = []

    def read(
        self, name: str, reader: Callable[[], Record], wrong: Callable[[Record], bool], instead: Record
    ) -> Record:
        try:
            found = reader()
            if not wrong(found):
                return found
            what = "a value in it is damaged"
        except (DayspringError, LookupError, TypeError, ValueError, AttributeError, OSError, RecursionError) as error:
            what = problem(error)
        folder = self._files.folder
        path = folder / name
        self.damaged.append({"path": f"releases/{folder.name}/{name}", "problem": what if str(path) in what else
                             f"{path}: damaged ({what}); restore it from a backup, or delete it"})  # fmt: skip
        return instead


def _history(
    index: Index, published: Mapping[Day, PublishRecord], left: Collection[str], were_served: Collection[str]
) -> list[dict[str, Any]]:
    """A row for each release that was built, ascending by day.

    Args:
        left: ids of the releases that were rolled back.
        were_served: ids of those of the ledger, which a backfill that is repeated does not publish again.
    """
    listed: list[dict[str, Any]] = []
    said = index.records(ReleaseRecord)
    for day, release in index.series(RELEASE).items():
        if day not in said:
            listed.append({"day": str(day), "release_id": None, "status": "none", "reasons": [release.reason]})
            continue
        here, outcome = said[day], published.get(day)
        if here.release_id in were_served:
            outcome = PublishRecord(status="published", reason=None)
        listed.append({
            "day": str(day), "release_id": here.release_id, "experiment": here.experiment,
            "checkpoint_day": str(here.checkpoint_day), "by": here.by or "",
            "status": outcome.status if outcome is not None else "not published",
            "why": (outcome.reason or "") if outcome is not None else "",
            "reasons": here.reasons or [],
            "rolled_back": here.release_id in left,
        })  # fmt: skip
    return listed


def _trained(listed: list[dict[str, Any]], numbers: Mapping[Day, int]) -> dict[str, list[int]]:
    """By experiment, the numbers of the days whose checkpoints were published."""
    marks: dict[str, list[int]] = {}
    for row in listed:
        if row["status"] == "published":
            number = numbers.get(Day.parse(row["checkpoint_day"]))
            if number is not None:
                marks.setdefault(row["experiment"], []).append(number)
    return marks


def _served(served: Pointer, days: list[Day]) -> dict[str, Any]:
    trained_on = _parsed(_day_of(served.checkpoint))
    return {
        "release_id": served.release_id, "day": str(served.day), "experiment": served.experiment,
        "checkpoint_day": str(trained_on) if trained_on is not None else None, "version": served.version,
        "previous": served.previous, "age_days": served.day - trained_on if trained_on is not None else None,
        "behind_days": days[-1] - served.day if days else 0,
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


def _wrong_entries(ledger: list[Entry]) -> bool:
    told = ((each.at, each.what, each.release_id, each.experiment, each.by, each.why) for each in ledger)
    return not all(_are_texts(*each) for each in told)


def _wrong_champions(champions: list[Championship]) -> bool:
    return not all(_are_texts(each.experiment, each.by) for each in champions)


def _parsed(text: str | None) -> Day | None:
    try:
        return Day.parse(text) if text is not None else None
    except DayspringError:
        return None
