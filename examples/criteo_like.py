"""Days of labelled rows in the layout of Criteo's display advertising data, with effects that are planted.

One label, 13 numbers (counts with long tails) and 26 ids (text of eight hexadecimal digits), cells of both missing as
often as there. What decides the label is known: each id and number by itself (``linear``), some pairs of columns that
say nothing apart (``pairs``), and some triples (``triples``). Some ids of the long columns are new every day. Nothing
is Criteo's: all of it is drawn from the seed, a day at a time, the same whatever other days are made.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from examples.command import guarded
from examples.targets import ParquetTarget, SqlTarget, parse_target
from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.storage.urls import mask_url

TABLE = "criteo"
NUMBERS, IDS = tuple(f"i{n}" for n in range(1, 14)), tuple(f"c{n}" for n in range(1, 27))
EFFECTS = ("linear", "pairs", "triples")
SCHEMA = pa.schema({
    "day": pa.string(), "line": pa.int64(), "label": pa.int64(),
    **dict.fromkeys(NUMBERS, pa.int64()), **dict.fromkeys(IDS, pa.string()),
})  # fmt: skip

_SIZES = (
    40, 300, 20_000, 8_000, 60, 12, 4_000, 150, 3, 9_000, 2_500, 16_000, 1_800, 25, 3_500, 12_000, 10, 2_000, 800, 4,
    14_000, 12, 15, 7_000, 50, 5_000,
)  # fmt: skip
"""Ids that each column has on a day."""
_NO_NUMBER = (0.45, 0.0, 0.21, 0.22, 0.03, 0.22, 0.04, 0.0, 0.04, 0.45, 0.04, 0.76, 0.22)
_NO_ID = {3: 0.03, 4: 0.03, 12: 0.03, 16: 0.03, 19: 0.44, 20: 0.44, 21: 0.03, 22: 0.76, 24: 0.03, 25: 0.44, 26: 0.44}
_PAIRS = ((1, 6), (2, 9), (5, 17), (8, 23), (14, 6), (17, 9), (23, 14), (1, 17))
_TRIPLES = ((6, 9, 17), (1, 14, 23), (9, 14, 17))
DDL = Path(__file__).resolve().parent / "sql" / TABLE / f"{TABLE}.sql"
_CHUNK = 50_000
_BASE = -2.3


@dataclass(frozen=True)
class World:
    """What decides the labels.

    Attributes:
        effects: those of ``EFFECTS`` that are planted.
    """

    seed: int = 1
    effects: frozenset[str] = frozenset(EFFECTS)

    def __post_init__(self) -> None:
        strange = sorted(self.effects - set(EFFECTS))
        if strange:
            raise UsageError(f"--effects {', '.join(strange)}: no such effect; one of {', '.join(EFFECTS)}")

    def day(self, day: Day, rows: int) -> Iterator[pa.Table]:
        """The day's rows, some at a time."""
        for start in range(0, rows, _CHUNK):
            yield self._chunk(day, start, min(_CHUNK, rows - start))

    def _chunk(self, day: Day, start: int, rows: int) -> pa.Table:
        random = np.random.default_rng([self.seed, day.ordinal, start])
        numbers = np.stack([self._number(random, rows, at) for at in range(len(NUMBERS))])
        ids = np.stack([self._ids(random, rows, at, day) for at in range(len(IDS))])
        chance = 1 / (1 + np.exp(-self.logits(numbers, ids)))
        columns: dict[str, Any] = {
            "day": [str(day)] * rows, "line": np.arange(start, start + rows),
            "label": (random.random(rows) < chance).astype(np.int64),
        }  # fmt: skip
        columns |= {n: pa.array(each, mask=each < 0) for n, each in zip(NUMBERS, numbers, strict=True)}
        columns |= {n: _texts(at, each) for at, (n, each) in enumerate(zip(IDS, ids, strict=True))}
        return pa.table(columns, SCHEMA)

    def logits(self, numbers: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """What a perfect model would answer, ``[rows]``.

        Args:
            numbers: ``[13, rows]``, ids: ``[26, rows]``; −1 where missing.
        """
        total = np.full(numbers.shape[1], _BASE)
        if "linear" in self.effects:
            total += sum(0.15 * self._worth("linear", at, 0, ids[at]) for at in range(len(IDS)))
            known = np.where(numbers < 0, 0.0, np.log1p(np.maximum(numbers, 0)) - 1.5)
            total += 0.12 * (known * np.where(np.arange(len(NUMBERS)) % 2, -1, 1)[:, None]).sum(axis=0)
        if "pairs" in self.effects:
            for one, two in _PAIRS:
                for part in range(2):
                    both = [self._worth("pairs", at - 1, part, ids[at - 1]) for at in (one, two)]
                    total += 0.35 * both[0] * both[1]
        if "triples" in self.effects:
            for three in _TRIPLES:
                signs = [np.sign(self._worth("triples", at - 1, 0, ids[at - 1])) for at in three]
                total += 0.6 * signs[0] * signs[1] * signs[2]
        return total

    def _number(self, random: np.random.Generator, rows: int, at: int) -> NDArray[np.int64]:
        values = np.floor(np.exp(random.normal(0.8 + 0.25 * at, 1.4, rows)) - 0.5)
        return np.where(random.random(rows) < _NO_NUMBER[at], -1, np.maximum(values, 0)).astype(np.int64)

    def _ids(self, random: np.random.Generator, rows: int, at: int, day: Day) -> NDArray[np.int64]:
        """Numbers of the ids: low ones are common, and of long columns the rarer half moves on from day to day."""
        size = _SIZES[at]
        found = np.floor((size + 1.0) ** random.random(rows)).astype(np.int64) - 1
        found += np.where(found > size // 2, day.ordinal * (size // 100), 0)
        return np.where(random.random(rows) < _NO_ID.get(at + 1, 0.0), -1, found)

    def _worth(self, effect: str, at: int, part: int, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """A number of mean 0 and deviation 1 for each id of a column, that of a missing one 0."""
        base = np.uint64((self.seed * 1_000 + EFFECTS.index(effect)) * 1_000 + at * 10 + part * 2)
        one, two = (_mixed(ids.astype(np.uint64) + (base + np.uint64(n)) * np.uint64(1 << 40)) for n in range(2))
        uniform = (one >> np.uint64(11)).astype(np.float64) / 2**53, (two >> np.uint64(11)).astype(np.float64) / 2**53
        normal = np.sqrt(-2 * np.log1p(-uniform[0])) * np.cos(2 * np.pi * uniform[1])
        return np.where(ids < 0, 0.0, normal)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each number as one that tells nothing of it (splitmix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _texts(at: int, ids: NDArray[np.int64]) -> pa.Array:
    distinct, place = np.unique(ids, return_inverse=True)
    texts = [f"{each >> 32:08x}" for each in _mixed(distinct.astype(np.uint64) + np.uint64(at << 40)).tolist()]
    return pa.array(np.array(texts, object)[place], pa.string(), mask=ids < 0)


def write(world: World, target: ParquetTarget | SqlTarget, days: Sequence[Day], rows: int) -> None:
    """The table, a day after another."""
    for day in days:
        if isinstance(target, SqlTarget):
            target.write_day(TABLE, day, world.day(day, rows))
        else:
            target.write_day(TABLE, day, SCHEMA, world.day(day, rows))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m examples.criteo_like",
        description="Write days of generated labelled rows in Criteo's layout, with planted effects (the job criteo).",
        epilog="example: python -m examples.criteo_like --target parquet:criteo --days 7 --rows-per-day 20000",
    )
    add = parser.add_argument
    add("--target", required=True, help="parquet:FOLDER, sqlite:///FILE or mysql+pymysql://USER:PASSWORD@HOST/DATABASE")
    add("--from", dest="first", metavar="DAY", default="2024-01-01", help="first day (default %(default)s)")
    add("--days", type=int, default=7, help="number of days (default %(default)s)")
    add("--rows-per-day", type=int, default=20_000, metavar="N", help="default %(default)s")
    add("--effects", nargs="*", default=EFFECTS, metavar="NAME", help=f"of {', '.join(EFFECTS)} (default: all)")
    add("--seed", type=int, default=1, help="default %(default)s")
    given = parser.parse_args(arguments)

    def run() -> None:
        for name, least in (("days", 1), ("rows_per_day", 0), ("seed", 0)):
            if getattr(given, name) < least:
                raise UsageError(f"--{name.replace('_', '-')} {getattr(given, name)}: at least {least}")
        target = parse_target(given.target, [DDL])
        if not isinstance(target, ParquetTarget | SqlTarget):
            raise UsageError(f"--target {mask_url(given.target)}: these rows go to parquet:FOLDER or to a database")
        first = Day.parse(given.first)
        days = list(first.through(first.plus(given.days - 1)))
        write(World(given.seed, frozenset(given.effects)), target, days, given.rows_per_day)
        print(f"{TABLE}: {len(days)} days from {first}, {given.rows_per_day} rows each")

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
