"""Jobs of labelled rows are served by the exported model alone: there is nothing to look up for a row."""

from __future__ import annotations

from pipeline.errors import UsageError
from pipeline.serving.known_release import KnownRelease
from pipeline.serving.meta import Meta


class KnownByTheModel(KnownRelease):
    """What the release tells its requests: nothing that the model does not hold; raises ``UsageError``."""

    def __init__(self, meta: Meta) -> None:
        raise UsageError(
            f"job '{meta.config.job}' is of labelled rows, which have nothing to look up and nothing to rank: call the "
            "signature `serving_default` of its exported model with the features by name"
        )
