"""What the commands of this package share: how they report errors, and how lines of files become days of rows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from examples.tally import Tally
from examples.targets import ParquetTarget, parse_target
from pipeline.days import Day
from pipeline.errors import DayspringError, UsageError
from pipeline.storage.urls import mask_url


def guarded(run: Callable[[], None]) -> int:
    """Exit status of a command: 0, or that of the error, whose message goes to standard error."""
    try:
        run()
    except DayspringError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


Convert = Callable[[Path, ParquetTarget, Day, int], Tally]
"""Of a source to a target, from a day on for so many days."""


def convert_lines(convert: Convert, given: argparse.Namespace, quarantine: str, bad: tuple[str, str]) -> None:
    """Convert ``--source`` to days of ``--target`` from ``--from`` on; says what was counted, and where bad lines are.

    Args:
        given: the arguments of the command.
        quarantine: the file of bad lines, in the target's folder.
        bad: table and count of those, as they are tallied.

    Raises:
        UsageError: fewer days than one, or a target that these rows cannot go to.
    """
    if given.days < 1:
        raise UsageError(f"--days {given.days}: at least 1")
    target = parse_target(given.target)
    if not isinstance(target, ParquetTarget):
        raise UsageError(f"--target {mask_url(given.target)}: these rows go to parquet:FOLDER")
    tally = convert(given.source, target, Day.parse(given.first), given.days)
    print(tally)
    if tally[bad]:
        print(f"bad lines are in {target.folder / quarantine}")
