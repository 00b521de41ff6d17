"""The engine that a job's settings name, and in how many shards they have a day worked on."""

from __future__ import annotations

import os

from pipeline.config.job import JobConfig
from pipeline.engines.engine import Engine

ROWS_A_SHARD = 500_000
"""Where the number of shards is not given: one takes half a gigabyte, and is a few seconds' work."""


def engine_of(config: JobConfig) -> Engine:
    """What works on the shards of the job's days."""
    if config.engine == "spark":
        from pipeline.engines.spark import VARIABLE, SparkEngine

        return SparkEngine(os.environ.get(VARIABLE), config.job)
    from pipeline.engines.local import LocalEngine

    return LocalEngine(config.processes)


def shards_of(config: JobConfig, rows: int) -> int:
    """In how many parts so many rows are worked on."""
    return config.shards if config.shards != "auto" else max(1, round(rows / ROWS_A_SHARD))
