"""The engine that a job's settings name."""

from __future__ import annotations

from pipeline.config.job import JobConfig
from pipeline.engines.engine import Engine
from pipeline.engines.local import LocalEngine


def engine_of(config: JobConfig) -> Engine:
    """What works on the shards of the job's days."""
    return LocalEngine(config.processes)
