"""What to do about a damaged artefact, by its kind."""

from __future__ import annotations

from pathlib import Path

from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import ACCEPTED, CHECKPOINT, EXTRACT, FACTORS, MATURED, PUBLISH, SNAPSHOT


def remedy(ref: Ref, generation: Path) -> str:
    """How to get the artefact in the folder ``generation`` back."""
    job, day = ref.job, ref.day
    again = f"delete the folder {generation}, then python -m pipeline backfill --job {job} --from {day} --to {day}"
    if ref.kind == EXTRACT:
        return (
            "restore it from a backup. What was made of it still stands; where the source has the day yet: "
            f"python -m pipeline backfill --job {job} --from {day} --to {day} --reprocess"
        )
    if ref.kind in (SNAPSHOT, FACTORS):
        return f"delete the folder {generation}; it only saves time and is made again"
    if ref.kind == CHECKPOINT:
        return (
            f"python -m pipeline taint --job {job} --experiment {ref.experiment} --day {day} --reason damaged, then "
            f"python -m pipeline rechain --job {job} --experiment {ref.experiment}"
        )
    if ref.kind in (MATURED, ACCEPTED, PUBLISH):
        return "restore it from a backup, or delete the folder: it is a record, nothing is made of it"
    if ref.experiment is not None:
        return f"{again} --experiment {ref.experiment}; the same bits come out, so nothing after it changes"
    return f"{again}; the same content comes out, so nothing after it changes"
