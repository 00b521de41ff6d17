"""Which release a process answers with: a newer one is taken up in the background, and answers once it is ready."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from pipeline.errors import DayspringError

Release = TypeVar("Release")
_AGAIN = 10.0
"""Seconds after which a release that could not be made ready is tried again."""
_LOG = logging.getLogger(__name__)


class TakenUp(Generic[Release]):
    """The release that answers, and the one that is being made ready to.

    Args:
        make_ready: makes the release ready that is served now.
    """

    def __init__(self, make_ready: Callable[[], Release]) -> None:
        self._make_ready = make_ready
        self._now: Release | None = None
        self._coming: Future[Release] | None = None
        self._not_before = 0.0
        self._behind = ThreadPoolExecutor(1, thread_name_prefix="release")

    def release(self) -> Release:
        """The release to answer with; one is waited for only where there is none yet, or none any more.

        Raises:
            DayspringError: there is none, and the one that is served cannot be made ready.
        """
        if self._coming is not None and (self._coming.done() or self._now is None):
            coming, self._coming = self._coming, None
            try:
                self._now = coming.result()
            except DayspringError as error:
                if self._now is None:
                    raise
                self._not_before = time.monotonic() + _AGAIN
                _LOG.warning("the release that is served now cannot be taken up, the one before answers: %s", error)
        if self._now is None:
            self._now = self._make_ready()
        return self._now

    def begin(self) -> None:
        """Another release is served: make it ready, unless one is on its way."""
        if self._coming is None and time.monotonic() >= self._not_before:
            self._coming = self._behind.submit(self._make_ready)

    def renew(self) -> None:
        """Take up what is served now, and wait for it."""
        if self._coming is not None:
            wait([self._coming])
            self._coming = None
        self._now = self._make_ready()

    def gone(self) -> None:
        """The release that answered is there no longer."""
        self._now = None

    def close(self) -> None:
        self._behind.shutdown()
