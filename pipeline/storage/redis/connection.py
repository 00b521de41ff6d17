"""The Redis that releases go to: the one named by ``DAYSPRING_REDIS_URL``, else the root's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from redis import exceptions
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.retry import Retry

from pipeline.errors import ConfigError, DayspringError
from pipeline.storage.redis import embedded
from pipeline.storage.urls import mask_url, secrets_of

_SCHEMES = ("redis", "rediss", "unix")
_FORM = "redis://[[user]:password@]host:port/0 (rediss:// with TLS, its CA by ?ssl_ca_certs=FILE)"
_CONNECT_SECONDS = 10.0
_SECONDS = 30.0  # for one answer; every command of a release takes milliseconds
_RETRIES = 6  # over about ten seconds: as long as a server needs to be started again


class UnfitServer(DayspringError):
    """The server answers, but releases cannot go there however often it is tried."""


def connect(root: Path, url: str | None = None, *, timeout: float = _SECONDS) -> redis.Redis:
    """A client that has answered a ping.

    Whatever it is asked by this project may be asked twice, so it asks again where a connection breaks.

    Args:
        timeout: seconds to wait for an answer.

    Raises:
        ConfigError: the URL is not one of Redis.
        UnfitServer: the server does not let us in.
        DayspringError: it does not answer; names it, never its password.
    """
    url = url or os.environ.get("DAYSPRING_REDIS_URL")
    if not url:
        return embedded.connect(root)
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
            url, **seconds, health_check_interval=30,
            retry=Retry(ExponentialWithJitterBackoff(cap=4, base=0.25), _RETRIES, (redis.ConnectionError,)),
        )  # fmt: skip
    except (redis.RedisError, ValueError, TypeError, OSError) as error:
        why = _why(error)
        reason = why.reason
        for secret in secrets_of(url):
            reason = reason.replace(secret, "***")
        raise why.kind(f"Redis at {mask_url(url)} {why.verb}: {reason}; {why.advice}") from None


@contextmanager
def told(client: redis.Redis, doing: str) -> Iterator[None]:
    """Turns what goes wrong between client and server into a ``DayspringError``.

    Args:
        doing: what was going on, and how things stand if it fails.
    """
    try:
        yield
    except redis.RedisError as error:
        why = _why(error)
        raise why.kind(f"Redis at {address(client)}: {doing}: {why.reason}; {why.advice}") from None


def refuse_other_kinds(client: redis.Redis) -> str | None:
    """The server's version, where its user may ask for it; raises ``UnfitServer`` for a cluster or a sentinel."""
    with told(client, "it was asked what it is"):
        try:
            server = client.info("server")
        except exceptions.NoPermissionError:
            return None
    mode = server.get("redis_mode")
    if mode == "cluster":
        raise UnfitServer(f"Redis at {address(client)}: {_CLUSTER}; {_NO_CLUSTER}")
    if mode == "sentinel":
        raise UnfitServer(
            f"Redis at {address(client)}: it is a sentinel, which keeps no data; name the primary that it watches "
            "(redis-cli -p PORT SENTINEL MASTERS) in DAYSPRING_REDIS_URL"
        )
    return str(server.get("redis_version"))


def address(client: redis.Redis) -> str:
    """``host:port/db`` of a client's server, or its socket."""
    settings = client.get_connection_kwargs()
    if "path" in settings:
        return str(settings["path"])
    return f"{settings.get('host', 'localhost')}:{settings.get('port', 6379)}/{settings.get('db', 0)}"


@dataclass(frozen=True)
class _Why:
    """What happened and what to do; ``settled`` where trying again does not help."""

    reason: str
    advice: str
    settled: bool = False

    @property
    def kind(self) -> type[DayspringError]:
        return UnfitServer if self.settled else DayspringError

    @property
    def verb(self) -> str:
        return "cannot be used" if self.settled else "does not answer"


_CLUSTER = "it is a node of a cluster, whose keys lie on several servers; releases are read and switched on one"
_NO_CLUSTER = "name a Redis outside of any cluster (stand-alone, or a primary with replicas) in DAYSPRING_REDIS_URL"
_PRIMARY = "name the primary in DAYSPRING_REDIS_URL"
_KINDS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, _Why], ...] = (
    (exceptions.OutOfMemoryError, "OOM ", _Why(
        "it is out of memory (maxmemory)",
        "raise its maxmemory, or let older releases go sooner (release.grace_seconds), then run the same again",
    )),
    (exceptions.ReadOnlyError, "READONLY ", _Why("it is a read-only replica", _PRIMARY, settled=True)),
    (exceptions.MasterDownError, "MASTERDOWN ", _Why("it is a replica without its primary", _PRIMARY)),
    ((exceptions.MovedError, exceptions.ClusterDownError, exceptions.ClusterCrossSlotError, exceptions.AskError),
     "ERR SELECT is not allowed in cluster", _Why(_CLUSTER, _NO_CLUSTER, settled=True)),
    (exceptions.BusyLoadingError, "LOADING ", _Why(
        "it is still reading its data set", "wait, then run the same again",
    )),
)  # fmt: skip
_GRANT = "grant its user ~NAMESPACE:* +@read +@write +@connection +info (NAMESPACE: release.namespace)"


def _why(error: Exception) -> _Why:
    """What an error means; nothing of the command, which holds the data of users."""
    text = str(error).rpartition("caused error: ")[2]
    for kinds, begins, why in _KINDS:
        if isinstance(error, kinds) or text.startswith((begins, begins.removeprefix("ERR "))):
            return why
    if isinstance(error, exceptions.NoPermissionError):
        return _Why(text, _GRANT, settled=True)
    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthenticationWrongNumberOfArgsError) or (
        "NOAUTH" in text or "WRONGPASS" in text
    ):
        return _Why(f"it does not accept user and password ({text})", "check DAYSPRING_REDIS_URL", settled=True)
    if text.startswith(("MISCONF", "NOREPLICAS")):
        return _Why(f"it refuses writes ({text})", "mend the server (its log says more), then run the same again")
    if "Protocol Error" in text:
        return _Why(f"what answers there is no Redis ({text})", "correct DAYSPRING_REDIS_URL")
    if "WRONG_VERSION_NUMBER" in text:
        return _Why(f"it does not speak TLS ({text})", "write redis:// in DAYSPRING_REDIS_URL, or correct it")
    if text.startswith("Connection closed"):
        return _Why(f"it hangs up ({text})", "check DAYSPRING_REDIS_URL (rediss:// where it speaks TLS) and the server")
    if isinstance(error, exceptions.TimeoutError):
        return _Why(f"no answer in time ({text})", "check the server and the network, then run the same again")
    if isinstance(error, exceptions.ConnectionError | OSError):
        return _Why(text, "check DAYSPRING_REDIS_URL and the server, then run the same again")
    return _Why(text, "check DAYSPRING_REDIS_URL")
