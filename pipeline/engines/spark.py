"""Parts of a day as the tasks of a Spark job: executors read artefacts and write files, the driver sees small results.

The root must be storage that every executor sees under the same path, and the project must be installed there under the
path that it has here. What names a store (``DAYSPRING_*_URL``) an executor has from its own environment.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.engines.engine import Engine, Part, Result, Whole, attempted
from pipeline.errors import DayspringError, UsageError
from pipeline.process.memory import peak_mb

VARIABLE = "DAYSPRING_SPARK_MASTER"
PROJECT = Path(__file__).resolve().parents[2]
_PATIENCE = 120.0
"""Seconds until a first executor must have come: without any Spark would wait for ever."""


class SparkEngine(Engine):
    """Submits to a Spark master from this process, which is the driver; one context serves the whole process.

    Args:
        master: ``spark://HOST:PORT``, or ``local[N]`` for a driver that works by itself.
        job: for the name by which Spark's page shows it.

    Raises:
        UsageError: PySpark is not installed, or nobody listens at the master's address.
    """

    def __init__(self, master: str | None, job: str) -> None:
        if not master:
            raise UsageError(f"engine: spark needs {VARIABLE}, the master's address such as spark://host:7077")
        self._master = master
        self._job = job

    def run(self, work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
        context = self._context()
        began = time.monotonic()
        found = self._collected(context, work, parts)
        took = time.monotonic() - began
        print(
            f"spark: {len(parts)} parts in {took:.1f} s by {self._master}, page {context.uiWebUrl}; "
            f"peaks so far: the driver {peak_mb(os.getpid())} MB, its Java {peak_mb(context._gateway.proc.pid)} MB",
            flush=True,
        )
        for each in found:
            if isinstance(each, Exception):
                raise each
        return found

    def gathered(
        self, work: Callable[[Part], Result], parts: Sequence[Part], merge: Callable[[Iterable[Result]], Whole]
    ) -> Whole:
        """An executor reads what the others wrote: no row passes through the driver."""
        (whole,) = self.run(merge, [self.run(work, parts)])
        return whole

    def close(self) -> None:
        """The context serves the whole process, and ends with it."""

    def _collected(self, context: Any, work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Any]:
        from py4j.protocol import Py4JError

        try:
            self._await_executor(context)
            # One task a part, so that a lost executor costs the parts that it had.
            tasks = context.parallelize(list(parts), len(parts))
            return list(tasks.map(partial(_tried, work)).collect())
        except Py4JError as error:
            raise DayspringError(f"spark ({self._master}): {_said(error)}; its page is {context.uiWebUrl}") from None

    def _await_executor(self, context: Any) -> None:
        if self._master.startswith("local"):
            return
        deadline = time.monotonic() + _PATIENCE
        # The driver is counted among them.
        while context._jsc.sc().getExecutorMemoryStatus().size() < 2:
            if time.monotonic() > deadline:
                raise DayspringError(
                    f"spark ({self._master}): no executor came within {_PATIENCE:.0f} s; its page says whether "
                    "it has workers, and whether other applications hold their cores and memory"
                )
            time.sleep(0.05)

    def _context(self) -> Any:
        try:
            from pyspark import SparkConf, SparkContext
        except ImportError:
            raise UsageError("engine: spark needs PySpark: pip install 'dayspring[spark]'") from None
        self._answers()
        # What SPARK_CONF_DIR says wins over what is only usual.
        conf = SparkConf().setMaster(self._master).setAppName(f"dayspring {self._job}")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        usual = {
            "spark.ui.port": "0", "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "512m",
            "spark.executor.memory": "512m", "spark.log.level": "WARN",
            "spark.executorEnv.PYTHONPATH": str(PROJECT),
        }  # fmt: skip
        if _is_here(self._master):
            usual |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        for name, value in usual.items():
            conf.setIfMissing(name, value)
        try:
            return SparkContext.getOrCreate(conf)
        except Exception as error:  # py4j raises many kinds, among them plain ones
            raise DayspringError(f"spark ({self._master}): no context could be made: {_said(error)}") from None

    def _answers(self) -> None:
        """Spark itself tries a master that is not there for a minute."""
        place = urlsplit(self._master)
        if place.scheme != "spark":
            return
        # Several masters, of which one leads, are separated by commas.
        for each in place.netloc.split(","):
            host, _, port = each.rpartition(":")
            with suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
                return
        raise UsageError(f"{VARIABLE}: nobody listens at {self._master}; `make services` starts a Spark here")


def _tried(work: Callable[[Part], Result], part: Part) -> Result | Exception:
    """Also what nobody foresaw comes back as it is: Spark would try it again, and tell of it in Java's way."""
    try:
        return attempted(work, part)
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)))
        return error


def _is_here(master: str) -> bool:
    host = urlsplit(master).hostname if master.startswith("spark://") else None
    return host in ("127.0.0.1", "localhost") or master.startswith("local")


def _said(error: Exception) -> str:
    """The first lines of Java's message, which goes on with the stack of every thread."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.strip().startswith("at ")]
    return " ".join(lines[:6])[:1500]
