"""14-day windows of a day's requests: the pipeline's builder against the usual pandas loop, in rows per CPU-second.

    python -m benchmarks.windows [--entries 1000000] [--rounds 5]

Both make, for a request of each owner on the last of 420 days, the ids of the 14 days before it, ``[rows, 14, 4]``, and
those of the same day last year (365 days back), ``[rows, 4]``, from the entries of a third of each owner's days. The
loop runs on a share of the owners and its answers are held to the builder's. Prints the medians of interleaved rounds
and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.state.windows import fill, window_positions

LENGTH, VALUES, YEAR, DAYS = 14, 4, 365, 420
LAST = Day.of(2024, 12, 31)
FIRST = LAST.plus(-DAYS)


def build(offsets: NDArray[np.int64], days: NDArray[np.int32], lists: Lists) -> list[NDArray[np.int32]]:
    """The windows of every owner, and last year's day, by the pipeline's functions."""
    owners = np.arange(len(offsets) - 1)
    windows = fill(lists, window_positions(offsets, days, owners, LAST, length=LENGTH), VALUES, 0)
    past = window_positions(offsets, days, owners, LAST.plus(1 - YEAR), length=1)
    return [windows, fill(lists, past, VALUES, 0)[:, 0]]


def usual_loop(frame: pd.DataFrame) -> list[NDArray[np.int32]]:
    """The usual script: group by owner, reindex to the calendar and cut the window by ``loc``."""
    day = LAST.ordinal
    owners = frame.groupby("owner")
    windows = np.zeros((owners.ngroups, LENGTH, VALUES), np.int32)
    last_year = np.zeros((owners.ngroups, VALUES), np.int32)
    for number, (_, rows) in enumerate(owners):
        own = rows.set_index("day")["ids"]
        for slot, ids in enumerate(own.reindex(range(FIRST.ordinal, day + 1)).loc[day - LENGTH : day - 1]):
            if isinstance(ids, np.ndarray):
                windows[number, slot] = ids
        if day - YEAR in own.index:
            last_year[number] = own.loc[day - YEAR]
    return [windows, last_year]


def generate(entries: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Owner, day and four distinct ids of each entry, ascending by owner and day; every owner has some."""
    cells = np.sort(rng.choice(entries * 3, entries, replace=False))
    owner = np.unique(cells // DAYS, return_inverse=True)[1]
    steps = rng.integers(1, 500, (entries, VALUES))
    return owner, (FIRST.ordinal + cells % DAYS).astype(np.int32), (1 + np.cumsum(steps, axis=1)).astype(np.int32)


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    owner, day, values = generate(options.entries, np.random.default_rng(1))
    offsets = np.append(0, np.cumsum(np.bincount(owner)))
    lists = Lists(np.arange(len(owner) + 1, dtype=np.int64) * VALUES, values.ravel())
    owners, looped = len(offsets) - 1, min(len(offsets) - 1, 1_000)
    share = owner < looped
    frame = pd.DataFrame({"owner": owner[share], "day": day[share], "ids": list(values[share])})
    speeds: list[tuple[float, float]] = []
    for _ in range(options.rounds):
        own_seconds, built = cpu_seconds(lambda: build(offsets, day, lists))
        seconds, expected = cpu_seconds(lambda: usual_loop(frame))
        speeds.append((owners / own_seconds, looped / seconds))
        if not all(np.array_equal(mine[:looped], theirs) for mine, theirs in zip(built, expected, strict=True)):
            raise SystemExit("the pipeline and the pandas loop disagree")
    print(f"rows {owners:,} of {options.entries:,} entries; the loop on {looped:,} of them; {options.rounds} rounds")
    for name, place in (("pipeline", 0), ("pandas loop", 1)):
        speed = statistics.median(each[place] for each in speeds)
        print(f"{name:12} {speed / 1e3:9,.1f} krow per CPU-second")
    print(f"pipeline / pandas loop = {statistics.median(mine / theirs for mine, theirs in speeds):,.0f}")


if __name__ == "__main__":
    main()
