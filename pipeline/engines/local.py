"""Parts of a day in a pool of processes of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.engines.engine import Engine, Part, Result, attempted
from pipeline.errors import DayspringError
from pipeline.process.parents import VARIABLE, die_with_parents, workers

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor


class LocalEngine(Engine):
    """Works in this process where one is enough, else in others, which stay until the engine is closed.

    Args:
        processes: how many work at once; none = as many as this process may use CPUs.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None

    def run(self, work: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        if min(self._processes, len(parts)) < 2:
            yield from map(work, parts)
            return
        # Most stages need no other process.
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool
        from multiprocessing import get_context

        if self._pool is None:
            # Begun anew, not forked: this process may have threads, and TensorFlow.
            self._pool = ProcessPoolExecutor(self._processes, get_context("spawn"), _begin, (workers(),))
        running = [self._pool.submit(attempted, work, part) for part in parts]
        try:
            for each in running:
                yield _checked(each.result())
        except BrokenProcessPool:
            self.close()
            raise DayspringError(
                "a process that worked on a part of the day was killed, most often for want of memory: up to "
                f"{self._processes} worked at once; set `processes` to fewer or `shards` to more, and run it again"
            ) from None
        finally:
            for each in running:
                each.cancel()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _begin(ends_with: str) -> None:
    os.environ[VARIABLE] = ends_with
    die_with_parents()


def _checked(found: Result | DayspringError) -> Result:
    if isinstance(found, DayspringError):
        raise found
    return found
