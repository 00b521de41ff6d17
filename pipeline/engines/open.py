"""The engine that a job's settings name."""

from __future__ import annotations

import os

from pipeline.config.job import JobConfig
from pipeline.engines.engine import Engine
from pipeline.engines.local import LocalEngine
from pipeline.engines.spark import VARIABLE, SparkEngine


def engine_of(config: JobConfig) -> Engine:
    """What works on the shards of the job's days."""
    if config.engine == "spark":
        return SparkEngine(os.environ.get(VARIABLE), config.job)
    return LocalEngine(config.processes)
