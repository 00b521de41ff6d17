"""A mail server and a webhook of the tests' own, which keep what they are sent."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO

from pipeline.days import Day
from pipeline.monitoring.alerts.causes import Alert

DAY = Day.of(2024, 2, 29)
BLOCK = Alert("gate_block", "ads", DAY, "auc 0.41 is below the floor 0.45", "din")
FAILURE = Alert("failure", "ads", DAY, "train_din failed", "din", "train_din")


class MailSink(socketserver.ThreadingTCPServer):
    """As much of SMTP as a client needs.

    Args:
        refuse: turn every mail away.
        login: ask for a password.
        codes: what to answer to a receiver instead of 250; after a 421 it hangs up.
        goodbye: what to answer to QUIT; nothing at all where it is empty.
        drip: answer DATA with a byte at a time, without end.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(
        self,
        *,
        refuse: bool = False,
        login: bool = False,
        codes: dict[str, int] | None = None,
        goodbye: str = "221 bye",
        drip: bool = False,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.refuse = refuse
        self.login = login
        self.codes = codes or {}
        self.goodbye = goodbye
        self.drip = drip
        self.logins: list[str] = []
        self.mails: list[Message] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def text(self) -> str:
        """The bodies of all mails."""
        return "\n".join(str(mail.get_content()) for mail in self.mails)  # type: ignore[attr-defined]


class _Mail(socketserver.StreamRequestHandler):
    server: MailSink

    def handle(self) -> None:
        self._say("220 sink")
        for line in iter(self.rfile.readline, b""):
            word = line.split()[0].upper().decode() if line.split() else ""
            if word == "EHLO":
                self._say("250-sink" if self.server.login else "250 sink")
                if self.server.login:
                    self._say("250 AUTH PLAIN")
            elif word == "AUTH":
                self.server.logins.append(line.decode().split()[2])
                self._say("535 no" if self.server.refuse else "235 ok")
            elif word == "MAIL" and self.server.refuse:
                self._say("451 later")
            elif word == "RCPT":
                address = line.decode().partition("<")[2].partition(">")[0]
                code = self.server.codes.get(address, 250)
                self._say(f"{code} {address}")
                if code == 421:
                    return
            elif word == "DATA" and self.server.drip:
                drip(self.wfile)
                return
            elif word == "DATA":
                self._say("354 go on")
                lines = []
                for part in iter(self.rfile.readline, b".\r\n"):
                    lines.append(part)
                self.server.mails.append(message_from_bytes(b"".join(lines), policy=default))
                self._say("250 taken")
            elif word == "QUIT":
                if self.server.goodbye:
                    self._say(self.server.goodbye)
                return
            else:
                self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class HookSink(ThreadingHTTPServer):
    """A webhook.

    Args:
        status: what it answers.
        location: where it says that it has moved to.
        raw: what it answers instead, before it hangs up.
        drip: send a byte at a time after ``raw``, without end.
    """

    daemon_threads = True

    def __init__(
        self, status: int = 200, *, location: str | None = None, raw: bytes | None = None, drip: bool = False
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.status = status
        self.location = location
        self.raw = raw
        self.drip = drip
        self.posts: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.dripping = threading.Event()
        self.authorizations: list[str | None] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.address}/hook/s3cr3t?token=s3cr3t"


class _Hook(BaseHTTPRequestHandler):
    server: HookSink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(f"{self.command} {self.path}")
        self.server.authorizations.append(self.headers["Authorization"])
        if self.server.status == 200:
            self.server.posts.append(json.loads(body))
        if self.server.raw is not None:
            self.wfile.write(self.server.raw)
            if self.server.drip:
                self.server.dripping.set()
                drip(self.wfile)
            self.close_connection = True
            return
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test looks at what it holds."""


def drip(to: BinaryIO) -> None:
    """A byte at a time, until the other side hangs up."""
    with suppress(OSError):
        while True:
            to.write(b"X")
            to.flush()
            time.sleep(0.02)


@contextmanager
def serving(sink: Any) -> Iterator[Any]:
    """The sink, answering for the length of the block."""
    thread = threading.Thread(target=sink.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.shutdown()
        sink.server_close()
        thread.join(5)


def smtp_url(sink: MailSink, user: str = "") -> str:
    return f"smtp://{user}{sink.address}?from=dayspring@example.org&to=ops@example.org,lead@example.org"
