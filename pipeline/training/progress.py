"""How far a training is, in a line every few seconds: a task's log of an hour would else be silent."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

EVERY = 5.0
"""Seconds between two lines; a training that is over sooner says nothing."""


@dataclass
class Progress:
    """Shown the losses of an epoch as far as they have come (``Engine.train_epoch``).

    Args:
        name: of the rows.
        epoch, epochs: which of them, from 1, and of how many.
        batches: of the epoch, each of ``batch_size`` rows; the last may hold fewer.
        clock, say: tests bring their own.
    """

    name: str
    epoch: int
    epochs: int
    batches: int
    batch_size: int
    clock: Callable[[], float] = time.monotonic
    say: Callable[[str], None] = field(default=lambda text: print(text, file=sys.stderr, flush=True))

    def __post_init__(self) -> None:
        self._told, self._at = 0, self.clock()

    def __call__(self, losses: Sequence[NDArray[np.float32]]) -> None:
        """Tell of the batches since the last line: their mean loss, and rows a second by the clock."""
        seconds = self.clock() - self._at
        if seconds < EVERY:
            return
        since = losses[self._told :]
        rate = len(since) * self.batch_size / seconds
        loss = float(np.mean([each[0] for each in since]))
        epoch = f", epoch {self.epoch} of {self.epochs}" if self.epochs > 1 else ""
        self.say(
            f"training on {self.name}{epoch}: {len(losses) * self.batch_size:,} of some "
            f"{self.batches * self.batch_size:,} rows, loss {loss:.4f}, {rate:,.0f} rows/s"
        )
        self._told, self._at = len(losses), self.clock()
