"""Notes of what failed last, so that a day which is missing can be told from one that was never run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.days import Day
from pipeline.errors import DaySkipped, DayspringError, LockTimeout, UsageError
from pipeline.storage.files import write_atomic

_LONGEST = 2000
LONGEST_WAIT = 366
"""Days after the newest artefact's that a failure may be of: a run further ahead was of a day that was mistyped."""


@dataclass(frozen=True)
class Failure:
    """What the last attempt at a stage of a day ended with; ``at`` is an instant, UTC."""

    stage: str
    message: str
    at: str


def _path(root: Path, job: str, day: Day, experiment: str | None) -> Path:
    return root / "failures" / job / f"{day}{f'.{experiment}' if experiment else ''}.json"


@contextmanager
def noted(root: Path, job: str, day: Day, stage: str, experiment: str | None = None) -> Iterator[None]:
    """Note a failure of the block, or remove the note of an earlier one; errors pass through.

    A skipped day, wrong use and a chain that another process holds are no failures of the day. A note that cannot be
    written, as on a full disk, must not hide the error itself.
    """
    path = _path(root, job, day, experiment)
    try:
        yield
    except (DaySkipped, UsageError, LockTimeout):
        raise
    except Exception as error:
        message = str(error) if isinstance(error, DayspringError) else f"{type(error).__name__}: {error}"
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with suppress(OSError, DayspringError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps(asdict(Failure(stage, message[:_LONGEST], at))).encode(), durable=False)
        raise
    earlier = read(path)
    if earlier is not None and earlier.stage == stage:
        path.unlink(missing_ok=True)


def failure_of(root: Path, job: str, day: Day, experiment: str | None = None) -> Failure | None:
    """What the last attempt at a day, or at an experiment's part of it, failed with; ``None`` where it did not."""
    return read(_path(root, job, day, experiment))


def read(path: Path) -> Failure | None:
    """The note in a file; ``None`` if there is none, or none that can be understood: it is a note, not the truth."""
    try:
        record = json.loads(path.read_bytes())
        return Failure(str(record["stage"]), str(record["message"]), str(record["at"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def failures(root: Path, job: str) -> dict[tuple[Day, str], Failure]:
    """All notes by day and experiment; the experiment is empty for the stages that experiments share."""
    found: dict[tuple[Day, str], Failure] = {}
    for path in (root / "failures" / job).glob("*.json"):
        day, _, experiment = path.name.removesuffix(".json").partition(".")
        failure = read(path)
        with suppress(UsageError):
            if failure is not None:
                found[Day.parse(day), experiment] = failure
    return found
