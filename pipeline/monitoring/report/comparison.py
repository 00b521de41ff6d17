"""The experiments of a job compared by its primary measure, over the four weeks that end with a report's day."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipeline.days import Day
from pipeline.evaluation.compare import Comparison, Standing, compare
from pipeline.evaluation.compared_day import Asked
from pipeline.evaluation.records import ComparedDay
from pipeline.job import JobContext
from pipeline.monitoring.compared_file import ComparedFile, Row
from pipeline.monitoring.report import curves
from pipeline.storage.artifacts.readable import Readable

WEEKS = 4
_KEPT = 371


def compared(context: JobContext, day: Day, folder: Path) -> Comparison | None:
    """The comparison that ends with ``day``; ``None`` where nothing can be compared.

    What was found of each day is kept in the folder of reports, for those after it and for the page.
    """
    names, readable = tuple(context.config.experiments), Readable()
    if len(names) < 2:
        return None
    asked = Asked(names, context.config.primary)
    kept = readable(ComparedFile.read, folder)
    same = kept is not None and (kept.measure, tuple(kept.experiments)) == (asked.measure, names)
    known = {each.day: each for each in kept.days} if kept is not None and same else {}
    found = compare(
        context, asked, readable, first=day.plus(1 - 7 * WEEKS), last=day, known=known.values()
    )  # fmt: skip
    readable.tell()
    if not any(each.differences for each in found.days):
        return None
    known |= {each.day: each for each in found.days}
    _kept(found, [known[each] for each in sorted(known)[-_KEPT:]]).write(folder)
    return found


def _kept(found: Comparison, days: list[ComparedDay]) -> ComparedFile:
    newest = [each for each in days if each.day > days[-1].day.plus(-7 * WEEKS)]
    over_days = replace(found, days=newest).over_days()
    return ComparedFile(
        measure=found.asked.measure, experiments=list(found.asked.experiments), confidence=found.gate.confidence,
        first_day=newest[0].day, last_day=newest[-1].day, days=days,
        rows=[Row(**asdict(each), verdict=each.verdict) for each in over_days],
    )  # fmt: skip


def drawn(found: Comparison | None) -> dict[str, Any] | None:
    """What the template shows of a comparison."""
    if found is None:
        return None
    over_days: list[Standing] = found.over_days()
    series = {
        each.experiment: [(day.day, day.differences[each.experiment].difference) for day in found.days
                          if each.experiment in day.differences]
        for each in over_days
    }  # fmt: skip
    return {
        "measure": found.asked.measure, "first": found.asked.first, "confidence": found.gate.confidence,
        "standings": over_days, "days": [each.day for each in found.days], "left_out": found.left_out(),
        "curve": curves.lines({found.asked.first: [(each.day, 0.0) for each in found.days], **series}),
    }  # fmt: skip
