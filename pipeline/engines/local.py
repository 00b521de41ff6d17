"""Parts of a day in a pool of processes of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from pipeline.engines.engine import Engine, Part, Result, attempted
from pipeline.errors import DayspringError
from pipeline.process.parents import VARIABLE, die_with_parents, workers


class LocalEngine(Engine):
    """Works in this process where one is enough, else in new ones that end with the run.

    Args:
        processes: how many work at once; none = as many as this process may use CPUs.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or len(os.sched_getaffinity(0))

    def run(self, work: Callable[[Part], Result], parts: Sequence[Part]) -> Iterator[Result]:
        at_once = min(self._processes, len(parts))
        if at_once < 2:
            yield from map(work, parts)
            return
        # Begun anew, not forked: this process may have threads, and TensorFlow.
        pool = ProcessPoolExecutor(at_once, get_context("spawn"), _begin, (workers(),))
        try:
            running = [pool.submit(attempted, work, part) for part in parts]
            for each in running:
                yield _checked(each.result())
        except BrokenProcessPool:
            raise DayspringError(
                "a process that worked on a part of the day was killed, most often for want of memory: "
                f"{at_once} worked at once; set `processes` to fewer or `shards` to more, and run it again"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin(ends_with: str) -> None:
    os.environ[VARIABLE] = ends_with
    die_with_parents()


def _checked(found: Result | DayspringError) -> Result:
    if isinstance(found, DayspringError):
        raise found
    return found
