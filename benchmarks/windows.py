"""14-day windows with gap fill: the pipeline's builder against the usual pandas loop, in rows per CPU-second.

    python -m benchmarks.windows [--rows 1000000] [--rounds 5]

Both make, for each row of (owner, day, values), the ids of the 14 days before its day, ``[rows, 14, 4]``, gaps filled by
the last known day over at most seven missing days, which may lie before the window; and the ids of the same day last year
(365 days back), ``[rows, 4]``. The loop runs on a share of the rows and its answers are held to the builder's. Prints the
medians of interleaved rounds and their ratio.
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
from pipeline.features.frame import Lists
from pipeline.features.windows import windows_of_rows

LENGTH, LEAD, VALUES, FORWARD, YEAR, DAYS = 14, 7, 4, 7, 365, 420
FIRST_DAY = Day.of(2024, 1, 1).ordinal


def build(
    owner: NDArray[np.int64], day: NDArray[np.int32], values: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """The pipeline's functions over rows in any order: the order it takes them in, their windows, last year's day."""
    lists = Lists(np.arange(len(owner) + 1, dtype=np.int64) * VALUES, values.ravel())
    return windows_of_rows(
        owner, day, lists, length=LENGTH, lead=LEAD, forward=FORWARD, years=1, values=VALUES, padding=0
    )


def usual_loop(frame: pd.DataFrame) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The usual script: group by owner, reindex to calendar days, fill, and cut the window of each row."""
    windows = np.zeros((len(frame), LENGTH, VALUES), np.int32)
    last_year = np.zeros((len(frame), VALUES), np.int32)
    calendar = range(FIRST_DAY - YEAR - LENGTH, FIRST_DAY + DAYS)
    daily, filled = {}, {}
    for owner, rows in frame.groupby("owner"):
        daily[owner] = rows.set_index("day")["ids"].reindex(calendar)
        filled[owner] = daily[owner].ffill(limit=FORWARD)
    for number, row in frame.iterrows():
        for slot, ids in enumerate(filled[row["owner"]].loc[row["day"] - LENGTH : row["day"] - 1]):
            if isinstance(ids, np.ndarray):
                windows[number, slot] = ids
        ids = daily[row["owner"]].loc[row["day"] - YEAR]
        if isinstance(ids, np.ndarray):
            last_year[number] = ids
    return windows, last_year


def generate(rows: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Distinct (owner, day) in random order, a third of the days of each owner over 420 days, four distinct ids each."""
    cells = rng.choice(rows * 3, rows, replace=False)
    owner, day = cells // DAYS, (FIRST_DAY + cells % DAYS).astype(np.int32)
    steps = rng.integers(1, 500, (rows, VALUES))
    return owner.astype(np.int64), day, (1 + np.cumsum(steps, axis=1)).astype(np.int32)


def cpu_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    owner, day, values = generate(options.rows, np.random.default_rng(1))
    share = np.flatnonzero(owner <= np.quantile(owner, min(1.0, 5_000 / options.rows)))
    frame = pd.DataFrame({"owner": owner[share], "day": day[share], "ids": list(values[share])})
    fast, slow = [], []
    for _ in range(options.rounds):
        seconds, (order, *built) = cpu_seconds(lambda: build(owner, day, values))
        fast.append(options.rows / seconds)
        seconds, expected = cpu_seconds(lambda: usual_loop(frame))
        slow.append(len(share) / seconds)
        place = np.argsort(order)[share]
        if not all(np.array_equal(mine[place], theirs) for mine, theirs in zip(built, expected, strict=True)):
            raise SystemExit("the two builders disagree")
    print(f"rows {options.rows:,}; the loop on {len(share):,} of them; {options.rounds} interleaved rounds")
    print(f"pipeline     {statistics.median(fast) / 1e3:10,.0f} krow per CPU-second")
    print(f"pandas loop  {statistics.median(slow) / 1e3:10,.1f} krow per CPU-second")
    print(f"ratio        {statistics.median(f / s for f, s in zip(fast, slow, strict=True)):10,.0f}")


if __name__ == "__main__":
    main()
