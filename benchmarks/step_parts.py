"""Where a training step's time goes: the step of ``benchmarks.step`` put together part by part, in one run.

    python -m benchmarks.step_parts [--rounds 5] [--case 100000x1024]

Every variant does all that the one before it does and one thing more; its part is the difference, as the median over
interleaved rounds of the differences within a round. CPU milliseconds of all threads.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from unittest.mock import patch

import tensorflow as tf

from benchmarks.step import THREADS, Run, data, slope, with_engine, with_floor
from models.engine import optimizers
from models.engine.engine import configure
from models.engine.optimizers import RowsAlone, TableVariables
from models.engine.update_rules import Values


class Still(RowsAlone):
    """No table at all: the same few rows at every step, and their gradient summed, but used for nothing."""

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Values:
        w = tf.identity(table.w)[: rows.shape[0]]
        return Values(w)

    def write(
        self,
        table: TableVariables,
        rows: tf.Tensor,
        state: Values,
        gradient: tf.Tensor,
        step: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> None:
        # Kept in one row, or the compiler would leave the gradient out.
        kept = sum(tf.reduce_sum(each, axis=0, keepdims=True) for each in (gradient, state.w, *state.slots))
        tf.raw_ops.ResourceScatterUpdate(resource=table.slots["m"].handle, indices=rows[:1], updates=kept)


class Reading(Still):
    """The rows are read, and not written."""

    def read(self, table: TableVariables, rows: tf.Tensor, step: tf.Tensor, learning_rate: tf.Tensor) -> Values:
        return RowsAlone.read(self, table, rows, step, learning_rate)


FLOOR = "network alone, the floor"
PARTS = {
    "call, rows by position, linear part and FM, sum by row": Still,
    "reading rows of the table": Reading,
    "Adam of the rows, writing them": RowsAlone,
}
CATCHING_UP = "catching up"
INPUT = "input side: taking rows, looking distinct ones up"


def own_costs(costs: list[float]) -> list[float]:
    """What each part costs by itself, of a round's costs: floor, engines of ever more parts, input side."""
    floor, *engines, feed = costs
    before = [floor + feed, *engines]
    return [floor, *(each - less for each, less in zip(engines, before, strict=False)), feed]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--case", default="100000x1024", help="ROWSxBATCH (default 100000x1024)")
    arguments = parser.parse_args()
    configure(THREADS)
    total, batch = (int(number) for number in arguments.case.split("x"))
    rows, steps = data(total, 64 * batch), max(10, 12_000 // batch)
    runs: dict[str, Run] = {FLOOR: with_floor(batch)}
    for part, way in PARTS.items():
        with patch.object(optimizers, "RowsAlone", way):
            runs[part] = with_engine(rows, batch, optimizer="lazy_adam")[0]
    runs[CATCHING_UP], runs[INPUT] = with_engine(rows, batch)
    for run in runs.values():
        run(steps)
    rounds = []
    for number in range(arguments.rounds):
        rounds.append([slope(run, steps) for run in runs.values()])
        print(f"  round {number + 1} of {arguments.rounds}", file=sys.stderr, flush=True)
    whole = statistics.median(each[-2] for each in rounds)
    print(f"{total} rows, batch {batch}: {whole:.2f} CPU ms a step, load {os.getloadavg()[0]:.1f}")
    for part, own in zip(runs, zip(*map(own_costs, rounds), strict=True), strict=True):
        print(f"  {part:<58}{statistics.median(own):7.2f} {statistics.median(own) / whole:6.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
