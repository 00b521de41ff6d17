"""One connection to the gateway, made anew after a fault; and which faults will not pass."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import TypeVar

import happybase
from thriftpy2.protocol.cybin import ProtocolError
from thriftpy2.thrift import TApplicationException, TException

from pipeline.errors import SourceError
from pipeline.sources.hbase.address import Address
from pipeline.sources.hbase.wrong_server import advice

T = TypeVar("T")

FAULTS = (TException, OSError, EOFError, ProtocolError)
"""What a broken connection, a time-out, or an error of the servers is raised as."""
ATTEMPTS = 14
"""Faults in a row after which work is given up: about two minutes, in which a killed server is up again."""
_LONGEST_PAUSE = 15.0
_CONNECTING = 10.0
"""Seconds for a connection to a server that has not answered, to see whether it is there."""
_FINAL = ("TableNotFoundException", "NoSuchColumnFamilyException", "AccessDeniedException", "TableNotEnabledException")


class Stopped(Exception):
    """The reading was given up while this link was at work."""


class Gateway:
    """What the links of one source share.

    Attributes:
        reached: an answer has come at least once, so a fault may pass; before, the address may be wrong.
    """

    def __init__(self, address: Address, variable: str) -> None:
        self.address = address
        self.variable = variable
        self.reached = False

    def unreachable(self, error: BaseException) -> SourceError:
        here = self.address
        said = f"{here}: no HBase Thrift gateway answers at {here.host}:{here.port} ({describe(error)})"
        try:
            with socket.create_connection((here.host, here.port), timeout=min(here.timeout, _CONNECTING)):
                pass
        except OSError:
            return SourceError(
                f"{said}; start it (`hbase thrift start -p {here.port}`), or set {self.variable} to where it is"
            )
        return SourceError(f"{said}: {advice(here, self.variable)}")


class Link:
    """A connection that one thread uses. What has once failed is thrown away: a late answer must not be taken for
    that to the next question.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._connection: happybase.Connection | None = None
        self._stop = threading.Event()

    def connection(self) -> happybase.Connection:
        """The open connection. Raises one of ``FAULTS``, or ``Stopped``."""
        if self._stop.is_set():
            raise Stopped
        if self._connection is None:
            here = self.gateway.address
            self._connection = happybase.Connection(
                here.host, here.port, timeout=round(here.timeout * 1000), transport=here.transport,
                protocol=here.protocol,
            )  # fmt: skip
        return self._connection

    def table(self, name: str) -> happybase.Table:
        return self.connection().table(self.gateway.address.prefix + name)

    def ask(self, what: str, call: Callable[[Link], T]) -> T:
        """The answer to a question that may be asked again; raises ``SourceError``."""
        trouble = Trouble(self, what)
        while True:
            try:
                answer = call(self)
            except FAULTS as error:
                trouble.meet(error)
            except (SourceError, Stopped):
                raise
            except Exception as error:  # bytes of a server that is none may come apart in any way
                self.drop()
                if self.gateway.reached:
                    raise
                raise self.gateway.unreachable(error) from None
            else:
                self.gateway.reached = True
                return answer

    @property
    def closed(self) -> bool:
        return self._stop.is_set()

    def drop(self) -> None:
        """Lets go of the connection; the next use makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped

    def close(self) -> None:
        """For good, also from another thread while an answer is waited for."""
        self._stop.set()
        self.drop()


class Trouble:
    """The faults in a row of one piece of work: each is waited out, longer every time, until there were too many.

    Args:
        what: what is being done, for the message.
    """

    def __init__(self, link: Link, what: str) -> None:
        self._link = link
        self._what = what
        self._faults = 0

    def meet(self, error: BaseException) -> None:
        """Drops the connection and waits; raises ``SourceError`` where waiting does not help."""
        self._link.drop()
        gateway = self._link.gateway
        if self._link.closed:
            raise Stopped
        if not gateway.reached and (isinstance(error, OSError | EOFError | ProtocolError) or is_transport(error)):
            raise gateway.unreachable(error) from None
        message = describe(error)
        if isinstance(error, TApplicationException) and error.type == TApplicationException.UNKNOWN_METHOD:
            raise SourceError(
                f"{gateway.address}: {self._what}: a Thrift server answers that is no HBase gateway of the first kind "
                f"({message}); start it by `hbase thrift`, not `hbase thrift2`, or correct {gateway.variable}"
            ) from None
        if any(name in message for name in _FINAL):
            raise SourceError(f"{gateway.address}: {self._what}: HBase says: {message}") from None
        self._faults += 1
        if self._faults >= ATTEMPTS:
            raise SourceError(
                f"{gateway.address}: {self._what}: broke off {self._faults} times without getting further, last with: "
                f"{message}; see whether HBase and its Thrift gateway are up, then run the day again"
            ) from None
        self._link.wait(min(0.25 * 2 ** (self._faults - 1), _LONGEST_PAUSE))

    def over(self) -> None:
        """There was progress: the next fault is the first again."""
        self._faults = 0
        self._link.gateway.reached = True


def is_transport(error: BaseException) -> bool:
    """Whether the connection failed or bytes came that are no answer, not the question."""
    return type(error).__name__ in ("TTransportException", "TProtocolException")


def is_timeout(error: BaseException | None) -> bool:
    """Whether no answer came in time; closing the scanner afterwards may have failed in another way."""
    while error is not None and not isinstance(error, TimeoutError):
        error = error.__context__
    return error is not None


def describe(error: BaseException) -> str:
    """The first line of an error's message, which the gateway sends as bytes and with a Java stack."""
    message = getattr(error, "message", None)
    if isinstance(message, bytes):
        message = message.decode("utf-8", "replace")
    text = message if isinstance(message, str) and message else repr(error.args[-1]) if error.args else ""
    first = text.strip().splitlines()[0] if text.strip() else ""
    return f"{type(error).__name__}: {first[:300]}" if first else type(error).__name__
