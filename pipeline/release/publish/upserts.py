"""Vectors of items that came or changed after a release, beside its fields in Redis, with the time of the update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import redis
from numpy.typing import NDArray

from pipeline.release.contents.parts import decoded, encoded
from pipeline.release.publish.redis_generations import Keys
from pipeline.storage.redis.connection import told

_NEWEST = "__newest__"
_UNDER_WAY = ""
_AT_ONCE = 500
"""Fields of one command: a server does nothing else meanwhile."""


@dataclass(frozen=True)
class Upserted:
    """Items with vectors of their own, and those that there are no more.

    Attributes:
        newest: time of the last update (ISO, UTC); empty while it is written, or if it never came to its end; ``None``
            where there was none.
        keys: raw ids; ``vectors``: float32 ``[items, dim]``.
        gone: raw ids.
    """

    newest: str | None
    keys: list[Any]
    vectors: NDArray[np.float32]
    gone: list[Any] = field(default_factory=list)


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
        there = [row for row in rows if row["vector"] is not None]
        return Upserted(
            newest.decode() if newest is not None else None, [row["key"] for row in there],
            np.array([row["vector"] for row in there], np.float32),
            [row["key"] for row in rows if row["vector"] is None],
        )  # fmt: skip

    def write(
        self, release_id: str, keys: Sequence[Any], vectors: NDArray[np.float32], at: str, gone: Sequence[Any] = ()
    ) -> None:
        """Put in or replace the vectors of items, and take away those of others.

        One that breaks off is seen as far as it came, and ``newest`` is empty: writing anything more ends it.

        Args:
            at: time of the update (ISO, UTC).
            gone: raw ids of items that there are no more.
        """
        key = self._keys.upserts(release_id)
        rows = [*zip(keys, vectors.tolist(), strict=True), *((each, None) for each in gone)]
        with told(self._client, f"writing {len(rows)} updated items of release {release_id}"):
            self._client.hset(key, mapping={_NEWEST: _UNDER_WAY.encode()})
            for start in range(0, len(rows), _AT_ONCE):
                fields: dict[Any, Any] = {
                    str(item): encoded({"key": item, "vector": vector, "at": at})
                    for item, vector in rows[start : start + _AT_ONCE]
                }
                self._client.hset(key, mapping=fields)
            self._client.hset(key, mapping={_NEWEST: at.encode()})
