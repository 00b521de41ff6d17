"""How somebody says at the command line whom candidates are ranked for: one class a kind of request."""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from typing import Any, ClassVar


class Asked(ABC):
    """The options of one kind of request.

    Attributes:
        names: of its options; those of other kinds are refused.
        needs: what such a job does and wants, in words.
    """

    names: ClassVar[tuple[str, ...]]
    needs: ClassVar[str]

    @abstractmethod
    def add_to(self, parser: argparse.ArgumentParser) -> None: ...

    @abstractmethod
    def request(self, options: argparse.Namespace) -> dict[str, Any] | None:
        """What the reader is asked, as arguments of ``OnlineReader.recommend``; ``None`` where an option is missing."""
