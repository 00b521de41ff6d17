"""What each of many processes does to one id map; a module of its own, so that a child imports nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.days import Day
from pipeline.features.ids.store import IdMapStore


def add_ten_thousand(folder: str, worker: int) -> None:
    # Beside its own, each worker has ids that it shares with its neighbours.
    raw = np.arange(worker * 1000, worker * 1000 + 3000, dtype=np.int64)[::-1]
    own = np.arange(10**6 + worker * 10000, 10**6 + (worker + 1) * 10000, dtype=np.int64)
    for part in np.array_split(np.concatenate([raw, own]), 2):
        IdMapStore(Path(folder)).add("user", "int", part, Day.of(2024, 3, 1).plus(worker), lock_timeout=500)
