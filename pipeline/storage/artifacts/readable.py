"""Artefacts for those who only look: what is damaged is left out, and told."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

from pipeline.errors import CorruptArtifact

T = TypeVar("T")


class Readable:
    """Reads that go on where one of them finds damage.

    Attributes:
        damaged: what was left out, each once, in words that name the file and what to do.
    """

    def __init__(self) -> None:
        self.damaged: list[str] = []

    def __call__(self, read: Callable[..., T], *arguments: Any) -> T | None:
        """What ``read`` gives; ``None`` where that is damaged."""
        try:
            return read(*arguments)
        except CorruptArtifact as error:
            if str(error) not in self.damaged:
                self.damaged.append(str(error))
            return None

    def tell(self) -> bool:
        """Say on standard error what was left out; whether anything was."""
        for text in self.damaged:
            print(f"DAMAGED, left out: {text}", file=sys.stderr)
        return bool(self.damaged)
