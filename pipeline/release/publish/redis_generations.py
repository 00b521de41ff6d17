"""Generations in Redis: pushed beside the one that is served, then one pointer switch."""

from __future__ import annotations

import json
import time
import uuid
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import cast

import redis

from pipeline.errors import DayspringError
from pipeline.release.contents.parts import RELEASE_FIELD, Part, shard_of
from pipeline.release.publish.release_files import Pointer
from pipeline.storage.redis.connection import UnfitServer, address, refuse_other_kinds, told
from pipeline.storage.redis.embedded import is_own

_PROBES = 8
_SAMPLE = 20  # fields of each part that are read back
_FIELDS = 64  # of one command: about 0.1 ms of the server's time
_COMMANDS = 50  # sent at once
_UNDER_WAY = 2
_PACED_COMMANDS = 2
_SLACK_SECONDS = 0.02
_FREED = 10  # keys that expire together, every 100 ms


@dataclass(frozen=True)
class Keys:
    """Names of a job's keys: ``{namespace}:{job}:current`` and ``{namespace}:{job}:{release_id}:<part>:<shard>``."""

    namespace: str
    job: str

    @property
    def current(self) -> str:
        return f"{self.namespace}:{self.job}:current"

    @property
    def mark(self) -> str:
        """What tells this place from others, whatever it is called."""
        return f"{self.namespace}:{self.job}:place"

    @property
    def generations(self) -> str:
        """Hash of every generation that has keys: release id → shards by part."""
        return f"{self.namespace}:{self.job}:generations"

    def shard(self, release_id: str, part: str, shard: int) -> str:
        return f"{self.namespace}:{self.job}:{release_id}:{part}:{shard}"

    def upserts(self, release_id: str) -> str:
        """Hash of the vectors of items that were updated since the release: field of the item → vector and time."""
        return f"{self.namespace}:{self.job}:{release_id}:upserts"

    def all(self, release_id: str, parts: Mapping[str, int]) -> list[str]:
        return [self.shard(release_id, part, shard) for part, count in parts.items() for shard in range(count)]


class LostFields(DayspringError):
    """The server answers that fields are there which it has not kept."""


class Pace:
    """Holds a writer back to so many fields a second, in small even steps: readers wait for no more than one.

    Args:
        fields_per_second: ``None`` lets it go as fast as it can, in large steps.
    """

    def __init__(self, fields_per_second: float | None) -> None:
        self._rate = fields_per_second
        self._due = 0.0

    @property
    def commands(self) -> int:
        """Commands to send at once."""
        return _COMMANDS if self._rate is None else _PACED_COMMANDS

    def wait(self, fields: int) -> None:
        """Waits until so many more fields may go."""
        if self._rate is None:
            return
        now = time.monotonic()
        # A little of what was missed is made up for, not all of it in one burst.
        self._due = max(self._due, now - _SLACK_SECONDS)
        if self._due > now:
            time.sleep(self._due - now)
        self._due += fields / self._rate


class Generations:
    """A job's generations in one Redis. Methods that write are called under the job's release lock.

    All raise ``DayspringError``, naming the server, where it does not answer or refuses.

    Args:
        fields_per_second: how fast a release is pushed; ``None``: as fast as it can.
    """

    def __init__(self, client: redis.Redis, keys: Keys, fields_per_second: float | None = None) -> None:
        self._client = client
        self._keys = keys
        self._rate = fields_per_second

    @property
    def where(self) -> str:
        """Where the pointer is, for messages."""
        return f"the key {self._keys.current} of Redis at {address(self._client)}"

    def current(self) -> Pointer | None:
        with told(self._client, "reading what is served"):
            text = self._client.get(self._keys.current)
        return None if text is None else Pointer.from_json(text, f"Redis key {self._keys.current}")

    def place(self, root: Path) -> str:
        """The server and the namespace in it; the root's own server by that name."""
        socket = self._client.get_connection_kwargs().get("path")
        own = socket is not None and is_own(root, Path(socket))
        return f"{'its own Redis' if own else f'Redis at {address(self._client)}'}, keys {self._keys.namespace}:*"

    def mark(self) -> str | None:
        """The id of this place; ``None`` if nothing was published to it yet."""
        with told(self._client, "reading the mark of the place"):
            found = self._client.get(self._keys.mark)
        return None if found is None else found.decode() if isinstance(found, bytes) else str(found)

    def set_mark(self, mark: str) -> None:
        with told(self._client, "writing the mark of the place"):
            self._client.set(self._keys.mark, mark)

    def push(self, release_id: str, parts: Sequence[Part]) -> dict[str, int]:
        """Writes every part and reads a sample back; the number of shards by part.

        Repeating it after an interruption completes the generation: same release, same fields. What a server refuses
        or loses is taken away again, unless it is served.

        Raises:
            DayspringError: the server refuses or evicts, or a value reads back otherwise than it was written.
        """
        dealt = {part.name: part.shards() for part in parts}
        shards = {name: len(each) for name, each in dealt.items()}
        with told(self._client, f"pushing release {release_id}; nothing was switched"):
            self._refuse_eviction()
            try:
                self._write(release_id, dealt)
                try:
                    self._read_back(release_id, parts, shards)
                except LostFields:  # a server that was started again may have lost its last second
                    self._write(release_id, dealt)
                    self._read_back(release_id, parts, shards)
            except (redis.ResponseError, LostFields):
                self._discard(release_id, shards)
                raise
        return shards

    def _refuse_eviction(self) -> None:
        try:
            memory = self._client.info("memory")
        except redis.exceptions.NoPermissionError:
            return  # then a loss is found where it is read back
        policy = str(memory.get("maxmemory_policy", ""))
        if memory.get("maxmemory") and policy.startswith("allkeys-"):
            raise UnfitServer(
                f"Redis at {address(self._client)} may evict any key when its memory is full (maxmemory-policy "
                f"{policy}), of a served release too; nothing was pushed. Set maxmemory-policy to noeviction or "
                "volatile-ttl, or give releases a Redis of their own"
            )

    def _write(self, release_id: str, dealt: Mapping[str, Sequence[Mapping[str, bytes]]]) -> None:
        # Registered before its first key, so that a push that never ends is cleared away later.
        shards = {name: len(each) for name, each in dealt.items()}
        self._client.hset(self._keys.generations, release_id, json.dumps(shards))
        pace = Pace(self._rate)
        commands = self._commands(release_id, dealt)
        under_way: deque[Future[None]] = deque()
        # The next step is made while the server works on the one before.
        with ThreadPoolExecutor(_UNDER_WAY) as senders:
            while step := list(islice(commands, pace.commands)):
                pace.wait(sum(len(command) // 2 for command in step))
                under_way.append(senders.submit(self._send, step))
                if len(under_way) == _UNDER_WAY:
                    under_way.popleft().result()
            for each in under_way:
                each.result()

    def _send(self, commands: Sequence[tuple[str | bytes, ...]]) -> None:
        pipe = self._client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        pipe.execute()

    def _commands(
        self, release_id: str, dealt: Mapping[str, Sequence[Mapping[str, bytes]]]
    ) -> Iterator[tuple[str | bytes, ...]]:
        """Keys with a few of their fields each: a server does nothing else while it runs one command."""
        for name, each in dealt.items():
            for number, shard in enumerate(each):
                key = self._keys.shard(release_id, name, number)
                yield "PERSIST", key
                pairs = cast(Iterator[str | bytes], chain.from_iterable(shard.items()))
                flat = [RELEASE_FIELD, release_id, *pairs]
                for start in range(0, len(flat), 2 * _FIELDS):
                    yield "HSET", key, *flat[start : start + 2 * _FIELDS]

    def _discard(self, release_id: str, shards: Mapping[str, int]) -> None:
        """Takes away what a failed push left, unless it is of a release in use."""
        with suppress(redis.RedisError, DayspringError):  # else the end of a later push's grace clears it away
            current = self.current()
            if current is not None and release_id in (current.release_id, current.previous):
                return
            keys = self._keys.all(release_id, shards)
            for start in range(0, len(keys), _COMMANDS):
                self._client.unlink(*keys[start : start + _COMMANDS])
            self._client.hdel(self._keys.generations, release_id)

    def _read_back(self, release_id: str, parts: Sequence[Part], shards: Mapping[str, int]) -> None:
        expected: list[tuple[str, str, bytes]] = []
        for part in parts:
            for name in islice(part.fields, 0, None, max(1, len(part.fields) // _SAMPLE)):
                key = self._keys.shard(release_id, part.name, shard_of(name, shards[part.name]))
                expected.append((key, name, part.fields[name]))
        pipe = self._client.pipeline(transaction=False)
        for key, name, _ in expected:
            pipe.hget(key, name)
        for (key, name, value), found in zip(expected, pipe.execute(), strict=True):
            if found != value:
                raise LostFields(
                    f"Redis key {key}, field '{name}': reads back otherwise than written; nothing was switched. "
                    "Check the server's memory limit and eviction policy, then publish again"
                )
        fields = {part.name: len(part.fields) for part in parts}
        if not self.complete(release_id, shards, fields):
            raise LostFields(
                f"Redis: release {release_id} is not complete after its push; nothing was switched. "
                "Check the server's memory limit and eviction policy, then publish again"
            )

    def complete(self, release_id: str, parts: Mapping[str, int], fields: Mapping[str, int]) -> bool:
        """Whether every shard is there, is of this release, and all fields of each part are."""
        pipe = self._client.pipeline(transaction=False)
        for key in self._keys.all(release_id, parts):
            pipe.hget(key, RELEASE_FIELD)
            pipe.hlen(key)
        with told(self._client, f"looking for release {release_id}"):
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
        for key in [*self._keys.all(release_id, parts), self._keys.upserts(release_id)]:
            pipe.persist(key)
        with told(self._client, f"keeping release {release_id}"):
            pipe.execute()

    def switch(self, pointer: Pointer) -> None:
        """Makes a complete generation the one that is served: one command."""
        with told(self._client, f"switching to release {pointer.release_id}"):
            self._client.set(self._keys.current, pointer.to_json())

    def expire_all_but(self, kept: Collection[str], grace_seconds: int) -> list[str]:
        """Lets every other generation expire after the grace period; the ids of those whose end was set just now."""
        with told(self._client, "letting older releases expire"):
            return self._expire_all_but(kept, grace_seconds)

    def _expire_all_but(self, kept: Collection[str], grace_seconds: int) -> list[str]:
        ending = []
        for name, text in self._client.hgetall(self._keys.generations).items():
            release_id = name if isinstance(name, str) else name.decode()
            if release_id in kept:
                continue
            keys = [*self._keys.all(release_id, json.loads(text)), self._keys.upserts(release_id)]
            pipe = self._client.pipeline(transaction=False)
            for key in keys:
                pipe.ttl(key)
            ttls = pipe.execute()
            if all(ttl == -2 for ttl in ttls):  # no key is left
                self._client.hdel(self._keys.generations, release_id)
                continue
            pipe = self._client.pipeline(transaction=False)
            for number, (key, ttl) in enumerate(zip(keys, ttls, strict=True)):
                if ttl == -1:  # an end that is set is not put off
                    # A server that frees everything at once does not answer meanwhile.
                    pipe.pexpire(key, grace_seconds * 1000 + number // _FREED * 100)
            if len(pipe):
                pipe.execute()
                ending.append(release_id)
        return ending

    def check(self) -> str:
        """What server it is.

        Raises:
            UnfitServer: no release can go there: it is a cluster, a sentinel or a replica, evicts, or its user may not.
            DayspringError: it does not answer.
        """
        version = refuse_other_kinds(self._client)
        with told(self._client, "a probe was written"):
            # A node of a cluster takes some keys; in a few, one is of another node.
            for number in range(_PROBES):
                self._probe(f"{self._keys.namespace}:{self._keys.job}:probe:{number}:{uuid.uuid4().hex}")
            self._refuse_eviction()
        return f"{address(self._client)} takes writes{f', version {version}' if version else ''}"

    def _probe(self, key: str) -> None:
        """Every command of a release on keys of its own: a user may be allowed some of them only."""
        pipe = self._client.pipeline(transaction=False)
        pipe.set(f"{key}:pointer", b"1", ex=60)
        pipe.get(f"{key}:pointer")
        pipe.hset(key, "field", b"1")
        pipe.persist(key)
        pipe.pexpire(key, 60_000)
        pipe.ttl(key)
        pipe.hget(key, "field")
        pipe.hlen(key)
        pipe.hgetall(key)
        pipe.hmget(key, "field")
        pipe.hdel(key, "field")
        pipe.unlink(key)
        pipe.delete(f"{key}:pointer")
        answers = pipe.execute()
        if (answers[1], answers[6]) != (b"1", b"1"):
            raise DayspringError(f"Redis at {address(self._client)}: a value reads back otherwise than written")
