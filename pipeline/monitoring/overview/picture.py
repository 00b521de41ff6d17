"""The whole picture of a job, as JSON values: what the page draws."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.days import Day
from pipeline.monitoring.failures import LONGEST_WAIT
from pipeline.monitoring.failures import failures as failure_notes
from pipeline.monitoring.overview.calendar import (
    LONGEST_GAP,
    Span,
    calendars,
    failed_stages,
    failures,
    skips,
)
from pipeline.monitoring.overview.columns import columns
from pipeline.monitoring.overview.comparison import comparison
from pipeline.monitoring.overview.index import Index, names_in
from pipeline.monitoring.overview.job import Job
from pipeline.monitoring.overview.numbers import growth, measures, volumes
from pipeline.monitoring.overview.releases import releases, verdicts
from pipeline.storage.artifacts.kinds import CHECKPOINT

_REPORT = re.compile(r"\d{4}-\d{2}-\d{2}\.html")


@dataclass(frozen=True)
class _Drawn:
    """What was drawn of which version of the index, settings and failed days."""

    made_of: tuple[int, Job, frozenset[Day]]
    span: Span
    damaged: list[dict[str, str]]
    picture: dict[str, Any]


class Overview:
    """The pictures of a root's jobs; keeps what it has read, so that the next look costs little. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._indexes: dict[str, Index] = {}
        self._drawn: dict[str, _Drawn] = {}
        self._lock = threading.Lock()

    def jobs(self, configured: list[str]) -> list[str]:
        """Jobs of the settings, then those that only the store knows."""
        stored = {name for name in names_in(self.root / CHECKPOINT) if (self.root / CHECKPOINT / name).is_dir()}
        return [*configured, *sorted(stored - set(configured))]

    def picture(self, job: str) -> dict[str, Any]:
        """All that is known of a job. Damaged and half-written artefacts are left out and listed in ``damaged``."""
        settings = Job.read(job)
        notes = failure_notes(self.root, job)
        failed = frozenset(day for day, _ in notes)
        with self._lock:
            index = self._indexes.setdefault(job, Index(self.root, job))
            index.refresh()
            made_of = (index.version, settings, failed)
            known = self._drawn.get(job)
            if known is None or known.made_of != made_of:
                self._drawn[job] = known = _Drawn(made_of, *_lasting(index, settings, failed))
            lasting, days = known.picture, known.span.days
            released = releases(index, settings, days, self.root)
            damaged = [*index.damaged(), *known.damaged, *released.pop("damaged")]
            size = index.bytes_by_kind()
        for day, what in [each for each in notes if not known.span.reaches(each[0])]:
            del notes[day, what]
            path = f"failures/{job}/{day}{f'.{what}' if what else ''}.json"
            ahead = f"a failure of a day more than {LONGEST_WAIT} days after the newest one"
            damaged.append({"path": path, "problem": f"{ahead}, {days[-1]}; delete the note if the day was mistyped"})
        compared, wrong = comparison(self.root, job, days)
        damaged += wrong
        reports = [name[:10] for name in names_in(self.root / "reports" / job) if _REPORT.fullmatch(name)]
        experiments = [
            {**each, "champion": each["name"] == released["champion"]} for each in lasting["experiments"]
        ]  # fmt: skip
        return {
            **lasting,
            "experiments": experiments,
            "failures": failures(notes, lasting["experiments"], days),
            "failed_stages": failed_stages(notes),
            "releases": released,
            "comparison": compared,
            "reports": reports,
            "damaged": damaged,
            "bytes": size,
        }  # fmt: skip


def _lasting(
    index: Index, job: Job, failed: frozenset[Day]
) -> tuple[Span, list[dict[str, str]], dict[str, Any]]:  # fmt: skip
    """What changes only with the artefacts and the settings; its days, and what of them is damaged."""
    span = Span.of(index, failed)
    days = span.days
    experiments, damaged = calendars(index, job, days)
    far = f"more than {LONGEST_GAP} days away from the job's other days, so that no calendar shows it"
    damaged += [{"path": str(ref), "problem": f"{far}; delete the folder if the day was mistyped"} for ref in span.far]
    picture = {
        "job": index.job,
        "kind": job.kind,
        "problem": job.problem,
        "first": str(days[0]) if days else None,
        "last": str(days[-1]) if days else None,
        "count": len(days),
        "trained": any("t" in each["states"] or "x" in each["states"] for each in experiments),
        "experiments": experiments,
        "skips": skips(index, days),
        "measures": measures(index, job, days),
        "verdicts": verdicts(index, job),
        "growth": growth(index, days),
        "volumes": volumes(index, job, days),
        "columns": columns(index, job),
    }
    return span, damaged, picture
