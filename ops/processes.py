"""Starting the processes of a deployment, finding every one of them again, and ending them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from ops.deployment import MARK
from pipeline.process import pid_files
from pipeline.storage.redis.embedded import servers_at

# What the commands of `ops` write is private; what a component's tasks write, such as reports, is as their user has it.
_UMASK = os.umask(0o077)
os.umask(_UMASK)


def start(command: Sequence[str], env: dict[str, str], name: str, folder: Path) -> int:
    """Starts a detached process in its own session, output to ``NAME.log``, pid in ``NAME.pid``; returns the pid."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder.parent,
            start_new_session=True,
            umask=_UMASK,
        )
    pid_files.write(folder / f"{name}.pid", process.pid)
    return process.pid


def pid_of(name: str, folder: Path) -> int | None:
    """The pid of a component that runs, else None."""
    return pid_files.running(folder / f"{name}.pid")


def alive(mark: str, folder: Path) -> list[psutil.Process]:
    """Every process of the deployment, whoever started it; never this one or its ancestors.

    Airflow's own processes overwrite their environment with a title but stay in the session of their component;
    what they execute leaves the session but keeps the environment, with the deployment's mark.
    """
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    # A component leads its session, which has its number.
    sessions = dict(filter(None, map(pid_files.named, folder.glob("*.pid"))))
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid in own or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if _in_session(process, sessions) or process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or another user's
    return found


def end_left_by(name: str, folder: Path) -> list[int]:
    """Kills what still runs in the session of a component that has ended; returns the pids."""
    session = pid_files.named(folder / f"{name}.pid")
    if session is None or pid_of(name, folder) is not None:
        return []
    found = []
    for process in psutil.process_iter():
        try:
            if _in_session(process, {session[0]: session[1]}):
                found.append(process)
        except (psutil.Error, OSError):
            continue  # gone meanwhile
    _signal(found, kill=True)
    psutil.wait_procs(found, timeout=5)
    return [process.pid for process in found]


def end_servers_under(folder: Path) -> list[int]:
    """Ends embedded Redis servers whose socket lies under ``folder``, also where the folder has been removed."""
    found = servers_at(f"{folder}{os.sep}")
    _signal(found, kill=False)
    _, left = psutil.wait_procs(found, timeout=10)
    _signal(left, kill=True)
    return [process.pid for process in found]


def end(mark: str, folder: Path, patience: float = 15) -> list[int]:
    """Ends every process of the deployment: SIGTERM, then SIGKILL after ``patience`` seconds; returns the killed."""
    asked: set[int] = set()
    deadline = time.monotonic() + patience
    while (left := alive(mark, folder)) and time.monotonic() < deadline:
        # A worker may start another process after the first round, so each round asks the new ones.
        _signal([process for process in left if process.pid not in asked], kill=False)
        asked |= {process.pid for process in left}
        psutil.wait_procs(left, timeout=0.3)
    killed: set[int] = set()
    for _ in range(20):
        left = alive(mark, folder)
        if not left:
            break
        killed |= {process.pid for process in left}
        _signal(left, kill=True)
        psutil.wait_procs(left, timeout=1)
    for path in folder.glob("*.pid"):
        path.unlink(missing_ok=True)
    return sorted(killed)


def _in_session(process: psutil.Process, sessions: dict[int, int]) -> bool:
    leader, began = sessions.get(os.getsid(process.pid)), pid_files.started(process.pid)
    if leader is None or began is None or began < leader:
        return False
    # The kernel keeps a session's number while it has members; a leader of another age is another session.
    return process.pid not in sessions or began == leader


def _signal(processes: Iterable[psutil.Process], *, kill: bool) -> None:
    for process in processes:
        try:
            if kill:
                process.kill()
            else:
                process.terminate()
        except psutil.NoSuchProcess:
            continue
