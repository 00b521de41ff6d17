"""A release in Redis: the pointer that names it, and fields of its parts."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import redis

RELEASE_FIELD = "__release__"
"""The field of every shard that says which release it is of."""


class ReleaseGone(Exception):
    """The release that a request began with has expired."""


class Release:
    """Reads of one release; the same one from the first read to the last.

    Args:
        keys: what every key of the job begins with, ``<namespace>:<job>``.
        pointer: the value of ``<keys>:current``.

    Attributes:
        newest: that value as the last read found it: another one when another release is served by now.
    """

    def __init__(self, client: redis.Redis, keys: str, pointer: bytes) -> None:
        self._client, self._keys = client, keys
        self.text = self.newest = pointer
        self.pointer: dict[str, Any] = json.loads(pointer)
        self.id: str = self.pointer["release_id"]

    def fetch(self, wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, Any]]:
        """The values of fields by part, in one round trip; what is not there is left out.

        Raises:
            ReleaseGone: a shard is missing, or of another release.
        """
        wants: list[tuple[str, list[str]]] = []
        pipe = self._client.pipeline(transaction=False)
        pipe.get(f"{self._keys}:current")
        for part, names in wanted.items():
            shards = self.pointer["parts"].get(part, 0)  # a part that the job has no need of is not there
            dealt: dict[int, list[str]] = {}
            for name in dict.fromkeys(names if shards else ()):
                dealt.setdefault(zlib.crc32(name.encode()) % shards, []).append(name)
            for shard, fields in dealt.items():
                pipe.hmget(f"{self._keys}:{self.id}:{part}:{shard}", [RELEASE_FIELD, *fields])
                wants.append((part, fields))
        found: dict[str, dict[str, Any]] = {part: {} for part in wanted}
        self.newest, *answers = pipe.execute()
        for (part, fields), (whose, *values) in zip(wants, answers, strict=True):
            if whose != self.id.encode():
                raise ReleaseGone(f"{part} of release {self.id}: found {whose!r}")
            found[part].update(
                {name: json.loads(value.decode()) for name, value in zip(fields, values, strict=True) if value}
            )
        return found


def field_of(*raw: Any) -> str:
    """The field of a raw id, or of several that are a key together."""
    return str(raw[0]) if len(raw) == 1 else json.dumps(list(raw), separators=(",", ":"), ensure_ascii=False)
