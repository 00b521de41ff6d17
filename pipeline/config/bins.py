"""A number as one of several bins, whose limits are learnt from past days."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.base import Strict


class Bins(Strict):
    """Bins that hold as many numbers of past days each, as far as equal numbers allow.

    Args:
        count: how many there are; a bin keeps its place among the others when the limits move.
        every: days after which the limits are fitted anew, to all days before.
    """

    count: int = Field(ge=2, le=1024)
    every: int = Field(default=7, ge=1)
