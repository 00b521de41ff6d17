"""14-day windows with gap fill: the pipeline's builder against the usual pandas loop, in rows per CPU-second.

    python -m benchmarks.windows [--rows 1000000] [--rounds 5]

Both make, for each row of (owner, day, values), the ids of the 14 days before its day, ``[rows, 14, 4]``, gaps filled
by the last known day over at most seven missing days, which may lie before the window; and the ids of the same day last
year (365 days back), ``[rows, 4]``. The loops run on a share of the rows and their answers are held to the
builder's. Prints the medians of interleaved rounds and their ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.days import Day
from pipeline.features.frames.frame import Lists
from pipeline.features.state.windows import windows_of_rows

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


def usual_loop(frame: pd.DataFrame, *, calendar: bool) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The usual script: group by owner; for each row, reindex to the calendar, fill, and cut its window by ``loc``.

    With ``calendar``, a script already made faster: the calendar is laid out and filled once an owner, not once a row.
    """
    windows = np.zeros((len(frame), LENGTH, VALUES), np.int32)
    last_year = np.zeros((len(frame), VALUES), np.int32)
    daily = {owner: rows.set_index("day")["ids"] for owner, rows in frame.groupby("owner")}
    filled = {}
    if calendar:
        every_day = range(FIRST_DAY - LENGTH, FIRST_DAY + DAYS)
        filled = {owner: own.reindex(every_day).ffill(limit=FORWARD) for owner, own in daily.items()}
    for number, (owner, day) in enumerate(zip(frame["owner"], frame["day"], strict=True)):
        own = daily[owner]
        reached = filled[owner] if calendar else own.reindex(range(day - LENGTH - LEAD, day)).ffill(limit=FORWARD)
        for slot, ids in enumerate(reached.loc[day - LENGTH : day - 1]):
            if isinstance(ids, np.ndarray):
                windows[number, slot] = ids
        if day - YEAR in own.index:
            last_year[number] = own.loc[day - YEAR]
    return windows, last_year


def generate(rows: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Distinct (owner, day) in random order, a third of an owner's days over 420 days, four distinct ids each."""
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
    speeds: dict[str, list[float]] = {"pipeline": [], "pandas loop": [], "pandas, a calendar an owner": []}
    for _ in range(options.rounds):
        seconds, (order, *built) = cpu_seconds(lambda: build(owner, day, values))
        speeds["pipeline"].append(options.rows / seconds)
        place = np.argsort(order)[share]
        for name, calendar in (("pandas loop", False), ("pandas, a calendar an owner", True)):
            seconds, expected = cpu_seconds(partial(usual_loop, frame, calendar=calendar))
            speeds[name].append(len(share) / seconds)
            if not all(np.array_equal(mine[place], theirs) for mine, theirs in zip(built, expected, strict=True)):
                raise SystemExit(f"the pipeline and the {name} disagree")
    print(f"rows {options.rows:,}; the loops on {len(share):,} of them; {options.rounds} interleaved rounds")
    for name, each in speeds.items():
        ratio = statistics.median(mine / theirs for mine, theirs in zip(speeds["pipeline"], each, strict=True))
        print(f"{name:28} {statistics.median(each) / 1e3:9,.1f} krow per CPU-second   pipeline / this = {ratio:,.0f}")


if __name__ == "__main__":
    main()
