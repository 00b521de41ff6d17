from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.release.publish.redis_generations import Keys
from pipeline.release.publish.upserts import Upserts


class Hashes:
    """What of a Redis client is asked."""

    def __init__(self) -> None:
        self.hashes: dict[str, dict[bytes, bytes]] = {}
        self.fails_after: int | None = None
        self.written = 0

    def hget(self, key: str, field: str) -> bytes | None:
        return self.hashes.get(key, {}).get(field.encode())

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return dict(self.hashes.get(key, {}))

    def hset(self, key: str, mapping: dict[str, bytes]) -> None:
        if self.written == self.fails_after:
            raise ConnectionError
        self.written += 1
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


def test_an_item_that_there_is_no_more_has_no_vector_until_it_comes_back() -> None:
    client: Any = Hashes()
    upserts, vector = Upserts(client, Keys("test", "recall")), np.array([[0.5, 1.0]], np.float32)
    upserts.write("r1", ["a"], vector, "10:00", gone=["b"])
    assert (upserts.read("r1").keys, upserts.read("r1").gone) == (["a"], ["b"])
    upserts.write("r1", ["b"], vector, "11:00", gone=["a"])
    assert (upserts.read("r1").keys, upserts.read("r1").gone) == (["b"], ["a"])


def test_an_update_that_broke_off_is_told_until_one_has_come_to_its_end() -> None:
    client: Any = Hashes()
    upserts, many = Upserts(client, Keys("test", "recall")), 1201
    vectors = np.arange(many, dtype=np.float32)[:, None]
    client.fails_after = 3  # of the time, and of twice 500 items
    with pytest.raises(ConnectionError):
        upserts.write("r1", range(many), vectors, "10:00")
    assert (upserts.newest("r1"), len(upserts.read("r1").keys)) == ("", 1000)
    client.fails_after = None
    upserts.write("r1", [5], vectors[:1], "11:00")
    assert (upserts.read("r1").newest, len(upserts.read("r1").keys)) == ("11:00", 1000)
