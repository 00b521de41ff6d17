"""What answers at an address where no gateway does as it was told: looked at once, to say what to set."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from itertools import product

import happybase

from pipeline.sources.hbase.address import PROTOCOLS, TRANSPORTS, Address

_SECONDS = 2.0
"""How long each way of asking waits for an answer."""
# The question for the tables' names. The line's end makes servers of text answer too, and harms no gateway: the first
# bytes of a line of HTTP would be taken for the length of a text, and that much memory asked for.
_QUESTION = b"\x80\x01\x00\x01\x00\x00\x00\x0dgetTableNames\x00\x00\x00\x00\x00\r\n"
_TEXTS = {b"-": "Redis", b"SSH-": "an SSH server", b"220": "a mail or FTP server"}


def advice(address: Address, variable: str) -> str:
    """What seems to be there and what to do; takes seconds. Something listens there, but did not answer properly."""
    other = _other_way(address)
    if other is not None:
        options = f"?transport={other.transport}&protocol={other.protocol}"
        spoken = f"an HBase Thrift gateway that is {other.transport} and {other.protocol} answers there"
        return f"{spoken}; write {options} into the URL of {variable}"
    answer = _answer(address)
    start = f"start HBase's gateway (`hbase thrift start -p PORT`) and set {variable} to it"
    if answer is None:
        return (
            f"what listens there gave no answer within {_SECONDS:.0f} s; look into the gateway's log, or set "
            f"{variable} to where the gateway is"
        )
    if answer.startswith(b"HTTP/"):
        return (
            "what answers there speaks HTTP, which is not supported: start the Thrift gateway without "
            f"hbase.regionserver.thrift.http, or set {variable} to one that speaks Thrift over a socket"
        )
    if answer[4:5] in (b"\x0a", b"\xff") and answer[3:4] == b"\x00":
        return f"what answers there is a MySQL server; {start}"
    text = next((name for begin, name in _TEXTS.items() if answer.startswith(begin)), None)
    if text is not None:
        return f"what answers there is {text} ({_shown(answer)}); {start}"
    if _speaks_tls(address):
        return f"what answers there speaks TLS, which is not supported; {start}, without TLS"
    if answer:
        return f"what answers there is no HBase Thrift gateway (it says {_shown(answer)}); {start}"
    return (
        "something answers there and hangs up. A gateway that was started with -framed or -compact needs "
        f"?transport=framed or ?protocol=compact in the URL of {variable}; one with Kerberos (SASL) is not supported; "
        f"if it is none, {start}"
    )


def _other_way(address: Address) -> Address | None:
    """The transport and protocol that a gateway there does answer to."""
    for transport, protocol in product(TRANSPORTS, PROTOCOLS):
        other = replace(address, transport=transport, protocol=protocol)
        if other != address and _is_gateway(other):
            return other
    return None


def _is_gateway(address: Address) -> bool:
    connection = None
    try:
        connection = happybase.Connection(
            address.host, address.port, timeout=round(_SECONDS * 1000), transport=address.transport,
            protocol=address.protocol,
        )  # fmt: skip
        return all(isinstance(name, bytes) for name in connection.tables())
    except Exception:  # bytes of any server may come apart in any way
        return False
    finally:
        if connection is not None:
            connection.close()


def _answer(address: Address) -> bytes | None:
    """The first bytes that come, asked or not: empty where the server hangs up, ``None`` where it stays silent."""
    try:
        with socket.create_connection((address.host, address.port), timeout=_SECONDS) as asked:
            asked.sendall(_QUESTION)
            return asked.recv(200)
    except TimeoutError:
        return None
    except OSError:
        return b""


def _speaks_tls(address: Address) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address.host, address.port), timeout=_SECONDS) as asked,
            context.wrap_socket(asked),
        ):
            return True
    except OSError:
        return False


def _shown(answer: bytes) -> str:
    first = answer.splitlines()[0] if answer.splitlines() else answer
    return repr(first[:60].decode("ascii", "backslashreplace"))
