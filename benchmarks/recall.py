"""Recall of the nearest among a million items: time of a request, share of the exact ones, the index built again.

    python -m benchmarks.recall [--items 1000000] [--width 64] [--top 100] [--requests 2000]

Directions drawn at random, for which an index is worth least. Printed are the machine's load, and MISSED where a
target is.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence

import faiss
import numpy as np

from models.export.nearest import Nearest, built

MOST_MS, LEAST_SHARE = 5.0, 0.98
"""Of a request at p99, and of the exact top that is found."""
_COMPARED = 200


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall", description=(__doc__ or "").splitlines()[0])
    for name, default in (("items", 1_000_000), ("width", 64), ("top", 100), ("requests", 2_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args(arguments)
    draw = np.random.default_rng(7)
    items, users = (_directions(draw, rows, given.width) for rows in (given.items, given.requests))
    began = time.process_time()
    index = built(items)
    print(f"load {os.getloadavg()[0]:.1f}; index of {given.items} items: {time.process_time() - began:.1f} CPU s")
    same = np.array_equal(faiss.serialize_index(index), faiss.serialize_index(built(items)))
    print(f"built again: {'the same bits' if same else 'other bits: MISSED'}")
    near = Nearest(items, index)
    near.search(users[0], given.top)
    wall, cpu, found = [], [], []
    for user in users:
        clock, processor = time.perf_counter(), time.process_time()
        places, _ = near.search(user, given.top)
        wall.append(1000 * (time.perf_counter() - clock))
        cpu.append(1000 * (time.process_time() - processor))
        if len(found) < _COMPARED:
            scores = items @ user
            exact = np.argpartition(scores, len(scores) - given.top)[-given.top :]
            found.append(len(np.intersect1d(exact, places)) / given.top)
    p50, p99 = np.percentile(wall, [50, 99])
    share = float(np.mean(found))
    print(
        f"recall of {given.top}: p50 {p50:.2f} ms, p99 {p99:.2f} ms{_missed(p99 > MOST_MS)} (≤ {MOST_MS:g}), "
        f"{np.median(cpu):.2f} CPU ms; {share:.4f} of the exact{_missed(share < LEAST_SHARE)} (≥ {LEAST_SHARE})"
    )
    return 0


def _missed(is_so: bool) -> str:
    return ": MISSED" if is_so else ""


def _directions(draw: np.random.Generator, rows: int, width: int) -> np.ndarray:
    drawn = draw.standard_normal((rows, width), np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


if __name__ == "__main__":
    raise SystemExit(main())
