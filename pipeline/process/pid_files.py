"""Files that say which process it is: by its number, and by when it began, since a number may be given again."""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def started(pid: int) -> int | None:
    """When a live process began, in the kernel's ticks since the system did; ``None`` if it has ended.

    The time of day would not do: a clock that is set moves the start of every process.
    """
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return _ticks(process.create_time())
    except psutil.Error:
        return None


def write(path: Path, pid: int) -> None:
    """Names a live process; nothing is written of one that has ended."""
    found = started(pid)
    if found is not None:
        path.write_text(f"{pid} {found}\n", encoding="utf-8")


def named(path: Path) -> tuple[int, int] | None:
    """Number and start of the process that a file names; ``None`` if it names none."""
    try:
        pid, began = path.read_text(encoding="utf-8").split()
        # Earlier versions wrote the time of day, with a fraction.
        return int(pid), _ticks(float(began)) if "." in began else int(began)
    except (OSError, ValueError):
        return None


def running(path: Path) -> int | None:
    """The number of the process that a file names, while it runs."""
    found = named(path)
    return found[0] if found is not None and started(found[0]) == found[1] else None


def _ticks(time_of_day: float) -> int:
    return round((time_of_day - psutil.boot_time()) * os.sysconf("SC_CLK_TCK"))
