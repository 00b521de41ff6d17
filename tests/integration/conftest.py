"""The stores that releases go to: those of the root itself, and real servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.job import JobContext
from tests.integration.labelled_world import FIRST, LAST, place_of, written
from tests.services import Bucket
from tests.tiny import Place


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


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """All days by one process, the last one released; not to be changed."""
    folder = tmp_path_factory.mktemp("labelled")
    written(f"parquet:{folder / 'criteo'}")
    place = place_of(folder, f"parquet:{folder / 'criteo'}")
    place.good("backfill", "--job", "criteo", "--from", FIRST, "--to", LAST)
    return place


@pytest.fixture
def labelled_context(labelled: Place, monkeypatch: pytest.MonkeyPatch) -> JobContext:
    monkeypatch.setenv("DAYSPRING_CONF", str(labelled.folder / "conf"))
    return JobContext.open("criteo", root=labelled.root)
