"""One release is read from Redis, whatever is switched meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.days import Day
from pipeline.errors import DayspringError
from pipeline.release.contents.parts import RELEASE_FIELD, shard_of
from pipeline.release.publish.redis_generations import Keys
from pipeline.release.publish.release_files import Pointer
from pipeline.serving import release_reader
from pipeline.serving.release_reader import ReleaseGone, ReleaseReader

KEYS = Keys("dayspring", "ads")
POINTER = Pointer("r1", "ads", Day.of(2024, 3, 1), "din", "checkpoint", 7, {"users": 2, "items": 1})


class Client:
    """Hashes and keys in memory, and how many round trips were made."""

    def __init__(self, texts: dict[str, bytes], hashes: dict[str, dict[str, bytes]]) -> None:
        self.texts, self.hashes = texts, hashes
        self.trips = 0

    def get(self, key: str) -> bytes | None:
        return self.texts.get(key)

    def asked(self, commands: Sequence[tuple[str, ...]]) -> list[Any]:
        self.trips += 1
        return [self._answer(*command) for command in commands]

    def _answer(self, command: str, key: str, *names: str) -> Any:
        if command == "GET":
            return self.texts.get(key)
        return [self.hashes.get(key, {}).get(name) for name in names]


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_reader, "asked", Client.asked)


def served() -> Client:
    users: dict[str, dict[str, bytes]] = {KEYS.shard("r1", "users", n): {RELEASE_FIELD: b"r1"} for n in range(2)}
    for name in ("u1", "u2", "u3", "u4"):
        users[KEYS.shard("r1", "users", shard_of(name, 2))][name] = name.upper().encode()
    items = {KEYS.shard("r1", "items", 0): {RELEASE_FIELD: b"r1", "i1": b"I1"}}
    return Client({KEYS.current: POINTER.to_json()}, users | items)


def reader(client: Any) -> ReleaseReader:
    return ReleaseReader(client, KEYS)


def test_fields_of_several_parts_come_in_one_round_trip() -> None:
    client = served()
    found = reader(client).fetch({"users": ["u1", "u4", "u1", "nobody"], "items": ["i1"]})
    assert found == {"users": {"u1": b"U1", "u4": b"U4"}, "items": {"i1": b"I1"}}
    assert client.trips == 1


def test_a_switch_meanwhile_changes_nothing_for_who_has_begun() -> None:
    client = served()
    begun = reader(client)
    client.texts[KEYS.current] = Pointer(**{**POINTER.__dict__, "release_id": "r2"}).to_json()
    assert begun.newest == begun.text
    assert begun.fetch({"users": ["u1"]}) == {"users": {"u1": b"U1"}}
    assert begun.newest == client.texts[KEYS.current] != begun.text, "what is served now is seen in the same round trip"
    assert client.trips == 1
    again = ReleaseReader(client, KEYS, begun.text)  # type: ignore[arg-type]
    assert again.fetch({"users": ["u1"]}) == {"users": {"u1": b"U1"}}
    with pytest.raises(ReleaseGone, match="expected release r2, found None"):
        reader(client).fetch({"users": ["u1"]})


@pytest.mark.parametrize("there", [None, b"r9"])
def test_a_shard_that_is_gone_or_of_another_release_is_no_answer(there: bytes | None) -> None:
    client = served()
    shard = client.hashes[KEYS.shard("r1", "items", 0)]
    shard.pop(RELEASE_FIELD)
    if there is not None:
        shard[RELEASE_FIELD] = there
    with pytest.raises(ReleaseGone, match="expected release r1"):
        reader(client).fetch({"items": ["i1"]})


def test_nothing_published_says_what_to_run() -> None:
    with pytest.raises(DayspringError, match="'ads' has no published release; run `python -m pipeline stage publish"):
        reader(Client({}, {}))
