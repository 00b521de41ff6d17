"""Fields of a release: where they are, and that no two releases are ever mixed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from examples.serving.released.release import Release, ReleaseGone, field_of


class Server:
    """Answers the commands of a pipeline, and notes them."""

    def __init__(self, hashes: dict[str, dict[str, bytes]]) -> None:
        self.hashes, self.asked = hashes, list[Any]()

    def pipeline(self, *, transaction: bool) -> Server:
        assert not transaction
        self.asked = []
        return self

    def get(self, key: str) -> None:
        self.asked.append(key)

    def hmget(self, key: str, fields: list[str]) -> None:
        self.asked.append((key, fields))

    def execute(self) -> list[Any]:
        return [b"next" if isinstance(each, str) else [self.hashes.get(each[0], {}).get(name) for name in each[1]]
                for each in self.asked]  # fmt: skip


def test_fields_are_asked_of_their_shards_and_the_pointer_with_them() -> None:
    pointer = json.dumps({"release_id": "r1", "parts": {"histories": 3, "meta": 1}}).encode()
    # By their CRC-32 712 and 714 are in shard 0 of three, 713 in shard 2.
    shards: dict[int, dict[str, bytes]] = {0: {"712": b"[1]", "714": b'{"a":"\xc3\xa9"}'}, 2: {}}
    server: Any = Server({f"d:ads:r1:histories:{at}": {"__release__": b"r1", **each} for at, each in shards.items()})
    release = Release(server, "d:ads", pointer)
    found = release.fetch({"histories": ["712", "714", "712", "713"], "study": ["1"]})
    assert found == {"histories": {"712": [1], "714": {"a": "\u00e9"}}, "study": {}}
    assert release.newest == b"next"
    assert server.asked[0] == "d:ads:current"
    assert server.asked[1:] == [
        ("d:ads:r1:histories:0", ["__release__", "712", "714"]), ("d:ads:r1:histories:2", ["__release__", "713"]),
    ]  # fmt: skip
    server.hashes["d:ads:r1:histories:0"]["__release__"] = b"r2"
    with pytest.raises(ReleaseGone, match="histories of release r1: found b'r2'"):
        release.fetch({"histories": ["712"]})


def test_a_field_of_several_ids_is_their_array() -> None:
    assert [field_of(712), field_of(501, 9001), field_of("\u00e9", "b")] == ["712", "[501,9001]", '["\u00e9","b"]']
