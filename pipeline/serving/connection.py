"""The Redis that releases go to: the one named by ``DAYSPRING_REDIS_URL``, else the root's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis import exceptions
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.retry import Retry

from pipeline.errors import ConfigError, DayspringError
from pipeline.serving import embedded_redis
from pipeline.urls import mask_url, secrets_of

_SCHEMES = ("redis", "rediss", "unix")
_FORM = "redis://[[user]:password@]host:port/0 (rediss:// with TLS, its CA by ?ssl_ca_certs=FILE)"
_CONNECT_SECONDS = 10.0
_SECONDS = 30.0  # for one answer; every command of a release takes milliseconds
_RETRIES = 6  # over about ten seconds: as long as a server needs to be started again


def connect(root: Path, url: str | None = None, *, timeout: float = _SECONDS) -> redis.Redis:
    """A client that has answered a ping.

    Whatever it is asked by this project may be asked twice, so it asks again where a connection breaks.

    Args:
        timeout: seconds to wait for an answer.

    Raises:
        ConfigError: the URL is not one of Redis.
        DayspringError: the server does not answer or does not let us in; names it, never its password.
    """
    url = url or os.environ.get("DAYSPRING_REDIS_URL")
    if not url:
        return embedded_redis.connect(root)
    scheme, colon, rest = url.partition("://")
    if scheme not in _SCHEMES or not colon:
        raise ConfigError(f"DAYSPRING_REDIS_URL: '{mask_url(url)}' is not of the form {_FORM}")
    if scheme != "unix" and "@" in rest and "@" not in re.split(r"[/?#]", rest)[0]:
        raise ConfigError(
            f"DAYSPRING_REDIS_URL: '{mask_url(url)}': in a password / is written %2F, ? is %3F, # is %23 and @ is %40"
        )
    seconds = {"socket_timeout": timeout, "socket_connect_timeout": min(timeout, _CONNECT_SECONDS)}
    try:
        # A server that is down from the start is told of at once.
        with redis.Redis.from_url(url, **seconds, retry=Retry(NoBackoff(), 0)) as first:
            first.ping()
        return redis.Redis.from_url(
            url, **seconds, health_check_interval=30, command_packer=_Packer(),
            retry=Retry(ExponentialWithJitterBackoff(cap=4, base=0.25), _RETRIES, (redis.ConnectionError,)),
        )  # fmt: skip
    except (redis.RedisError, ValueError, TypeError, OSError) as error:
        reason, advice = _reason(error)
        for secret in secrets_of(url):
            reason = reason.replace(secret, "***")
        raise DayspringError(f"Redis at {mask_url(url)} does not answer: {reason}; {advice}") from None


@contextmanager
def told(client: redis.Redis, doing: str) -> Iterator[None]:
    """Turns what goes wrong between client and server into a ``DayspringError``.

    Args:
        doing: what was going on, and how things stand if it fails.
    """
    try:
        yield
    except redis.RedisError as error:
        reason, advice = _reason(error)
        raise DayspringError(f"Redis at {address(client)}: {doing}: {reason}; {advice}") from None


def address(client: redis.Redis) -> str:
    """``host:port/db`` of a client's server, or its socket."""
    settings = client.get_connection_kwargs()
    if "path" in settings:
        return str(settings["path"])
    return f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}/{settings.get('db', 0)}"


class _Packer:
    """Commands as the protocol has them; for many arguments in a third of the time that the client's own takes."""

    def pack(self, *arguments: bytes | str | float) -> list[bytes]:
        words = [*_encoded(arguments[0]).split()]
        words += [each if each.__class__ is bytes else _encoded(each) for each in arguments[1:]]
        return [b"*%d\r\n%b" % (len(words), b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words]))]


def _encoded(value: bytes | str | float) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value).encode()
    raise redis.DataError(f"a value of type {type(value).__name__} cannot be sent to Redis")


def _reason(error: Exception) -> tuple[str, str]:
    """What happened and what to do; nothing of the command, which holds the data of users."""
    text = str(error).rpartition("caused error: ")[2]
    if isinstance(error, exceptions.OutOfMemoryError):
        return "it is out of memory (maxmemory)", (
            "raise its maxmemory, or let older releases go sooner (release.grace_seconds), then run the same again"
        )
    if isinstance(error, exceptions.ReadOnlyError):
        return "it is a read-only replica", "name the primary in DAYSPRING_REDIS_URL"
    if isinstance(error, exceptions.NoPermissionError):
        return text, "grant its user ~NAMESPACE:* +@read +@write +@connection +info (NAMESPACE: release.namespace)"
    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError) or (
        "NOAUTH" in text or "WRONGPASS" in text
    ):
        return f"it does not accept user and password ({text})", "check DAYSPRING_REDIS_URL"
    if isinstance(error, exceptions.MovedError):
        return "it is a node of a cluster", "name a server of one node in DAYSPRING_REDIS_URL"
    if isinstance(error, exceptions.BusyLoadingError):
        return "it is still reading its data set", "wait, then run the same again"
    if isinstance(error, exceptions.TimeoutError):
        return f"no answer in time ({text})", "check the server and the network, then run the same again"
    if isinstance(error, exceptions.ConnectionError | OSError):
        return text, "check DAYSPRING_REDIS_URL and the server, then run the same again"
    return text, "check DAYSPRING_REDIS_URL"
