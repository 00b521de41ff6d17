"""A mail server and a webhook of the tests' own, which keep what they are sent."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class MailSink(socketserver.ThreadingTCPServer):
    """As much of SMTP as a client needs; ``refuse`` turns every mail away, ``password`` asks for one."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, refuse: bool = False, login: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.refuse = refuse
        self.login = login
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
            elif word == "DATA":
                self._say("354 go on")
                lines = []
                for part in iter(self.rfile.readline, b".\r\n"):
                    lines.append(part)
                self.server.mails.append(message_from_bytes(b"".join(lines), policy=default))
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class HookSink(ThreadingHTTPServer):
    """A webhook; ``status`` is what it answers."""

    daemon_threads = True

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.status = status
        self.posts: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/s3cr3t?token=s3cr3t"


class _Hook(BaseHTTPRequestHandler):
    server: HookSink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.posts.append(json.loads(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test looks at what it holds."""


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
