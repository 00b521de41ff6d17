"""How the experiments compare with the first of them: the newest weeks, and their differences by day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.days import Day
from pipeline.errors import CorruptArtifact
from pipeline.monitoring.compared_file import NAME, ComparedFile


def comparison(root: Path, job: str, days: list[Day]) -> tuple[dict[str, Any] | None, list[dict[str, str]]]:
    """What the newest report has found, and what of it is damaged; ``None`` where nothing was compared."""
    try:
        found = ComparedFile.read(root / "reports" / job)
    except CorruptArtifact as error:
        return None, [{"path": f"reports/{job}/{NAME}", "problem": str(error)}]
    if found is None:
        return None, []
    by_day = {each.day: each.differences for each in found.days}
    return {
        "measure": found.measure,
        "first": found.experiments[0],
        "confidence": found.confidence,
        "from": str(found.first_day),
        "to": str(found.last_day),
        "rows": [each.model_dump() for each in found.rows],
        "differences": {
            name: [_difference(by_day, day, name) for day in days] for name in found.experiments[1:]
        },
    }, []  # fmt: skip


def _difference(by_day: dict[Day, dict[str, Any]], day: Day, name: str) -> float | None:
    found = by_day.get(day, {}).get(name)
    return float(f"{found.difference:.5g}") if found is not None else None
