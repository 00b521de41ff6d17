"""File locks between processes, which say who holds them."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import DayspringError, LockTimeout
from pipeline.process import pid_files
from pipeline.storage.files import clear_temporaries, write_atomic

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Owner:
    """A process as others can recognise it: its pid may be given to another one after its death.

    Attributes:
        pid: process id.
        host: name of the machine (or container) that the pid belongs to.
        started: the kernel's start time of the process, ``"0"`` where the system does not tell.
    """

    pid: int
    host: str
    started: str

    @classmethod
    def this(cls) -> Owner:
        """The running process."""
        pid = os.getpid()
        return cls(pid, socket.gethostname(), str(pid_files.started(pid) or 0))

    def is_dead(self) -> bool:
        """Whether the process has ended; ``False`` for another host's, of which nothing can be known here."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return self.started != "0" and str(pid_files.started(self.pid)) != self.started


@contextmanager
def held(path: Path, *, timeout: float, what: str) -> Iterator[None]:
    """Hold the lock file ``path`` for the length of the block; the kernel frees it if the process dies.

    Args:
        path: the lock file; made if absent and left in place. ``path.owner`` beside it names the holder.
        timeout: seconds to wait for another holder; 0 tries once.
        what: what is being locked, for the message.

    Raises:
        LockTimeout: another process held it for the whole time; names its pid, host and age.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(path), timeout=timeout, poll_interval=_POLL_SECONDS, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise LockTimeout(
            f"{what} is locked by {_describe(_side(path))} (lock file {path}); waited {timeout:g} s. "
            "Let that process end, or end it, then run the same command again"
        ) from None
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK):
            raise
        raise DayspringError(
            f"{path}: this file system cannot lock files ({error.strerror}); put DAYSPRING_ROOT on a local disk or on "
            "a shared one with POSIX locks (`python -m pipeline doctor` tests it)"
        ) from error
    try:
        record = {**asdict(Owner.this()), "since": datetime.now(UTC).isoformat(timespec="seconds")}
        clear_temporaries(_side(path))
        write_atomic(_side(path), json.dumps(record).encode(), durable=False)
        yield
    finally:
        _side(path).unlink(missing_ok=True)
        lock.release()


def _side(path: Path) -> Path:
    return path.with_name(path.name + ".owner")


def _describe(side: Path) -> str:
    try:
        record = json.loads(side.read_bytes())
        age = datetime.now(UTC) - datetime.fromisoformat(record["since"])
        return (
            f"process {int(record['pid'])} on host {record['host']} for {_duration(age.total_seconds())} "
            f"(since {record['since']})"
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # The holder has taken the lock and not yet signed, or has just let it go.
        return "a process that has not signed yet"


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
