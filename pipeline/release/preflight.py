"""Whether a release could be published at all, asked before hours are spent on it."""

from __future__ import annotations

import os
import sys

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

    try:
        publisher(context).guard()
    except (AnotherPlace, UsageError):
        raise
    except DayspringError as error:
        print(f"warning: {error}; the day's release needs it", file=sys.stderr, flush=True)


def refuse_unfit_redis(context: JobContext) -> None:
    """Asks the Redis of ``DAYSPRING_REDIS_URL`` what a release will ask of it; the root's own needs no asking.

    A server that does not answer now may do so by then, so that is only said.

    Raises:
        UnfitServer: no release can go there, now or later.
        ConfigError: the URL is none.
    """
    if not os.environ.get("DAYSPRING_REDIS_URL"):
        return
    from pipeline.release.build import generations
    from pipeline.storage.redis.connection import UnfitServer

    try:
        generations(context).check()
    except (UnfitServer, UsageError):
        raise
    except DayspringError as error:
        print(f"warning: {error}; the day's release needs it", file=sys.stderr, flush=True)
