"""Vectors of items that came or changed after a release, beside its fields in Redis, with the time of the update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import redis
from numpy.typing import NDArray

from pipeline.release.contents.parts import decoded, encoded
from pipeline.release.publish.redis_generations import Keys
from pipeline.storage.redis.connection import told

_NEWEST = "__newest__"


@dataclass(frozen=True)
class Upserted:
    """Items with vectors of their own.

    Attributes:
        newest: time of the last update; ``None`` where there was none.
        keys: raw ids; ``vectors``: float32 ``[items, dim]``.
    """

    newest: str | None
    keys: list[Any]
    vectors: NDArray[np.float32]


class Upserts:
    """A job's upserted vectors in one Redis, by release: of another model they say nothing. They end with it."""

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client, self._keys = client, keys

    def newest(self, release_id: str) -> str | None:
        """When a release's vectors were last updated."""
        with told(self._client, "looking for updated items"):
            found: Any = self._client.hget(self._keys.upserts(release_id), _NEWEST)
        return None if found is None else found.decode() if isinstance(found, bytes) else str(found)

    def read(self, release_id: str) -> Upserted:
        """All of a release's."""
        with told(self._client, "reading updated items"):
            fields: Any = self._client.hgetall(self._keys.upserts(release_id))
        named = {(name.decode() if isinstance(name, bytes) else name): value for name, value in fields.items()}
        newest = named.pop(_NEWEST, None)
        rows = [decoded(named[name]) for name in sorted(named)]
        vectors = np.array([row["vector"] for row in rows], np.float32)
        return Upserted(newest.decode() if newest is not None else None, [row["key"] for row in rows], vectors)

    def write(self, release_id: str, keys: Sequence[Any], vectors: NDArray[np.float32], at: str) -> None:
        """Put in or replace the vectors of items."""
        fields: dict[Any, Any] = {
            str(key): encoded({"key": key, "vector": vector, "at": at})
            for key, vector in zip(keys, vectors.tolist(), strict=True)
        }
        with told(self._client, f"writing {len(fields)} updated items of release {release_id}"):
            self._client.hset(self._keys.upserts(release_id), mapping={**fields, _NEWEST: at.encode()})
