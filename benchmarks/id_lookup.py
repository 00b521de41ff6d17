"""Raw ids to indices: ``IdMap.lookup`` against the usual dictionary loop, for integers and for text.

    python -m benchmarks.id_lookup [--ids 1000000] [--rounds 5]

As many look-ups as ids, a tenth of them of unknown ids, skewed as logs are. Both answers are compared. Prints the
medians of interleaved rounds and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema import FIRST, UNKNOWN
from pipeline.features.ids.idmap import IdMap


def usual_loop(index: dict[Any, int], raw: Sequence[Any]) -> NDArray[np.int32]:
    return np.array([index.get(value, UNKNOWN) for value in raw], np.int32)


def cpu_seconds(work: Callable[[], NDArray[np.int32]]) -> tuple[float, NDArray[np.int32]]:
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def compare(kind: str, ids: int, rounds: int) -> None:
    rng = np.random.default_rng(1)
    raw: NDArray[Any] = rng.choice(ids * 20, ids, replace=False).astype(np.int64)
    wanted = np.minimum(np.exp(rng.random(ids) * np.log(ids)).astype(np.int64), ids - 1)
    asked = raw[wanted]
    asked[rng.random(ids) < 0.1] = ids * 20 + 1
    if kind == "str":
        raw, asked = raw.astype(str).astype(object), asked.astype(str).astype(object)
    ids_map = IdMap("space", kind, raw)
    index = {value: at + FIRST for at, value in enumerate(raw.tolist())}
    plain = asked.tolist()
    ids_map.lookup(asked[:1])  # the index is built once a process, as the dictionary is
    fast, slow = [], []
    for _ in range(rounds):
        seconds, found = cpu_seconds(lambda: ids_map.lookup(asked))
        fast.append(seconds)
        seconds, expected = cpu_seconds(lambda: usual_loop(index, plain))
        slow.append(seconds)
        if not np.array_equal(found, expected):
            raise SystemExit("the two look-ups disagree")
    print(
        f"{kind}: {ids:,} look-ups in {ids:,} ids; IdMap {ids / statistics.median(fast) / 1e6:.1f} M, dictionary loop "
        f"{ids / statistics.median(slow) / 1e6:.1f} M per CPU-second; ratio "
        f"{statistics.median(s / f for f, s in zip(fast, slow, strict=True)):.1f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    for kind in ("int", "str"):
        compare(kind, options.ids, options.rounds)


if __name__ == "__main__":
    main()
