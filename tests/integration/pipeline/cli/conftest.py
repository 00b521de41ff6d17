"""A job of which a release is served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.storage.redis.embedded import stop
from tests.tiny import LAST, Place, copy_of


@pytest.fixture(scope="session")
def served(trained: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The last day released and published."""
    place = copy_of(trained, tmp_path_factory.mktemp("served"), root=True)
    for stage in ("release", "publish"):
        place.good("stage", stage, "--job", "ads", "--day", LAST)
    yield place
    stop(place.root)
