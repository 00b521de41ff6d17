"""Four days of lessons, of which the third has no rows, as the shared stages take them one after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.days import Day
from pipeline.features.ids.store import IdMapStore
from pipeline.job import JobContext
from pipeline.stages.stage import SHARED, stage
from pipeline.storage.artifacts.artifact import Ref
from tests.unit.pipeline.features import lessons
from tests.unit.pipeline.features.lessons import DAY, config, write_day, write_undated

DATED = {name: lessons.STANDARD[name] for name in ("homework", "clicks", "offered", "study", "style_counts")}


def write_four_days(folder: Path) -> Path:
    """The sources; a teacher of his own on each day."""
    write_undated(folder)
    for back, teacher in ((3, 505), (2, 504), (0, 506)):
        more = lessons.table("homework", (teacher, 9000 + teacher, 5, [10], [101], 1, 7))
        write_day(folder, DAY.plus(-back), {**DATED, "homework": pa.concat_tables([lessons.HOMEWORK, more])})
    return folder


def run(job: JobContext, *days: Day) -> None:
    for day in days:
        for name in SHARED:
            stage(name).run(job, day)


def state_digests(job: JobContext) -> dict[str, str]:
    found = {}
    for kind in ("maps", "state", "features"):
        for day in job.store.days(kind, job.job):
            artifact = job.store.current(Ref(kind, job.job, day))
            assert artifact is not None
            found[f"{kind} {day}"] = artifact.manifest.digest
    return found


def teachers(job: JobContext) -> list[int]:
    found: list[int] = IdMapStore.of(job).read("teacher", "int").ids.tolist()
    return found


def since(first: Day) -> Any:
    return config(state_from=str(first))
