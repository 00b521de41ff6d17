"""Reading a release from Redis without ever mixing two: the pointer once, then only fields that carry its id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import redis

from pipeline.errors import DayspringError
from pipeline.release.contents.parts import RELEASE_FIELD, shard_of
from pipeline.release.publish.redis_generations import Keys
from pipeline.release.publish.release_files import Pointer
from pipeline.release.publish.upserts import Upserts
from pipeline.storage.redis.connection import told
from pipeline.storage.redis.round_trip import asked


class ReleaseGone(DayspringError):
    """The release that a request began with has expired, or one of its shards is of another release."""


class ReleaseReader:
    """Reads of one release: by default the one that the pointer names when the reader is made.

    Args:
        text: the pointer as it was read before.

    Attributes:
        text: the pointer that names the release.
        newest: the pointer as the last ``fetch`` found it beside its fields.
        upserts: vectors of items that were updated since a release.

    Raises:
        DayspringError: nothing is published.
    """

    def __init__(self, client: redis.Redis, keys: Keys, text: bytes | str | None = None) -> None:
        self._client = client
        self._keys = keys
        found: bytes | str | None = text
        if found is None:
            with told(client, "reading what is served"):
                found = client.get(keys.current)
        if found is None:
            raise DayspringError(
                f"Redis has no key {keys.current}: job '{keys.job}' has no published release; "
                f"run `python -m pipeline stage publish --job {keys.job} --day D` for its newest day, or `python -m "
                f"pipeline promote --job {keys.job} --experiment E` where the champion was not trained"
            )
        self.text: bytes | str = found
        self.newest: bytes | str | None = found
        self.pointer = _pointer(found, f"Redis key {keys.current}")
        self.upserts = Upserts(client, keys)

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, bytes]]:
        """The values of the named fields by part, in one round trip; fields that are not there are left out.

        Raises:
            ReleaseGone: a shard is missing or of another release.
        """
        wants: list[tuple[str, str, list[str]]] = []
        for part, names in wanted.items():
            by_shard: dict[int, list[str]] = {}
            for name in dict.fromkeys(names):
                by_shard.setdefault(shard_of(name, self.pointer.parts[part]), []).append(name)
            for shard, fields in by_shard.items():
                wants.append((part, self._keys.shard(self.pointer.release_id, part, shard), fields))
        commands = [("GET", self._keys.current), *(("HMGET", key, RELEASE_FIELD, *names) for _, key, names in wants)]
        found: dict[str, dict[str, bytes]] = {part: {} for part in wanted}
        with told(self._client, f"reading release {self.pointer.release_id}"):
            self.newest, *answers = asked(self._client, commands)
        for (part, key, fields), (release, *values) in zip(wants, answers, strict=True):
            if release != self.pointer.release_id.encode():
                raise ReleaseGone(f"Redis key {key}: expected release {self.pointer.release_id}, found {release!r}")
            found[part].update({name: value for name, value in zip(fields, values, strict=True) if value is not None})
        return found


@lru_cache(maxsize=8)
def _pointer(text: bytes | str, where: str) -> Pointer:
    """Every request reads by the same pointer."""
    return Pointer.from_json(text, where)
