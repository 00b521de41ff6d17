"""What answers where a gateway should: one message that says what to set, in a bounded time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import happybase  # noqa: F401 - it loads Hbase_thrift
import pytest
from thriftpy2.protocol import TBinaryProtocolFactory, TCompactProtocolFactory
from thriftpy2.server import TThreadedServer
from thriftpy2.thrift import TProcessor
from thriftpy2.transport import TBufferedTransportFactory, TFramedTransportFactory, TServerSocket

from pipeline.errors import SourceError
from pipeline.sources.hbase import wrong_server
from pipeline.sources.open import open_source

Serve = Callable[[bytes | None, bytes | None], int]
_MYSQL = b"\x4a\x00\x00\x00\x0a5.5.5-10.11.19-MariaDB\x00"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_server, "_SECONDS", 0.3)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server on a port that greets with some bytes and answers with some; then it hangs up, or for None is silent."""
    listening: list[socket.socket] = []

    def start(greeting: bytes | None, answer: bytes | None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)
        open_: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    open_.append(peer)
                    with suppress(OSError):
                        if greeting:
                            peer.sendall(greeting)
                        peer.recv(4096)
                        if answer is not None:
                            peer.sendall(answer)
                            peer.close()

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for each in listening:
        each.close()


def _said(port: int, options: str = "", timeout: float = 0.3) -> str:
    source = open_source(f"hbase://127.0.0.1:{port}/?timeout={timeout}{options}", "DAYSPRING_TINY_URL")
    with pytest.raises(SourceError) as raised:
        source.check()
    source.close()
    said = str(raised.value)
    assert "\n" not in said
    assert f"127.0.0.1:{port}" in said
    assert "DAYSPRING_TINY_URL" in said
    return said


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("options", ["", "&transport=framed&protocol=compact"])
@pytest.mark.parametrize(
    ("greeting", "answer", "told"),
    [
        (None, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "speaks HTTP, which is not supported"),
        (None, b"", "needs ?transport=framed or ?protocol=compact"),
        (None, None, "gave no answer within"),
        (_MYSQL, None, "is a MySQL server"),
        (None, b"-ERR unknown command '\x80'\r\n", "is Redis"),
        (None, b"-NOAUTH Authentication required.\r\n", "is Redis"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", None, "is an SSH server"),
        (None, b"\x00" * 64, "is no HBase Thrift gateway"),
        (None, b"\x82\x41\x00\x0dgetTableNames\xff\xff\xff\xff\x0f", "no HBase Thrift gateway"),
    ],
)
def test_each_kind_of_server_is_one_message(
    serve: Serve, options: str, greeting: bytes | None, answer: bytes | None, told: str
) -> None:
    assert told in _said(serve(greeting, answer), options)


def test_one_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    assert f"start it (`hbase thrift start -p {port}`)" in _said(port)


class _Gateway:
    def getTableNames(self) -> list[bytes]:
        return [b"midas_online_user"]


_WAYS = {
    ("buffered", "binary"): (TBufferedTransportFactory, TBinaryProtocolFactory),
    ("framed", "binary"): (TFramedTransportFactory, TBinaryProtocolFactory),
    ("buffered", "compact"): (TBufferedTransportFactory, TCompactProtocolFactory),
    ("framed", "compact"): (TFramedTransportFactory, TCompactProtocolFactory),
}


def _until_it_listens(port: int) -> None:
    for _ in range(1000):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)
    pytest.fail(f"nothing listens at port {port}")


@pytest.mark.parametrize("way", _WAYS, ids="-".join)
def test_a_gateway_of_another_way_says_what_to_write(way: tuple[str, str]) -> None:
    from Hbase_thrift import Hbase

    transports, protocols = _WAYS[way]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    server = TThreadedServer(
        TProcessor(Hbase, _Gateway()), TServerSocket("127.0.0.1", port, client_timeout=200), daemon=True,
        iprot_factory=protocols(), itrans_factory=transports(),
    )  # fmt: skip
    # It listens by itself; listening for it would be undone in the middle of a question.
    threading.Thread(target=server.serve, daemon=True).start()
    _until_it_listens(port)
    written = f"&transport={way[0]}&protocol={way[1]}"
    try:
        for transport, protocol in _WAYS:
            options = f"&transport={transport}&protocol={protocol}"
            if options != written:
                assert f"write ?{written[1:]} into the URL" in _said(port, options, timeout=5)
        source = open_source(f"hbase://127.0.0.1:{port}/?timeout=5{written}")
        source.check()
        source.close()
    finally:
        server.close()
