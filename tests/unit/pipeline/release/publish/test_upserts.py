from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.release.publish.redis_generations import Keys
from pipeline.release.publish.upserts import Upserts


class Hashes:
    """What of a Redis client is asked."""

    def __init__(self) -> None:
        self.hashes: dict[str, dict[bytes, bytes]] = {}

    def hget(self, key: str, field: str) -> bytes | None:
        return self.hashes.get(key, {}).get(field.encode())

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return dict(self.hashes.get(key, {}))

    def hset(self, key: str, mapping: dict[str, bytes]) -> None:
        self.hashes.setdefault(key, {}).update({name.encode(): value for name, value in mapping.items()})


def test_the_last_vector_of_an_item_counts_and_another_release_knows_nothing_of_it() -> None:
    client: Any = Hashes()
    upserts = Upserts(client, Keys("test", "recall"))
    assert upserts.newest("r1") is None
    assert upserts.read("r1").keys == []
    upserts.write("r1", [12, 7], np.array([[0.5, 1.0], [2.0, 3.0]], np.float32), "10:00")
    upserts.write("r1", [12], np.array([[0.25, 1.0]], np.float32), "11:00")
    found = upserts.read("r1")
    assert (found.newest, found.keys) == ("11:00", [12, 7])
    np.testing.assert_array_equal(found.vectors, np.array([[0.25, 1], [2, 3]], np.float32))
    assert upserts.newest("r2") is None
