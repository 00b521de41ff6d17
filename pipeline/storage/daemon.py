"""Servers on this machine: started by whoever needs one first, found again by all others, and ended."""

from __future__ import annotations

import os
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import psutil

from pipeline.errors import DayspringError
from pipeline.process import pid_files
from pipeline.storage.locks import held

# A child of nobody here: who ends a process and all of its children does not end the servers that it has started.
_DETACHED = 'exec "$@" >>"$0" 2>&1 </dev/null & echo $!'


class DaemonError(DayspringError):
    """A server is not installed or does not come up; names it, its log and what to do."""


class Daemon(ABC):
    """One server, of a process or several. It outlives whoever started it; all it has lies in ``folder``."""

    name: str
    patience = 120.0
    """Seconds that it may take to come up."""
    kept_when_late = False
    """Whether it may go on when it has not come up in time: it reads its data, say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @abstractmethod
    def prepare(self) -> None:
        """Makes the data folder and the settings' files where they are missing."""

    @abstractmethod
    def commands(self) -> Mapping[str, Sequence[str]]:
        """The command line of each of its processes, by name, in the order of their start."""

    @abstractmethod
    def trouble(self) -> str | None:
        """Why it cannot be worked with yet; ``None`` once it can."""

    def provide(self) -> None:  # noqa: B027 - most servers are ready as they start
        """What is made once the server answers, such as a bucket; may be called again."""

    def await_process(self, name: str) -> None:  # noqa: B027 - most have one process
        """Waits for what a process must have done before the next one is started."""

    def strays(self) -> Sequence[psutil.Process]:
        """Processes in its place that no pid file names."""
        return ()

    def advice(self, *, ended: bool) -> str:
        """What may help where it has not come up, or ended at once."""
        return ""

    def start(self) -> None:
        """Ready when it returns; at once if it runs already. Raises ``DaemonError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if self.is_running() and self.trouble() is None:
                return
            # One that is on its way, or on its way out, is waited for.
            if self._missing() or self._ended_before(self.trouble, self.process_names()):
                self.prepare()
                self._start_missing()
                self._await(self.trouble, self.process_names())
            self.provide()

    def stop(self, patience: float = 30) -> bool:
        """Asks every process to end, the last started one first, and waits until it is gone; ``False`` if none ran."""
        if not self.folder.is_dir():
            return False
        with self._locked():
            return self._end(patience)

    def kill(self) -> None:
        """Ends every process as a crash would; its data stay and ``start`` goes on with them."""
        self._end(0)

    def is_running(self) -> bool:
        """Whether all of its processes are there."""
        return not self._missing()

    def runs_at_all(self) -> bool:
        """Whether any of its processes is there."""
        return len(self._missing()) < len(self.process_names())

    def process_names(self) -> Sequence[str]:
        return [self.name]

    def process_environment(self) -> dict[str, str]:
        """What its processes see."""
        return dict(os.environ)

    def pid_of(self, name: str) -> int | None:
        """The number of one of its processes, while it runs."""
        return pid_files.running(self._pid_file(name))

    @property
    def logs(self) -> Path:
        """Of the logs and pid files."""
        return self.folder / "run"

    def _missing(self) -> list[str]:
        return [name for name in self.process_names() if self.pid_of(name) is None]

    def _start_missing(self) -> None:
        # At once: one that ends by itself may take what is the next one's along.
        _end(self.strays(), patience=0)
        for name, command in self.commands().items():
            if self.pid_of(name) is None:
                self._start_process(name, command)
            self.await_process(name)

    def _start_process(self, name: str, command: Sequence[str]) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        self._pid_file(name).unlink(missing_ok=True)
        made = subprocess.run(
            ["sh", "-c", _DETACHED, str(self._log(name)), *command], env=self.process_environment(), cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True, start_new_session=True,
        )  # fmt: skip
        pid_files.write(self._pid_file(name), int(made.stdout))

    def _await(self, trouble: Callable[[], str | None], names: Sequence[str]) -> None:
        """Waits until ``trouble()`` is None; raises ``DaemonError`` if a process ends before."""
        ended = self._ended_before(trouble, names)
        if ended is not None:
            self._end(5)
            raise self._failed(ended, "ended at once", self.advice(ended=True))

    def _ended_before(self, trouble: Callable[[], str | None], names: Sequence[str]) -> str | None:
        """Waits until ``trouble()`` is None, or one of some processes ends: its name."""
        deadline = time.monotonic() + self.patience
        while (reason := trouble()) is not None:
            ended = next((name for name in names if self.pid_of(name) is None), None)
            if ended is not None:
                return ended
            if time.monotonic() > deadline:
                if not self.kept_when_late:
                    self._end(5)
                how = f"is not ready after {self.patience:.0f} s ({reason})"
                raise self._failed(names[-1], how, self.advice(ended=False))
            time.sleep(0.02)
        return None

    def _failed(self, process: str, how: str, advice: str) -> DaemonError:
        log = self._log(process)
        tail = log.read_text(encoding="utf-8", errors="replace")[-1500:] if log.is_file() else "(no log)"
        return DaemonError("\n".join(filter(None, (f"{self.name}: {process} {how}; the end of {log}:", tail, advice))))

    def _end(self, patience: float) -> bool:
        found = False
        for name in reversed(self.process_names()):
            pid = self.pid_of(name)
            if pid is not None:
                with suppress(psutil.NoSuchProcess):  # it ended by itself meanwhile
                    _end([psutil.Process(pid)], patience)
                found = True
            self._pid_file(name).unlink(missing_ok=True)
        strays = self.strays()
        _end(strays, patience)
        return found or bool(strays)

    def _pid_file(self, name: str) -> Path:
        return self.logs / f"{name}.pid"

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _locked(self) -> AbstractContextManager[None]:
        what = f"starting and stopping {self.name} in {self.folder}"
        return held(self.folder / "start.lock", timeout=self.patience + 60, what=what)


def _end(processes: Sequence[psutil.Process], patience: float) -> None:
    """Ends processes and their children, who are killed if they take too long, and waits until they are gone."""
    left = [*processes]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            left += process.children(recursive=True)
            if patience:
                process.terminate()
    if patience:
        _, left = psutil.wait_procs(left, timeout=patience)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)
