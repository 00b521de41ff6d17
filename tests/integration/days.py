"""Days of a job's stages in this process, up to what its experiments make of them: nothing is checked or released."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.days import Day
from pipeline.job import JobContext
from pipeline.stages.stage import EXPERIMENT, SHARED, stage


def run_days(job: JobContext, first: Day, last: Day, experiments: Sequence[str]) -> None:
    try:
        for day in first.through(last):
            for name in SHARED:
                stage(name).run(job, day)
            for experiment in experiments:
                stage(EXPERIMENT).run(job, day, experiment)
    finally:
        job.close()
