"""A TCP proxy of the tests' own, between a client and a real server, whose connections can be cut or slowed."""

from __future__ import annotations

import socket
import struct
import threading
import time
from types import TracebackType

_PIECE = 16_384


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to ``host:port`` until told otherwise.

    Attributes:
        port: where it listens.
        connections: connections taken so far.
        passed: bytes passed from the server to clients so far, over all connections.
        sent: bytes passed from clients to the server so far.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.passed = 0
        self.sent = 0
        self._cut_after: int | None = None
        self._cut_after_sent: int | None = None
        self._delay = 0.0
        self._refusing = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def cut_after(self, size: int) -> None:
        """Cuts every connection, once, when ``size`` more bytes have come from the server."""
        with self._lock:
            self._cut_after = self.passed + size

    def cut_after_sent(self, size: int) -> None:
        """Cuts every connection, once, when ``size`` more bytes have gone to the server."""
        with self._lock:
            self._cut_after_sent = self.sent + size

    def slow_down(self, seconds: float) -> None:
        """Every piece from the server (at most 16 KiB) arrives so much later."""
        self._delay = seconds

    def refuse(self, refusing: bool = True) -> None:
        """New connections are closed at once."""
        self._refusing = refusing

    def cut(self) -> None:
        """Cuts every open connection now, as a dying host would: by a reset."""
        with self._lock:
            for each in list(self._open):
                _reset(each)
            self._open.clear()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.connections += 1
            if self._refusing:
                _reset(client)
                continue
            try:
                server = socket.create_connection(self._server, timeout=10)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, from_server: bool) -> None:
        try:
            while piece := source.recv(_PIECE):
                if from_server and self._delay:
                    time.sleep(self._delay)
                target.sendall(piece)
                if self._count(len(piece), from_server):
                    self.cut()
                    return
            target.shutdown(socket.SHUT_WR)
        except OSError:  # cut by either side
            for each in (source, target):
                _reset(each)
        if from_server:
            with self._lock:
                self._open -= {source, target}

    def _count(self, size: int, from_server: bool) -> bool:
        """Whether the connections are to be cut now."""
        with self._lock:
            if from_server:
                self.passed += size
                due = self._cut_after is not None and self.passed >= self._cut_after
                self._cut_after = None if due else self._cut_after
            else:
                self.sent += size
                due = self._cut_after_sent is not None and self.sent >= self._cut_after_sent
                self._cut_after_sent = None if due else self._cut_after_sent
            return due


def _reset(connection: socket.socket) -> None:
    """Closes with a reset instead of an orderly end."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is gone already
        return
    finally:
        connection.close()
