"""What MySQL's errors are told as."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pymysql
import pytest

from pipeline.errors import SourceError
from pipeline.sources import mysql_errors
from pipeline.sources.mysql import MySqlSource


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (pymysql.err.OperationalError(1045, "Access denied for user"), "refuses this user or password"),
        (pymysql.err.OperationalError(1130, "Host 'x' is not allowed to connect"), "lets nobody in from this host"),
        (pymysql.err.OperationalError(1129, "Host 'x' is blocked"), "FLUSH HOSTS"),
        (pymysql.err.OperationalError(1862, "Your password has expired"), "has expired or the account is locked"),
        (pymysql.err.OperationalError(4151, "Access denied, this account is locked"), "the account is locked"),
        (pymysql.err.OperationalError(3159, "--require_secure_transport=ON"), "ssl_ca=FILE"),
        (pymysql.err.OperationalError(2059, "Authentication plugin not configured"), "another"),
        (pymysql.err.OperationalError(1049, "Unknown database 'x'"), "no such database"),
        (pymysql.err.OperationalError(1194, "Table 't' is marked as crashed"), "the table is damaged; mend it"),
        (pymysql.err.ProgrammingError(1932, "Table 't' doesn't exist in engine"), "files are missing on the server"),
        (pymysql.err.OperationalError(1356, "View 'v' references invalid table(s)"), "it is a view"),
        (pymysql.err.OperationalError(1142, "SELECT command denied"), "GRANT SELECT"),
        (pymysql.err.InternalError("Packet sequence number wrong - got 45 expected 0"), "is no MySQL server"),
    ],
)
def test_each_says_what_to_do(error: Exception, told: str) -> None:
    said = mysql_errors.advice(error, address="db:3306", variable="DAYSPRING_X_URL", read_seconds=300)
    assert said is not None
    assert told in said


@pytest.mark.parametrize(
    "greeting",
    [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 100, b"\x05\x00\x00\x00\x0aabcd"],
)
def test_a_server_of_another_kind_is_told_within_the_time_for_a_connection(greeting: bytes) -> None:
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])
                    held[-1].sendall(greeting)

        threading.Thread(target=accept, daemon=True).start()
        port = listener.getsockname()[1]
        source = MySqlSource(f"mysql+pymysql://u:secret@127.0.0.1:{port}/d?connect_timeout=1", "DAYSPRING_TINY_URL")
        with pytest.raises(SourceError, match=rf"127\.0\.0\.1:{port} is no MySQL server.*DAYSPRING_TINY_URL") as raised:
            source.check()
    assert "secret" not in str(raised.value)
    for each in held:
        each.close()
