"""Work done by threads, each with a link of its own; the results come in the order of the tasks, few held at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from pipeline.process.garbage import no_collection
from pipeline.sources.hbase.link import Link, Stopped

Task = TypeVar("Task")
Result = TypeVar("Result")

_HELD = 4
"""Results of a task that wait until its turn has come; then its thread waits too."""
_AHEAD = 2
"""Tasks begun before their turn, per link."""
_JOIN_SECONDS = 5.0


def in_order(
    tasks: Sequence[Task], work: Callable[[Task, Link], Iterable[Result]], links: Sequence[Link]
) -> Generator[Result, None, None]:
    """Every result of every task, those of the first task first; the first error ends it all.

    The links are closed when the iterator is at its end, has failed, or was given up.
    """
    room = _Room(tasks, work)
    threads = [threading.Thread(target=room.work_with, args=(link, len(links)), daemon=True) for link in links]
    for thread in threads:
        thread.start()
    try:
        yield from room.results()
    finally:
        room.leave()
        for link in links:
            link.close()
        for thread in threads:
            thread.join(_JOIN_SECONDS)


class _Room(Generic[Task, Result]):
    def __init__(self, tasks: Sequence[Task], work: Callable[[Task, Link], Iterable[Result]]) -> None:
        self._tasks = tasks
        self._work = work
        self._change = threading.Condition()
        self._waiting: list[deque[Result]] = [deque() for _ in tasks]
        self._ended = [False] * len(tasks)
        self._taken = 0
        self._turn = 0
        self._error: BaseException | None = None
        self._left = False

    def work_with(self, link: Link, links: int) -> None:
        with no_collection():
            self._work_with(link, links)

    def _work_with(self, link: Link, links: int) -> None:
        try:
            while (number := self._take(links)) is not None:
                for result in self._work(self._tasks[number], link):
                    self._put(number, result)
                with self._change:
                    self._ended[number] = True
                    self._change.notify_all()
        except Stopped:
            return
        except BaseException as error:
            # A link that is closed under its thread fails in many ways.
            with self._change:
                self._error = self._error or (None if link.closed else error)
                self._change.notify_all()

    def results(self) -> Iterator[Result]:
        for number, waiting in enumerate(self._waiting):
            while True:
                with self._change:
                    self._turn = number
                    self._change.notify_all()
                    self._change.wait_for(lambda: self._error or self._waiting[self._turn] or self._ended[self._turn])
                    if self._error is not None:
                        raise self._error
                    here = list(waiting)
                    waiting.clear()
                    self._change.notify_all()
                    if not here:
                        break
                yield from here

    def leave(self) -> None:
        with self._change:
            self._left = True
            self._change.notify_all()

    def _take(self, links: int) -> int | None:
        with self._change:
            self._change.wait_for(lambda: self._left or self._taken <= self._turn + _AHEAD * links)
            if self._left or self._error is not None or self._taken == len(self._tasks):
                return None
            self._taken += 1
            return self._taken - 1

    def _put(self, number: int, result: Result) -> None:
        with self._change:
            self._change.wait_for(lambda: self._left or len(self._waiting[number]) < _HELD)
            if self._left:
                raise Stopped
            self._waiting[number].append(result)
            self._change.notify_all()
