"""Columns that are not as they were, wild values, chains that grew: of the newest days, and what stands to this day."""

from __future__ import annotations

from typing import Any

from pipeline.ingest.records import ValidatedRecord
from pipeline.monitoring.overview.index import Index
from pipeline.monitoring.overview.job import Job
from pipeline.monitoring.table_watch import changes_on, standing_in_words, table_days
from pipeline.training.records import CheckpointRecord
from pipeline.training.wild_values import in_words, told

SHOWN = 28
"""So many days of changes are shown."""


def columns(index: Index, job: Job) -> dict[str, Any]:
    """``standing``: a line a table with columns that have no value any more; ``changes``: by day, newest first."""
    days = {day: table_days(each) for day, each in index.records(ValidatedRecord).items()}
    newest = max(days, default=None)
    checkpoints = {name: index.records(CheckpointRecord, name) for name in job.experiments}
    found: dict[str, list[str]] = {}
    for day in sorted(days, reverse=True)[:SHOWN]:
        texts = [f"{each.table}: {each.text}" for each in changes_on(day, days, job.alerts)]
        wild = {
            name: each for series in checkpoints.values() for name, each in told(series.get(day)).items()
        }  # fmt: skip
        texts += [in_words(wild)] if wild else []
        said = {name: series[day] for name, series in checkpoints.items() if day in series}
        texts += [f"{name} began with {each.growth.in_words}" for name, each in said.items() if each.growth is not None]
        if texts:
            found[str(day)] = texts
    return {
        "day": str(newest) if newest is not None else None,
        "standing": standing_in_words(days),
        "changes": [{"day": day, "texts": texts} for day, texts in found.items()],
    }
