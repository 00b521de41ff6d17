"""The stores that releases go to: those of the root itself, and real servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.services import Bucket


@pytest.fixture
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """The URLs of ``embedded`` (none) or ``servers``, as arguments of ``Bench``."""

    def urls(profile: str) -> dict[str, str]:
        if profile == "embedded":
            return {}
        bucket: Bucket = request.getfixturevalue("bucket")
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        return {"redis_url": request.getfixturevalue("redis_url"), "release_url": bucket.url}

    return urls
