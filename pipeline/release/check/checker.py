"""The clean process that checks exported models: started on first use, serves every day of its parent."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from pipeline.errors import DayspringError
from pipeline.job import JobContext

_SCRIPT = Path(__file__).with_name("checker_script.py")
_SECONDS = 600.0
_MODELS = 500  # then a new process: TensorFlow keeps about 0.15 MB of each model that was loaded whole


class Checker:
    """Hands paths to a clean interpreter and takes figures back.

    The interpreter runs isolated (``-I``), in a folder of its own, and dies with this process.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._log: IO[str] | None = None
        self._loaded = 0

    @classmethod
    def of(cls, context: JobContext) -> Checker:
        """The checker of this process, closed together with the context."""

        def start() -> Checker:
            checker = cls()
            context.on_close(checker.close)
            return checker

        return context.kept(cls, start)

    def check(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """The figures of one model.

        Args:
            job: ``model`` (folder), ``inputs`` and ``outputs`` (golden rows), and optionally ``candidates`` (inputs of
                a sample of all candidates), ``count`` of them, and their ``fields``; ``whole`` to load it from its
                files alone, although the process may know its graph.

        Returns:
            What ``checker_script.check`` gives, or ``error`` if the model cannot be loaded or called.

        Raises:
            DayspringError: the process died or did not answer.
        """
        if self._loaded >= _MODELS:
            self.close()
        process = self.start()
        asked, answers = _pipes(process)
        try:
            asked.write(json.dumps(dict(job)) + "\n")
            asked.flush()
            ready = select.select([answers], [], [], _SECONDS)[0]
            line = answers.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        if not line:
            tail = self._tail()
            self.close()
            raise DayspringError(
                f"{job['model']}: the checking process ended without an answer; the end of what it wrote:\n{tail}\n"
                "Is there memory for a second TensorFlow (about 600 MB)? Run the stage `check` again"
            )
        answer: dict[str, Any] = json.loads(line)
        self._loaded += answer.get("loaded") != "variables"
        return answer

    def close(self) -> None:
        """Ends the process; the next check starts another."""
        process, self._process, self._loaded = self._process, None, 0
        if process is not None:
            asked, answers = _pipes(process)
            process.kill()
            process.wait()
            with suppress(BrokenPipeError):  # a line that it did not live to read
                asked.close()
            answers.close()
        if self._log is not None:
            self._log.close()
            self._log = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def start(self) -> subprocess.Popen[str]:
        """The process, started if there is none: it takes seconds until it can answer."""
        if self._process is not None:
            return self._process
        self._folder = tempfile.TemporaryDirectory(prefix="dayspring-check-")
        self._log = (Path(self._folder.name) / "log").open("w+", encoding="utf-8", errors="replace")
        # The parent's id goes along, so that a child whose parent is already gone notices.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_SCRIPT), str(os.getpid())], cwd=self._folder.name, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, encoding="utf-8",
        )  # fmt: skip
        return self._process

    def _tail(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        return self._log.read()[-1500:]


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    """Where the process is asked, and where it answers; it is started with both."""
    return cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)
