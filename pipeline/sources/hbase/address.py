"""Where a Thrift gateway is, and how it is spoken to: ``hbase://HOST:PORT/PREFIX?timeout=60&connections=2&batch=2000``."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.errors import UsageError

_DEFAULT_PORT = 9090
TRANSPORTS = ("buffered", "framed")
PROTOCOLS = ("binary", "compact")


@dataclass(frozen=True)
class Address:
    """A gateway.

    Attributes:
        prefix: what stands before every table's name there: ``dev`` and ``dev_`` are both ``dev_``, and ``ns:`` is a
            namespace.
        timeout: seconds to wait for a connection or an answer.
        connections: parallel connections of a reader. Two keep one process busy that decodes what comes; more help
            where many region servers look for few rows.
        batch: rows that one answer holds at most.
        transport, protocol: how the gateway was started.
    """

    host: str
    port: int
    prefix: str = ""
    timeout: float = 60.0
    connections: int = 2
    batch: int = 2000
    transport: str = "buffered"
    protocol: str = "binary"

    @classmethod
    def parse(cls, url: str, variable: str) -> Address:
        """The address in a URL; raises ``UsageError`` naming ``variable`` and what is wrong, never a password."""
        form = (
            "hbase://HOST:PORT/, optionally with a prefix of the tables' names and ?timeout=60&connections=2&batch=2000"
            "&transport=framed&protocol=compact"
        )
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or _DEFAULT_PORT
        except ValueError as error:
            raise UsageError(f"{variable}: not an address of HBase ({error}); write {form}") from None
        if not host:
            raise UsageError(f"{variable}: names no host; write {form}")
        if parts.username or parts.password:
            raise UsageError(f"{variable}: the Thrift gateway takes no user and password; write {form}")
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        unknown = sorted(set(given) - {"timeout", "connections", "batch", "transport", "protocol"})
        if unknown:
            raise UsageError(f"{variable}: no such option: {', '.join(unknown)}; write {form}")
        prefix = unquote(parts.path).lstrip("/")
        return cls(
            host, port, prefix + "_" if prefix[-1:].isalnum() else prefix,
            timeout=_positive(given, "timeout", cls.timeout, variable),
            connections=int(_positive(given, "connections", cls.connections, variable)),
            batch=int(_positive(given, "batch", cls.batch, variable)),
            transport=_one_of(given, "transport", TRANSPORTS, variable),
            protocol=_one_of(given, "protocol", PROTOCOLS, variable),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"hbase://{self.host}:{self.port}/{self.prefix}"


def _positive(given: dict[str, str], name: str, default: float, variable: str) -> float:
    text = given.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    # A part of a row or of a connection is none.
    if not 0 < value < 1e9 or (name != "timeout" and value != int(value)):
        raise UsageError(f"{variable}: {name}={text} is not a positive number")
    return value


def _one_of(given: dict[str, str], name: str, allowed: tuple[str, ...], variable: str) -> str:
    value = given.get(name, allowed[0])
    if value not in allowed:
        raise UsageError(f"{variable}: {name}={value} is none of {', '.join(allowed)}")
    return value
