"""What a release puts into Redis: parts of named fields, in shards of at most 1,000 fields, values as compact JSON."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_FIELDS = 1000
"""Fields of a shard, the one that names its release included."""

RELEASE_FIELD = "__release__"
"""Field of every shard that holds the id of the release that it belongs to."""


@dataclass(frozen=True)
class Part:
    """One table of a release, such as the histories: a value per field, a field per user, chapter or item."""

    name: str
    fields: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """Digest of names and values, independent of their order."""
        hashed = hashlib.blake2b(digest_size=16)
        for name in sorted(self.fields):
            for text in (name.encode(), self.fields[name]):
                hashed.update(len(text).to_bytes(8, "little"))
                hashed.update(text)
        return hashed.hexdigest()

    def shards(self) -> list[dict[str, bytes]]:
        """The fields dealt out by ``shard_of``, at most ``MOST_FIELDS - 1`` a shard."""
        hashes = np.fromiter((zlib.crc32(name.encode()) for name in self.fields), np.uint32, len(self.fields))
        count = max(1, -(-len(self.fields) // (MOST_FIELDS - 1)))
        while np.bincount(hashes % count, minlength=count).max() >= MOST_FIELDS:
            count += 1 + count // 16  # a hash deals unevenly
        dealt: list[dict[str, bytes]] = [{} for _ in range(count)]
        for (name, value), shard in zip(self.fields.items(), (hashes % count).tolist(), strict=True):
            dealt[shard][name] = value
        return dealt


def shard_of(field: str, shards: int) -> int:
    """The shard that holds a field."""
    return zlib.crc32(field.encode()) % shards


def encoded(value: Any) -> bytes:
    """A value as stored: JSON without blanks; a float comes back bit for bit."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def decoded(value: bytes) -> Any:
    return json.loads(value.decode())  # of bytes, json first looks which encoding they may have
