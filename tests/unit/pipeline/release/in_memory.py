"""What a release is derived from, without artefacts: a state, id maps and tables in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.days import Day
from pipeline.features.state.events import HistoryRows
from pipeline.release.contents.as_of import AsOf
from pipeline.release.contents.parts import Part


class Histories:
    """The history rows of some days."""

    def __init__(self, days: Mapping[Day, HistoryRows]) -> None:
        self._days = days

    def history_rows(self, day: Day) -> HistoryRows | None:
        return self._days.get(day)


def as_of(job: Any, day: Day, tables: Any, histories: Mapping[Day, HistoryRows] | None = None) -> AsOf:
    """The end of ``day``, out of days lived in memory (``School`` or ``Shows``)."""
    found: Any = object.__new__(AsOf)
    found.config, found.plan, found.state, found.maps = job.config, job.plan, job.state, job.maps
    found.day, found.tables, found.states, found.context = day, tables, Histories(histories or {}), None
    here: AsOf = found
    return here


def read(part: Part) -> dict[str, Any]:
    """The fields of a part."""
    return {name: json.loads(value) for name, value in part.fields.items()}
