"""The chain of each experiment as a calendar: what became of every day, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.monitoring.failures import LONGEST_WAIT, Failure
from pipeline.monitoring.overview.index import Index, problem
from pipeline.monitoring.overview.job import Job
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT, DAY, VALIDATED
from pipeline.storage.artifacts.lineage import Lineage
from pipeline.training.chain import Chain, DayState
from pipeline.training.records import CheckpointRecord

MISSING, BEFORE = "m."
_LETTERS: Mapping[DayState, str] = {"trained": "t", "skipped": "s", "tainted": "x", "missing": MISSING}
"""For what became of a day; ``BEFORE`` is a day before the experiment's start."""

LONGEST_GAP = 3660
"""Days from the middle one of all that a day may be away: a calendar of a thousand years cannot be drawn."""


@dataclass(frozen=True)
class Span:
    """The days to be drawn, in order; ``far`` are artefacts of days that no calendar reaches."""

    days: list[Day]
    far: list[Ref]

    @classmethod
    def of(cls, index: Index, noted: Collection[Day]) -> Span:
        """From the first day that any experiment has, or that was marked, to the last; empty for an empty store.

        Args:
            noted: days that something failed on, which may have left no artefact.
        """
        trained = {name: index.days(CHECKPOINT, index.job, name) for name in index.experiments(CHECKPOINT, index.job)}
        marked, validated = index.days(DAY, index.job), index.days(VALIDATED, index.job)
        starts = sorted(day for days in trained.values() for day in days) or marked
        if not starts:
            return cls([], [])
        middle = starts[len(starts) // 2]
        first = next(day for day in starts if middle - day <= LONGEST_GAP)
        last = max(day for day in (*starts, *marked, *validated) if day - middle <= LONGEST_GAP)
        last = max([last, *(day for day in noted if day - last <= LONGEST_WAIT)])
        held = [*((CHECKPOINT, name, days) for name, days in trained.items()), (DAY, None, marked),
                (VALIDATED, None, validated)]  # fmt: skip
        far = [
            Ref(kind, index.job, day, name)
            for kind, name, days in held
            for day in days
            if abs(day - middle) > LONGEST_GAP
        ]
        return cls(list(first.through(last)), far)

    def reaches(self, noted: Day) -> bool:
        """Whether a failure of that day can be: the day is drawn, is before all, or nothing was made yet."""
        return not self.days or noted <= self.days[-1]


def calendars(index: Index, job: Job, days: list[Day]) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """One entry an experiment, those of the YAML first; and what of their records is damaged."""
    names = index.experiments(CHECKPOINT, index.job, first=job.experiments)
    damaged: list[dict[str, str]] = []
    lineage = Lineage(index)
    return [_calendar(index, job, name, days, lineage, damaged) for name in names], damaged


def _calendar(
    index: Index, job: Job, name: str, days: list[Day], lineage: Lineage, damaged: list[dict[str, str]]
) -> dict[str, Any]:
    chain = Chain(index, index.job, name, job.starts.get(name))
    recorded = True
    try:
        start = chain.start
    except (CorruptArtifact, OSError, RecursionError) as error:
        damaged.append({"path": f"{CHECKPOINT}/{index.job}/{name}/chain.json", "problem": problem(error)})
        start, recorded = next(iter(chain.days()), None), False
    trained, said = index.series(CHECKPOINT, name), index.records(CheckpointRecord, name)
    tainted = dict(chain.tainted(lineage))
    first = days[0] if days else None
    newest = trained[max(trained)] if trained else None
    return {
        "name": name, "grid": job.grids.get(name),
        "removed": job.problem is None and name not in job.experiments,
        "start": str(start) if start is not None else None,
        "states": _states(chain, days, start, tainted),
        "why": {str(day - first): reason for day, reason in tainted.items() if first is not None},
        "parents": [_parent(said.get(day)) for day in days],
        "rows": [trained[day].rows.get("rows", 0) if day in trained else None for day in days],
        "loss": [said[day].loss if day in said else None for day in days],
        "tainted": len(tainted),
        # The command may begin at the chain's start, of which a damaged record does not tell.
        "rechain": chain.rechain(sorted(tainted)) if tainted and recorded else None,
        "settings_changed": bool(
            newest is not None and name in job.settings and newest.settings != job.settings[name]
        ),
    }  # fmt: skip


def _states(chain: Chain, days: list[Day], start: Day | None, tainted: Collection[Day]) -> str:
    """A letter a day."""
    states = chain.states(days[0], days[-1], tainted=tainted) if days else {}
    drawn = {day for day in days if day in tainted or (start is not None and day >= start)}
    return "".join(_LETTERS[states[day]] if day in drawn else BEFORE for day in days)


def _parent(checkpoint: CheckpointRecord | None) -> str | None:
    parent = checkpoint.parent_day if checkpoint is not None else None
    return str(parent) if parent is not None else None


def skips(index: Index, days: list[Day]) -> dict[str, str]:
    """Reasons by the number of the skipped day."""
    marked = index.series(DAY)
    return {str(number): marked[day].reason for number, day in enumerate(days)
            if day in marked and marked[day].state == "skipped"}  # fmt: skip


def failures(
    noted: Mapping[tuple[Day, str], Failure], experiments: list[dict[str, Any]], days: list[Day]
) -> dict[str, dict[str, dict[str, str]]]:
    """By experiment and number of the day, the failure of a day that was not trained since.

    A failure of a stage before the training counts for every experiment.
    """
    found: dict[str, dict[str, dict[str, str]]] = {}
    numbers = {day: number for number, day in enumerate(days)}
    for experiment in experiments:
        for (day, what), failure in noted.items():
            number = numbers.get(day)
            if number is None or what not in ("", experiment["name"]) or experiment["states"][number] != MISSING:
                continue
            shown = {"stage": failure.stage, "message": failure.message, "at": failure.at}
            found.setdefault(experiment["name"], {})[str(number)] = shown
    return found


def failed_stages(noted: Mapping[tuple[Day, str], Failure]) -> list[dict[str, str]]:
    """Failures of the stages that experiments share, newest first: those before the training and those after it."""
    shared = [(day, each) for (day, what), each in noted.items() if not what]
    return [
        {"day": str(day), "stage": each.stage, "message": each.message, "at": each.at}
        for day, each in sorted(shared, key=lambda pair: pair[0], reverse=True)
    ]
