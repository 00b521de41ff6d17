"""A stage dies with the processes that it works for: nothing goes on training once its task or its scheduler is gone.

Airflow's task process starts a stage as a child in a session of its own. Where that task process, its worker or the
scheduler is killed by SIGKILL, nobody is left to end the stage. So the stage is told whom it works for, asks the kernel
to be killed with its parent (``PR_SET_PDEATHSIG``), and keeps an eye on the others. Linux only; elsewhere a no-op.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import threading
from collections.abc import Sequence

import psutil

VARIABLE = "DAYSPRING_DIE_WITH_PARENT"
"""Pids of the processes to die with, the parent first, separated by commas."""

_PR_SET_PDEATHSIG = 1


def workers() -> str:
    """For ``VARIABLE`` of a child: this process, and those above it up to the leader of its session."""
    found = [os.getpid()]
    if sys.platform == "linux":
        session = os.getsid(0)
        for above in psutil.Process().parents():
            if found[-1] == session or above.pid == 1 or os.getsid(above.pid) != session:
                break
            found.append(above.pid)
    return ",".join(map(str, found))


def die_with_parents() -> None:
    """Be killed with the processes that ``VARIABLE`` names, at once if one of them has ended already.

    The processes that this one starts are told of this one alone: the variable is taken out of the environment.
    """
    named = os.environ.pop(VARIABLE, "")
    if not named or sys.platform != "linux":
        return
    pids = [int(pid) for pid in named.split(",")]
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    handles = []
    for pid in pids:
        try:
            handles.append(os.pidfd_open(pid))
        except ProcessLookupError:
            _end()  # it ended before it could be watched
        except OSError:
            # A kernel before 5.3, or a container that forbids it: then the parent's death alone counts.
            if os.getppid() != pids[0]:
                _end()
            return
    threading.Thread(target=_watch, args=(handles,), name="die-with-parents", daemon=True).start()


def _watch(handles: Sequence[int]) -> None:
    ended = select.poll()
    for handle in handles:
        ended.register(handle, select.POLLIN)
    ended.poll()
    _end()


def _end() -> None:
    # What is committed stands and what is not is swept up: there is nothing to tidy, and nothing may delay it.
    os.kill(os.getpid(), signal.SIGKILL)
