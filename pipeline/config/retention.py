"""What is kept on disk, beside the newest models and checkpoints (``release.keep_models``, ``keep_checkpoints``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Strict


class Retention(Strict):
    """Manifests with their digests are kept in any case.

    Args:
        released: checkpoints that were published: all of them, or those of the newest so many releases.
        feature_days: newest days whose arrays are kept; none = all. They are made again from the validated day where
            a re-chain needs them, and are about a third of what a job takes.
    """

    released: Literal["all"] | Annotated[int, Field(ge=0)] = "all"
    feature_days: int | None = Field(default=None, ge=2)
