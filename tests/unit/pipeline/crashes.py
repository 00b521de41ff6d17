"""Death at every step of a piece of work, one after the other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def crash_at_every_step(work: Callable[[], object], check: Callable[[], object]) -> int:
    """Runs ``work`` in forked children, each killed before one more of its writes; returns the number of crashes.

    Of a file that was to be forced to the disk half is there: more than a killed writer, or a power cut, must leave.
    """
    names = [(os, "fsync"), (os, "link"), (Path, "rename"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir")]
    for step in range(200):
        child = os.fork()
        if child == 0:
            left = step

            def dying(real: Callable[..., object], name: str) -> Callable[..., object]:
                def call(*args: object, **more: object) -> object:
                    nonlocal left
                    if left == 0:
                        if name == "fsync":
                            _tear(args[0])  # type: ignore[arg-type]
                        os.kill(os.getpid(), signal.SIGKILL)
                    left -= 1
                    return real(*args, **more)

                return call

            for where, name in names:
                setattr(where, name, dying(getattr(where, name), name))
            try:
                work()
            finally:
                os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            return step
        check()
    raise AssertionError("the work never ended")


def _tear(handle: int) -> None:
    with suppress(IsADirectoryError):
        os.truncate(f"/proc/self/fd/{handle}", os.fstat(handle).st_size // 2)
