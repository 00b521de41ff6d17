"""Criteo's published click logs → the table of the job ``criteo``.

The Display Advertising Challenge (``train.txt``, Criteo and Kaggle, 2014: lines in order of time over seven days, whose
bounds are not told) and the 1TB Click Logs (``day_0`` … ``day_23``) are Criteo AI Lab's, under terms of their own; they
are not part of this project. Also their form in slots, and the sample that comes with DeepCTR (``criteo_sample.txt``).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from examples.command import convert_lines, guarded
from examples.criteo_like import IDS, NUMBERS, TABLE
from examples.criteo_lines import Lines, count_lines, read_lines
from examples.tally import Tally
from examples.targets import ParquetTarget
from pipeline.days import Day
from pipeline.errors import SourceError, UsageError
from pipeline.serving.batch.rows_out import RowsOut

SCHEMA = pa.schema({
    "day": pa.string(), "line": pa.int64(), "label": pa.int64(),
    **dict.fromkeys(NUMBERS, pa.float64()), **dict.fromkeys(IDS, pa.string()),
})  # fmt: skip
BAD = pa.schema({"file": pa.string(), "line": pa.int64(), "reason": pa.string(), "text": pa.string()})
"""Columns of the quarantine; lines are counted from 0."""
QUARANTINE = f"{TABLE}.quarantine.csv"
_DAY_FILE = re.compile(r"day_(\d+)(?:\.(?:gz|bz2|zst))?")
_WHERE = "give a file such as train.txt, or a folder of day_0, day_1, … as --source"


def convert(source: Path, target: ParquetTarget, first: Day, days: int) -> Tally:
    """Write the table and count its rows; bad lines go to ``QUARANTINE`` in the target's folder.

    Args:
        first: the day of the first lines, or of ``day_0``.
        days: that a file in order of time is cut into, each of as many lines (or one more).

    Raises:
        SourceError: there is no such file, or it is of no known form, or no line of it can be used.
        UsageError: more days than lines.
    """
    files = find_files(source)
    numbered = {path: int(found[1]) for path in files if (found := _DAY_FILE.fullmatch(path.name)) is not None}
    tally = Tally()
    place = target.folder / QUARANTINE
    with RowsOut(place) as bad:
        bad.write(BAD.empty_table())
        try:
            if len(numbered) == len(files):
                for path in files:
                    day = first.plus(numbered[path])
                    target.write_day(TABLE, day, SCHEMA, _of_day(path, day, bad, tally))
            else:
                _cut(files, target, first, days, bad, tally)
        finally:
            if tally[TABLE, "bad lines"]:
                bad.commit()
            else:
                place.unlink(missing_ok=True)
    return tally


def find_files(source: Path) -> list[Path]:
    """The files of a source in order; in a folder with ``train.txt`` that one, as the test's lines have no labels."""
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise SourceError(f"{source}: no such file or folder; {_WHERE}")
    files = [path for path in source.iterdir() if path.is_file() and not path.name.startswith((".", "_", "readme"))]
    days = [path for path in files if _DAY_FILE.fullmatch(path.name)]
    trained = [path for path in files if path.name.split(".")[0] == "train"]
    found = sorted(days or trained or files, key=_natural)
    stems = [path.name.split(".")[0] for path in found]
    twice = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twice:
        raise SourceError(f"{source}: holds {twice[0]} packed and unpacked; keep one of them")
    if not found:
        raise SourceError(f"{source}: the folder is empty; {_WHERE}")
    return found


def _natural(path: Path) -> list[tuple[int, str]]:
    """Names in order, their numbers by value."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _of_day(path: Path, day: Day, bad: RowsOut, tally: Tally) -> Iterator[pa.Table]:
    for lines in read_lines(path):
        _note(path, lines, bad, tally)
        tally.add(TABLE, str(day), lines.rows.num_rows)
        yield _rows(lines.rows, day, lines.at)


def _cut(files: Sequence[Path], target: ParquetTarget, first: Day, days: int, bad: RowsOut, tally: Tally) -> None:
    """The lines of all files, one after the other, in days of as many lines."""
    total = sum(count_lines(path) for path in files)
    if total < days:
        raise UsageError(f"--days {days}: there are {total} lines; a day has one at least")
    span = list(first.through(first.plus(days - 1)))
    before = 0
    with target.partitions(TABLE, SCHEMA, span) as out:
        for path in files:
            end = 0
            for lines in read_lines(path):
                end = lines.end
                _note(path, lines, bad, tally)
                at = before + lines.at
                of_day = at * days // total
                for number in np.unique(of_day).tolist():
                    here = np.flatnonzero(of_day == number)
                    rows = lines.rows.take(pa.array(here))
                    out.write(span[number], _rows(rows, span[number], at[here]))
                    tally.add(TABLE, str(span[number]), len(here))
            before += end


def _rows(rows: pa.Table, day: Day, line: np.ndarray) -> pa.Table:
    named = {"day": pa.repeat(pa.scalar(str(day)), len(rows)), "line": pa.array(line, pa.int64())}
    return pa.table({**named, **{name: rows[name] for name in rows.column_names}}).cast(SCHEMA)


def _note(path: Path, lines: Lines, bad: RowsOut, tally: Tally) -> None:
    if lines.bad:
        numbers, reasons, texts = zip(*lines.bad, strict=True)
        names = [path.name] * len(numbers)
        bad.write(pa.table([names, numbers, reasons, texts], schema=BAD))
        tally.add(TABLE, "bad lines", len(numbers))
        for reason in reasons:
            tally.add(TABLE, f"bad: {reason}", 1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m examples.criteo",
        description="Convert Criteo's published click logs, or their form in slots, to the table of the job criteo.",
        epilog="example: python -m examples.criteo --source train.txt --target parquet:criteo --days 7",
    )
    add = parser.add_argument
    add("--source", required=True, type=Path, help="train.txt or another file in order of time, or a folder of such or "
        "of day_N; may be packed (.gz)")  # fmt: skip
    add("--target", required=True, help="parquet:FOLDER")
    add("--from", dest="first", metavar="DAY", default="2024-01-01", help="first day, of day_0 (default %(default)s)")
    add("--days", type=int, default=7, help="days that files in order of time are cut into (default %(default)s)")
    given = parser.parse_args(arguments)
    return guarded(lambda: convert_lines(convert, given, QUARANTINE, (TABLE, "bad lines")))


if __name__ == "__main__":
    sys.exit(main())
