"""Several processes that train one experiment together: started, handed a day each time, and watched."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pipeline.commands import PROJECT
from pipeline.config.load import conf_folder
from pipeline.errors import ChainError, TrainerLost
from pipeline.job import JobContext
from pipeline.process.parents import VARIABLE as DIE_WITH
from pipeline.process.parents import workers as those_to_die_with
from pipeline.training.clusters import TF_CONFIG, started_here
from pipeline.training.day_training import Work
from pipeline.training.records import CheckpointRecord
from pipeline.training.written_work import written

_LOOK = 0.2
"""Seconds between two looks at whether all trainers live."""
_ENDS = 10.0
"""Seconds that a trainer has to end by itself."""
_BY_ITSELF = {0: 3, -signal.SIGABRT: 2}
"""Codes of those that end because another one has."""


class TrainerProcesses:
    """The trainers of one experiment that this process has started, from day to day.

    All of them on this machine; or, where ``TF_CONFIG`` names hosts, the first, and each of the others is started on
    its host (``python -m pipeline trainer``). Where one is lost or says that it cannot go on, all are ended, and the
    next day that is asked for starts anew.
    """

    def __init__(self, context: JobContext, experiment: str) -> None:
        self._context = context
        self._experiment = experiment
        self._settings = context.config.experiments[experiment]
        self._processes: list[subprocess.Popen[str]] = []
        self._checkpoint: str | None = None

    @classmethod
    def of(cls, context: JobContext, experiment: str) -> TrainerProcesses:
        """Those of this process for the experiment; they end when the context is closed."""
        known = context.kept(_ByExperiment, _ByExperiment)
        if experiment not in known:
            known[experiment] = cls(context, experiment)
            context.on_close(known[experiment].close)
        return known[experiment]

    def train(self, work: Work) -> TrainedTogether:
        """Train a day.

        Raises:
            ChainError: as where one process trains.
            TrainerLost: a trainer has died, or cannot be reached; nothing of the day is kept.
        """
        if not self._processes:
            self._start()
        config = self._context.config
        own = config.model_copy(update={"threads": self._settings.share(config.threads)})
        settings = work.overrides.applied(own, self._experiment)
        asked = {"train": written(work), "settings": settings.stage_settings("train", self._experiment)}
        told = self._ask({**asked, "checkpoint": self._checkpoint})
        self._checkpoint = None
        return TrainedTogether(self, CheckpointRecord.model_validate_json(told["record"]), told["seconds"])

    def write(self, folder: Path) -> tuple[dict[str, str], str]:
        """Have the first trainer write what was trained; as of ``Trained.write``."""
        told = self._ask({"write": str(folder.absolute())})
        return told["tensors"], told["content"]

    def committed(self, checkpoint: str) -> None:
        """What was written last is this checkpoint now, from which the next day need not read it."""
        self._checkpoint = checkpoint

    def close(self) -> None:
        """End all trainers."""
        processes, self._processes, self._checkpoint = self._processes, [], None
        with ExitStack() as ended:
            for process in processes:
                ended.callback(_end, process)
            if processes:
                _said(processes[0], {})

    def _start(self) -> None:
        count = self._settings.workers
        clusters = started_here(os.environ.get(TF_CONFIG), count, self._hint())
        here = "on this machine" if len(clusters) == count else f"of {TF_CONFIG}, the first of them here"
        print(f"{self._experiment}: waiting for {count} trainers {here}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "pipeline", "trainer", "--job", self._context.job]
        for number, cluster in enumerate(clusters):
            environment = {
                **os.environ, TF_CONFIG: cluster.written, DIE_WITH: those_to_die_with(),
                "DAYSPRING_ROOT": str(self._context.root.absolute()), "DAYSPRING_CONF": str(conf_folder().absolute()),
            }  # fmt: skip
            self._processes.append(
                subprocess.Popen(
                    [*command, "--experiment", self._experiment], env=environment, cwd=PROJECT, text=True,
                    stdin=subprocess.PIPE if number == 0 else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if number == 0 else subprocess.DEVNULL,
                )
            )  # fmt: skip
        self._answer()

    def _hint(self) -> str:
        return f"python -m pipeline trainer --job {self._context.job} --experiment {self._experiment}"

    def _ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        _said(self._processes[0], asked)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        """What the first trainer says next."""
        try:
            told = self._next_line()
            if "error" not in told:
                return told
            lost = self._lost(self._processes[1:], _ENDS) if told["lost"] and self._processes[1:] else None
            if told["lasting"]:
                raise ChainError(told["error"])
            raise TrainerLost(self._message(lost or told["error"]))
        except BaseException:
            # Whoever still lives waits for who does not.
            for process in self._processes:
                process.kill()
            self.close()
            raise

    def _next_line(self) -> dict[str, Any]:
        stdout: IO[str] = self._processes[0].stdout  # type: ignore[assignment]
        while not select.select([stdout], [], [], _LOOK)[0]:
            lost = self._lost(self._processes)
            if lost is not None:
                raise TrainerLost(self._message(lost))
        line = stdout.readline()
        if not line:
            raise TrainerLost(self._message(self._lost(self._processes, _ENDS) or "the first trainer says no more"))
        told: dict[str, Any] = json.loads(line)
        return told

    def _lost(self, among: Sequence[subprocess.Popen[str]], within: float = 0.0) -> str | None:
        """Which trainer has ended and how: one that was killed before those that end because of it."""
        until = time.monotonic() + within
        while not (ended := [each for each in among if each.poll() is not None]) and time.monotonic() < until:
            time.sleep(_LOOK)
        if not ended:
            return None
        first = min(ended, key=lambda each: _BY_ITSELF.get(each.returncode, each.returncode >= 0))
        code, number = first.returncode, self._processes.index(first) + 1
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}, see above"
        return f"trainer {number} of {self._settings.workers} (process {first.pid}) {how}"

    def _message(self, why: str) -> str:
        return (
            f"{self._context.job}/{self._experiment}: {why}; nothing of this day was kept, its parent stays the newest "
            "checkpoint: run it again"
        )


@dataclass(frozen=True)
class TrainedTogether:
    """Trained by several processes, and in the hands of the first of them."""

    processes: TrainerProcesses
    record: CheckpointRecord
    seconds: float

    def write(self, folder: Path) -> tuple[dict[str, str], str]:
        return self.processes.write(folder)

    def committed(self, checkpoint: str) -> None:
        self.processes.committed(checkpoint)


class _ByExperiment(dict[str, TrainerProcesses]):
    """By experiment."""


def _said(process: subprocess.Popen[str], asked: Mapping[str, Any]) -> None:
    stdin: IO[str] = process.stdin  # type: ignore[assignment]
    try:
        stdin.write(json.dumps(asked) + "\n")
        stdin.flush()
    except OSError:
        pass


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(_ENDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):  # what was said to one that had died is still to be written
                stream.close()
