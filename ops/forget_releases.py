"""Takes what is served out of the stores that ``DAYSPRING_*`` names: ``python -m ops.forget_releases``.

For the development servers, where each data set has a Redis database and a place in the bucket of its own: what a root
that was removed since left there would keep a new root from publishing.
"""

from __future__ import annotations

import os
from pathlib import Path

import redis

from ops.airflow import JOBS
from pipeline.storage.objects.open import open_objects


def main() -> None:
    redis.Redis.from_url(os.environ["DAYSPRING_REDIS_URL"]).flushdb()
    objects = open_objects(Path(os.environ["DAYSPRING_ROOT"]), os.environ["DAYSPRING_RELEASE_URL"])
    for job in JOBS:
        for name in ("current.json", "place"):
            objects.delete(f"{job}/{name}")


if __name__ == "__main__":
    main()
