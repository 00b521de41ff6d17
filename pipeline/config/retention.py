"""What is kept on disk, beside the newest models and checkpoints (``release.keep_models``, ``keep_checkpoints``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Strict
from pipeline.config.last_year import Replay

Days = Literal["all"] | Annotated[int, Field(ge=2)]


class Retention(Strict):
    """Manifests with their digests are kept in any case.

    Days are counted back from the newest one that is built, whatever the calendar says: a root of old data keeps as
    much as one of today's. What a chain, a release or another day still needs is kept beyond them.

    Args:
        released: checkpoints that were published: all of them, or those of the newest so many releases.
        extract_days: newest days whose tables are kept as the sources gave them: to validate a day again, and to say
            what late labels have changed.
        validated_days: newest days whose validated tables are kept, and as many more as are replayed on them
            (``replay.years``): joined rows and features are made of them, to the same bits, where a re-chain or a new
            experiment needs them.
        feature_days: newest days whose arrays are kept; they are most of what a job takes.
    """

    released: Literal["all"] | Annotated[int, Field(ge=0)] = "all"
    extract_days: Days = 100
    validated_days: Days = 400
    feature_days: Days = 100


def replayed_span(replay: Replay | None) -> int:
    """How many days back a day's replayed rows may be at most."""
    return 366 * replay.years + 6 if replay is not None else 0
