"""What runs one piece of work on every part of a day: the choice changes no bit of what is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from pipeline.errors import DayspringError

Part = TypeVar("Part")
Result = TypeVar("Result")
Whole = TypeVar("Whole")


class Engine(ABC):
    """Runs a function on parts, in as many processes as it has."""

    @abstractmethod
    def run(self, work: Callable[[Part], Result], parts: Sequence[Part]) -> Iterable[Result]:
        """The result of each part, in the order of the parts; the first may be used while others are worked on.

        Args:
            work: a function of a module; what it makes of much goes into files, and what it returns is small.
            parts: picklable, and without secrets: a process has these from its environment.

        Raises:
            DayspringError: what ``work`` raised of the first part that failed, or that a process was lost.
        """

    def gathered(
        self, work: Callable[[Part], Result], parts: Sequence[Part], merge: Callable[[Iterable[Result]], Whole]
    ) -> Whole:
        """What a function of a module makes of the results of all parts, each as soon as it is there."""
        return merge(self.run(work, parts))

    @abstractmethod
    def close(self) -> None:
        """Let go of what was begun for the runs; another may follow."""


def attempted(work: Callable[[Part], Result], part: Part) -> Result | DayspringError:
    """What ``work`` gives of a part, or the error that it ends with: either comes back from any process."""
    try:
        return work(part)
    except DayspringError as error:
        return error
