"""The Redis that releases go to: the one named by ``DAYSPRING_REDIS_URL``, else the root's own."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis

from pipeline.errors import ConfigError, DayspringError
from pipeline.serving import embedded_redis

_SCHEMES = ("redis", "rediss", "unix")


def connect(root: Path, url: str | None = None) -> redis.Redis:
    """A client that has answered a ping; raises ``DayspringError`` naming the server, never its password."""
    url = url or os.environ.get("DAYSPRING_REDIS_URL")
    if not url:
        return embedded_redis.connect(root)
    if urlsplit(url).scheme not in _SCHEMES:
        raise ConfigError(f"DAYSPRING_REDIS_URL: '{masked(url)}' is not of the form redis://[:password@]host:port/0")
    try:
        client = redis.Redis.from_url(url, socket_timeout=60, socket_connect_timeout=10)
        client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        reason = str(error)
        password = urlsplit(url).password
        if password:
            reason = reason.replace(password, "***")
        raise DayspringError(f"Redis at {masked(url)} does not answer: {reason}; check DAYSPRING_REDIS_URL") from None
    return client


def masked(url: str) -> str:
    """The URL with its password replaced by ``***``.

    >>> masked("redis://:secret@cache:6379/0")
    'redis://:***@cache:6379/0'
    """
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{host}"))
