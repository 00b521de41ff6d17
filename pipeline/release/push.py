"""Generations in Redis: pushed beside the one that is served, then one pointer switch."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis

from pipeline.errors import DayspringError
from pipeline.release.parts import RELEASE_FIELD, Part, shard_of
from pipeline.release.pointer import Pointer

_SAMPLE = 20  # fields of each part that are read back
_HASHES_A_PIPELINE = 50


@dataclass(frozen=True)
class Keys:
    """Names of a job's keys: ``{namespace}:{job}:current`` and ``{namespace}:{job}:{release_id}:<part>:<shard>``."""

    namespace: str
    job: str

    @property
    def current(self) -> str:
        return f"{self.namespace}:{self.job}:current"

    @property
    def generations(self) -> str:
        """Hash of every generation that has keys: release id → shards by part."""
        return f"{self.namespace}:{self.job}:generations"

    def shard(self, release_id: str, part: str, shard: int) -> str:
        return f"{self.namespace}:{self.job}:{release_id}:{part}:{shard}"

    def all(self, release_id: str, parts: Mapping[str, int]) -> list[str]:
        return [self.shard(release_id, part, shard) for part, count in parts.items() for shard in range(count)]


class Generations:
    """A job's generations in one Redis. Methods that write are called under the job's release lock."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def current(self) -> Pointer | None:
        text = self._client.get(self._keys.current)
        return None if text is None else Pointer.from_json(text, f"Redis key {self._keys.current}")

    def push(self, release_id: str, parts: Sequence[Part]) -> dict[str, int]:
        """Writes every part and reads a sample back; the number of shards by part.

        Repeating it after an interruption completes the generation: same release, same fields.

        Raises:
            DayspringError: a value reads back otherwise than it was written.
        """
        dealt = {part.name: part.shards() for part in parts}
        shards = {name: len(each) for name, each in dealt.items()}
        # Registered before its first key, so that a push that never ends is cleared away later.
        self._client.hset(self._keys.generations, release_id, json.dumps(shards))
        pending = [
            (self._keys.shard(release_id, name, number), fields)
            for name, each in dealt.items()
            for number, fields in enumerate(each)
        ]
        for start in range(0, len(pending), _HASHES_A_PIPELINE):
            pipe = self._client.pipeline(transaction=False)
            for key, fields in pending[start : start + _HASHES_A_PIPELINE]:
                pipe.hset(key, mapping=cast(Any, {RELEASE_FIELD: release_id, **fields}))
                pipe.persist(key)
            pipe.execute()
        self._read_back(release_id, parts, shards)
        return shards

    def _read_back(self, release_id: str, parts: Sequence[Part], shards: Mapping[str, int]) -> None:
        expected: list[tuple[str, str, bytes]] = []
        for part in parts:
            names = sorted(part.fields)
            for name in names[:: max(1, len(names) // _SAMPLE)]:
                key = self._keys.shard(release_id, part.name, shard_of(name, shards[part.name]))
                expected.append((key, name, part.fields[name]))
        pipe = self._client.pipeline(transaction=False)
        for key, name, _ in expected:
            pipe.hget(key, name)
        for (key, name, value), found in zip(expected, pipe.execute(), strict=True):
            if found != value:
                raise DayspringError(
                    f"Redis key {key}, field '{name}': reads back otherwise than written; nothing was switched. "
                    "Check the server's memory limit and eviction policy, then publish again"
                )
        fields = {part.name: len(part.fields) for part in parts}
        if not self.complete(release_id, shards, fields):
            raise DayspringError(
                f"Redis: release {release_id} is not complete after its push; nothing was switched. "
                "Check the server's memory limit and eviction policy, then publish again"
            )

    def complete(self, release_id: str, parts: Mapping[str, int], fields: Mapping[str, int]) -> bool:
        """Whether every shard is there, is of this release, and all fields of each part are."""
        pipe = self._client.pipeline(transaction=False)
        for key in self._keys.all(release_id, parts):
            pipe.hget(key, RELEASE_FIELD)
            pipe.hlen(key)
        answers = iter(pipe.execute())
        for name, count in parts.items():
            held = 0
            for _ in range(count):
                if next(answers) != release_id.encode():
                    return False
                held += next(answers) - 1
            if held != fields[name]:
                return False
        return True

    def keep(self, release_id: str, parts: Mapping[str, int]) -> None:
        """Takes the expiry off a generation that is to be served again."""
        pipe = self._client.pipeline(transaction=False)
        for key in self._keys.all(release_id, parts):
            pipe.persist(key)
        pipe.execute()

    def switch(self, pointer: Pointer) -> None:
        """Makes a complete generation the one that is served: one command."""
        self._client.set(self._keys.current, pointer.to_json())

    def expire_all_but(self, kept: Collection[str], grace_seconds: int) -> list[str]:
        """Lets every other generation expire after the grace period; the ids of those whose end was set just now."""
        ending = []
        for name, text in self._client.hgetall(self._keys.generations).items():
            release_id = name if isinstance(name, str) else name.decode()
            if release_id in kept:
                continue
            keys = self._keys.all(release_id, json.loads(text))
            pipe = self._client.pipeline(transaction=False)
            for key in keys:
                pipe.ttl(key)
            ttls = pipe.execute()
            if all(ttl == -2 for ttl in ttls):  # no key is left
                self._client.hdel(self._keys.generations, release_id)
                continue
            pipe = self._client.pipeline(transaction=False)
            for key, ttl in zip(keys, ttls, strict=True):
                if ttl == -1:  # an end that is set is not put off
                    pipe.expire(key, grace_seconds)
            if len(pipe):
                pipe.execute()
                ending.append(release_id)
        return ending
