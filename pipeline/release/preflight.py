"""Whether a release could be published at all, asked before hours are spent on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import DayspringError, UsageError
from pipeline.job import JobContext


def refuse_other_place(context: JobContext) -> None:
    """Asks the stores of ``DAYSPRING_REDIS_URL`` and ``DAYSPRING_RELEASE_URL`` whether this root may publish there.

    Raises:
        AnotherPlace: another root publishes there, or this one publishes elsewhere.
    """
    if not (os.environ.get("DAYSPRING_REDIS_URL") or os.environ.get("DAYSPRING_RELEASE_URL")):
        return
    from pipeline.release.build import publisher
    from pipeline.release.publish.place import AnotherPlace

    with _else_only_said(AnotherPlace):
        publisher(context).guard()


def refuse_unfit_redis(context: JobContext) -> None:
    """Asks the Redis of ``DAYSPRING_REDIS_URL`` what a release will ask of it; the root's own needs no asking.

    Raises:
        UnfitServer: no release can go there, now or later.
        ConfigError: the URL is none.
    """
    if not os.environ.get("DAYSPRING_REDIS_URL"):
        return
    from pipeline.release.build import generations
    from pipeline.storage.redis.connection import UnfitServer

    with _else_only_said(UnfitServer):
        generations(context).check()


@contextmanager
def _else_only_said(refused: type[DayspringError]) -> Iterator[None]:
    """Of what else is wrong, nothing need be wrong any more by the time of the release."""
    try:
        yield
    except (refused, UsageError):
        raise
    except DayspringError as error:
        print(f"warning: {error}; the day's release needs it", file=sys.stderr, flush=True)
