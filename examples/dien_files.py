"""DIEN's published files → the tables of the ads job.

The layout is that of the code of Zhou et al. (Deep Interest Evolution Network for Click-Through Rate Prediction, 2019),
https://github.com/mouna99/dien: ``local_train_splitByUser`` and ``local_test_splitByUser`` (label, user, item,
category, and the user's earlier items and categories), ``item-info``, ``reviews-info``, ``uid_voc.pkl``,
``mid_voc.pkl`` and ``cat_voc.pkl``, made of Amazon's reviews. None of it is part of this project.

A user is a row of ``midas_online_user``, an item one of ``midas_online_ad``, beside their numbers in the vocabularies,
which are missing where a vocabulary has not got them. Of ``midas_online_context`` the first day holds the steps of the
histories, each a click; the days after it the lines to train on in order of the time of their reviews, as many each,
both of a user on one day; the last day those to test on. The files have no days of their own but the reviews' times,
and a user's lines are years apart from another's: days of the calendar would be thousands with a few lines each.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from examples.command import convert_lines, guarded
from examples.dien_lines import Bad, Review, Sample, read_items, read_reviews, read_samples
from examples.plain_pickles import read_numbers
from examples.tally import Tally
from examples.targets import DayPartitions, ParquetTarget
from pipeline.days import Day
from pipeline.errors import SourceError
from pipeline.serving.batch.rows_out import RowsOut

USERS, ITEMS, TABLE = "midas_online_user", "midas_online_ad", "midas_online_context"
TRAIN, TEST = "local_train_splitByUser", "local_test_splitByUser"
VOCABULARIES = ("uid_voc.pkl", "mid_voc.pkl", "cat_voc.pkl")
CONTEXT = pa.schema({
    "row_key": pa.string(), "user_id": pa.string(), "ad_id": pa.string(), "is_click": pa.int64(),
    "log_day": pa.string(), "place": pa.int64(), "reviewed": pa.int64(),
})  # fmt: skip
"""``place`` orders the rows of a day; ``reviewed`` is when the user reviewed the item, seconds since 1970, if known."""
BAD = pa.schema({"file": pa.string(), "line": pa.int64(), "reason": pa.string(), "text": pa.string()})
QUARANTINE = "dien.quarantine.csv"
_PIECE = 100_000
_WHERE = "the files of https://github.com/mouna99/dien: give the folder in which they are unpacked as --source"

Line = TypeVar("Line")


class Quarantine:
    """Where bad lines go, with their reasons."""

    def __init__(self, out: RowsOut, tally: Tally) -> None:
        self._out, self._tally = out, tally
        self._held: list[Bad] = []
        out.write(BAD.empty_table())

    def without(self, lines: Iterable[Line | Bad]) -> Iterator[Line]:
        """The lines that are good."""
        for line in lines:
            if not isinstance(line, Bad):
                yield line
                continue
            self._tally.add(QUARANTINE, "lines", 1)
            self._tally.add(QUARANTINE, f"{line.file}: {line.reason}", 1)
            self._held.append(line)
            if len(self._held) == _PIECE:
                self.write()

    def write(self) -> None:
        """What has come since the last time."""
        if self._held:
            columns = zip(*((bad.file, bad.number, bad.reason, bad.text) for bad in self._held), strict=True)
            self._out.write(pa.table([list(each) for each in columns], schema=BAD))
            self._held.clear()


def convert(source: Path, target: ParquetTarget, first: Day, days: int) -> Tally:
    """Write the three tables and count their rows; bad lines go to ``QUARANTINE`` in the target's folder.

    Args:
        first: the day of the histories' steps.
        days: after it, of the lines to train on.

    Raises:
        SourceError: a file is missing or of another form, or a pickle asks to execute something.
    """
    files = find_files(source)
    uid, mid, cat = (read_numbers(files[name]) for name in VOCABULARIES)
    tally = Tally()
    span = list(first.through(first.plus(days + 1)))
    place = target.folder / QUARANTINE
    with RowsOut(place) as out:
        bad = Quarantine(out, tally)
        kinds = {each.item: each.category for each in bad.without(read_items(files["item-info"]))}
        with target.partitions(TABLE, CONTEXT, span) as partitions:
            rows = Rows(partitions, first, kinds, tally)
            train, test = ([*bad.without(rows.take(name, read_samples(files[name])))] for name in (TRAIN, TEST))
            times = _times(bad.without(read_reviews(files["reviews-info"])), [*train, *test])
            users = _by_time(train, times)
            per_day = -(-len(users) // days)
            for number, day in enumerate(span[1:-1]):
                rows.write(day, [*chain(*users[number * per_day :][:per_day])], times)
            rows.write(span[-1], [*chain(*_by_time(test, times))], times)
        bad.write()
        if tally[QUARANTINE, "lines"]:
            out.commit()
        else:
            place.unlink(missing_ok=True)
    numbers = pa.array([uid.get(each) for each in rows.users], pa.int64())
    _write_profiles(target, USERS, "user_id", {"user_id": pa.array(rows.users), "uid": numbers}, tally)
    _write_profiles(target, ITEMS, "ad_id", {
        "ad_id": pa.array(kinds), "category": pa.array(kinds.values()),
        "mid": pa.array([mid.get(each) for each in kinds], pa.int64()),
        "cat": pa.array([cat.get(each) for each in kinds.values()], pa.int64()),
    }, tally)  # fmt: skip
    return tally


def find_files(source: Path) -> dict[str, Path]:
    """The seven files by name, packed (``.gz``) or not."""
    lines = (TRAIN, TEST, "item-info", "reviews-info")
    found = {path.name.removesuffix(".gz"): path for name in lines for path in (source / f"{name}.gz", source / name)
             if path.is_file()}  # fmt: skip
    found |= {name: source / name for name in VOCABULARIES if (source / name).is_file()}
    missing = [name for name in (*lines, *VOCABULARIES) if name not in found]
    if missing:
        raise SourceError(f"--source {source}: {', '.join(missing)} not there; {_WHERE}")
    return found


class Rows:
    """Rows of the table ``TABLE``, written piece by piece.

    Args:
        first: the day of the histories' steps.

    Attributes:
        kinds: categories of the items, those of lines added where they lack.
        users: of the lines, in their order, each with his steps' digest.
    """

    def __init__(self, out: DayPartitions, first: Day, kinds: dict[str, str], tally: Tally) -> None:
        self._out, self._first, self._tally = out, first, tally
        self.kinds, self.users = kinds, dict[str, int]()
        self._steps: list[tuple[str, str, int, int, None]] = []

    def take(self, file: str, lines: Iterable[Sample | Bad]) -> Iterator[Sample | Bad]:
        """The lines of a file; the steps of users that are new become rows."""
        for line in lines:
            if isinstance(line, Sample):
                digest = hash(line.steps)
                if line.user not in self.users:
                    self.users[line.user] = digest
                    self._take_steps(line)
                elif self.users[line.user] != digest:
                    yield Bad(file, line.number, "other steps than in a line before of this user", line.user)
                    continue
                self.kinds.setdefault(line.item, line.category)
            yield line
        self._write(self._first, self._steps)
        self._steps.clear()

    def _take_steps(self, line: Sample) -> None:
        for place, (item, category) in enumerate(line.steps):
            self.kinds.setdefault(item, category)
            self._steps.append((line.user, item, 1, place, None))
        if len(self._steps) >= _PIECE:
            self._write(self._first, self._steps)
            self._steps.clear()

    def write(self, day: Day, lines: Sequence[Sample], times: dict[tuple[str, str], int]) -> None:
        """The lines of a day, in their order."""
        for begin in range(0, len(lines), _PIECE):
            part = lines[begin : begin + _PIECE]
            self._write(day, [
                (line.user, line.item, line.label, begin + place, times.get((line.user, line.item)))
                for place, line in enumerate(part)
            ])  # fmt: skip

    def _write(self, day: Day, rows: Sequence[tuple[str, str, int, int, int | None]]) -> None:
        if rows:
            users, items, labels, places, times = (list(column) for column in zip(*rows, strict=True))
            keys = [f"{user}_{item}" for user, item in zip(users, items, strict=True)]
            days = [str(day).replace("-", "/")] * len(rows)
            self._out.write(day, pa.table([keys, users, items, labels, days, places, times], schema=CONTEXT))
            self._tally.add(TABLE, str(day), len(rows))


def _times(reviews: Iterable[Review], lines: Iterable[Sample]) -> dict[tuple[str, str], int]:
    """When a user reviewed an item, last if more than once; of those of ``lines``."""
    wanted = {(line.user, line.item) for line in lines}
    return {key: each.seconds for each in reviews if (key := (each.user, each.item)) in wanted}


def _by_time(lines: Sequence[Sample], times: dict[tuple[str, str], int]) -> list[list[Sample]]:
    """A user's lines together, users in the order of the last of their reviews; those of none last."""
    together: dict[str, list[Sample]] = {}
    for line in lines:
        together.setdefault(line.user, []).append(line)

    def when(some: list[Sample]) -> float:
        known = [times[key] for line in some if (key := (line.user, line.item)) in times]
        return max(known, default=math.inf)

    return sorted(together.values(), key=when)


def _write_profiles(target: ParquetTarget, table: str, key: str, columns: dict[str, pa.Array], tally: Tally) -> None:
    """An undated table, a row each of its ``key``."""
    target.write_table(table, pa.table({"row_key": columns[key], **columns}))
    tally.add(table, "written", len(columns[key]))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m examples.dien_files",
        description="Convert the files that DIEN was published with to the tables of the ads job.",
        epilog="example: python -m examples.dien_files --source FOLDER --target parquet:ads --days 2",
    )
    add = parser.add_argument
    add("--source", required=True, type=Path, help="folder of the files; those of lines may be packed (.gz)")
    add("--target", required=True, help="parquet:FOLDER")
    add("--from", dest="first", metavar="DAY", default="2024-01-01",
        help="the day of the steps of histories (default %(default)s)")  # fmt: skip
    add("--days", type=int, default=1, help="days after it, of the lines to train on (default %(default)s); those to "
        "test on are of one more")  # fmt: skip
    given = parser.parse_args(arguments)
    return guarded(lambda: convert_lines(convert, given, QUARANTINE, (QUARANTINE, "lines")))


if __name__ == "__main__":
    sys.exit(main())
